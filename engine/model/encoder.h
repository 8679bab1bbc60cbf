/* encoder.h - in: texts; out: vectors on the host. Tokenizer, model, prompts and the vector cache
 * in one.
 *
 * Equal texts are encoded once. Texts are sorted by length and packed into batches of at most
 * batch_tokens tokens, so the result for a text does not depend on its neighbours beyond rounding,
 * and the order of the output is the input's. */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "model/model.h"
#include "model/prompts.h"
#include "text/tokenizer.h"

struct encoder_options {
	const char *device; /* "auto", "cpu", "cuda:0" */
	enum model_dtype dtype;
	int threads; /* 0 = cpu_count() */
	const char *pooling; /* NULL = the folder's */
	const char *attention; /* NULL = the folder's */
	const char *query_prompt, *passage_prompt; /* NULL = the folder's, else the family's */
	const char *base; /* of an adapter folder; NULL = as it says */
	const char *prompts; /* prompts.h's family; NULL = found by the folder */
	int64_t max_length; /* 0 = the folder's */
	int64_t query_max_length, passage_max_length; /* 0 = max_length */
	bool no_truncation; /* a longer text is an error */
	int64_t batch_tokens; /* 0 = 2048 on a CPU, 16384 on a GPU */
	const char *cache_dir; /* vectors are kept here; NULL = no cache */
};
#define ENCODER_OPTIONS_INIT                                                                       \
	{                                                                                          \
		.device = "auto"                                                                   \
	}

struct encoder;
struct encoder *encoder_open(
	const char *dir, const struct encoder_options *opt, struct err *err) MUST_CHECK;
/* Around a model that is being trained; borrows all three, keeps no cache. */
struct encoder *encoder_around(struct model *m, struct tokenizer *t, struct prompts *p,
	tn_scope *root, const struct encoder_options *opt);
void encoder_close(struct encoder *e);

struct model *encoder_model(struct encoder *e);
const struct prompts *encoder_prompts(const struct encoder *e);
int64_t encoder_dim(const struct encoder *e);
const char *encoder_describe(
	struct encoder *e); /* "float32 on the CPU, 2 threads": named in every result */

enum encode_role { ENCODE_PLAIN, ENCODE_QUERY, ENCODE_PASSAGE };
struct encode_item {
	struct text prompt; /* the prefix, as prompts.h builds it */
	struct text text;
};
struct encode_stats {
	size_t n_texts, n_unique, n_cached, n_cut; /* cut: longer than the limit, truncated */
	int64_t n_tokens; /* that went through the model */
};

/* out [n, dim] row-major. role decides only which max_length applies. stats may be NULL, else it is
 * added to. */
bool encoder_encode(struct encoder *e, enum encode_role role, const struct encode_item *items,
	size_t n, float *out, struct encode_stats *stats, struct err *err) MUST_CHECK;
/* The common case: n texts, all with the default prompt of their role (none for ENCODE_PLAIN). */
bool encoder_encode_texts(struct encoder *e, enum encode_role role, const struct text *texts,
	size_t n, float *out, struct encode_stats *stats, struct err *err) MUST_CHECK;

#endif
