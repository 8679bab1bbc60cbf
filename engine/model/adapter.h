/* adapter.h - in: a folder that PEFT wrote; out: its base, and for each of the base's weights what to
 * add to it when it is loaded.
 *
 *	y = W x + scale * B A x		scale = alpha / r, rsLoRA: alpha / sqrt(r)
 *	DoRA: W' = m (W + scale * B A) / |W + scale * B A|, norms of rows
 *
 * Adapters are merged as weights are loaded, so the model is one whole from there on: it encodes as
 * fast as its base, is trained anew on top, and is written merged. Tensors are called with or
 * without an adapter's name (lora_A.weight, lora_A.default.weight) and with the model's prefix or
 * not. Every one of them must belong to a module of the base.
 *
 * Sources: Hu et al. 2021, LoRA; Kalajdzievski 2023, rsLoRA; Liu et al. 2024, DoRA; PEFT 0.21. */
#ifndef MODEL_ADAPTER_H
#define MODEL_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "json.h"
#include "model/params.h"
#include "model/safetensors.h"

/* What is added to one part of a weight. */
struct adapter_part {
	const struct st_tensor *a, *b; /* [r,I], [O,r]; of a table [r,rows], [cols,r] */
	const struct st_tensor *magnitude; /* [O]: DoRA */
	const struct st_tensor *bias; /* [O], of a bias: scale * it is added */
	double scale;
	bool is_table;
};

struct adapter_config; /* of adapter_config.json */

/* Is this a folder of PEFT's, and no model's? */
bool adapter_is(const char *dir);
/* Reads adapter_config.json; *ret_base is the base's folder: `asked` when it is not NULL, else
 * base_model_name_or_path as it stands or from the adapter's folder. All lives in a. */
bool adapter_read(const char *dir, const char *asked, struct arena *a,
	const struct adapter_config **ret, const char **ret_base, struct err *err) MUST_CHECK;
/* Whether it makes the base a sequence classifier (task_type SEQ_CLS). */
bool adapter_classifies(const struct adapter_config *c);
/* Adds adapter_model.safetensors (or .bin) to st, its names behind "adapter/". */
bool adapter_add_weights(
	const struct adapter_config *c, struct safetensors *st, struct err *err) MUST_CHECK;
/* A tensor that was saved whole, "classifier.weight"; NULL: not there. */
const struct st_tensor *adapter_saved(
	const struct safetensors *st, const char *prefix, const char *name);
/* Hangs the adapter onto the weights that were found in the base's files. */
bool adapter_bind(const struct adapter_config *c, struct params *p, const struct safetensors *st,
	const char *prefix, struct err *err) MUST_CHECK;
/* The part with its adapter merged, f32, in scope s; base is what the file has. */
tensor adapter_merged(tn_scope *s, const struct adapter_part *x, tensor base);

#endif
