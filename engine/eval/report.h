/* report.h - in: figures a query; out: their means, intervals, and the JSON that scripts and
 * `compare` read.
 *
 * JSON of one set: {"set": NAME, "queries": N, "metrics": {NAME: number}, "ci": {NAME: [low,
 * high]}, "per_query": {ID: {NAME: number}}}. A retrieval's figures are the means of its queries';
 * those of an STS file are correlations over its pairs, whose per_query holds both sides. */
#ifndef EVAL_REPORT_H
#define EVAL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "json.h"

struct report {
	const char *set; /* what was measured: a folder's or a file's name */
	size_t n_metrics;
	const char **names; /* [n_metrics] "ndcg@10" ... */
	double *values, *low, *high; /* [n_metrics]; low and high NaN = no interval */
	size_t n_queries;
	struct text *ids; /* [n_queries] */
	size_t n_columns;
	const char **columns; /* [n_columns] of per_query; the same as names for a retrieval */
	double *cells; /* [n_queries, n_columns]; NaN = not there */
	struct arena arena; /* owns it all */
};

/* Empty, with room for n_queries; names and columns are copied, values are NaN, cells 0. */
void report_init(struct report *r, const char *set, const char *const *names, size_t n_metrics,
	const char *const *columns, size_t n_columns, size_t n_queries);
void report_release(struct report *r);
/* For a retrieval: values and intervals of each column from its cells. */
void report_average(struct report *r, uint64_t seed);
/* The value of a metric by name; NaN when there is none. */
double report_value(const struct report *r, const char *name);
/* Index of a column or metric; -1 when there is none. */
int report_column(const struct report *r, const char *name);
int report_metric(const struct report *r, const char *name);

/* The members of the JSON above, to stand between the caller's braces. */
void report_put_json(const struct report *r, struct buf *out);
/* Reads one set from an object with these members; an object without `set` takes the given name.
 * Errors name the key. */
bool report_read(json object, const char *set, struct report *ret, struct err *err) MUST_CHECK;

#endif
