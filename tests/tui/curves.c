/* A run's numbers: read as they grow, smoothed, drawn. */
#include "support.h"

#include <math.h>

#include "base/parallel.h"
#include "tui/metrics_tail.h"
#include "tui/widget/chart.h"

static void smoothing_a_constant_changes_nothing(void **state)
{
	(void)state;
	double y[100], out[100];
	for (size_t i = 0; i < 100; i++)
		y[i] = 0.7;
	for (double w = 0; w < 1; w += 0.111) {
		chart_smooth(y, 100, w, out);
		for (size_t i = 0; i < 100; i++)
			assert_true(fabs(out[i] - 0.7) < 1e-12);
	}
}

/* sum of (1 - w) w^(k - i) y_i, divided by the sum of its weights */
static void smoothing_is_the_unbiased_average(void **state)
{
	(void)state;
	const double y[] = {4, 1, 3, 8, 2}, w = 0.75;
	double out[5];
	chart_smooth(y, 5, w, out);
	for (int k = 0; k < 5; k++) {
		double sum = 0, norm = 0;
		for (int i = 0; i <= k; i++) {
			sum += pow(w, k - i) * y[i];
			norm += pow(w, k - i);
		}
		assert_true(fabs(out[k] - sum / norm) < 1e-12);
	}
}

static void a_gap_stays_a_gap_and_spoils_nothing_behind_it(void **state)
{
	(void)state;
	const double y[] = {1, NAN, 1, INFINITY, 1};
	double out[5];
	chart_smooth(y, 5, 0.9, out);
	assert_true(isnan(out[1]) && isnan(out[3]));
	assert_true(fabs(out[2] - 1) < 1e-12 && fabs(out[4] - 1) < 1e-12);
}

static struct grid draw(const double *x, const double *y, size_t n, size_t *ret_gaps)
{
	struct grid g;
	grid_init(&g, 12, 60, false);
	struct series s = {x, y, n, '*', STYLE_PLAIN};
	struct chart c = {&s, 1, false, NAN, "step"};
	*ret_gaps = chart_draw(&g, (struct rect){0, 0, 12, 60}, &c);
	return g;
}

static size_t count(const struct grid *g, int row)
{
	size_t n = 0;
	for (int col = 0; col < g->cols; col++)
		n += strcmp(grid_at(g, row, col)->text, "*") == 0;
	return n;
}

static void a_spike_among_a_million_points_is_seen(void **state)
{
	(void)state;
	enum { N = 1000000 };
	double *x = xmalloc(N * sizeof *x), *y = xmalloc(N * sizeof *y);
	for (size_t i = 0; i < N; i++) {
		x[i] = (double)i;
		y[i] = i == 345678 ? 9.0 : 1.0;
	}
	size_t gaps;
	struct grid g = draw(x, y, N, &gaps);
	assert_int_equal(gaps, 0);
	assert_int_equal(count(&g, 0), 1);
	assert_true(count(&g, 10) > 40);
	grid_release(&g);
	free(x);
	free(y);
}

static void what_is_no_number_leaves_a_gap_and_is_counted(void **state)
{
	(void)state;
	double x[52], y[52];
	for (size_t i = 0; i < 52; i++) {
		x[i] = (double)i;
		y[i] = i >= 20 && i < 30 ? NAN : 1.0 + (double)(i == 0);
	}
	size_t gaps;
	struct grid g = draw(x, y, 52, &gaps);
	assert_int_equal(gaps, 10);
	assert_int_equal(count(&g, 0) + count(&g, 10), 42);
	grid_release(&g);
}

static void a_chart_of_any_size_stays_inside(void **state)
{
	(void)state;
	const double x[] = {1, 2, 3}, y[] = {NAN, 5, -1e300};
	struct grid g;
	grid_init(&g, 30, 60, false);
	struct series s = {x, y, 3, '*', STYLE_PLAIN};
	for (int rows = 0; rows < 30; rows++)
		for (int cols = 0; cols < 60; cols += 7) {
			struct chart c = {&s, 1, rows % 2 == 0, 2.0, "step"};
			grid_clear(&g);
			chart_draw(&g, (struct rect){0, 0, rows, cols}, &c);
			for (int row = 0; row < 30; row++)
				for (int col = 0; col < 60; col++)
					if (row >= rows || col >= cols)
						assert_string_equal(
							grid_at(&g, row, col)->text, " ");
		}
	grid_release(&g);
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "ab");
	fputs(text, f);
	fclose(f);
}

static void metrics_are_read_once_and_half_lines_wait(void **state)
{
	(void)state;
	char path[4096];
	snprintf(path, sizeof path, "%s/metrics.jsonl", test_scratch());
	struct metrics_tail m;
	metrics_tail_open(&m, path);
	assert_false(metrics_tail_read(&m)); /* not there yet */
	append(path,
		"{\"step\":0,\"epoch\":0,\"eval\":{\"map\":0.1,\"ndcg@10\":0.5}}\n{\"step\":1,\"loss\":2.5,\"lr\":1e-5}\n{\"step\":2,\"lo");
	assert_true(metrics_tail_read(&m));
	assert_int_equal(m.step[METRIC_LOSS].n, 1);
	assert_true(m.eval_value.v[0] == 0.5 && m.eval_step.v[0] == 0);
	assert_false(metrics_tail_read(&m));
	append(path, "ss\":null}\nno json\n{\"step\":3,\"loss\":1.5}\n");
	assert_true(metrics_tail_read(&m));
	assert_int_equal(m.step[METRIC_LOSS].n, 3);
	assert_true(isnan(m.step[METRIC_LOSS].v[1]) && m.step[METRIC_LOSS].v[2] == 1.5);
	assert_int_equal(m.n_bad, 1);
	/* a resumed run writes its last steps again */
	test_write(path, "{\"step\":1,\"loss\":2.5}\n");
	assert_true(metrics_tail_read(&m));
	assert_int_equal(m.step[METRIC_LOSS].n, 1);
	metrics_tail_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smoothing_a_constant_changes_nothing),
		cmocka_unit_test(smoothing_is_the_unbiased_average),
		cmocka_unit_test(a_gap_stays_a_gap_and_spoils_nothing_behind_it),
		cmocka_unit_test(a_spike_among_a_million_points_is_seen),
		cmocka_unit_test(what_is_no_number_leaves_a_gap_and_is_counted),
		cmocka_unit_test(a_chart_of_any_size_stays_inside),
		cmocka_unit_test(metrics_are_read_once_and_half_lines_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
