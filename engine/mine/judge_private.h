/* judge_private.h - the judge itself, for judge.c (what it is) and judge_pairs.c (its pairs). */
#ifndef MINE_JUDGE_PRIVATE_H
#define MINE_JUDGE_PRIVATE_H

#include "mine/judge.h"
#include "text/pair_budget.h"
#include "text/tokenizer.h"

enum judge_kind { JUDGE_HEAD, JUDGE_YES, JUDGE_YES_NO };
struct judge {
	enum judge_kind kind;
	struct model *model;
	struct tokenizer *tokenizer;
	struct pair_budget **budget; /* one a thread */
	tn_scope *root;
	struct judge_options opt; /* without its strings */
	int64_t answer[2]; /* ids of Yes; of yes and no */
	struct hash128 words; /* of prefixes and instruction */
};

/* Raw scores of one packed batch; out [seqs.n]. */
bool judge_run(struct judge *j, const int32_t *ids, const int32_t *types, struct tn_seqs seqs,
	float *out, struct err *err) MUST_CHECK;

#endif
