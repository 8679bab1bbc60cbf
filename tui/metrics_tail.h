/* metrics_tail.h - a run's metrics.jsonl as it grows: every line is read once, half lines wait. */
#ifndef TUI_METRICS_TAIL_H
#define TUI_METRICS_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum metric_column {
	METRIC_STEP,
	METRIC_EPOCH,
	METRIC_LOSS,
	METRIC_LR,
	METRIC_GRAD_NORM,
	METRIC_POS_SIM,
	METRIC_NEG_SIM,
	METRIC_FIRST,
	METRIC_TOKENS_PER_S,
	METRIC_SECONDS,
	METRIC_COLUMNS
};
extern const char *const metric_names[METRIC_COLUMNS]; /* ORDER metric_column; as in the file */

struct curve {
	double *v;
	size_t n, cap;
};
struct metrics_tail {
	char *path;
	long offset;
	struct curve step[METRIC_COLUMNS]; /* of the training lines; NAN where a line lacks one */
	struct curve eval_step, eval_value; /* the evaluation's first figure, or ndcg@10 */
	char eval_name[64];
	size_t n_bad; /* lines that are no JSON objects */
	bool has_more;
};

void metrics_tail_open(struct metrics_tail *m, const char *path);
bool metrics_tail_read(struct metrics_tail *m); /* true when there was something new */
bool metrics_tail_has_more(const struct metrics_tail *m); /* the last read stopped before the end */
void metrics_tail_close(struct metrics_tail *m);

#endif
