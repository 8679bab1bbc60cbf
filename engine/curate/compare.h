/* compare.h - in: the hashes of all rows; out: what stands in several rows or files. */
#ifndef CURATE_COMPARE_H
#define CURATE_COMPARE_H

#include "curate/pass.h"

/* A row that equals another in the way of `kind`. */
struct event {
	enum finding_kind kind;
	size_t file_a, file_b; /* of a leak; else both 0 */
	struct example at;
};
struct events {
	struct event *e; /* free() it */
	size_t n, cap;
};

/* Adds one event a row, kind and pair of files, in that order; counts distinct queries into
 * ret_queries and files[].n_queries. */
bool compare_rows(const struct pass *p, struct inspect_file *files, size_t *ret_queries,
	struct events *ret, struct err *err) MUST_CHECK;

#endif
