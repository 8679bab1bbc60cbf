#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "base/rng.h"
#include "eval/compare.h"

enum { N = 200 };
static const char *const names[] = {"ndcg@10", "map"};

/* Queries q0, q1 ...; ndcg@10 of each is value(i), map half of it. */
static struct report report_of(const char *set, size_t first, size_t n, double (*value)(size_t))
{
	struct report r;
	report_init(&r, set, names, 2, names, 2, n);
	for (size_t i = 0; i < n; i++) {
		r.ids[i] = text_of(arena_printf(&r.arena, "q%zu", first + i));
		r.cells[2 * i] = value(first + i);
		r.cells[2 * i + 1] = value(first + i) / 2.0;
	}
	report_average(&r, 1);
	return r;
}

static double noise(size_t i)
{
	struct rng r = rng_new(9, i);
	return rng_unit(&r) * 0.8;
}

static double better(size_t i)
{
	struct rng r = rng_new(10, i);
	return noise(i) + 0.02 + rng_unit(&r) * 0.01;
}

static double shuffled(size_t i)
{
	struct rng r = rng_new(21, i);
	return rng_unit(&r) * 0.8;
}

static double mostly_equal(size_t i)
{
	return i == 7     ? noise(i) - 0.5
		: i == 9  ? noise(i) - 0.3
		: i == 11 ? noise(i) + 0.1
			  : noise(i);
}

static void a_steady_gain_is_told_from_chance(void **state)
{
	(void)state;
	struct report a = report_of("s", 0, N, noise), b = report_of("s", 0, N, better),
		      c = report_of("s", 0, N, shuffled);
	struct comparison gain, chance;
	compare_reports(&a, &b, "ndcg@10", 1, &gain);
	compare_reports(&a, &c, "ndcg@10", 1, &chance);
	assert_int_equal(gain.n_metrics, 2);
	const struct compared_metric *m = &gain.metrics[0];
	assert_true(m->is_paired && m->difference.low > 0.02 && m->difference.high < 0.03);
	assert_true(m->p < 0.001);
	assert_int_equal(m->won, N);
	assert_true(fabs(m->after - m->before - m->difference.mean) < 1e-12);
	m = &chance.metrics[0];
	assert_true(m->difference.low < 0 && m->difference.high > 0);
	assert_true(m->p > 0.05);
	assert_true(m->won > 50 && m->lost > 50);
	comparison_release(&gain);
	comparison_release(&chance);
	report_release(&a);
	report_release(&b);
	report_release(&c);
}

static void the_queries_that_lost_most_come_first(void **state)
{
	(void)state;
	struct report a = report_of("s", 0, N, noise), b = report_of("s", 0, N, mostly_equal);
	struct comparison c;
	compare_reports(&a, &b, "ndcg@10", 1, &c);
	assert_true(text_is(c.queries[0].id, "q7") && text_is(c.queries[1].id, "q9"));
	assert_true(text_is(c.queries[N - 1].id, "q11"));
	assert_true(fabs(c.queries[0].before - c.queries[0].after - 0.5) < 1e-12);
	assert_int_equal(c.metrics[0].won, 1);
	assert_int_equal(c.metrics[0].lost, 2);
	assert_int_equal(c.metrics[0].tied, N - 3);
	comparison_release(&c);
	report_release(&a);
	report_release(&b);
}

static void queries_of_one_side_alone_are_left_out(void **state)
{
	(void)state;
	struct report a = report_of("s", 0, 20, noise), b = report_of("s", 5, 30, noise);
	struct comparison c;
	compare_reports(&a, &b, "ndcg@10", 1, &c);
	assert_int_equal(c.n_common, 15);
	assert_int_equal(c.n_only_before, 5);
	assert_int_equal(c.n_only_after, 15);
	assert_true(fabs(c.metrics[0].before - c.metrics[0].after) < 1e-12);
	assert_int_equal(c.metrics[0].tied, 15);
	comparison_release(&c);
	report_release(&a);
	report_release(&b);
}

static struct report sts_report(double (*value)(size_t))
{
	static const char *const figures[] = {"spearman_cosine"},
				 *const columns[] = {"cosine", "score"};
	struct report r;
	double x[N], y[N];
	report_init(&r, "sts", figures, 1, columns, 2, N);
	for (size_t i = 0; i < N; i++) {
		r.ids[i] = text_of(arena_printf(&r.arena, "%zu", i));
		r.cells[2 * i] = x[i] = value(i);
		r.cells[2 * i + 1] = y[i] = noise(i);
	}
	r.values[0] = metric_spearman(x, y, N);
	return r;
}

static void correlations_are_drawn_anew_on_both_sides(void **state)
{
	(void)state;
	struct report a = sts_report(shuffled), b = sts_report(better);
	struct comparison c;
	compare_reports(&a, &b, "ndcg@10", 1, &c);
	const struct compared_metric *m = &c.metrics[0];
	assert_true(m->is_paired);
	assert_true(fabs(m->before - a.values[0]) < 1e-12 && fabs(m->after - b.values[0]) < 1e-12);
	assert_true(m->difference.low > 0.7 && m->difference.high > m->difference.mean);
	assert_null(c.judged_by);
	comparison_release(&c);
	report_release(&a);
	report_release(&b);
}

static void write_report(const char *path, const struct report *r, size_t n)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	buf_addch(&out, '{');
	if (n == 1) {
		report_put_json(r, &out);
	} else {
		json_put_key(&out, "sets");
		for (size_t i = 0; i < n; i++) {
			buf_adds(&out, i ? ",{" : "[{");
			report_put_json(&r[i], &out);
			buf_addch(&out, '}');
		}
		buf_addch(&out, ']');
	}
	buf_addch(&out, '}');
	assert_ok(fs_write_atomic(path, out.data, out.len, &err), &err);
	buf_release(&out);
}

static void files_folders_and_runs_are_sides_of_a_comparison(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char dir[4096], path[4200];
	struct report two[2] = {report_of("data/ko", 0, 3, noise), report_of("en", 0, 3, better)};
	struct report_set s;
	snprintf(dir, sizeof dir, "%s/run", test_scratch());
	snprintf(path, sizeof path, "%s/eval", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	snprintf(path, sizeof path, "%s/both.json", test_scratch());
	write_report(path, two, 2);
	assert_ok(report_set_open(path, &s, &err), &err);
	assert_int_equal(s.n, 2);
	assert_ptr_equal(report_set_find(&s, "../shared/data/ko/"), &s.r[0]);
	assert_null(report_set_find(&s, "fr"));
	report_set_close(&s);
	/* Of a run's evaluations the last counts: step-10 is after step-9. */
	struct report late = report_of("data/ko", 0, 5, better);
	snprintf(path, sizeof path, "%s/eval/step-9.json", dir);
	write_report(path, &two[0], 1);
	snprintf(path, sizeof path, "%s/eval/step-10.json", dir);
	write_report(path, &late, 1);
	assert_ok(report_set_open(dir, &s, &err), &err);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.r[0].n_queries, 5);
	report_set_close(&s);
	report_release(&late);
	report_release(&two[0]);
	report_release(&two[1]);
}

static void what_is_no_evaluation_is_named(void **state)
{
	(void)state;
	struct err a = ERR_INIT, b = ERR_INIT, c = ERR_INIT;
	struct report_set s;
	char path[4096], empty[4096];
	snprintf(path, sizeof path, "%s/other.json", test_scratch());
	snprintf(empty, sizeof empty, "%s/empty", test_scratch());
	test_write(path, "{\"rows\": 3}");
	assert_false(report_set_open(path, &s, &a));
	assert_non_null(strstr(a.text, "other.json: `metrics` is nothing"));
	assert_ok(fs_mkdirs(empty, &b), &b);
	assert_false(report_set_open(empty, &s, &b));
	assert_non_null(strstr(b.text, "eval --out"));
	assert_false(report_set_open("/nowhere.json", &s, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_gain_is_told_from_chance),
		cmocka_unit_test(the_queries_that_lost_most_come_first),
		cmocka_unit_test(queries_of_one_side_alone_are_left_out),
		cmocka_unit_test(correlations_are_drawn_anew_on_both_sides),
		cmocka_unit_test(files_folders_and_runs_are_sides_of_a_comparison),
		cmocka_unit_test(what_is_no_evaluation_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
