/* negatives.h - in: one row's ranked hits, its positives and the rules; out: its negatives. Pure:
 * no model, no files.
 *
 * The order of the rules is their meaning:
 *   1. range: hits of ranks [from, to), counted from 0 with everything in (FlagEmbedding's
 *      range_for_sampling), or, with range_after, after positives, the query and their duplicates
 *      are out.
 *   2. never a positive of this query (of this row or of another row that asks the same), never the
 *      query itself, never a duplicate of either: equal after utf8_fold(). Of passages that are
 *      duplicates of each other, or of a negative that is kept, only the best ranked stays.
 *   3. margins to `lowest`, the similarity of the row's lowest positive, then the bounds on the
 *      score.
 *   4. sampling: `n` of those that are left.
 * Rules 2 and 3 hold for random negatives too. */
#ifndef MINE_NEGATIVES_H
#define MINE_NEGATIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mine/search.h"

enum sampling {
	SAMPLING_TOP, /* the best ranked */
	SAMPLING_RANDOM, /* uniform */
	/* In proportion to exp(-a (s - lowest - b)^2): those as near to the positive as b says
	 * (SimANS: Zhou et al., EMNLP 2022, eq. 4). */
	SAMPLING_SIMANS,
	SAMPLING_CORPUS, /* uniform from the whole corpus: no ranks, no range */
};

struct negative_rules {
	size_t from, to; /* the range */
	bool range_after;
	double margin_abs; /* keeps sim <= lowest - X; NaN = off, as for the next three */
	double margin_rel; /* keeps sim <= lowest - X * |lowest|: .05 is NV-Retriever's PercPos 95 % */
	double max_score, min_score; /* keep sim <= X, sim >= X */
	size_t n; /* negatives a row, beside those that are kept */
	enum sampling sampling;
	double simans_a, simans_b;
	bool fill; /* too few? random ones from the corpus for the rest */
	uint64_t seed;
};
#define NEGATIVE_RULES_INIT                                                                        \
	{                                                                                          \
		.to = 200, .margin_abs = NAN, .margin_rel = NAN, .max_score = NAN,                 \
		.min_score = NAN, .n = 7, .simans_a = 100.0                                        \
	}
bool negative_sampling_parse(const char *name, enum sampling *ret); /* "top", "random-corpus" ... */

/* Texts are numbered: [0, n_corpus) can be mined; positives may have larger numbers. */
struct negative_row {
	const struct hit *hits; /* best first */
	size_t n_hits;
	const uint32_t *positives; /* of the query, in any order */
	size_t n_positives;
	uint32_t query_fold; /* fold number of the query */
	const uint32_t *kept_folds; /* fold numbers of negatives that stay */
	size_t n_kept;
	double lowest; /* NaN: nothing to compare with; margins drop nothing, SimANS is uniform */
	uint64_t
		stream; /* of random numbers: a row's id, so that the order of rows changes nothing */
	const uint32_t *fold; /* [n_texts] texts with equal numbers are duplicates */
	size_t n_corpus;
	float (*sim)(void *ctx, uint32_t text); /* similarity of query and text */
	void *ctx;
};

struct negative {
	uint32_t text;
	float sim;
	int64_t rank; /* in hits; -1 = drawn from the corpus and not among the hits */
};

/* Why a hit did not become a candidate. ORDER drops */
enum drop {
	DROP_POSITIVE, /* a positive of this query */
	DROP_QUERY, /* the query, or its duplicate */
	DROP_DUPLICATE, /* a duplicate of a positive */
	DROP_REPEAT, /* a duplicate of a better candidate or of a kept negative */
	DROP_MARGIN_ABS,
	DROP_MARGIN_REL,
	DROP_MAX_SCORE,
	DROP_MIN_SCORE,
	DROP_KINDS
};
const char *drop_name(enum drop d); /* "positive", "margin_abs": keys of results */

struct negative_counts { /* summed over rows */
	size_t dropped[DROP_KINDS];
	size_t n_chosen, n_filled; /* filled ones are among the chosen */
	size_t n_short, n_none; /* rows with fewer than n, with none at all */
};

/* Writes at most rules->n negatives, best ranked first, random ones last, and returns how many. */
size_t negatives_choose(const struct negative_rules *rules, const struct negative_row *row,
	struct negative *ret, struct negative_counts *counts);

/* Rule 2 alone, without repeats: why text can never be a negative of this row; DROP_KINDS when it
 * can. */
enum drop negative_forbidden(const struct negative_row *row, uint32_t text);

#endif
