#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "mine/miner.h"

/* A small domain in the fixture model's vocabulary; every awkward row has its number in a comment. */
static const char rows_text[] =
	"{\"query\":\"a b c\",\"pos\":[\"a b c d\"],\"neg\":[\"x y\",\"k l\"],\"neg_scores\":[1,2],"
	"\"pos_scores\":[9],\"scores\":{\"T\":{\"pos\":[3],\"neg\":[1,2]}},\"own\":[1,2]}\n" /* 0 */
	"{\"query\":\"A  b C\",\"pos\":[\"e f g\"],\"neg\":[]}\n" /* 1: asks the same as 0 */
	"{\"query\":\"h i j\",\"pos\":[\"h i\",\"\"],\"neg\":[\"H  I\",\"x y\",\"\"]}\n" /* 2 */
	"{\"query\":\"m n o\",\"pos\":[\"m n o\"],\"neg\":[\"cat\",\"mat\"]}\n" /* 3: positive = query */
	"broken\n" /* 4 */
	"{\"query\":\" \",\"pos\":[\"p q\"],\"neg\":[]}\n" /* 5 */
	"{\"query\":\"r s\",\"pos\":[],\"neg\":[\"t u\"]}\n" /* 6 */
	"{\"query\":\"v w\",\"pos\":[\"v w x\"],\"neg\":[\"sat on\"]}\n"; /* 7 */

static const char *scratch_file(const char *name)
{
	static char ring[8][4096];
	static unsigned at;
	char *path = ring[at++ % 8];
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

static struct encoder *open_encoder(const char *cache)
{
	struct err err = ERR_INIT;
	struct encoder_options how = ENCODER_OPTIONS_INIT;
	how.device = "cpu";
	how.dtype = MODEL_F32;
	how.threads = 1;
	how.cache_dir = cache;
	struct encoder *e = encoder_open(test_file("tests/fixtures/model-base"), &how, &err);
	assert_ok(e != NULL, &err);
	return e;
}

static struct miner_options options(void)
{
	struct miner_options opt = {
		.rules = NEGATIVE_RULES_INIT, .search = {.threads = 1}, .from = "m"};
	opt.rules.n = 3;
	return opt;
}

/* Mines the rows above; what was left out is counted in ret_rows. */
static void mine(const struct miner_options *opt, const char *pool, const char *cache,
	const char *out, struct mine_rows *ret_rows, struct miner_report *ret)
{
	struct err err = ERR_INIT;
	const char *in = scratch_file("rows.jsonl");
	test_write(in, rows_text);
	struct dataset *d = open_rows(in);
	struct encoder *e = open_encoder(cache);
	assert_ok(mine_rows_read(ret_rows, d, pool, false, &err), &err);
	assert_ok(miner_run(ret_rows, d, e, opt, out, ret, &err), &err);
	encoder_close(e);
	dataset_close(d);
}

/* A mined file, read back. */
struct mined {
	struct dataset *d;
	struct row_reader *reader;
};

static struct mined open_mined(const char *path)
{
	struct dataset *d = open_rows(path);
	return (struct mined){d, row_reader_new(d)};
}

static struct record row(struct mined *m, size_t i)
{
	struct err err = ERR_INIT;
	struct record r;
	assert_ok(row_reader_get(m->reader, i, &r, &err), &err);
	return r;
}

static void close_mined(struct mined *m)
{
	row_reader_free(m->reader);
	dataset_close(m->d);
}

static bool has_neg(const struct record *r, const char *text)
{
	for (size_t i = 0; i < r->n_neg; i++)
		if (text_is(r->neg[i].text, text))
			return true;
	return false;
}

static void rows_that_cannot_be_used_are_counted_and_left_out(void **state)
{
	(void)state;
	struct mine_rows x;
	struct miner_report r;
	struct miner_options opt = options();
	const char *out = scratch_file("counted.jsonl");
	mine(&opt, NULL, NULL, out, &x, &r);
	assert_int_equal(x.n_rows, 5);
	assert_int_equal(x.n_broken, 1);
	assert_int_equal(x.n_no_query, 1);
	assert_int_equal(x.n_no_positive, 1);
	struct mined m = open_mined(out);
	assert_int_equal(dataset_rows(m.d), 5);
	close_mined(&m);
	mine_rows_release(&x);
}

static void every_number_of_a_negative_is_there_and_true(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct mine_rows x;
	struct miner_report report;
	struct miner_options opt = options();
	const char *out = scratch_file("numbers.jsonl");
	mine(&opt, NULL, NULL, out, &x, &report);
	struct encoder *e = open_encoder(NULL);
	size_t dim = (size_t)encoder_dim(e);
	float *v = xcalloc(2 * dim, sizeof *v);
	struct mined m = open_mined(out);
	for (size_t i = 0; i < dataset_rows(m.d); i++) {
		struct record r = row(&m, i);
		assert_int_equal(r.n_neg, 3);
		for (size_t k = 0; k < r.n_neg; k++) {
			assert_ok(
				encoder_encode_texts(e, ENCODE_QUERY, &r.query, 1, v, NULL, &err) &&
					encoder_encode_texts(e, ENCODE_PASSAGE, &r.neg[k].text, 1,
						v + dim, NULL, &err),
				&err);
			float sim = search_dot(v, v + dim, dim);
			assert_true(fabs(r.neg[k].sim - (double)sim) < 1e-6);
			assert_true(k == 0 || r.neg[k].sim <= r.neg[k - 1].sim);
			assert_true(r.neg[k].rank > (k ? r.neg[k - 1].rank : -1));
			assert_true(text_is(r.neg[k].from, "m"));
			assert_true(isnan(r.neg[k].score));
		}
		assert_true(!isnan(r.pos[0].sim));
	}
	close_mined(&m);
	free(v);
	encoder_close(e);
	mine_rows_release(&x);
}

static void old_scores_never_stand_beside_new_negatives(void **state)
{
	(void)state;
	struct mine_rows x;
	struct miner_report report;
	struct miner_options opt = options();
	const char *out = scratch_file("stale.jsonl");
	mine(&opt, NULL, NULL, out, &x, &report);
	assert_int_equal(report.n_replaced, 8);
	struct mined m = open_mined(out);
	struct record r = row(&m, 0);
	struct text line = dataset_line(m.d, 0);
	assert_null(memmem(line.s, line.len, "neg_scores", 10));
	assert_non_null(memmem(line.s, line.len, "\"own\":[1,2]", 11));
	assert_float_equal(r.pos[0].score, 9.0, 0.0);
	assert_int_equal(r.n_teachers, 1);
	assert_float_equal(r.pos[0].by_teacher[0], 3.0, 0.0);
	for (size_t k = 0; k < r.n_neg; k++)
		assert_true(!r.neg[k].by_teacher || isnan(r.neg[k].by_teacher[0]));
	close_mined(&m);
	mine_rows_release(&x);
}

static void positives_of_a_query_asked_elsewhere_are_no_negatives(void **state)
{
	(void)state;
	struct mine_rows x;
	struct miner_report report;
	struct miner_options opt = options();
	opt.rules.n = 50; /* everything that is allowed */
	const char *out = scratch_file("siblings.jsonl");
	mine(&opt, NULL, NULL, out, &x, &report);
	struct mined m = open_mined(out);
	struct record r = row(&m, 0);
	assert_false(has_neg(&r, "e f g")); /* positive of "A  b C" */
	assert_false(has_neg(&r, "a b c d"));
	assert_true(has_neg(&r, "x y") && has_neg(&r, "h i"));
	r = row(&m, 1);
	assert_false(has_neg(&r, "a b c d"));
	r = row(&m, 2);
	assert_false(has_neg(&r, "H  I")); /* a duplicate of "h i" */
	r = row(&m, 0);
	assert_true(has_neg(&r, "h i") != has_neg(&r, "H  I")); /* of duplicates the better one */
	assert_false(has_neg(&r, ""));
	assert_true(report.counts.dropped[DROP_DUPLICATE] >= 1);
	assert_true(report.counts.dropped[DROP_REPEAT] >= 1);
	close_mined(&m);
	mine_rows_release(&x);
}

static void kept_negatives_stay_in_front_with_their_scores(void **state)
{
	(void)state;
	struct mine_rows x;
	struct miner_report report;
	struct miner_options opt = options();
	opt.keep_negatives = true;
	const char *out = scratch_file("kept.jsonl");
	mine(&opt, NULL, NULL, out, &x, &report);
	struct mined m = open_mined(out);
	struct record r = row(&m, 0);
	assert_int_equal(r.n_neg, 5);
	assert_true(text_is(r.neg[0].text, "x y") && text_is(r.neg[1].text, "k l"));
	assert_float_equal(r.neg[1].score, 2.0, 0.0);
	assert_float_equal(r.neg[1].by_teacher[0], 2.0, 0.0);
	assert_null(r.neg[0].from.s);
	assert_true(!isnan(r.neg[0].sim));
	for (size_t k = 2; k < 5; k++) {
		assert_true(isnan(r.neg[k].score));
		assert_false(text_is(r.neg[k].text, "x y") || text_is(r.neg[k].text, "k l"));
	}
	r = row(&m, 2); /* "H  I" is a duplicate of its positive: no negative, kept or not */
	assert_false(has_neg(&r, "H  I"));
	assert_int_equal(report.n_kept_dropped, 1);
	close_mined(&m);
	mine_rows_release(&x);
}

static void a_pool_replaces_the_rows_own_passages(void **state)
{
	(void)state;
	struct mine_rows x;
	struct miner_report report;
	struct miner_options opt = options();
	opt.rules.n = 10;
	const char *pool = scratch_file("pool.txt"), *out = scratch_file("pooled.jsonl");
	test_write(pool, "z z z\n\na b c d\nq r s\nz z z\n");
	mine(&opt, pool, NULL, out, &x, &report);
	assert_int_equal(x.n_corpus, 3);
	struct mined m = open_mined(out);
	struct record r = row(&m, 0);
	assert_int_equal(r.n_neg, 2); /* "a b c d" is its positive */
	assert_true(has_neg(&r, "z z z") && has_neg(&r, "q r s"));
	assert_true(!isnan(r.pos[0].sim));
	r = row(&m, 4);
	assert_int_equal(r.n_neg, 3);
	assert_true(!isnan(r.pos[0].sim)); /* although no passage of the pool */
	close_mined(&m);
	mine_rows_release(&x);
}

static void a_folders_whole_corpus_is_mined_from(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *in[] = {test_file("tests/fixtures/rows_beir"), scratch_file("beside.jsonl")};
	test_write(in[1], "{\"query\":\"a\",\"pos\":[\"b\"],\"neg\":[\"c\"]}\n");
	struct dataset *d = dataset_open(in, 2, NULL, &err);
	assert_ok(d != NULL, &err);
	struct mine_rows x;
	assert_ok(mine_rows_read(&x, d, NULL, false, &err), &err);
	assert_int_equal(x.n_rows, 4);
	assert_int_equal(x.n_corpus, 4 + 2); /* d2 is nobody's positive; b and c of the file */
	mine_rows_release(&x);
	dataset_close(d);
}

static void a_second_run_takes_all_vectors_from_the_cache(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct mine_rows x;
	struct miner_report first, second;
	struct miner_options opt = options();
	opt.rules.sampling = SAMPLING_RANDOM;
	const char *a = scratch_file("first.jsonl"), *b = scratch_file("second.jsonl");
	const char *cache = scratch_file("cache");
	mine(&opt, NULL, cache, a, &x, &first);
	mine_rows_release(&x);
	mine(&opt, NULL, cache, b, &x, &second);
	assert_int_equal(first.passages.n_cached + first.queries.n_cached, 0);
	assert_int_equal(second.passages.n_cached, second.passages.n_unique);
	assert_int_equal(second.queries.n_cached, second.queries.n_unique);
	struct buf one = BUF_INIT, two = BUF_INIT;
	assert_ok(fs_read(a, &one, 0, &err) && fs_read(b, &two, 0, &err), &err);
	assert_true(text_equal(buf_text(&one), buf_text(&two)));
	buf_release(&one);
	buf_release(&two);
	mine_rows_release(&x);
}

static void no_usable_row_is_an_error(void **state)
{
	(void)state;
	struct err err = ERR_INIT, strict = ERR_INIT;
	const char *in = scratch_file("none.jsonl");
	struct mine_rows x;
	test_write(in, "{\"query\":\"a\",\"pos\":[],\"neg\":[]}\nbroken\n");
	struct dataset *d = open_rows(in);
	assert_false(mine_rows_read(&x, d, NULL, false, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_non_null(strstr(err.text, "1 broken"));
	mine_rows_release(&x);
	assert_false(mine_rows_read(&x, d, NULL, true, &strict));
	assert_non_null(strstr(strict.text, "none.jsonl:2:1"));
	mine_rows_release(&x);
	dataset_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_cannot_be_used_are_counted_and_left_out),
		cmocka_unit_test(every_number_of_a_negative_is_there_and_true),
		cmocka_unit_test(old_scores_never_stand_beside_new_negatives),
		cmocka_unit_test(positives_of_a_query_asked_elsewhere_are_no_negatives),
		cmocka_unit_test(kept_negatives_stay_in_front_with_their_scores),
		cmocka_unit_test(a_pool_replaces_the_rows_own_passages),
		cmocka_unit_test(a_folders_whole_corpus_is_mined_from),
		cmocka_unit_test(a_second_run_takes_all_vectors_from_the_cache),
		cmocka_unit_test(no_usable_row_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
