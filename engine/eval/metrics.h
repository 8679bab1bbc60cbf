/* metrics.h - in: rankings and judgements; out: trec_eval's figures. Pure: arrays in, numbers out.
 *
 * Semantics are trec_eval's: a ranking is sorted by score (descending), ties by document id, the
 * larger string first; a query counts when it has a relevant judgement and a ranking (or, with
 * complete = true, a relevant judgement alone: trec_eval -c). nDCG uses the grades as gains
 * (Jarvelin, Kekalainen 2002, with log2(rank + 1)); binary figures take grade >= 1. */
#ifndef EVAL_METRICS_H
#define EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum metric { METRIC_NDCG, METRIC_RECALL, METRIC_PRECISION, METRIC_MRR, METRIC_MAP };

struct judged {
	uint32_t doc;
	int32_t grade;
};
/* One query: ranked documents, best first (already in trec_eval's order), and its judgements. k =
 * 0: uncut. */
double metric_query(enum metric m, size_t k, const uint32_t *ranked, size_t n_ranked,
	const struct judged *judged, size_t n_judged);

/* Correlations of STS: average ranks for ties. */
double metric_spearman(const double *x, const double *y, size_t n);
double metric_pearson(const double *x, const double *y, size_t n);

/* Mean and its 95 % interval by bootstrap over queries (percentile, 1000 resamples, seeded). */
struct interval {
	double mean, low, high;
};
struct interval metric_bootstrap(const double *values, size_t n, uint64_t seed);

#endif
