#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "mine/negatives.h"

enum { N = 300, N_TEXTS = N + 20 };

/* A query's view of a corpus: who is similar, who is whose duplicate, who is a positive. */
struct world {
	uint32_t fold[N_TEXTS];
	float sims[N_TEXTS];
	struct hit hits[N];
	uint32_t positives[6];
	uint32_t kept[3];
	struct negative_row row;
};

static float sim_of(void *ctx, uint32_t text)
{
	const struct world *w = ctx;
	return w->sims[text];
}

static int by_score(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	return x->score > y->score ? -1 : x->score < y->score;
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof *w);
	struct rng r = rng_new(seed, 0);
	for (uint32_t i = 0; i < N_TEXTS; i++) {
		w->fold[i] = (uint32_t)rng_below(&r, N); /* about every third has a duplicate */
		w->sims[i] = (float)(rng_unit(&r) * 1.6 - 0.6);
	}
	for (int32_t i = 0; i < N; i++)
		w->hits[i] = (struct hit){w->sims[i], i};
	qsort(w->hits, N, sizeof w->hits[0], by_score);
	double lowest = INFINITY;
	for (size_t i = 0; i < ARRAY_LEN(w->positives); i++) {
		/* Some near the top, one that is not in the corpus. */
		uint32_t p = i == 5 ? N + 3 : (uint32_t)w->hits[rng_below(&r, 60)].id;
		w->positives[i] = p;
		if ((double)w->sims[p] < lowest)
			lowest = (double)w->sims[p];
	}
	for (size_t i = 0; i < ARRAY_LEN(w->kept); i++)
		w->kept[i] = w->fold[rng_below(&r, N)];
	w->row = (struct negative_row){.hits = w->hits,
		.n_hits = N,
		.positives = w->positives,
		.n_positives = 6,
		.query_fold = w->fold[w->hits[4].id],
		.kept_folds = w->kept,
		.n_kept = 3,
		.lowest = lowest,
		.stream = seed,
		.fold = w->fold,
		.n_corpus = N,
		.sim = sim_of,
		.ctx = w};
	return w;
}

static bool is_forbidden(const struct world *w, uint32_t text)
{
	bool is = w->fold[text] == w->row.query_fold;
	for (size_t i = 0; i < 6; i++)
		is |= w->fold[text] == w->fold[w->positives[i]];
	for (size_t i = 0; i < 3; i++)
		is |= w->fold[text] == w->kept[i];
	return is;
}

static struct negative_rules rules_of(struct rng *r)
{
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.from = rng_below(r, 40);
	rules.to = rules.from + 1 + rng_below(r, 150);
	rules.range_after = rng_below(r, 2);
	rules.margin_abs = rng_below(r, 3) ? (double)NAN : rng_unit(r) * 0.5;
	rules.margin_rel = rng_below(r, 3) ? (double)NAN : rng_unit(r) * 0.5;
	rules.max_score = rng_below(r, 3) ? (double)NAN : rng_unit(r);
	rules.min_score = rng_below(r, 3) ? (double)NAN : rng_unit(r) - 0.6;
	rules.n = 1 + rng_below(r, 20);
	rules.sampling = (enum sampling)rng_below(r, 4);
	rules.fill = rng_below(r, 2);
	rules.seed = rng_next(r);
	return rules;
}

static bool obeys(const struct negative_rules *rules, double lowest, double sim)
{
	return !(sim > lowest - rules->margin_abs) &&
		!(sim > lowest - rules->margin_rel * fabs(lowest)) && !(sim > rules->max_score) &&
		!(sim < rules->min_score);
}

static void mining_never_returns_a_positive_the_query_or_a_duplicate(void **state)
{
	(void)state;
	struct rng r = rng_new(11, 0);
	size_t n_seen = 0, n_filled = 0;
	for (uint64_t round = 0; round < 2000; round++) {
		struct world *w = world_new(round);
		struct negative_rules rules = rules_of(&r);
		struct negative have[20];
		struct negative_counts counts = {0};
		size_t n = negatives_choose(&rules, &w->row, have, &counts);
		assert_true(n <= rules.n);
		assert_int_equal(counts.n_chosen, n);
		for (size_t i = 0; i < n; i++) {
			assert_true(have[i].text < N);
			assert_false(is_forbidden(w, have[i].text));
			assert_true(obeys(&rules, w->row.lowest, (double)have[i].sim));
			assert_true(have[i].sim == w->sims[have[i].text]);
			if (have[i].rank >= 0)
				assert_int_equal(w->hits[have[i].rank].id, have[i].text);
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(w->fold[have[i].text], w->fold[have[j].text]);
		}
		n_seen += n;
		n_filled += counts.n_filled;
		free(w);
	}
	assert_true(n_seen > 5000 && n_filled > 500);
}

/* What `top` gives, written down a second time from the words of negatives.h. */
static size_t expected_top(
	const struct world *w, const struct negative_rules *rules, struct negative *out)
{
	size_t n = 0, rank_after = 0;
	bool seen[N] = {false};
	for (size_t k = 0; k < 3; k++)
		seen[w->kept[k]] = true;
	for (int64_t rank = 0; rank < N && n < rules->n; rank++) {
		uint32_t text = (uint32_t)w->hits[rank].id, fold = w->fold[text];
		bool is_out = fold == w->row.query_fold;
		for (size_t i = 0; i < 6; i++)
			is_out |= fold == w->fold[w->positives[i]];
		size_t counted = rules->range_after ? rank_after : (size_t)rank;
		rank_after += !is_out;
		bool in_range = counted >= rules->from && counted < rules->to;
		if (is_out || !in_range || seen[fold] ||
			!obeys(rules, w->row.lowest, (double)w->sims[text]))
			continue;
		seen[fold] = true;
		out[n++] = (struct negative){text, w->sims[text], rank};
	}
	return n;
}

static void top_takes_the_first_that_pass_the_rules(void **state)
{
	(void)state;
	struct rng r = rng_new(12, 0);
	size_t n_seen = 0;
	for (uint64_t round = 0; round < 2000; round++) {
		struct world *w = world_new(round);
		struct negative_rules rules = rules_of(&r);
		rules.sampling = SAMPLING_TOP;
		rules.fill = false;
		struct negative have[20], want[20];
		struct negative_counts counts = {0};
		size_t n = negatives_choose(&rules, &w->row, have, &counts);
		assert_int_equal(n, expected_top(w, &rules, want));
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(have[i].text, want[i].text);
			assert_int_equal(have[i].rank, want[i].rank);
		}
		n_seen += n;
		free(w);
	}
	assert_true(n_seen > 3000);
}

/* Ten passages, 2 and 5 positive, 7 the query, 8 a duplicate of 5; sims 1.0, 0.9 ... 0.1. */
static struct world *small_world(void)
{
	struct world *w = xcalloc(1, sizeof *w);
	for (uint32_t i = 0; i < N_TEXTS; i++)
		w->fold[i] = i;
	w->fold[8] = 5;
	for (int32_t i = 0; i < 10; i++) {
		w->sims[i] = (float)(10 - i) / 10.0f;
		w->hits[i] = (struct hit){w->sims[i], i};
	}
	w->positives[0] = 2;
	w->positives[1] = 5;
	w->row = (struct negative_row){.hits = w->hits,
		.n_hits = 10,
		.positives = w->positives,
		.n_positives = 2,
		.query_fold = 7,
		.lowest = 0.5,
		.fold = w->fold,
		.n_corpus = 10,
		.sim = sim_of,
		.ctx = w};
	return w;
}

static void assert_chosen(const struct negative_rules *rules, const struct world *w,
	const char *want, struct negative_counts *counts)
{
	struct negative have[20];
	char got[100] = "";
	size_t n = negatives_choose(rules, &w->row, have, counts);
	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%u ", have[i].text);
	assert_string_equal(got, want);
}

static void a_range_counts_with_positives_in_or_after_they_are_out(void **state)
{
	(void)state;
	struct world *w = small_world();
	struct negative_counts counts = {0};
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.from = 1;
	rules.to = 4;
	assert_chosen(&rules, w, "1 3 ", &counts);
	assert_int_equal(counts.dropped[DROP_POSITIVE], 1);
	rules.range_after = true; /* without 2, 5, 7 and 8: 0 1 3 4 6 9 */
	assert_chosen(&rules, w, "1 3 4 ", &counts);
	rules.from = 4;
	rules.to = 400;
	struct negative_counts all = {0};
	assert_chosen(&rules, w, "6 9 ", &all);
	assert_int_equal(all.dropped[DROP_POSITIVE], 2);
	assert_int_equal(all.dropped[DROP_QUERY], 1);
	assert_int_equal(all.dropped[DROP_DUPLICATE], 1);
	assert_int_equal(all.n_short, 1);
	free(w);
}

static void margins_are_to_the_lowest_positive(void **state)
{
	(void)state;
	struct world *w = small_world();
	struct negative_counts counts = {0};
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.margin_abs = 0.1000001; /* 6 stands at 0.4, a hair above the bar */
	assert_chosen(&rules, w, "9 ", &counts);
	rules.margin_abs = 0.0999999;
	assert_chosen(&rules, w, "6 9 ", &counts);
	rules.margin_abs = (double)NAN;
	w->row.lowest = -0.5;
	for (size_t i = 0; i < 10; i++) {
		w->sims[i] -= 1.0f; /* 0, -0.1 ... -0.9 */
		w->hits[i].score = w->sims[i];
	}
	rules.margin_rel = 0.15; /* at most -0.575 although scores are negative */
	assert_chosen(&rules, w, "6 9 ", &counts);
	rules.margin_rel = 0.25; /* -0.625 */
	assert_chosen(&rules, w, "9 ", &counts);
	assert_int_equal(counts.dropped[DROP_MARGIN_REL], 4 + 5);
	free(w);
}

static void bounds_on_the_score_are_inclusive(void **state)
{
	(void)state;
	struct world *w = small_world();
	struct negative_counts counts = {0};
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.max_score = (double)w->sims[1];
	rules.min_score = (double)w->sims[4];
	assert_chosen(&rules, w, "1 3 4 ", &counts);
	assert_int_equal(counts.dropped[DROP_MAX_SCORE], 1);
	assert_int_equal(counts.dropped[DROP_MIN_SCORE], 2);
	free(w);
}

static void equal_seeds_give_equal_negatives(void **state)
{
	(void)state;
	for (int s = SAMPLING_RANDOM; s <= SAMPLING_CORPUS; s++) {
		struct world *w = world_new(3);
		struct negative_rules rules = NEGATIVE_RULES_INIT;
		rules.sampling = (enum sampling)s;
		rules.seed = 5;
		struct negative a[7], b[7], c[7];
		struct negative_counts counts = {0};
		assert_int_equal(negatives_choose(&rules, &w->row, a, &counts), 7);
		assert_int_equal(negatives_choose(&rules, &w->row, b, &counts), 7);
		rules.seed = 6;
		assert_int_equal(negatives_choose(&rules, &w->row, c, &counts), 7);
		assert_memory_equal(a, b, sizeof a);
		assert_memory_not_equal(a, c, sizeof a);
		free(w);
	}
}

/* How often each of 0, 1, 3, 4 and 6 of the small world is the one that is drawn. */
static void count_draws(enum sampling sampling, double a, double b, double *ret_share)
{
	enum { ROUNDS = 20000 };
	struct world *w = small_world();
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.sampling = sampling;
	rules.simans_a = a;
	rules.simans_b = b;
	rules.n = 1;
	rules.to = 7;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct negative one;
		struct negative_counts counts = {0};
		w->row.stream = i;
		assert_int_equal(negatives_choose(&rules, &w->row, &one, &counts), 1);
		ret_share[one.text] += 1.0 / ROUNDS;
	}
	free(w);
}

static void random_sampling_is_uniform(void **state)
{
	(void)state;
	double share[10] = {0};
	count_draws(SAMPLING_RANDOM, 0, 0, share);
	static const size_t drawn[] = {0, 1, 3, 4, 6};
	for (size_t i = 0; i < ARRAY_LEN(drawn); i++)
		assert_float_equal((float)share[drawn[i]], 0.2f, 0.012f);
}

static void simans_draws_in_proportion_to_its_weights(void **state)
{
	(void)state;
	double share[10] = {0}, weight[10] = {0}, total = 0;
	static const size_t drawn[] = {0, 1, 3, 4, 6};
	const double a = 8.0, b = 0.1, lowest = 0.5;
	count_draws(SAMPLING_SIMANS, a, b, share);
	for (size_t i = 0; i < ARRAY_LEN(drawn); i++) {
		double sim = 1.0 - (double)drawn[i] / 10.0;
		weight[drawn[i]] = exp(-a * (sim - lowest - b) * (sim - lowest - b));
		total += weight[drawn[i]];
	}
	for (size_t i = 0; i < ARRAY_LEN(drawn); i++)
		assert_float_equal(
			(float)share[drawn[i]], (float)(weight[drawn[i]] / total), 0.015f);
}

static void filling_stops_when_nothing_is_allowed_any_more(void **state)
{
	(void)state;
	struct world *w = small_world();
	struct negative have[7];
	struct negative_counts counts = {0};
	struct negative_rules rules = NEGATIVE_RULES_INIT;
	rules.to = 2; /* 0 and 1; the corpus also has 3, 4, 6 and 9 */
	rules.fill = true;
	assert_int_equal(negatives_choose(&rules, &w->row, have, &counts), 6);
	assert_int_equal(counts.n_filled, 4);
	assert_int_equal(counts.n_short, 1);
	rules.n = 3;
	assert_int_equal(negatives_choose(&rules, &w->row, have, &counts), 3);
	assert_int_equal(counts.n_short, 1);
	rules.max_score = -1.0;
	assert_int_equal(negatives_choose(&rules, &w->row, have, &counts), 0);
	assert_int_equal(counts.n_none, 1);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mining_never_returns_a_positive_the_query_or_a_duplicate),
		cmocka_unit_test(top_takes_the_first_that_pass_the_rules),
		cmocka_unit_test(a_range_counts_with_positives_in_or_after_they_are_out),
		cmocka_unit_test(margins_are_to_the_lowest_positive),
		cmocka_unit_test(bounds_on_the_score_are_inclusive),
		cmocka_unit_test(equal_seeds_give_equal_negatives),
		cmocka_unit_test(random_sampling_is_uniform),
		cmocka_unit_test(simans_draws_in_proportion_to_its_weights),
		cmocka_unit_test(filling_stops_when_nothing_is_allowed_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
