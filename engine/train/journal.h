/* journal.h - in: what a step did; out: its line in metrics.jsonl, its point in the event file, now
 * and then a line of the log.
 *
 * A metrics line: step (finished ones), epoch (of the data, a fraction), loss (mean over the step's
 * queries), infonce and kd (its parts, when the loss has both), lr, grad_norm (before clipping),
 * pos_sim and neg_sim (mean cosine of a query with its positive, with its own negatives), first (share
 * of queries whose positive beats every negative of the batch), queries, texts (distinct ones),
 * tokens, cut (texts longer than their limit), masked, unscored, seconds, tokens_per_s. An
 * evaluation's line: step, epoch, eval {figure: value}. */
#ifndef TRAIN_JOURNAL_H
#define TRAIN_JOURNAL_H

#include "base/err.h"
#include "store/rundir.h"
#include "train/step.h"
#include "train/tfevents.h"
#include "train/trainer.h"

struct journal {
	struct rundir *run; /* borrowed */
	struct tfevents *events;
	int64_t total_steps, n_rows, first_step;
	double started, last_line; /* wall seconds */
	double recent[50]; /* losses of the last steps, a ring */
	int64_t n_losses;
	bool has_kd; /* the loss has two parts */
};

bool journal_open(struct journal *r, const struct trainer_parts *parts,
	const struct trainer_options *opt, int64_t first_step, struct err *err) MUST_CHECK;
void journal_close(struct journal *r);

struct journal_step {
	int64_t done; /* steps finished, this one counted */
	double epoch, lr, grad_norm, seconds;
	const struct step_sums *sums;
};
bool journal_step(struct journal *r, const struct journal_step *step, struct err *err) MUST_CHECK;
bool journal_eval(struct journal *r, int64_t done, double epoch, const struct train_eval *eval,
	struct err *err) MUST_CHECK;
/* Mean loss of the last steps, NAN when there were none. */
double journal_loss(const struct journal *r);

#endif
