/* miner.h - in: a data set of rows, an encoder, rules; out: the rows with negatives, and what was
 * dropped and why. Everything expensive is in the encoder's cache: a run that was stopped goes on
 * where it was, and a second one with other rules only searches. */
#ifndef MINE_MINER_H
#define MINE_MINER_H

#include "data/dataset.h"
#include "mine/negatives.h"
#include "mine/rows.h"
#include "model/encoder.h"

struct miner_options {
	struct negative_rules rules;
	struct search_options search;
	bool keep_negatives; /* old ones stay in front, with all that belongs to them */
	const char *from; /* neg_from of what is mined */
};

struct miner_report {
	struct negative_counts counts;
	size_t n_kept, n_kept_dropped; /* old negatives that stayed; that rule 2 forbids */
	size_t n_replaced; /* old negatives that went */
	struct encode_stats queries, passages;
	double seconds_encoding, seconds_searching;
};

/* Mines for x, which was read from d, and writes d's usable rows to `out`, all or nothing. */
bool miner_run(const struct mine_rows *x, const struct dataset *d, struct encoder *e,
	const struct miner_options *opt, const char *out, struct miner_report *ret,
	struct err *err) MUST_CHECK;

#endif
