/* metrics.h - in: rankings and judgements; out: trec_eval's figures. Pure: arrays in, numbers out.
 *
 * Semantics are trec_eval's: a ranking is sorted by score (descending), ties by document id, the
 * larger string first; a query counts when it has judgements and a ranking (or, with complete =
 * true, judgements alone: trec_eval -c), and one without a relevant judgement counts as 0. nDCG
 * uses the grades as gains (Jarvelin, Kekalainen 2002, with log2(rank + 1)), unjudged and negative
 * ones as 0; binary figures take grade >= 1, or >= level (trec_eval -l). Recall and map divide by
 * all relevant documents, precision@k by k. */
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

/* The same in two steps, for many figures of one query: its ranking as grades, then each figure in
 * one pass over the first k of them. */
struct graded {
	int32_t *grades; /* [n] grade of each ranked document; 0 when unjudged */
	size_t n;
	int32_t *ideal; /* [n_ideal] the positive grades of the judgements, largest first */
	size_t n_ideal;
};
/* judged in any order. Release it with graded_release(). */
struct graded graded_new(
	const uint32_t *ranked, size_t n_ranked, const struct judged *judged, size_t n_judged);
void graded_release(struct graded *g);
double metric_graded(enum metric m, size_t k, int32_t level, const struct graded *g);

/* A figure with its name in results: "ndcg@10", "map". */
struct metric_spec {
	enum metric metric;
	size_t k; /* 0 = uncut */
	char name[32];
};
/* ndcg, recall, precision and mrr at each k, then map and mrr uncut: 4 * n_ks + 2 of them, the
 * caller's to free(). */
struct metric_spec *metric_specs(const size_t *ks, size_t n_ks, size_t *ret_n);
extern const size_t metric_ks[8]; /* 1 3 5 10 20 50 100 1000 */

/* Correlations of STS: average ranks for ties. NaN when one side is constant or n < 2. */
double metric_spearman(const double *x, const double *y, size_t n);
double metric_pearson(const double *x, const double *y, size_t n);

/* Mean and its 95 % interval by bootstrap over queries (percentile, 1000 resamples, seeded). */
struct interval {
	double mean, low, high;
};
struct interval metric_bootstrap(const double *values, size_t n, uint64_t seed);
/* Two-sided p-value of a mean of paired differences under the hypothesis that each could as well
 * have had the other sign (Fisher's randomisation test as in Smucker, Allan, Carterette 2007; 10000
 * draws, seeded, counted with the observed one: (b + 1) / (draws + 1)). 1 when n = 0. */
double metric_randomization(const double *differences, size_t n, uint64_t seed);

#endif
