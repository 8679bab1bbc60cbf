/* score.h - in: rows and a judge; out: the rows with its scores.
 *
 * A cross-encoder gives pos_scores and neg_scores, and the same under scores.NAME; an embedder
 * gives pos_sims and neg_sims (cosines), by the prompts that mining uses. Every row that can be
 * read comes out, in order; what a row held besides stays. Rows are taken a block at a time.
 *
 * A cross-encoder's scores are kept in OUT.partial as they are made, by content: a run that was
 * killed goes on there, a pair that stands in several rows is scored once, and the file goes when
 * OUT stands. */
#ifndef MINE_SCORE_H
#define MINE_SCORE_H

#include "data/dataset.h"
#include "mine/judge.h"
#include "model/encoder.h"

struct score_options {
	const char *name; /* of the teacher */
	const char *model; /* what scores.NAME.model says */
	bool sigmoid; /* else raw logits */
	bool is_strict; /* a broken row is an error */
};

struct score_report {
	size_t n_rows, n_broken;
	size_t n_pairs; /* in the rows */
	size_t n_scored; /* by the model, in this run: distinct and not known */
	size_t n_resumed; /* distinct ones taken from a run that was cut off */
	size_t n_cut;
	int64_t n_tokens;
};

bool score_by_judge(struct judge *j, const struct dataset *d, const struct score_options *opt,
	const char *out, struct score_report *ret, struct err *err) MUST_CHECK;
bool score_by_encoder(struct encoder *e, const struct dataset *d, const struct score_options *opt,
	const char *out, struct score_report *ret, struct err *err) MUST_CHECK;

#endif
