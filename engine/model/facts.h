/* facts.h - in: a model folder; out: what one wants to know of it before using or training it.
 *
 * Everything is checked as model_open() checks it, but no weight is read: a damaged folder says so
 * here within milliseconds. */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/config.h"

struct model_facts {
	struct model_config config;
	unsigned views; /* VIEW_... of model.h */
	int64_t multi_dim;
	const char *pooling; /* "mean", "cls+mean" */
	const char *class_name; /* "BertModel" */
	const char *dtype; /* of the weights in the file: "F32", "BF16", "mixed" */
	int64_t file_bytes;
	size_t n_files;
	int64_t n_params, n_table, n_linear; /* all; looked up by row; in linears */
	int64_t n_fused; /* copied when opened, because the file has it in parts */
	const char **lora_modules; /* "attention.self.query" ..., without the layer */
	size_t n_lora_modules;
	int64_t lora_side; /* sum of in + out over all of them: times r is what LoRA trains */
};

/* base: of an adapter folder, NULL = as it says. */
bool model_facts_read(
	const char *dir, const char *base, struct model_facts *ret, struct err *err) MUST_CHECK;
void model_facts_release(struct model_facts *f);

/* Bytes that a job needs beside libtorch itself, estimated: weights, their copies, gradients,
 * moments, and the activations of n_tokens at once. */
int64_t model_bytes_to_encode(const struct model_facts *f, bool bf16, int64_t n_tokens);
int64_t model_bytes_to_train(
	const struct model_facts *f, bool bf16, int64_t lora_r, int64_t n_tokens);

#endif
