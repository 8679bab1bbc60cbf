/* figures.h - what eval, metrics and compare share: --k, and reports as tables. */
#ifndef JOB_FIGURES_H
#define JOB_FIGURES_H

#include "eval/metrics.h"
#include "eval/report.h"
#include "job/common.h"

/* The figures that --k asks for; free() the result. NULL: an entry is no positive number. */
struct metric_spec *figures_specs(const struct opts *o, size_t *ret_n, struct err *err) MUST_CHECK;
/* One line a report: its name, n_queries, n_passages[i] (-1: not known) and its main figures, those
 * of retrievals and of STS files in a table each. */
void figures_print(const struct report *r, const int64_t *n_passages, size_t n);

#endif
