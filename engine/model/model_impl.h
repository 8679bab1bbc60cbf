/* model_impl.h - the model itself, for the files of this folder that work on it. */
#ifndef MODEL_MODEL_IMPL_H
#define MODEL_MODEL_IMPL_H

#include "model/architectures.h"
#include "model/config.h"
#include "model/classifier.h"
#include "model/heads.h"
#include "model/layers.h"
#include "model/model.h"
#include "model/params.h"
#include "model/parts.h"
#include "model/safetensors.h"

struct model {
	struct model_config config;
	struct safetensors weights; /* mapped as long as the model lives */
	struct params params;
	struct parts parts;
	tn_scope *scope; /* owns all weights */
	enum model_use use;
	enum model_dtype dtype; /* never AUTO */

	const char *pooling; /* its names */
	const char *query_prompt, *passage_prompt; /* model_set_prompts(); NULL: the folder's */

	struct lora *loras; /* one a linear; NULL: no LoRA */
	int64_t lora_alpha;
	double lora_dropout;

	bool is_settled; /* weights are leaves, and the trained list stands */
	struct trained *trained;
	size_t n_trained;
};

/* Before the first use: makes the leaves that are trained, and the computing copies. */
void model_settle(struct model *m);
enum tn_dtype model_compute_dtype(const struct model *m);

/* A tensor that leaves under a name: a part of a weight, or an adapter's matrix. Walks over them
 * all in the order of training. */
struct named {
	const struct weight *w;
	const struct lora *lora; /* set: its A or B for this part of w */
	int part;
	bool is_b;
};
typedef bool (*named_fn)(void *ctx, const struct named *what, struct err *err);
bool model_each_lora(struct model *m, named_fn fn, void *ctx, struct err *err) MUST_CHECK;
/* "base_model.model.encoder.layer.0.attention.self.query.lora_A.weight"; lives in a. */
const char *lora_name(const struct model *m, const struct named *what, struct arena *a);
/* "encoder.layer.0.attention.self.query": the module of a weight's part; lives in a. */
const char *module_name(const struct weight *w, int part, struct arena *a);
/* "attention.self.query" of it: what follows the layer's number. */
const char *module_in_layer(const char *module);

/* f32 data of a tensor [rows, ...] into a file, a block of rows at a time. */
bool model_put_tensor(tn_scope *s, tensor t, int64_t rows, int64_t row_size, struct st_sink *out,
	struct err *err) MUST_CHECK;

#endif
