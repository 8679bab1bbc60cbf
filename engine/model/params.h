/* params.h - the weights of a model: what Hugging Face calls them, and the tensors we compute with.
 *
 * A backbone declares its weights first, with their shapes, and nothing of the model's size is
 * allocated; params_bind() then looks all of them up in the files, so that a missing tensor or a
 * wrong shape is an error by name before the first byte is copied; params_load() makes the tensors.
 *
 * One weight may be several tensors of the file, stacked along axis 0: query, key and value become
 * one matrix and one product. Names always leave this folder part by part. */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/safetensors.h"
#include "tensor.h"

enum weight_kind {
	WEIGHT_TABLE, /* looked up by row; stays f32 */
	WEIGHT_LINEAR, /* a matrix [out, in]; in the computing dtype */
	WEIGHT_BIAS, /* [out]; f32 */
	WEIGHT_NORM, /* weight or bias of a norm; f32 */
	WEIGHT_HEAD, /* a head's matrix [out, in]; f32 */
};

#define WEIGHT_PARTS 3
struct adapter_part; /* adapter.h */
struct weight_part {
	const char *name; /* Hugging Face's, without the prefix of a head's class */
	int64_t row, n_rows; /* which rows of the weight it is */
	const struct st_tensor *in; /* where the file has it; NULL: nowhere, made anew */
	const struct adapter_part *adapter; /* merged when it is loaded; NULL: none */
};
struct weight {
	enum weight_kind kind;
	int64_t rows, cols; /* cols 0: a vector [rows] */
	struct weight_part part[WEIGHT_PARTS];
	int n_parts;
	bool is_outside; /* lies beside the encoder: its name never has the encoder's prefix */
	bool is_beside; /* in a file of its own, which its name's part before the slash says */
	double init_std; /* may be missing in the file: then normal(0, init_std), or zeros for a
	                    bias; < 0: must be there */
	bool is_trained;
	bool is_cast; /* a table whose rows are cast after they are looked up */
	tensor value; /* f32, [rows, cols] or [rows]: the file's memory, a copy, or the trained leaf */
	tensor compute; /* what forward uses: value, or its bf16 copy */
};

struct params {
	struct weight **w; /* in the order of declaration, which is the order of training */
	size_t n, cap;
	const char *prefix; /* in names that leave: "" or "bert." */
	const struct st_tensor **extra; /* tensors that we do not compute with but carry over */
	size_t n_extra;
	struct arena arena;
};

#define PARAMS_INIT                                                                                \
	{                                                                                          \
		.arena = ARENA_INIT                                                                \
	}
void params_release(struct params *p); /* the tensors belong to the model's scope */

/* Declares w, which must not move afterwards. Parts follow with params_part(); their rows add up
 * to w->rows. */
void params_add(
	struct params *p, struct weight *w, enum weight_kind kind, int64_t rows, int64_t cols);
void params_part(struct params *p, struct weight *w, int64_t n_rows, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Both, for the usual weight that is one tensor. */
void params_one(struct params *p, struct weight *w, enum weight_kind kind, int64_t rows,
	int64_t cols, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

struct params_rules {
	const char *prefix; /* the encoder's, in a class with a head: "bert." */
	bool has_head; /* names leave with the prefix */
	const char *const *harmless, *const *carried; /* architectures.h */
	bool may_invent; /* missing weights with an init_std are made; else they are errors */
};
/* Finds every part in st. Names may carry the prefix or not, and norms may be called gamma and
 * beta. Tensors that nothing needs are named in a warning, unless they are known to be harmless. */
bool params_bind(struct params *p, const struct safetensors *st, const struct params_rules *rules,
	struct err *err) MUST_CHECK;

/* Makes value: borrowed from the file where it can be, else copied to f32. In scope s. */
/* Part i as the files have it, its adapter merged. */
tensor weight_part_load(tn_scope *s, const struct weight *w, int i, uint64_t seed);
void params_load(struct params *p, tn_scope *s, uint64_t seed);
/* The same for inference in half precision, which needs no f32 of most of a model: linears are left
 * to weight_load(), one at a time, and tables that are cast stay as the file has them. */
void params_load_lean(struct params *p, tn_scope *s, uint64_t seed);
void weight_load(struct weight *w, tn_scope *s, uint64_t seed);
/* Marks all weights as trained, or those outside the encoder alone: value becomes a leaf that
 * collects a gradient. */
void params_train(struct params *p, tn_scope *s, bool all);
/* Makes compute anew in dtype from what is trained (all: also from what is not). */
void params_refresh(struct params *p, tn_scope *s, enum tn_dtype dtype, bool all);

/* Rows of part i of w, in scope s. */
tensor weight_slice(tn_scope *s, const struct weight *w, tensor whole, int i);
/* Name of part i as it leaves: prefix and all. Lives in a. */
const char *weight_name(const struct params *p, const struct weight *w, int i, struct arena *a);
/* A file's name as a class without a head has it. */
const char *params_bare_name(const char *prefix, const char *name);
/* A float tensor of a file: its memory where libtorch knows the dtype, a copy in f32 of an 8-bit
 * one. */
tensor params_tensor(tn_scope *s, const struct st_tensor *t);
bool params_is_float(enum st_dtype d);
int64_t weight_numel(const struct weight *w);
static inline bool weight_decays(const struct weight *w)
{
	return w->kind != WEIGHT_BIAS && w->kind != WEIGHT_NORM;
}

#endif
