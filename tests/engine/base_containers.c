#include "support.h"

#include <math.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/parallel.h"
#include "base/rng.h"

static void an_arena_gives_back_what_was_taken_since_the_mark(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char *kept = arena_strdup(&a, "kept");
	for (int round = 0; round < 100; round++) {
		struct arena_mark mark = arena_mark(&a);
		for (int i = 0; i < 200; i++)
			memset(arena_alloc(&a, 333), round, 333);
		arena_rewind(&a, mark);
	}
	assert_string_equal(kept, "kept");
	arena_release(&a);
}

static void a_full_buffer_stays_full_and_keeps_what_it_had(void **state)
{
	(void)state;
	struct buf b = {.limit = 10};
	buf_adds(&b, "12345678");
	buf_adds(&b, "abc");
	buf_adds(&b, "x");
	assert_false(buf_ok(&b));
	assert_string_equal(b.data, "12345678");
	buf_release(&b);
}

static void numbers_print_shortest_and_read_back_the_same(void **state)
{
	(void)state;
	struct rng r = rng_new(1, 0);
	struct buf b = BUF_INIT;
	json_put_real(&b, 0.1);
	json_put_real(&b, NAN);
	json_put_float(&b, 0.1f);
	assert_string_equal(b.data, "0.1null0.1");
	for (int i = 0; i < 2000; i++) {
		union {
			uint64_t bits;
			double x;
		} u = {rng_next(&r)};
		buf_clear(&b);
		json_put_real(&b, u.x);
		if (isfinite(u.x))
			assert_true(strtod(b.data, NULL) == u.x);
	}
	buf_release(&b);
}

static void json_strings_keep_korean_and_escape_what_they_must(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	json_put_text(&b, TEXT("한글\n\"\\\x01\0\xff끝"));
	assert_string_equal(b.data, "\"한글\\n\\\"\\\\\\u0001\\u0000\xEF\xBF\xBD끝\"");
	buf_release(&b);
}

/* The map against a plain array, with random puts and gets. */
static void a_map_does_what_an_array_does(void **state)
{
	(void)state;
	enum { KEYS = 500 };
	int64_t model[KEYS];
	memset(model, -1, sizeof model);
	struct map m = MAP_INIT;
	struct rng r = rng_new(7, 0);
	for (int i = 0; i < 20000; i++) {
		size_t k = (size_t)rng_below(&r, KEYS);
		char key[16];
		struct text t = {key, (size_t)snprintf(key, sizeof key, "k%zu", k)};
		int64_t got = -1;
		if (rng_below(&r, 2)) {
			assert_int_equal(map_put(&m, t, i), model[k] < 0);
			model[k] = i;
		} else {
			assert_int_equal(map_get(&m, t, &got), model[k] >= 0);
			assert_int_equal(got, model[k]);
		}
	}
	map_release(&m);
}

static void random_draws_are_even_and_repeat_with_the_seed(void **state)
{
	(void)state;
	int count[7] = {0};
	struct rng r = rng_new(3, 1), again = rng_new(3, 1), other = rng_new(3, 2);
	for (int i = 0; i < 70000; i++)
		count[rng_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(count[i], 9600, 10400);
	struct rng first = rng_new(3, 1);
	assert_int_equal(rng_next(&first), rng_next(&again));
	assert_int_not_equal(rng_next(&first), rng_next(&other));
}

struct sums {
	int64_t by_worker[4][16]; /* a cache line apart */
};

static void add_range(void *ctx, size_t begin, size_t end, int worker)
{
	struct sums *s = ctx;
	for (size_t i = begin; i < end; i++)
		s->by_worker[worker][0] += (int64_t)i;
}

static void a_parallel_loop_visits_each_item_once(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 4; threads++) {
		struct sums s = {0};
		parallel_for(10007, 13, threads, add_range, &s);
		int64_t total = 0;
		for (int w = 0; w < 4; w++)
			total += s.by_worker[w][0];
		assert_int_equal(total, (int64_t)10007 * 10006 / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arena_gives_back_what_was_taken_since_the_mark),
		cmocka_unit_test(a_full_buffer_stays_full_and_keeps_what_it_had),
		cmocka_unit_test(numbers_print_shortest_and_read_back_the_same),
		cmocka_unit_test(json_strings_keep_korean_and_escape_what_they_must),
		cmocka_unit_test(a_map_does_what_an_array_does),
		cmocka_unit_test(random_draws_are_even_and_repeat_with_the_seed),
		cmocka_unit_test(a_parallel_loop_visits_each_item_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
