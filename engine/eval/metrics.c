#include "eval/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

const size_t metric_ks[8] = {1, 3, 5, 10, 20, 50, 100, 1000};

static int by_doc(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;
	return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static int by_grade_descending(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;
	return *x > *y ? -1 : *x < *y;
}

struct graded graded_new(
	const uint32_t *ranked, size_t n_ranked, const struct judged *judged, size_t n_judged)
{
	struct graded g = {xcalloc(n_ranked + 1, sizeof *g.grades), n_ranked,
		xcalloc(n_judged + 1, sizeof *g.ideal), 0};
	struct judged *sorted = xcalloc(n_judged + 1, sizeof *sorted);
	for (size_t i = 0; i < n_judged; i++) {
		sorted[i] = judged[i];
		if (judged[i].grade > 0)
			g.ideal[g.n_ideal++] = judged[i].grade;
	}
	qsort(sorted, n_judged, sizeof *sorted, by_doc);
	qsort(g.ideal, g.n_ideal, sizeof *g.ideal, by_grade_descending);
	for (size_t i = 0; i < n_ranked; i++) {
		struct judged key = {ranked[i], 0};
		const struct judged *found =
			bsearch(&key, sorted, n_judged, sizeof *sorted, by_doc);
		g.grades[i] = found ? found->grade : 0;
	}
	free(sorted);
	return g;
}

void graded_release(struct graded *g)
{
	free(g->grades);
	free(g->ideal);
	*g = (struct graded){NULL, 0, NULL, 0};
}

/* Discounted gain of the first n grades; the document at index r has rank r + 1. */
static double discounted_gain(const int32_t *grades, size_t n)
{
	double sum = 0.0;
	for (size_t r = 0; r < n; r++)
		if (grades[r] > 0)
			sum += (double)grades[r] / log2((double)r + 2.0);
	return sum;
}

static size_t at_most(size_t n, size_t k)
{
	return k && k < n ? k : n;
}

static double ratio(double part, double whole)
{
	return whole > 0.0 ? part / whole : 0.0;
}

double metric_graded(enum metric m, size_t k, int32_t level, const struct graded *g)
{
	size_t depth = at_most(g->n, k), n_relevant = 0, hits = 0, first = 0;
	double precisions = 0.0;
	if (m == METRIC_NDCG)
		return ratio(discounted_gain(g->grades, depth),
			discounted_gain(g->ideal, at_most(g->n_ideal, k)));
	while (n_relevant < g->n_ideal && g->ideal[n_relevant] >= level)
		n_relevant++;
	for (size_t r = 0; r < depth; r++) {
		if (g->grades[r] < level)
			continue;
		hits++;
		precisions += (double)hits / (double)(r + 1);
		if (hits == 1)
			first = r + 1;
	}
	switch (m) {
	case METRIC_RECALL:
		return ratio((double)hits, (double)n_relevant);
	case METRIC_PRECISION:
		return ratio((double)hits, (double)(k ? k : g->n));
	case METRIC_MRR:
		return ratio(1.0, (double)first);
	case METRIC_MAP:
		return ratio(precisions, (double)n_relevant);
	case METRIC_NDCG:
		break;
	}
	return 0.0;
}

double metric_query(enum metric m, size_t k, const uint32_t *ranked, size_t n_ranked,
	const struct judged *judged, size_t n_judged)
{
	struct graded g = graded_new(ranked, n_ranked, judged, n_judged);
	double value = metric_graded(m, k, 1, &g);
	graded_release(&g);
	return value;
}

struct metric_spec *metric_specs(const size_t *ks, size_t n_ks, size_t *ret_n)
{
	static const struct {
		enum metric metric;
		const char *name;
	} cut[] = {{METRIC_NDCG, "ndcg"}, {METRIC_RECALL, "recall"},
		{METRIC_PRECISION, "precision"}, {METRIC_MRR, "mrr"}};
	struct metric_spec *specs = xcalloc(ARRAY_LEN(cut) * n_ks + 2, sizeof *specs);
	size_t n = 0;
	for (size_t m = 0; m < ARRAY_LEN(cut); m++)
		for (size_t i = 0; i < n_ks; i++) {
			struct metric_spec *s = &specs[n++];
			s->metric = cut[m].metric;
			s->k = ks[i];
			snprintf(s->name, sizeof s->name, "%s@%zu", cut[m].name, ks[i]);
		}
	specs[n++] = (struct metric_spec){METRIC_MAP, 0, "map"};
	specs[n++] = (struct metric_spec){METRIC_MRR, 0, "mrr"};
	*ret_n = n;
	return specs;
}
