#include "mine/search.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "gemm.h"
#include "mine/dot.h"
#include "mine/topk.h"

/* Of the shapes tried (64 to 512 queries by 512 to 16384 passages of 384 numbers) this one is the
 * fastest: 110 GF/s on a core whose sgemm peaks at 155. The block of scores is 1 MB, which a core's
 * own cache holds, and a tile is packed once for 256 queries. */
#define DEFAULT_TILE ((size_t)1024)
#define QUERY_BLOCK ((size_t)256)
/* Below this many queries the product has no rows to reuse a passage for: memory sets the pace, and
 * dot products reach it without the product's rounding. */
#define FEW_QUERIES ((size_t)4)

struct search {
	const float *queries, *passages;
	size_t nq, np, dim, k, tile;
	dot_fn dot;
	/* |product - exact| <= slack * |q| for every passage (see error_slack). */
	double slack;
	size_t block, n_blocks, n_shards; /* units = query blocks x shards of the passages */
	struct hit *hits; /* [n_shards, nq, k] */
	float **scratch; /* [threads][block, tile]; NULL without products */
};

static double norm(const struct search *s, const float *x)
{
	return sqrt((double)s->dot(x, x, s->dim));
}

struct norms {
	const struct search *s;
	double *largest; /* [threads] */
};

static void largest_norm(void *ctx, size_t begin, size_t end, int worker)
{
	struct norms *n = ctx;
	for (size_t i = begin; i < end; i++) {
		double x = norm(n->s, n->s->passages + i * n->s->dim);
		if (!(x <= n->largest[worker]))
			n->largest[worker] = x;
	}
}

/* An inner product of dim terms in float, in whatever order, is off by at most gamma |q||p| with
 * gamma = dim u / (1 - dim u), u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms,
 * 2nd ed., eq. 3.5); one u more for rounding the double result. NaN norms give a NaN slack, and no
 * score is below a floor lowered by that: everything is scored again, which is slow and right. */
static double error_slack(const struct search *s, int threads)
{
	double *largest = xcalloc((size_t)threads, sizeof *largest);
	struct norms n = {s, largest};
	parallel_for(s->np, 4096, threads, largest_norm, &n);
	double most = 0.0, u = ldexp(1.0, -24), terms = (double)s->dim + 2.0;
	for (int i = 0; i < threads; i++)
		if (!(largest[i] <= most))
			most = largest[i];
	free(largest);
	return terms * u / (1.0 - terms * u) * most;
}

static struct topk heap_of(const struct search *s, size_t shard, size_t query)
{
	return (struct topk){s->hits + (shard * s->nq + query) * s->k, 0, s->k};
}

/* Passages [from, to) for one query, each by its exact score. */
static void scan_exactly(
	const struct search *s, const float *q, size_t from, size_t to, struct topk *t)
{
	for (size_t p = from; p < to; p++) {
		float score = s->dot(q, s->passages + p * s->dim, s->dim);
		if (score >= topk_floor(t))
			topk_push(t, (struct hit){score, (int32_t)p});
	}
}

/* Takes from a row of approximate scores of passages [from, from + n) what may be among the best.
 */
static void scan_scores(const struct search *s, const float *q, const float *scores, size_t from,
	size_t n, double slack, struct topk *t)
{
	float floor = (float)((double)topk_floor(t) - slack);
	for (size_t i = 0; i < n; i++) {
		if (scores[i] < floor)
			continue;
		float exact = s->dot(q, s->passages + (from + i) * s->dim, s->dim);
		topk_push(t, (struct hit){exact, (int32_t)(from + i)});
		floor = nextafterf((float)((double)topk_floor(t) - slack), -INFINITY);
	}
}

static void search_block(const struct search *s, size_t block, size_t shard, float *scratch)
{
	size_t q0 = block * s->block, nq = s->nq - q0 < s->block ? s->nq - q0 : s->block;
	size_t from = s->np * shard / s->n_shards, to = s->np * (shard + 1) / s->n_shards;
	struct topk heaps[QUERY_BLOCK];
	double slack[QUERY_BLOCK];
	for (size_t i = 0; i < nq; i++) {
		heaps[i] = heap_of(s, shard, q0 + i);
		slack[i] = scratch ? s->slack * norm(s, s->queries + (q0 + i) * s->dim) : 0.0;
	}
	for (size_t p = from; p < to && !stop_requested(); p += s->tile) {
		size_t n = to - p < s->tile ? to - p : s->tile;
		if (scratch)
			gemm_rows(s->queries + q0 * s->dim, nq, s->passages + p * s->dim, n, s->dim,
				scratch, n);
		for (size_t i = 0; i < nq; i++) {
			const float *q = s->queries + (q0 + i) * s->dim;
			if (scratch)
				scan_scores(s, q, scratch + i * n, p, n, slack[i], &heaps[i]);
			else
				scan_exactly(s, q, p, p + n, &heaps[i]);
		}
	}
	for (size_t i = 0; i < nq; i++)
		topk_finish(&heaps[i]);
}

static void search_units(void *ctx, size_t begin, size_t end, int worker)
{
	const struct search *s = ctx;
	for (size_t unit = begin; unit < end; unit++)
		search_block(s, unit / s->n_shards, unit % s->n_shards,
			s->scratch ? s->scratch[worker] : NULL);
}

static void merge_shards(const struct search *s, struct hit *ret_hits)
{
	for (size_t q = 0; q < s->nq; q++) {
		struct topk t = {ret_hits + q * s->k, 0, s->k};
		for (size_t shard = 0; shard < s->n_shards; shard++) {
			const struct hit *h = heap_of(s, shard, q).hits;
			for (size_t i = 0; i < s->k && h[i].id >= 0; i++)
				topk_push(&t, h[i]);
		}
		topk_finish(&t);
	}
}

static bool alloc_scratch(struct search *s, int threads, struct err *err)
{
	s->scratch = xcalloc((size_t)threads, sizeof *s->scratch);
	for (int i = 0; i < threads; i++) {
		s->scratch[i] =
			try_malloc(s->block * s->tile, sizeof(float), "a tile of scores", err);
		if (!s->scratch[i])
			return err_set(err, ERR_FAILED, "use a smaller --tile");
	}
	return true;
}

static struct search plan(size_t nq, size_t np, size_t k, size_t tile, int threads)
{
	struct search s = {.nq = nq, .np = np, .k = k, .dot = dot_best()};
	s.tile = tile ? tile : DEFAULT_TILE;
	if (np && s.tile > np)
		s.tile = np;
	s.n_blocks = (nq + QUERY_BLOCK - 1) / QUERY_BLOCK;
	s.block = (nq + s.n_blocks - 1) / s.n_blocks; /* even ones: no thread waits for the last */
	s.n_shards = ((size_t)threads + s.n_blocks - 1) / s.n_blocks;
	return s;
}

static void scratch_free(struct search *s, int threads)
{
	for (int i = 0; s->scratch && i < threads; i++)
		free(s->scratch[i]);
	free(s->scratch);
}

bool search_exact(const float *queries, size_t nq, const float *passages, size_t np, size_t dim,
	size_t k, const struct search_options *opt, struct hit *ret_hits, struct err *err)
{
	if (np > INT32_MAX)
		return err_set(err, ERR_FAILED, "%zu passages are more than one search takes (%d)",
			np, INT32_MAX);
	if (nq == 0 || k == 0)
		return true;
	int threads = opt && opt->threads > 0 ? opt->threads : cpu_count();
	struct search s = plan(nq, np, k, opt ? opt->tile : 0, threads);
	s.queries = queries;
	s.passages = passages;
	s.dim = dim;
	s.hits = ret_hits;
	bool ok = true;
	if (nq >= FEW_QUERIES) {
		s.slack = error_slack(&s, threads);
		ok = alloc_scratch(&s, threads, err);
	}
	if (ok && s.n_shards > 1) {
		s.hits = try_malloc(s.n_shards * nq * k, sizeof *s.hits, "hits", err);
		ok = s.hits != NULL;
	}
	if (ok) {
		parallel_for(s.n_blocks * s.n_shards, 1, threads, search_units, &s);
		ok = stop_check(err);
	}
	if (ok && s.n_shards > 1)
		merge_shards(&s, ret_hits);
	if (s.hits != ret_hits)
		free(s.hits);
	scratch_free(&s, threads);
	return ok;
}
