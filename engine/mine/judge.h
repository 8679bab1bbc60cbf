/* judge.h - in: pairs of query and passage; out: a reranker's raw scores.
 *
 *	classification	a logit of the head: BERT, XLM-R, ModernBERT, decoders with a score matrix
 *	yes		the logit of "Yes" behind FlagEmbedding's prompt: bge-reranker-v2-gemma
 *	yes-no		the logits of "yes" minus "no" behind Qwen3-Reranker's chat template
 *
 * Each distinct text is tokenized once a call (the middle of yes-no once a pair), cut as its family
 * does (pair_budget.h); pairs are sorted by length and packed, so nothing is padded. */
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
	const char *attention; /* of a decoder; NULL or "auto" = what the folder says */
	const char *family; /* "yes", "yes-no"; NULL or "auto" = what the folder is */
	int64_t label; /* output of a classification head */
	int64_t layers; /* of yes and yes-no: only so many layers run, as a layerwise reranker's
	                   cut-off; 0 = all */
	/* Tokens of a pair; 0 = the model's of a classification head, 512 of yes, 8192 of yes-no, as
	 * FlagEmbedding and the model's card have it. What it holds: pair_lengths_scoring(). */
	int64_t max_length;
	int64_t query_max_length; /* the query is cut to it, then the passage alone so that the pair
	                             fits; 0 = longest_first, and 3/4 of max_length of yes */
	int64_t batch_tokens; /* 0 = 4096 */
	int threads; /* that tokenize; 0 = 1 */
	/* Before each text, and yes' prompt or yes-no's instruction; s NULL = the family's. */
	struct text query_prefix, passage_prefix, instruction;
};

/* Does the folder hold a reranker: a classification head, or a causal language model without
 * modules.json? Looks at config.json alone. */
bool judge_is(const char *dir, bool *ret, struct err *err) MUST_CHECK;

struct judge;
/* root's context must stay open until judge_close(). */
struct judge *judge_open(const char *dir, tn_scope *root, const struct judge_options *opt,
	struct err *err) MUST_CHECK;
void judge_close(struct judge *j);
/* Everything that decides a raw score except the texts. */
struct hash128 judge_hash(const struct judge *j);
const char *judge_dtype(const struct judge *j); /* "float32", "bfloat16" ... */
const char *judge_family(const struct judge *j); /* "classification", "yes", "yes-no" */
int64_t judge_max_length(const struct judge *j);

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
