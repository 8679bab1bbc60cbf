/* compare.h - in: two reports of one set; out: what changed, how sure that is, and which queries
 * paid. */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/metrics.h"
#include "eval/report.h"

struct compared_metric {
	const char *name;
	double before,
		after; /* over the queries that both have, when is_paired; else as reported */
	bool is_paired; /* both reports say it per query: the rest is known */
	struct interval difference; /* after - before, 95 % by bootstrap over queries */
	double p; /* metric_randomization(); NaN for correlations, whose interval stands alone */
	size_t won, lost, tied; /* queries; 0 for correlations */
};
struct compared_query {
	struct text id; /* borrowed from the reports */
	double before, after;
};
struct comparison {
	const char *set; /* borrowed from `after` */
	size_t n_common, n_only_before, n_only_after; /* queries */
	struct compared_metric *metrics; /* those that both have, in the order of `after` */
	size_t n_metrics;
	struct compared_query *queries; /* by `judged_by`: largest loss first, ties by id */
	const char *judged_by; /* NULL: no figure a query */
	struct arena arena;
};

/* judged_by: the metric that orders the queries. The reports must live as long as the result. */
void compare_reports(const struct report *before, const struct report *after, const char *judged_by,
	uint64_t seed, struct comparison *ret);
void comparison_release(struct comparison *c);

/* The reports of one side: a file that `eval --out` wrote (one set or several), a folder of such
 * files, or a run directory (what lies in its eval/). Of several files with the same set the last
 * counts, numbers in names taken as numbers (step-9 before step-10). */
struct report_set {
	struct report *r;
	size_t n;
};
bool report_set_open(const char *path, struct report_set *ret, struct err *err) MUST_CHECK;
void report_set_close(struct report_set *s);
/* The report of the same set: equal names, or equal last parts of a path. NULL: none. */
const struct report *report_set_find(const struct report_set *s, const char *set);

#endif
