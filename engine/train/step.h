/* step.h - in: which queries; out: gradients. One optimiser step without the optimiser. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include <stdint.h>

#include "base/err.h"
#include "train/trainer.h"

/* Optimiser steps that an epoch over n rows takes. */
int64_t steps_per_epoch(int64_t n_rows, int64_t batch_size);

struct step_place {
	int64_t step; /* from 0 */
	int64_t epoch; /* from 0 */
	int64_t first, n; /* queries of the epoch's order */
};
/* Where step `step` stands in an epoch of n_rows. */
struct step_place step_place(int64_t step, int64_t n_rows, int64_t batch_size);

struct step_sums {
	struct loss_sums loss;
	int64_t n_texts, n_tokens, n_cut;
};

/* Forward and backward of every micro-batch: the params' gradients are those of the mean loss over
 * the step's n queries. A loss that is not finite is ERR_FAILED and names the rows. */
bool step_gradients(const struct trainer_parts *parts, const struct trainer_options *opt,
	const struct step_place *at, struct step_sums *ret, struct err *err) MUST_CHECK;
/* "rows.jsonl:3, rows.jsonl:9 ..." of the step, for messages; at most eight of them. */
bool step_rows(const struct trainer_parts *parts, const struct trainer_options *opt,
	const struct step_place *at, struct buf *out, struct err *err) MUST_CHECK;

#endif
