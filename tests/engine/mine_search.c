#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "mine/search.h"

enum { NQ = 300, NP = 700, DIM = 37, K = 25 };

struct world {
	float queries[NQ * DIM], passages[NP * DIM];
	struct hit want[NQ * K];
};

static int by_rank(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* By scoring everything and sorting it: slow, and nothing like the search. */
static void brute_force(struct world *w)
{
	struct hit all[NP];
	for (size_t q = 0; q < NQ; q++) {
		for (size_t p = 0; p < NP; p++)
			all[p] = (struct hit){
				search_dot(w->queries + q * DIM, w->passages + p * DIM, DIM),
				(int32_t)p};
		qsort(all, NP, sizeof all[0], by_rank);
		memcpy(w->want + q * K, all, K * sizeof all[0]);
	}
}

/* Random vectors, every third passage a copy of an earlier one, every seventh off by one bit. */
static struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof *w);
	struct rng r = rng_new(1, 0);
	for (size_t i = 0; i < NQ * DIM; i++)
		w->queries[i] = (float)(rng_unit(&r) - 0.5);
	for (size_t p = 0; p < NP; p++) {
		float *x = w->passages + p * DIM;
		if (p > 10 && (p % 3 == 0 || p % 7 == 0)) {
			memcpy(x, w->passages + rng_below(&r, p) * DIM, DIM * sizeof *x);
			if (p % 7 == 0)
				x[p % DIM] = nextafterf(x[p % DIM], 2.0f);
			continue;
		}
		for (size_t i = 0; i < DIM; i++)
			x[i] = (float)(rng_unit(&r) - 0.5);
	}
	brute_force(w);
	return w;
}

static void assert_same_hits(const struct hit *have, const struct hit *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (have[i].id != want[i].id || have[i].score != want[i].score)
			fail_msg("hit %zu is %d (%.9g), expected %d (%.9g)", i, have[i].id,
				(double)have[i].score, want[i].id, (double)want[i].score);
}

static void hits_are_the_same_for_any_tile_and_any_threads(void **state)
{
	(void)state;
	static const size_t tiles[] = {1, 7, 64, 1000, 0};
	struct world *w = world_new();
	struct hit *have = xcalloc(NQ * K, sizeof *have);
	for (size_t t = 0; t < ARRAY_LEN(tiles); t++)
		for (int threads = 1; threads <= 3; threads++) {
			struct err err = ERR_INIT;
			struct search_options opt = {.threads = threads, .tile = tiles[t]};
			assert_ok(search_exact(w->queries, NQ, w->passages, NP, DIM, K, &opt, have,
					  &err),
				&err);
			assert_same_hits(have, w->want, NQ * K);
		}
	free(have);
	free(w);
}

static void one_query_finds_what_a_batch_finds(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct hit have[K];
	for (size_t q = 0; q < NQ; q += 23) {
		struct err err = ERR_INIT;
		struct search_options opt = {.threads = 2, .tile = 100};
		assert_ok(search_exact(w->queries + q * DIM, 1, w->passages, NP, DIM, K, &opt, have,
				  &err),
			&err);
		assert_same_hits(have, w->want + q * K, K);
	}
	free(w);
}

static void equal_passages_come_in_the_order_of_their_ids(void **state)
{
	(void)state;
	enum { N = 300 };
	struct err err = ERR_INIT;
	float q[8 * 4], p[N * 4];
	struct hit hits[8 * 10];
	for (size_t i = 0; i < ARRAY_LEN(q); i++)
		q[i] = 0.1f + (float)(i % 4);
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		p[i] = 0.3f + (float)(i % 4) / 3.0f;
	struct search_options opt = {.threads = 2, .tile = 16};
	assert_ok(search_exact(q, 8, p, N, 4, 10, &opt, hits, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(hits); i++)
		assert_int_equal(hits[i].id, i % 10);
}

static void fewer_passages_than_asked_for_leave_holes_at_the_end(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const float q[5 * 2] = {1, 0, 0, 1, 1, 1, -1, 0, 0, -1}, p[3 * 2] = {1, 0, 0, 1, NAN, 1};
	struct hit hits[5 * 4];
	assert_ok(search_exact(q, 5, p, 3, 2, 4, NULL, hits, &err), &err);
	for (size_t i = 0; i < 5; i++) {
		const struct hit *h = hits + i * 4;
		assert_true(h[0].id >= 0 && h[0].id < 2 && h[1].id >= 0 && h[1].id < 2);
		assert_int_equal(h[2].id, -1); /* the passage that is no number is never found */
		assert_int_equal(h[3].id, -1);
	}
	assert_ok(search_exact(q, 5, p, 0, 2, 4, NULL, hits, &err), &err);
	assert_int_equal(hits[0].id, -1);
}

static void scores_are_the_rounded_exact_products(void **state)
{
	(void)state;
	struct rng r = rng_new(2, 0);
	float a[101], b[101];
	for (size_t n = 0; n <= 101; n++) {
		long double sum = 0;
		for (size_t i = 0; i < n; i++) {
			a[i] = (float)(rng_unit(&r) - 0.5);
			b[i] = (float)(rng_unit(&r) - 0.5);
			sum += (long double)a[i] * b[i];
		}
		assert_float_equal(search_dot(a, b, n), (float)sum, 1e-7);
	}
}

static const char *index_path(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/%s.faiss", test_scratch(), name);
	return path;
}

static void a_saved_flat_index_finds_the_same_passages(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct world *w = world_new();
	struct hit *have = xcalloc(NQ * K, sizeof *have);
	const char *path = index_path("flat");
	assert_ok(index_build("Flat", w->passages, NP, DIM, path, &err), &err);
	assert_ok(index_search(path, w->queries, NQ, DIM, K, have, &err), &err);
	for (size_t i = 0; i < NQ * K; i++)
		assert_float_equal(have[i].score, w->want[i].score, 1e-5);
	free(have);
	free(w);
}

static void an_inverted_file_looks_harder_when_told(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct world *w = world_new();
	struct hit have[K];
	const char *path = index_path("ivf");
	assert_ok(index_build("IVF16,Flat", w->passages, NP, DIM, path, &err), &err);
	struct index *x = index_open(path, &err);
	assert_ok(x != NULL, &err);
	assert_int_equal(index_count(x), NP);
	assert_int_equal(index_dim(x), DIM);
	assert_ok(index_tune(x, "nprobe=16", &err), &err);
	assert_ok(index_find(x, w->queries, 1, K, have, &err), &err);
	for (size_t i = 0; i < K; i++)
		assert_float_equal(have[i].score, w->want[i].score, 1e-5);
	assert_false(index_tune(x, "efSearch=3", &err));
	assert_int_equal(err.code, ERR_USAGE);
	index_close(x);
	free(w);
}

static void index_errors_say_what_is_wrong(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct err e1 = ERR_INIT, e2 = ERR_INIT, e3 = ERR_INIT, e4 = ERR_INIT, e5 = ERR_INIT;
	struct hit have[K];
	assert_false(index_build("Flatter", w->passages, NP, DIM, index_path("bad"), &e1));
	assert_non_null(strstr(e1.text, "Flatter"));
	/* A rotation needs LAPACK routines that we do not link: an error, never a crash. */
	assert_false(index_build("PCA8,Flat", w->passages, NP, DIM, index_path("pca"), &e2));
	assert_non_null(strstr(e2.text, "LAPACK"));
	assert_false(index_search(index_path("absent"), w->queries, 1, DIM, K, have, &e3));
	assert_non_null(strstr(e3.text, "no such index"));
	test_write(index_path("junk"), "junk");
	assert_false(index_search(index_path("junk"), w->queries, 1, DIM, K, have, &e4));
	assert_int_equal(e4.code, ERR_DATA);
	assert_ok(index_build("Flat", w->passages, 9, DIM, index_path("dim"), &e5), &e5);
	assert_false(index_search(index_path("dim"), w->queries, 1, DIM - 1, K, have, &e5));
	assert_non_null(strstr(e5.text, "37"));
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits_are_the_same_for_any_tile_and_any_threads),
		cmocka_unit_test(one_query_finds_what_a_batch_finds),
		cmocka_unit_test(equal_passages_come_in_the_order_of_their_ids),
		cmocka_unit_test(fewer_passages_than_asked_for_leave_holes_at_the_end),
		cmocka_unit_test(scores_are_the_rounded_exact_products),
		cmocka_unit_test(a_saved_flat_index_finds_the_same_passages),
		cmocka_unit_test(an_inverted_file_looks_harder_when_told),
		cmocka_unit_test(index_errors_say_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
