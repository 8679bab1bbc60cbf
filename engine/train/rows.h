/* rows.h - in: a data set; out: the rows that can be trained on, their order in each epoch, and what
 * is wrong with the others, said before anything expensive begins.
 *
 * A row is left out when it is broken, its query is blank, or no positive is left after blank ones.
 * The order of an epoch is a permutation by (seed, epoch): nothing is carried over, so a resumed run
 * finds its place by counting. */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/dataset.h"

struct rows_options {
	int threads;
	bool strict; /* a broken row is an error */
	bool wants_negatives; /* rows without negatives are worth a line */
	bool wants_known; /* collect known positives */
};

/* That `text` is a positive of `query`: hashes of the texts. */
struct known {
	uint64_t query, text;
};

struct rows {
	const struct dataset *data; /* borrowed */
	int64_t *usable; /* rows of the data set, ascending */
	size_t n;
	struct hash128 content; /* of every usable row: queries, prompts, texts, scores */
	struct known *known; /* sorted by query, then text */
	size_t n_known;
	/* Of all rows of the data set. */
	size_t n_rows, n_broken, n_blank_query, n_no_pos, n_no_neg, n_strings, n_bad_scores;
};

/* Looks at every row once, and logs what it found: a line each for the first few of a kind, then
 * their number. No usable row: ERR_DATA. */
bool rows_open(const struct dataset *data, const struct rows_options *opt, struct rows *ret,
	struct err *err) MUST_CHECK;
void rows_close(struct rows *r);
/* order [n]: the usable rows (indices of the data set) as epoch `epoch` visits them. */
void rows_order(const struct rows *r, uint64_t seed, int64_t epoch, bool shuffle, int64_t *order);
/* The known positives of a query: a stretch of r->known. */
size_t rows_known(const struct rows *r, uint64_t query, const struct known **ret);

/* Keys for known positives. */
uint64_t rows_key(struct text t);
/* White space only, or nothing: no text to train on. */
bool rows_is_blank(struct text t);

#endif
