/* judge.h - in: pairs of query and passage; out: a cross-encoder's raw scores (logits of one output
 * of its classification head).
 *
 * A pair is `[CLS] query [SEP] passage [SEP]` by the tokenizer's own template. Each distinct text
 * is tokenized once a call; pairs are sorted by length and packed, so nothing is padded. */
#ifndef MINE_JUDGE_H
#define MINE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/model.h"

struct judge_options {
	enum model_dtype dtype;
	int64_t label; /* output of the head */
	int64_t max_length; /* tokens of a pair, specials included; cut longest_first; 0 = the model's */
	int64_t query_max_length; /* FlagEmbedding's budget: the query is cut to it, then the passage
	                             alone so that the pair fits; 0 = longest_first */
	int64_t batch_tokens; /* 0 = 4096 */
};

/* Does the folder hold a model with a classification head? Looks at config.json alone. */
bool judge_is(const char *dir, bool *ret, struct err *err) MUST_CHECK;

struct judge;
/* root's context must stay open until judge_close(). */
struct judge *judge_open(const char *dir, tn_scope *root, const struct judge_options *opt,
	struct err *err) MUST_CHECK;
void judge_close(struct judge *j);
/* Everything that decides a raw score except the texts. */
struct hash128 judge_hash(const struct judge *j);
const char *judge_dtype(const struct judge *j); /* "float32", "bfloat16" ... */

struct judge_pair {
	struct text query, passage;
};
struct judge_stats {
	size_t n_cut; /* pairs that were longer than max_length */
	int64_t n_tokens;
};
/* Told of each batch as it is done: raw[i] belongs to pairs[which[i]]. False ends the scoring. */
typedef bool (*judge_sink)(
	void *ctx, const size_t *which, const float *raw, size_t n, struct err *err);
/* Scores n pairs in batches of growing length. stats is added to. */
bool judge_score(struct judge *j, const struct judge_pair *pairs, size_t n, judge_sink sink,
	void *ctx, struct judge_stats *stats, struct err *err) MUST_CHECK;

#endif
