#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "eval/retrieve.h"
#include "eval/sts.h"
#include "eval/trec.h"

static const char *scratch_file(const char *name)
{
	static char ring[8][4096];
	static unsigned at;
	char *path = ring[at++ % 8];
	snprintf(path, sizeof ring[0], "%s/%s", test_scratch(), name);
	return path;
}

static struct encoder *open_encoder(void)
{
	struct err err = ERR_INIT;
	struct encoder_options how = ENCODER_OPTIONS_INIT;
	how.device = "cpu";
	how.dtype = MODEL_F32;
	how.threads = 1;
	struct encoder *e = encoder_open(test_file("tests/fixtures/model-base"), &how, &err);
	assert_ok(e != NULL, &err);
	return e;
}

static void assert_near(double have, double want, double tolerance)
{
	if (!(fabs(have - want) <= tolerance))
		fail_msg("%.12g, expected %.12g", have, want);
}

/* Two passages are equal, so their order is trec_eval's: the larger id first. */
static void write_beir(const char *dir)
{
	struct err err = ERR_INIT;
	char path[4200];
	snprintf(path, sizeof path, "%s/qrels", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	snprintf(path, sizeof path, "%s/corpus.jsonl", dir);
	test_write(path,
		"{\"_id\":\"d1\",\"title\":\"\",\"text\":\"a b c d\"}\n"
		"{\"_id\":\"d2\",\"title\":\"the cat\",\"text\":\"sat on a mat .\"}\n"
		"{\"_id\":\"d3\",\"title\":\"\",\"text\":\"a b c d\"}\n"
		"{\"_id\":\"d4\",\"title\":\"\",\"text\":\"x y z\"}\n"
		"{\"_id\":\"d5\",\"title\":\"\",\"text\":\"한국 어 문장 이 서울\"}\n");
	snprintf(path, sizeof path, "%s/queries.jsonl", dir);
	test_write(path,
		"{\"_id\":\"q1\",\"text\":\"a b c\"}\n{\"_id\":\"q2\",\"text\":\"the mat\"}\n"
		"{\"_id\":\"q3\",\"text\":\"서울\"}\n{\"_id\":\"unjudged\",\"text\":\"z\"}\n");
	snprintf(path, sizeof path, "%s/qrels/test.tsv", dir);
	test_write(path,
		"query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td3\t1\nq2\td2\t1\nq2\td4\t0\n"
		"q3\td5\t1\n");
}

static void figures_are_those_of_the_run_file(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *dir = scratch_file("beir"), *run = scratch_file("test.run");
	struct beir data;
	struct report r, again;
	size_t n;
	write_beir(dir);
	struct metric_spec *specs = metric_specs(metric_ks, ARRAY_LEN(metric_ks), &n);
	struct retrieve_options opt = {
		.search = {.threads = 1}, .specs = specs, .n_specs = n, .run_path = run};
	struct encoder *e = open_encoder();
	assert_ok(beir_open(dir, "test", &data, &err), &err);
	assert_ok(retrieve(e, &data, "set", &opt, &r, NULL, &err), &err);
	assert_int_equal(r.n_queries, 3);
	char qrels[4200];
	snprintf(qrels, sizeof qrels, "%s/qrels/test.tsv", dir);
	struct trec t = TREC_INIT;
	struct trec_options standard = {.level = 1};
	assert_ok(trec_read_qrels(&t, qrels, &err) && trec_read_run(&t, run, &err), &err);
	trec_measure(&t, "set", specs, n, &standard, &again);
	assert_int_equal(again.n_queries, 3);
	for (size_t i = 0; i < 3 * n; i++)
		assert_near(r.cells[i], again.cells[i], 0.0);
	for (size_t m = 0; m < n; m++)
		assert_near(r.values[m], again.values[m], 0.0);
	assert_int_equal(t.n_run, 15); /* every passage, for it ranks 1000 */
	struct buf text = BUF_INIT;
	assert_ok(fs_read(run, &text, 0, &err), &err);
	/* Of the equal passages the larger id stands first, although the smaller is graded higher. */
	assert_true(strstr(text.data, "q1 Q0 d3") < strstr(text.data, "q1 Q0 d1"));
	buf_release(&text);
	trec_release(&t);
	report_release(&again);
	report_release(&r);
	beir_close(&data);
	encoder_close(e);
	free(specs);
}

static void open_sts(const char *name, const char *content, struct sts *ret)
{
	struct err err = ERR_INIT;
	const char *path = scratch_file(name);
	test_write(path, content);
	assert_ok(sts_open(path, ret, &err), &err);
}

static void lone_quotes_are_letters_in_an_sts_file(void **state)
{
	(void)state;
	struct sts s;
	open_sts("quotes.tsv",
		"genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\r\n"
		"g\tf\ty\t1\t2.500\t\"a b\tc \"d\" e\r\n"
		"\n"
		"g\tf\ty\t2\t0\tone\ttwo\n",
		&s);
	assert_int_equal(s.n, 2);
	assert_true(text_is(s.a[0], "\"a b") && text_is(s.b[0], "c \"d\" e"));
	assert_near(s.score[0], 2.5, 0.0);
	sts_close(&s);
	open_sts("pairs.jsonl", "{\"sentence1\": \"a\\tb\", \"sentence2\": \"c\", \"score\": 1}\n",
		&s);
	assert_int_equal(s.n, 1);
	assert_true(text_is(s.a[0], "a\tb"));
	sts_close(&s);
}

static void every_row_of_the_korean_sts_files_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t rows;
	} files[] = {{"ko-sts/korsts-train.tsv", 5749}, {"ko-sts/korsts-dev.tsv", 1500},
		{"ko-sts/korsts-test.tsv", 1379}, {"en-sts/stsb-test.tsv", 625}};
	if (!test_shared(files[0].name))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err err = ERR_INIT;
		struct sts s;
		assert_ok(sts_open(test_shared(files[i].name), &s, &err), &err);
		assert_int_equal(s.n, files[i].rows);
		sts_close(&s);
	}
}

static void correlations_are_those_of_the_pairs(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sts s;
	struct report r;
	open_sts("five.tsv",
		"score\tsentence1\tsentence2\n5\ta b c\ta b c\n3\ta b c\ta b x\n0\tthe cat\tx y z\n"
		"2\tthe cat sat\ton a mat\n4\t서울\t서울 이\n",
		&s);
	struct encoder *e = open_encoder();
	assert_ok(sts_measure(e, &s, "five", 1, &r, NULL, &err), &err);
	double cosine[5], gold[5];
	for (size_t i = 0; i < 5; i++) {
		cosine[i] = r.cells[i * r.n_columns];
		gold[i] = r.cells[i * r.n_columns + 1];
	}
	assert_near(cosine[0], 1.0, 1e-6); /* both sides get the same prompt */
	assert_near(report_value(&r, "spearman_cosine"), metric_spearman(cosine, gold, 5), 1e-12);
	assert_near(report_value(&r, "pearson_cosine"), metric_pearson(cosine, gold, 5), 1e-12);
	/* Of vectors of length 1, distance falls as the cosine rises: the ranks are the same. */
	assert_near(
		report_value(&r, "spearman_euclidean"), report_value(&r, "spearman_cosine"), 1e-12);
	report_release(&r);
	encoder_close(e);
	sts_close(&s);
}

static void broken_sts_files_are_named_with_their_line(void **state)
{
	(void)state;
	static const struct {
		const char *name, *content, *expected;
	} cases[] = {
		{"a.tsv", "id\tscore\tsentence1\n", "a.tsv:1: no column sentence2"},
		{"b.tsv", "score\tsentence1\tsentence2\n1\tx\ty\n1\tx\n", "b.tsv:3: no field 3"},
		{"c.tsv", "score\tsentence1\tsentence2\nhigh\tx\ty\n",
			"c.tsv:2: score is \"high\""},
		{"d.tsv", "score\tsentence1\tsentence2\n", "no pair of sentences"},
		{"e.jsonl", "{\"sentence1\":\"a\",\"score\":1}\n",
			"e.jsonl:1: sentence2 is nothing"},
		{"f.jsonl", "{\"sentence1\":\n", "f.jsonl:1: not JSON"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct sts s;
		const char *path = scratch_file(cases[i].name);
		test_write(path, cases[i].content);
		assert_false(sts_open(path, &s, &err));
		assert_int_equal(err.code, ERR_DATA);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_those_of_the_run_file),
		cmocka_unit_test(lone_quotes_are_letters_in_an_sts_file),
		cmocka_unit_test(every_row_of_the_korean_sts_files_is_read),
		cmocka_unit_test(correlations_are_those_of_the_pairs),
		cmocka_unit_test(broken_sts_files_are_named_with_their_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
