/* pair_budget.h - in: a query and a passage; out: the ids that a reranker of a family is fed, each
 * part cut to what the family leaves it.
 *
 * A reranker was trained on one way of cutting long pairs, and scores drift when it is served with
 * another. The rules differ in what is cut and in what stands around it:
 *
 *	PAIR_LONGEST_FIRST  the tokenizer's pair template; whichever is longer is cut (transformers).
 *	PAIR_ONLY_SECOND    the same template; the query is cut to its share (3/4) beforehand, then
 *	                    the passage gives way (FlagEmbedding, encoder rerankers).
 *	PAIR_YES            [bos] "A: "query "\n" "B: "passage, cut at its end, then "\n" prompt:
 *	                    tokenized apart, no special tokens (FlagEmbedding, decoder rerankers).
 *	PAIR_YES_NO         Qwen3-Reranker's chat template around
 *	                    "<Instruct>: i\n<Query>: q\n<Document>: d", of which only this middle is cut.
 *
 * Sources: FlagEmbedding 1.4.2, inference/reranker/{encoder_only,decoder_only}/base.py (scoring) and
 * abc/finetune/reranker/AbsDataset.py (training); the model card of Qwen3-Reranker.
 *
 *	struct pair_budget_options opt = {.rule = PAIR_YES, .dir = dir,
 *		.lengths = pair_lengths_scoring(512, 0)};
 *	struct pair_budget *b = pair_budget_new(tokenizer, &opt, &err);     (* one a thread *)
 *	pair_budget_encode(b, query, passage, &ids, NULL);
 *
 * The ids of the last query are kept, so pairs of one query should come in a row. */
#ifndef TEXT_PAIR_BUDGET_H
#define TEXT_PAIR_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "text/tokenizer.h"

enum pair_rule { PAIR_LONGEST_FIRST, PAIR_ONLY_SECOND, PAIR_YES, PAIR_YES_NO };

/* Ids; 0 = no limit. PAIR_LONGEST_FIRST and PAIR_YES_NO look at `whole` alone. */
struct pair_lengths {
	size_t query, passage; /* of each text by itself, special tokens not counted */
	size_t whole;
	/* PAIR_YES: whether `whole` holds the closing "\n" and prompt too (as in training), or
	 * they come on top of it (as in scoring). */
	bool holds_prompt;
};
/* Scoring with --max-length and --query-max-length (0: 3/4 of max_length). */
struct pair_lengths pair_lengths_scoring(size_t max_length, size_t query_max_length);
/* Training: a short query leaves a part of its share to the passage, and the other way round. */
struct pair_lengths pair_lengths_training(size_t query_max_length, size_t passage_max_length);

struct pair_budget_options {
	enum pair_rule rule;
	struct pair_lengths lengths;
	/* PAIR_YES: the folder whose tokenizer_config.json names bos_token and pad_token. */
	const char *dir;
	/* What stands before each text, and the prompt or instruction. s NULL: the family's own,
	 * which are below; a text of length 0: nothing. */
	struct text query_prefix, passage_prefix, prompt;
};

extern const struct text pair_yes_prompt; /* "Given a query A and a passage B, ..." */
extern const struct text pair_yes_no_instruction; /* "Given a web search query, ..." */

struct pair_budget;
/* Fails when the lengths leave nothing of the passage, or the folder cannot be read. The tokenizer is
 * borrowed, texts are copied. */
struct pair_budget *pair_budget_new(const struct tokenizer *t,
	const struct pair_budget_options *opt, struct err *err) MUST_CHECK;
void pair_budget_free(struct pair_budget *b); /* NULL is fine */

/* Appends the ids of the pair, and its type ids when types is not NULL. Returns how many ids it has
 * without any cutting: it was cut when that exceeds what was appended. */
size_t pair_budget_encode(struct pair_budget *b, struct text query, struct text passage,
	struct ids *out, struct ids *types);

/* The same in two steps, for passages that meet many queries: the ids of each text, uncut and behind
 * its prefix, then any pair of them. Not for PAIR_YES_NO, whose middle is tokenized as one. */
bool pair_budget_splits(const struct pair_budget *b);
void pair_budget_text(struct pair_budget *b, bool is_query, struct text t, struct ids *out);
size_t pair_budget_join(const struct pair_budget *b, const struct ids *query,
	const struct ids *passage, struct ids *out, struct ids *types);
/* Ids that a pair has at most, what stands around included; 0: no limit. */
size_t pair_budget_most(const struct pair_budget *b);

/* The first id of a word without special tokens: "Yes", "yes", "no", whose logits such a reranker is
 * read at. False: the tokenizer gives no id. */
bool pair_answer_id(const struct tokenizer *t, struct text word, int32_t *ret);

#endif
