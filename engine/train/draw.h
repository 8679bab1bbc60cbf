/* draw.h - in: a row; out: the texts it trains with in this epoch: one positive and up to G-1
 * negatives.
 *
 * As FlagEmbedding does, the positive is drawn evenly among the row's, the negatives without
 * replacement and in random order. Draws follow from (seed, epoch, row) alone. Without shuffling:
 * the first positive and the first G-1 negatives. Blank texts are never drawn. */
#ifndef TRAIN_DRAW_H
#define TRAIN_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "train/rows.h"

/* What a row with fewer than G-1 negatives gets. */
enum fill {
	FILL_NONE, /* a smaller group */
	FILL_REPEAT, /* its negatives again (FlagEmbedding); none when it has none */
	FILL_RANDOM, /* positives of other rows, never a text of its own row */
};
bool fill_parse(const char *name, enum fill *ret); /* "none", "repeat", "random" */

struct draw_options {
	int64_t group_size; /* G >= 1 */
	enum fill fill;
	bool shuffle;
	uint64_t seed;
	bool wants_scores;
	const char
		*teacher; /* whose scores: of the row's `scores`; NULL = pos_scores, neg_scores */
};

struct drawn {
	int64_t row; /* of the data set */
	struct record record;
	struct text *passage; /* [n], the positive first */
	float *score; /* [n] the teacher's, NAN = none */
	size_t n;
};

struct drawer;
struct drawer *drawer_new(const struct rows *rows, const struct draw_options *opt);
void drawer_free(struct drawer *d);
/* Texts live in a. The row could be read when rows_open() looked; ERR_DATA if it cannot any more. */
bool drawer_draw(struct drawer *d, int64_t epoch, int64_t row, struct arena *a, struct drawn *ret,
	struct err *err) MUST_CHECK;

#endif
