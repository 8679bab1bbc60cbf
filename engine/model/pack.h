/* pack.h - in: texts with their prompts; out: batches of token ids, each text once.
 *
 * A plan holds what is left to encode: equal (prompt, text) pairs as one job, tokenized, cut, and
 * sorted by length, longest first, so that a batch is of nearly equal lengths and the memory of the
 * first one is the most there will be. */
#ifndef MODEL_PACK_H
#define MODEL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

struct pack_job {
	size_t item; /* the first of the items that are this text */
	struct hash128 id; /* of prompt and text */
	int32_t *ids; /* [n], the plan's */
	size_t n;
	size_t n_whole; /* ids before cutting */
	int32_t prompt_tokens; /* leading ids that are the prompt; 0 unless asked for */
};
struct pack {
	struct pack_job *job; /* distinct texts */
	size_t n_jobs;
	size_t *job_of; /* [n items] */
};

struct pack_options {
	const struct tokenizer *tokenizer;
	size_t max_length; /* tokens, specials included */
	bool counts_prompt; /* fill prompt_tokens */
	int threads;
};

/* Finds the distinct items; tokenizes nothing. */
void pack_init(struct pack *p, const struct encode_item *items, size_t n);
/* Tokenizes the jobs that `wanted` marks (by job; NULL: all), on several threads. */
void pack_tokenize(struct pack *p, const struct encode_item *items, const bool *wanted,
	const struct pack_options *opt);
void pack_release(struct pack *p);

/* Leading ids that a prompt takes in front of a text: those that open a text and its own, but not
 * what closes one. */
int32_t pack_prompt_tokens(struct tokenizer_run *run, struct text prompt);

/* The wanted jobs, longest first; ties by place. ret [n_jobs], returns how many. */
size_t pack_order(const struct pack *p, const bool *wanted, size_t *ret);

/* Jobs of an order as packed batches of at most `tokens` tokens, and at least one job: where the one
 * that begins at `from` ends. */
size_t pack_batch_end(
	const struct pack *p, const size_t *order, size_t n, size_t from, size_t tokens);
struct pack_batch {
	struct token_batch tokens; /* views of the three below */
	int32_t *ids, *prompt;
	int64_t *start;
};
void pack_batch_make(struct pack_batch *ret, const struct pack *p, const size_t *order, size_t n);
void pack_batch_release(struct pack_batch *b);

#endif
