/* batch.h - in: rows of an epoch; out: what one forward and one loss need.
 *
 * The texts of a step are tokenized on all threads and packed without padding. Texts that are equal
 * to the model (the same ids) are encoded once; index maps say where each query and passage finds
 * its vector. */
#ifndef TRAIN_BATCH_H
#define TRAIN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/model.h"
#include "model/prompts.h"
#include "text/token_cache.h"
#include "text/tokenizer.h"
#include "train/draw.h"
#include "train/loss.h"
#include "train/rows.h"

/* Which passages are no negatives of a query, although they stand in its batch. */
enum mask_kind {
	MASK_NONE, /* FlagEmbedding, sentence-transformers */
	MASK_EQUAL, /* those equal to its positive */
	MASK_KNOWN, /* and those that any row of the data names as a positive of this query */
};
bool mask_parse(const char *name, enum mask_kind *ret); /* "none", "equal", "known" */

struct batch_options {
	struct draw_options draw;
	enum mask_kind mask;
	size_t query_max_length, passage_max_length; /* tokens, prompt and special ones counted */
	bool no_truncation; /* a longer text is an error */
	int threads;
	struct token_cache *cache; /* with as many workers as threads; NULL: none. Borrowed */
};

struct batch {
	struct token_batch tokens; /* U distinct texts */
	int64_t n_texts; /* U */
	int64_t n_tokens;
	struct loss_batch loss; /* rows of [U,d] vectors */
	const int64_t *rows; /* [B] of the data set, for messages */
	int64_t n_cut; /* texts of the batch that were longer than their limit */
	int64_t longest_query, longest_passage; /* tokens */
	struct arena arena; /* owns all of it */
};
void batch_release(struct batch *b);

struct batcher;
/* Borrows all three. */
struct batcher *batcher_new(const struct rows *rows, const struct tokenizer *tokenizer,
	const struct prompts *prompts, const struct batch_options *opt);
void batcher_free(struct batcher *b);
/* Queries [first, first + n) of epoch `epoch`, n >= 1. ret is all zero, or an earlier batch, which is
 * released. */
bool batcher_make(struct batcher *b, int64_t epoch, int64_t first, int64_t n, struct batch *ret,
	struct err *err) MUST_CHECK;

#endif
