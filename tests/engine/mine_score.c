#include "support.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "mine/score.h"

static const char *const rows_path = "tests/fixtures/mine/rows.jsonl";

static const char *scratch_file(const char *name)
{
	static char ring[4][4096];
	static unsigned at;
	char *path = ring[at++ % 4];
	snprintf(path, sizeof ring[0], "%s/%s", test_scratch(), name);
	return path;
}

static struct dataset *open_rows(const char *path)
{
	struct err err = ERR_INIT;
	struct dataset_options opt = {.split = NULL};
	struct dataset *d = dataset_open(&path, 1, &opt, &err);
	assert_ok(d != NULL, &err);
	return d;
}

static const struct judge_options standard = {
	.dtype = MODEL_F32, .label = 1, .max_length = 16, .batch_tokens = 40};
static const struct score_options plain = {.name = "T", .model = "model-classifier"};

/* Scores the fixture's rows; false only when an error was expected. */
static bool score(const struct judge_options *how, const struct score_options *opt, const char *out,
	struct score_report *ret, struct err *err)
{
	char why[300] = "";
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(root);
	struct dataset *d = open_rows(test_file(rows_path));
	struct judge *j = judge_open(test_file("tests/fixtures/model-classifier"), root, how, err);
	bool ok = j && score_by_judge(j, d, opt, out, ret, err);
	judge_close(j);
	dataset_close(d);
	tn_close(root);
	return ok;
}

/* The numbers of scores.json's `key` in every row, one after the other. */
static size_t expected(const char *key, double *out)
{
	struct err err = ERR_INIT;
	struct json_file f;
	size_t n = 0;
	static const char *const sides[] = {"pos", "neg"};
	assert_ok(json_file_open(test_file("tests/fixtures/mine/scores.json"), &f, &err), &err);
	for (struct json_iter row = json_each(f.root); json_next(&row);)
		for (size_t s = 0; s < 2; s++) {
			char name[64];
			snprintf(name, sizeof name, "%s_%s", key, sides[s]);
			for (struct json_iter it = json_each(json_get(row.value, name));
				json_next(&it);)
				assert_true(json_real(it.value, &out[n++]));
		}
	json_file_close(&f);
	return n;
}

/* The same of a scored file: the active scores, checked against those of teacher T. */
static size_t written(const char *path, double *out)
{
	struct err err = ERR_INIT;
	struct dataset *d = open_rows(path);
	struct row_reader *r = row_reader_new(d);
	size_t n = 0;
	assert_int_equal(dataset_rows(d), 5);
	for (size_t i = 0; i < dataset_rows(d); i++) {
		struct record rec;
		assert_ok(row_reader_get(r, i, &rec, &err), &err);
		for (size_t s = 0; s < 2; s++) {
			const struct candidate *c = s ? rec.neg : rec.pos;
			for (size_t k = 0; k < (s ? rec.n_neg : rec.n_pos); k++) {
				assert_int_equal(rec.n_teachers, 1);
				assert_true(text_is(rec.teachers[0].name, "T"));
				assert_true(c[k].score == c[k].by_teacher[0]);
				out[n++] = c[k].score;
			}
		}
	}
	row_reader_free(r);
	dataset_close(d);
	return n;
}

static void assert_scores(const char *path, const char *key, bool sigmoid)
{
	double want[32], have[32];
	size_t n = expected(key, want);
	assert_int_equal(n, 11);
	assert_int_equal(written(path, have), n);
	for (size_t i = 0; i < n; i++) {
		double w = sigmoid ? 1.0 / (1.0 + exp(-want[i])) : want[i];
		if (!(fabs(have[i] - w) < 2e-6))
			fail_msg("%s %zu is %.8g, expected %.8g", key, i, have[i], w);
	}
}

static void scores_equal_transformers_pair_by_pair(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct score_report r;
	const char *out = scratch_file("plain.jsonl");
	assert_ok(score(&standard, &plain, out, &r, &err), &err);
	assert_scores(out, "longest_first", false);
	assert_int_equal(r.n_rows, 5);
	assert_int_equal(r.n_pairs, 11);
	assert_int_equal(
		r.n_scored, 9); /* "the cat" meets "the cat sat" twice, and "a dog" twice */
	assert_int_equal(r.n_cut, 3);
	assert_false(fs_exists(scratch_file("plain.jsonl.partial")));
}

static void flagembeddings_budgets_cut_the_query_first(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct score_report r;
	struct judge_options how = standard;
	how.query_max_length = 5;
	const char *out = scratch_file("budgets.jsonl");
	assert_ok(score(&how, &plain, out, &r, &err), &err);
	assert_scores(out, "budgets", false);
}

static void sigmoid_is_taken_of_the_raw_score(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct score_report r;
	struct score_options opt = plain;
	opt.sigmoid = true;
	const char *out = scratch_file("sigmoid.jsonl");
	assert_ok(score(&standard, &opt, out, &r, &err), &err);
	assert_scores(out, "longest_first", true);
}

static void a_killed_run_goes_on_where_it_was(void **state)
{
	(void)state;
	const char *out = scratch_file("killed.jsonl");
	struct score_report r;
	struct err err = ERR_INIT;
	struct judge_options how = standard;
	how.batch_tokens = 16; /* nearly a batch a pair */
	pid_t child = fork();
	if (child == 0) {
		setenv("VECSMITH_FAULT", "write:4:kill", 1); /* the head, two batches, no more */
		fault_reset();
		_exit(score(&how, &plain, out, &r, &err) ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_false(fs_exists(out));
	struct buf left = BUF_INIT;
	assert_ok(fs_read(scratch_file("killed.jsonl.partial"), &left, 0, &err), &err);
	buf_release(&left);
	assert_ok(score(&how, &plain, out, &r, &err), &err);
	assert_true(r.n_resumed >= 2);
	assert_int_equal(r.n_resumed + r.n_scored, 9);
	assert_scores(out, "longest_first", false);
}

static void what_another_judge_left_is_not_used(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct score_report r;
	const char *out = scratch_file("other.jsonl");
	test_write(scratch_file("other.jsonl.partial"),
		"{\"format\":1,\"judge\":\"0123456789abcdef0123456789abcdef\"}\n"
		"00000000000000000000000000000000 1.5\n");
	assert_ok(score(&standard, &plain, out, &r, &err), &err);
	assert_int_equal(r.n_resumed, 0);
	assert_scores(out, "longest_first", false);
}

static void an_embedder_gives_cosines_with_its_prompts(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct score_report r;
	struct encoder_options how = ENCODER_OPTIONS_INIT;
	how.device = "cpu";
	how.dtype = MODEL_F32;
	how.threads = 1;
	struct encoder *e = encoder_open(test_file("tests/fixtures/model-base"), &how, &err);
	assert_ok(e != NULL, &err);
	struct dataset *d = open_rows(test_file(rows_path));
	const char *out = scratch_file("sims.jsonl");
	assert_ok(score_by_encoder(e, d, &plain, out, &r, &err), &err);
	dataset_close(d);
	d = open_rows(out);
	struct row_reader *reader = row_reader_new(d);
	struct record rec;
	assert_ok(row_reader_get(reader, 0, &rec, &err), &err);
	size_t dim = (size_t)encoder_dim(e);
	float *v = xcalloc(2 * dim, sizeof *v);
	assert_ok(encoder_encode_texts(e, ENCODE_QUERY, &rec.query, 1, v, NULL, &err) &&
			encoder_encode_texts(
				e, ENCODE_PASSAGE, &rec.pos[0].text, 1, v + dim, NULL, &err),
		&err);
	double cosine = 0;
	for (size_t i = 0; i < dim; i++)
		cosine += (double)v[i] * (double)v[dim + i];
	assert_true(fabs(rec.pos[0].sim - cosine) < 1e-6);
	assert_true(rec.neg[1].sim == rec.pos[0].sim); /* the same text */
	assert_true(isnan(rec.pos[0].score));
	free(v);
	row_reader_free(reader);
	dataset_close(d);
	encoder_close(e);
}

static void wrong_options_are_named(void **state)
{
	(void)state;
	struct score_report r;
	struct judge_options how = standard;
	struct err label = ERR_INIT, longest = ERR_INIT, small = ERR_INIT;
	how.label = 3;
	assert_false(score(&how, &plain, scratch_file("x"), &r, &label));
	assert_non_null(strstr(label.text, "3 outputs"));
	how = standard;
	how.max_length = 33;
	assert_false(score(&how, &plain, scratch_file("x"), &r, &longest));
	assert_non_null(strstr(longest.text, "32 positions"));
	how.max_length = 3;
	assert_false(score(&how, &plain, scratch_file("x"), &r, &small));
	assert_non_null(strstr(small.text, "no room"));
	assert_int_equal(small.code, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_equal_transformers_pair_by_pair),
		cmocka_unit_test(flagembeddings_budgets_cut_the_query_first),
		cmocka_unit_test(sigmoid_is_taken_of_the_raw_score),
		cmocka_unit_test(a_killed_run_goes_on_where_it_was),
		cmocka_unit_test(what_another_judge_left_is_not_used),
		cmocka_unit_test(an_embedder_gives_cosines_with_its_prompts),
		cmocka_unit_test(wrong_options_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
