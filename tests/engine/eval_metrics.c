#include "support.h"

#include <math.h>

#include "base/jsonfile.h"
#include "base/rng.h"
#include "eval/trec.h"

static void assert_near(double have, double want, double tolerance)
{
	if (!(fabs(have - want) <= tolerance))
		fail_msg("%.12g, expected %.12g", have, want);
}

static const struct trec_options standard = {.level = 1};

static struct report measure(const char *qrels, const char *run, const struct trec_options *opt,
	const size_t *ks, size_t n_ks)
{
	struct err err = ERR_INIT;
	struct trec t = TREC_INIT;
	struct report r;
	size_t n;
	struct metric_spec *specs = metric_specs(ks, n_ks, &n);
	assert_ok(trec_read_qrels(&t, qrels, &err) && trec_read_run(&t, run, &err), &err);
	trec_measure(&t, "fixture", specs, n, opt, &r);
	free(specs);
	trec_release(&t);
	return r;
}

static int row_of(const struct report *r, const char *id)
{
	for (size_t q = 0; q < r->n_queries; q++)
		if (text_is(r->ids[q], id))
			return (int)q;
	return -1;
}

static void figures_equal_trec_evals_for_every_query(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct json_file want;
	const char *qrels = test_file("tests/fixtures/eval/qrels.txt");
	const char *run = test_file("tests/fixtures/eval/run.txt");
	struct report r = measure(qrels, run, &standard, metric_ks, ARRAY_LEN(metric_ks));
	assert_ok(
		json_file_open(test_file("tests/fixtures/eval/expected.json"), &want, &err), &err);
	assert_int_equal(r.n_queries, json_count(want.root));
	size_t n_compared = 0;
	for (size_t q = 0; q < r.n_queries; q++) {
		char id[64];
		snprintf(id, sizeof id, "%.*s", TEXT_ARG(r.ids[q]));
		json row = json_get(want.root, id);
		assert_int_equal(json_count(row), r.n_columns);
		for (size_t c = 0; c < r.n_columns; c++, n_compared++) {
			double expected = -1.0, have = r.cells[q * r.n_columns + c];
			assert_true(json_real(json_get(row, r.columns[c]), &expected));
			if (fabs(have - expected) > 1e-9)
				fail_msg("%s of %s is %.9g, expected %.9g", r.columns[c], id, have,
					expected);
		}
	}
	assert_int_equal(n_compared, 12 * 34);
	json_file_close(&want);
	report_release(&r);
}

static void an_unranked_query_counts_as_zero_when_complete(void **state)
{
	(void)state;
	const char *qrels = test_file("tests/fixtures/eval/qrels.txt");
	const char *run = test_file("tests/fixtures/eval/run.txt");
	const struct trec_options complete = {.level = 1, .complete = true};
	const size_t k = 10;
	struct report part = measure(qrels, run, &standard, &k, 1);
	struct report all = measure(qrels, run, &complete, &k, 1);
	assert_int_equal(part.n_queries, 12);
	assert_int_equal(row_of(&part, "never-ranked"), -1);
	assert_int_equal(all.n_queries, 13);
	int at = row_of(&all, "never-ranked");
	assert_true(at >= 0);
	assert_near(all.cells[(size_t)at * all.n_columns], 0.0, 0.0);
	assert_near(
		report_value(&all, "ndcg@10") * 13, report_value(&part, "ndcg@10") * 12, 1e-9);
	report_release(&all);
	report_release(&part);
}

/* trec_eval's own expected output: "NAME QUERY VALUE" lines; ours under its names. */
static void assert_equals_output(const char *out, const struct report *r)
{
	static const struct {
		const char *theirs, *ours;
	} prefixes[] = {{"ndcg_cut_", "ndcg@"}, {"recall_", "recall@"}, {"P_", "precision@"},
		{"map ", "map"}, {"recip_rank ", "mrr"}};
	FILE *f = fopen(out, "r");
	assert_non_null(f);
	char line[256], name[64], query[64], ours[64];
	double value;
	size_t n_compared = 0;
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%63s %63s %lf", name, query, &value) != 3)
			continue;
		strcat(name, " ");
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
			size_t len = strlen(prefixes[i].theirs);
			if (strncmp(name, prefixes[i].theirs, len) != 0)
				continue;
			snprintf(ours, sizeof ours, "%s%s", prefixes[i].ours, name + len);
			ours[strcspn(ours, " ")] = '\0';
			int row = row_of(r, query), column = report_column(r, ours);
			if (column < 0)
				continue;
			double have = strcmp(query, "all") == 0 ? report_value(r, ours)
				: row < 0                       ? -1.0
					  : r->cells[row * (int)r->n_columns + column];
			if (fabs(have - value) > 0.5001e-4)
				fail_msg("%s: %s of %s is %.6f, expected %.4f", out, ours, query,
					have, value);
			n_compared++;
		}
	}
	fclose(f);
	assert_true(n_compared >= 16);
}

static void trec_evals_own_test_gives_its_own_output(void **state)
{
	(void)state;
	static const struct {
		const char *out, *qrels, *run;
		struct trec_options opt;
	} cases[] = {
		{"out.test.a", "qrels.test", "results.test", {.level = 1}},
		{"out.test.aq", "qrels.test", "results.test", {.level = 1}},
		{"out.test.aqc", "qrels.test", "results.trunc", {.level = 1, .complete = true}},
		{"out.test.aqcM", "qrels.test", "results.trunc",
			{.level = 1, .complete = true, .max_docs = 100}},
		{"out.test.aql", "qrels.rel_level", "results.test", {.level = 2}},
	};
	static const size_t ks[] = {5, 10, 15, 20, 30, 100, 200, 500, 1000};
	if (!test_shared("metrics-trec_eval/out.test.a"))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char qrels[128], run[128], out[128];
		snprintf(qrels, sizeof qrels, "metrics-trec_eval/%s", cases[i].qrels);
		snprintf(run, sizeof run, "metrics-trec_eval/%s", cases[i].run);
		snprintf(out, sizeof out, "metrics-trec_eval/%s", cases[i].out);
		struct report r = measure(
			test_shared(qrels), test_shared(run), &cases[i].opt, ks, ARRAY_LEN(ks));
		assert_equals_output(test_shared(out), &r);
		report_release(&r);
	}
}

static void comments_and_beir_qrels_are_read(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char path[4096];
	struct trec t = TREC_INIT;
	snprintf(path, sizeof path, "%s/beir.tsv", test_scratch());
	test_write(path, "query-id\tcorpus-id\tscore\nq 1\td 1\t2\r\nq 1\td2\t0\n");
	assert_ok(trec_read_qrels(&t, path, &err), &err);
	assert_int_equal(t.n_qrels, 2);
	assert_true(text_is(t.queries.t[0], "q 1") && text_is(t.docs.t[0], "d 1"));
	assert_near(t.qrels[0].value, 2.0, 0.0);
	trec_release(&t);
	test_write(path, "# a comment\n\nq1 0 d#1 1\n# another\nq1 0 d2 3\n");
	assert_ok(trec_read_qrels(&t, path, &err), &err);
	assert_int_equal(t.n_qrels, 2);
	trec_release(&t);
}

static void broken_files_are_named_with_their_line(void **state)
{
	(void)state;
	static const struct {
		bool is_run;
		const char *content, *expected;
	} cases[] = {
		{true, "q1 Q0 d1 1 0.5 x\nq1 Q0 d2 2 high x\n", "bad.txt:2: \"high\" is no number"},
		{true, "q1 Q0 d1\n", "bad.txt:1: 3 fields, expected query, Q0"},
		{true, "q1 Q0 d1 1 2 x\nq2 Q0 d1 1 2 x\nq1 Q0 d1 1 3 x\n",
			"bad.txt:3: document d1"},
		{true, "q1 Q0 d1 1 nan x\n", "\"nan\" is no number"},
		{false, "q1 0 d1 0.5\n", "bad.txt:1: \"0.5\" is no whole number"},
		{false, "\n# nothing\n", "no lines of query"},
		{false, "", "no lines of query"},
	};
	char path[4096];
	snprintf(path, sizeof path, "%s/bad.txt", test_scratch());
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct trec t = TREC_INIT;
		test_write(path, cases[i].content);
		assert_false(cases[i].is_run ? trec_read_run(&t, path, &err)
					     : trec_read_qrels(&t, path, &err));
		assert_int_equal(err.code, ERR_DATA);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].expected);
		trec_release(&t);
	}
}

static void a_report_survives_its_json(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const size_t k = 10;
	struct report r = measure(test_file("tests/fixtures/eval/qrels.txt"),
		test_file("tests/fixtures/eval/run.txt"), &standard, &k, 1);
	struct report back;
	struct buf out = BUF_INIT;
	buf_addch(&out, '{');
	report_put_json(&r, &out);
	buf_addch(&out, '}');
	struct json_parser *p = json_parser_new();
	json root;
	assert_true(json_parse(p, out.data, out.len, 0, &root, NULL));
	assert_ok(report_read(root, "other", &back, &err), &err);
	assert_string_equal(back.set, "fixture");
	assert_int_equal(back.n_metrics, r.n_metrics);
	assert_int_equal(back.n_queries, r.n_queries);
	assert_memory_equal(back.values, r.values, r.n_metrics * sizeof *r.values);
	assert_memory_equal(back.low, r.low, r.n_metrics * sizeof *r.low);
	assert_memory_equal(back.cells, r.cells, r.n_queries * r.n_columns * sizeof *r.cells);
	report_release(&back);
	report_release(&r);
	json_parser_free(p);
	buf_release(&out);
}

static void correlations_share_ranks_among_equal_values(void **state)
{
	(void)state;
	/* scipy.stats.spearmanr and pearsonr of the same numbers. */
	const double x[] = {1, 2, 2, 3, 5, 5, 5, 8}, y[] = {0.1, 0.4, 0.2, 0.2, 0.9, 0.7, 0.9, 0.8};
	assert_near(metric_spearman(x, y, 8), 0.8262304062195839, 1e-12);
	assert_near(metric_pearson(x, y, 8), 0.8357357971074891, 1e-12);
	const double flat[] = {1, 1, 1};
	assert_true(isnan(metric_spearman(x, flat, 3)));
	assert_true(isnan(metric_pearson(x, y, 1)));
}

static void intervals_hold_the_mean_and_shrink_with_more_queries(void **state)
{
	(void)state;
	double values[4000];
	struct rng r = rng_new(3, 0);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = rng_unit(&r);
	struct interval few = metric_bootstrap(values, 40, 1);
	struct interval many = metric_bootstrap(values, 4000, 1);
	assert_true(few.low < few.mean && few.mean < few.high);
	/* The standard error of 4000 uniform numbers is 0.289 / sqrt(4000); the interval is 3.92 of it. */
	assert_near(many.high - many.low, 3.92 * 0.2887 / sqrt(4000), 0.002);
	assert_true(few.high - few.low > 5 * (many.high - many.low));
	struct interval again = metric_bootstrap(values, 40, 1);
	assert_memory_equal(&few, &again, sizeof few);
}

static void randomization_tells_chance_from_a_difference(void **state)
{
	(void)state;
	/* 2^-9 of all sign patterns is as extreme on either side: p = 2/1024 for ten equal ones. */
	const double all[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, none[] = {1, -1, 2, -2, 0};
	assert_near(metric_randomization(all, 10, 1), 2.0 / 1024, 0.0015);
	assert_near(metric_randomization(none, 5, 1), 1.0, 1e-12);
	assert_near(metric_randomization(none, 0, 1), 1.0, 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_equal_trec_evals_for_every_query),
		cmocka_unit_test(an_unranked_query_counts_as_zero_when_complete),
		cmocka_unit_test(trec_evals_own_test_gives_its_own_output),
		cmocka_unit_test(comments_and_beir_qrels_are_read),
		cmocka_unit_test(broken_files_are_named_with_their_line),
		cmocka_unit_test(a_report_survives_its_json),
		cmocka_unit_test(correlations_share_ranks_among_equal_values),
		cmocka_unit_test(intervals_hold_the_mean_and_shrink_with_more_queries),
		cmocka_unit_test(randomization_tells_chance_from_a_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
