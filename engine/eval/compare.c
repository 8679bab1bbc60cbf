#include "eval/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/rng.h"

#define RESAMPLES 1000

/* Queries that both sides have: rows in before and after. */
struct pairing {
	size_t *before, *after;
	size_t n;
};

static struct pairing pair_up(
	const struct report *before, const struct report *after, struct arena *a)
{
	struct pairing p = {arena_calloc(a, after->n_queries, sizeof *p.before),
		arena_calloc(a, after->n_queries, sizeof *p.after), 0};
	struct map rows = MAP_INIT;
	for (size_t q = 0; q < before->n_queries; q++)
		map_put(&rows, before->ids[q], (int64_t)q);
	for (size_t q = 0; q < after->n_queries; q++) {
		int64_t at;
		if (!map_get(&rows, after->ids[q], &at))
			continue;
		p.before[p.n] = (size_t)at;
		p.after[p.n++] = q;
	}
	map_release(&rows);
	return p;
}

/* The common queries' numbers in a column, [n], in a. */
static double *column_of(
	const struct report *r, int column, const size_t *rows, size_t n, struct arena *a)
{
	double *x = arena_calloc(a, n, sizeof *x);
	for (size_t i = 0; i < n; i++)
		x[i] = r->cells[rows[i] * r->n_columns + (size_t)column];
	return x;
}

static double mean_of(const double *x, size_t n)
{
	double sum = 0.0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double)n : 0.0;
}

static void compare_column(struct compared_metric *m, const double *before, const double *after,
	size_t n, uint64_t seed, struct arena *a)
{
	double *difference = arena_calloc(a, n, sizeof *difference);
	for (size_t i = 0; i < n; i++) {
		difference[i] = after[i] - before[i];
		m->won += difference[i] > 1e-12;
		m->lost += difference[i] < -1e-12;
	}
	m->tied = n - m->won - m->lost;
	m->is_paired = true;
	m->before = mean_of(before, n);
	m->after = mean_of(after, n);
	m->difference = metric_bootstrap(difference, n, seed);
	m->p = metric_randomization(difference, n, seed);
}

typedef double (*correlation_fn)(const double *x, const double *y, size_t n);

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* A correlation is no mean: pairs of sentences are drawn, and it is taken anew on both sides. */
static void compare_correlation(struct compared_metric *m, correlation_fn f, const double *before,
	const double *after, const double *gold, size_t n, uint64_t seed)
{
	double *x = xcalloc(3 * n + RESAMPLES, sizeof *x), *y = x + n, *z = y + n, *d = z + n;
	struct rng r = rng_new(seed, 3);
	for (size_t b = 0; b < RESAMPLES; b++) {
		for (size_t i = 0; i < n; i++) {
			size_t k = rng_below(&r, n);
			x[i] = before[k];
			y[i] = after[k];
			z[i] = gold[k];
		}
		d[b] = f(y, z, n) - f(x, z, n);
	}
	qsort(d, RESAMPLES, sizeof *d, by_size);
	m->is_paired = true;
	m->before = f(before, gold, n);
	m->after = f(after, gold, n);
	m->difference = (struct interval){
		m->after - m->before, d[RESAMPLES * 25 / 1000], d[RESAMPLES * 975 / 1000]};
	free(x);
}

static void compare_metric(struct compared_metric *m, const struct report *before,
	const struct report *after, const struct pairing *p, uint64_t seed, struct arena *a)
{
	int c0 = report_column(before, m->name), c1 = report_column(after, m->name);
	if (c0 >= 0 && c1 >= 0 && p->n) {
		compare_column(m, column_of(before, c0, p->before, p->n, a),
			column_of(after, c1, p->after, p->n, a), p->n, seed, a);
		return;
	}
	bool is_spearman = strcmp(m->name, "spearman_cosine") == 0;
	int gold = report_column(after, "score");
	c0 = report_column(before, "cosine");
	c1 = report_column(after, "cosine");
	if ((!is_spearman && strcmp(m->name, "pearson_cosine") != 0) || gold < 0 || c0 < 0 ||
		c1 < 0 || p->n < 2)
		return;
	compare_correlation(m, is_spearman ? metric_spearman : metric_pearson,
		column_of(before, c0, p->before, p->n, a), column_of(after, c1, p->after, p->n, a),
		column_of(after, gold, p->after, p->n, a), p->n, seed);
}

static int by_loss(const void *a, const void *b)
{
	const struct compared_query *x = a, *y = b;
	double dx = x->after - x->before, dy = y->after - y->before;
	if (dx != dy)
		return dx < dy ? -1 : 1;
	size_t common = x->id.len < y->id.len ? x->id.len : y->id.len;
	int order = common ? memcmp(x->id.s, y->id.s, common) : 0;
	return order ? order : (x->id.len > y->id.len) - (x->id.len < y->id.len);
}

static void order_queries(struct comparison *c, const struct report *before,
	const struct report *after, const struct pairing *p, const char *judged_by)
{
	int c0 = report_column(before, judged_by), c1 = report_column(after, judged_by);
	if (c0 < 0 || c1 < 0)
		return;
	c->judged_by = after->columns[c1];
	c->queries = arena_calloc(&c->arena, p->n, sizeof *c->queries);
	for (size_t i = 0; i < p->n; i++)
		c->queries[i] = (struct compared_query){after->ids[p->after[i]],
			before->cells[p->before[i] * before->n_columns + (size_t)c0],
			after->cells[p->after[i] * after->n_columns + (size_t)c1]};
	qsort(c->queries, p->n, sizeof *c->queries, by_loss);
}

void compare_reports(const struct report *before, const struct report *after, const char *judged_by,
	uint64_t seed, struct comparison *ret)
{
	*ret = (struct comparison){.set = after->set, .arena = ARENA_INIT};
	struct pairing p = pair_up(before, after, &ret->arena);
	ret->n_common = p.n;
	ret->n_only_before = before->n_queries - p.n;
	ret->n_only_after = after->n_queries - p.n;
	ret->metrics = arena_calloc(&ret->arena, after->n_metrics, sizeof *ret->metrics);
	for (size_t i = 0; i < after->n_metrics; i++) {
		int at = report_metric(before, after->names[i]);
		if (at < 0)
			continue;
		struct compared_metric *m = &ret->metrics[ret->n_metrics++];
		*m = (struct compared_metric){.name = after->names[i],
			.before = before->values[at],
			.after = after->values[i],
			.p = (double)NAN};
		m->difference = (struct interval){m->after - m->before, (double)NAN, (double)NAN};
		struct arena scratch = ARENA_INIT;
		compare_metric(m, before, after, &p, seed, &scratch);
		arena_release(&scratch);
	}
	order_queries(ret, before, after, &p, judged_by);
}

void comparison_release(struct comparison *c)
{
	arena_release(&c->arena);
	*c = (struct comparison){.arena = ARENA_INIT};
}
