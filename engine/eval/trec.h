/* trec.h - in: qrels and run files; out: their figures, as trec_eval computes them; and run files.
 *
 * Qrels: `query iteration document grade`, or a BEIR TSV (query-id, corpus-id, score, with or
 * without its header line). Runs: `query Q0 document rank score tag`; the rank is ignored, order is
 * score and document id, and what follows the tag on a line too. Fields are separated by blanks and
 * tabs; lines that begin with # and blank lines are skipped. A document that stands twice under a
 * query is an error, as in trec_eval. */
#ifndef EVAL_TREC_H
#define EVAL_TREC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/map.h"
#include "eval/metrics.h"
#include "eval/report.h"

struct trec_entry {
	uint32_t query, doc; /* indices into ids */
	double value; /* grade or score */
	uint32_t line; /* from 1 */
};
struct trec_ids { /* names of queries or documents, numbered as they come */
	struct map map;
	struct text *t; /* keys owned by arena */
	size_t n, cap;
};
struct trec {
	struct trec_ids queries, docs;
	struct trec_entry *qrels, *run; /* by query; a run's best first within one */
	size_t n_qrels, n_run;
	struct arena arena;
};
#define TREC_INIT                                                                                  \
	{                                                                                          \
		.queries = {.map = MAP_INIT}, .docs = {.map = MAP_INIT}, .arena = ARENA_INIT       \
	}
void trec_release(struct trec *t);
bool trec_read_qrels(struct trec *t, const char *path, struct err *err) MUST_CHECK;
bool trec_read_run(struct trec *t, const char *path, struct err *err) MUST_CHECK;

struct trec_options {
	bool complete; /* -c: a query of the qrels without a ranking counts as 0 */
	int32_t level; /* -l: the least grade that is relevant; 0 = 1 */
	size_t max_docs; /* -M: only so many documents a query; 0 = all */
	uint64_t seed; /* of the intervals */
};
/* The report of the run against the qrels: one row a query, in the order of the qrels file. */
void trec_measure(const struct trec *t, const char *set, const struct metric_spec *specs,
	size_t n_specs, const struct trec_options *opt, struct report *ret);

/* Is a before b in trec_eval's order? Scores descending, equal ones by id, the larger first. */
bool trec_before(double score_a, struct text id_a, double score_b, struct text id_b);
/* One line of a run file; rank counts from 1. */
void trec_put_line(struct fs_out *f, struct text query, struct text doc, size_t rank, float score,
	const char *tag);

#endif
