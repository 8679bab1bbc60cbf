/* retrieve.h - in: an encoder and a BEIR folder; out: rankings, trec_eval's figures, a run file. */
#ifndef EVAL_RETRIEVE_H
#define EVAL_RETRIEVE_H

#include "data/beir.h"
#include "eval/metrics.h"
#include "eval/report.h"
#include "mine/search.h"
#include "model/encoder.h"

struct retrieve_options {
	struct search_options search;
	const struct metric_spec *specs;
	size_t n_specs;
	size_t top; /* passages a query; 0 = 1000 */
	const char *run_path; /* where the ranking goes in TREC format; NULL = nowhere */
	const char *tag; /* its last column; NULL = "vecsmith" */
	uint64_t seed; /* of the intervals */
};

/* Encodes queries and passages with the encoder's prompts (vectors in its cache are not made anew),
 * ranks by cosine, exactly, and measures. Every query of the split is a row of the report. stats
 * may be NULL, else it is added to. */
bool retrieve(struct encoder *e, const struct beir *data, const char *set,
	const struct retrieve_options *opt, struct report *ret, struct encode_stats *stats,
	struct err *err) MUST_CHECK;

#endif
