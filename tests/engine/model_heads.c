/* Chains of modules beside sentence-transformers, and BGE-M3's heads beside FlagEmbedding
 * (tests/parity/make_heads_gold.py); as they are read, and as they are written again. */
#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/encoder.h"
#include "model/views.h"

#define MOST 16

struct gold {
	struct json_file f;
	struct text text[MOST];
	size_t n;
};

static void open_gold(struct gold *g, const char *name)
{
	struct err err = ERR_INIT;
	char path[200];
	snprintf(path, sizeof path, "tests/fixtures/heads/%s/gold.json", name);
	assert_ok(json_file_open(test_file(path), &g->f, &err), &err);
	g->n = 0;
	for (struct json_iter it = json_each(json_get(g->f.root, "texts")); json_next(&it); g->n++)
		assert_true(json_string(it.value, &g->text[g->n].s, &g->text[g->n].len));
}

/* A list of rows of numbers; returns how many numbers. */
static size_t matrix(json v, float *out)
{
	size_t n = 0;
	for (struct json_iter row = json_each(v); json_next(&row);)
		for (struct json_iter it = json_each(row.value); json_next(&it); n++) {
			double x;
			assert_true(json_real(it.value, &x));
			out[n] = (float)x;
		}
	return n;
}

static struct encoder *open_folder(const char *dir, struct encoder_options opt)
{
	struct err err = ERR_INIT;
	opt.device = "cpu";
	opt.dtype = MODEL_F32;
	opt.threads = 1;
	opt.batch_tokens = 30;
	struct encoder *e = encoder_open(dir, &opt, &err);
	assert_ok(e != NULL, &err);
	return e;
}

static void check_vectors(struct encoder *e, struct gold *g)
{
	static const struct {
		const char *key;
		enum encode_role role;
	} cases[] = {{"plain", ENCODE_PLAIN}, {"query", ENCODE_QUERY}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		float want[MOST * 32], got[MOST * 32];
		size_t n = matrix(json_get(g->f.root, cases[i].key), want);
		assert_int_equal(n, g->n * (size_t)encoder_dim(e));
		assert_ok(encoder_encode_texts(e, cases[i].role, g->text, g->n, got, NULL, &err),
			&err);
		assert_close(got, want, n, 1e-5);
	}
}

static const char *scratch(const char *name)
{
	static char path[600];
	const char *kept = getenv("VECSMITH_KEEP");
	snprintf(path, sizeof path, "%s/%s", kept ? kept : test_scratch(), name);
	return path;
}

/* Of the folder, and of what is written of it. */
static void check_chain(const char *name)
{
	struct err err = ERR_INIT;
	struct gold g;
	char dir[200];
	open_gold(&g, name);
	snprintf(dir, sizeof dir, "tests/fixtures/heads/%s", name);
	struct encoder *e =
		open_folder(test_file(dir), (struct encoder_options)ENCODER_OPTIONS_INIT);
	check_vectors(e, &g);
	assert_ok(model_write(encoder_model(e), scratch(name), &err), &err);
	encoder_close(e);
	e = open_folder(scratch(name), (struct encoder_options)ENCODER_OPTIONS_INIT);
	check_vectors(e, &g);
	encoder_close(e);
	json_file_close(&g.f);
}

static void a_written_tokenizer_has_a_class_that_older_readers_know(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct json_file f = {0};
	struct text class;
	char path[700];
	check_chain("chain-1"); /* transformers 5 wrote "TokenizersBackend" there */
	snprintf(path, sizeof path, "%s/tokenizer_config.json", scratch("chain-1"));
	assert_ok(json_file_open(path, &f, &err), &err);
	assert_ok(json_want_text(f.root, "tokenizer_class", TEXT_NONE, &class, &err), &err);
	assert_true(text_equal(class, TEXT("PreTrainedTokenizerFast")));
	json_file_close(&f);
}

static void dense_modules_follow_each_other(void **state)
{
	(void)state;
	check_chain("chain-1");
}

static void poolings_stand_side_by_side(void **state)
{
	(void)state;
	check_chain("chain-2");
}

static void a_chain_need_not_end_in_unit_length(void **state)
{
	(void)state;
	check_chain("chain-3");
}

static void modules_weights_may_be_pickles(void **state)
{
	(void)state;
	check_chain("chain-4");
}

static void check_sparse(const struct text_view *v, json want)
{
	size_t at = 0;
	assert_int_equal(v->n_ids, json_count(want));
	for (struct json_iter it = json_each(want); json_next(&it); at++) {
		double w;
		char id[16];
		snprintf(id, sizeof id, "%d", v->ids[at]);
		assert_true(text_is((struct text){it.key, it.key_len}, id));
		assert_true(json_real(it.value, &w));
		assert_true(fabs(w - (double)v->weights[at]) < 1e-5);
	}
}

static void check_views(const char *dir)
{
	struct err err = ERR_INIT;
	struct gold g;
	struct text_views views;
	struct encode_stats stats = {0};
	struct encode_item items[MOST];
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	float dense[MOST * 8], want[4096];
	open_gold(&g, "m3");
	opt.max_length = 40;
	struct encoder *e = open_folder(dir, opt);
	for (size_t i = 0; i < g.n; i++)
		items[i] = (struct encode_item){TEXT(""), g.text[i]};
	assert_int_equal(model_multi_dim(encoder_model(e)), 6);
	assert_ok(encoder_views(e, ENCODE_PLAIN, items, g.n, VIEW_DENSE | VIEW_SPARSE | VIEW_MULTI,
			  dense, &views, &stats, &err),
		&err);
	assert_int_equal(stats.n_unique, g.n - 1);
	assert_int_equal(stats.n_cut, 1);
	assert_close(dense, want, matrix(json_get(g.f.root, "dense"), want), 1e-5);
	size_t at = 0;
	for (struct json_iter it = json_each(json_get(g.f.root, "sparse")); json_next(&it); at++)
		check_sparse(&views.view[views.of[at]], it.value);
	at = 0;
	for (struct json_iter it = json_each(json_get(g.f.root, "multi")); json_next(&it); at++) {
		const struct text_view *v = &views.view[views.of[at]];
		size_t n = matrix(it.value, want);
		assert_int_equal(v->n_multi * 6, n);
		assert_close(v->multi, want, n, 1e-5);
	}
	assert_int_equal(at, g.n);
	assert_ok(model_write(encoder_model(e), scratch("m3"), &err), &err);
	text_views_release(&views);
	encoder_close(e);
	json_file_close(&g.f);
}

static void three_views_equal_flagembedding(void **state)
{
	(void)state;
	check_views(test_file("tests/fixtures/heads/m3"));
	check_views(scratch("m3"));
}

static void a_model_without_heads_has_one_view(void **state)
{
	(void)state;
	struct encoder *e = open_folder(test_file("tests/fixtures/heads/chain-1"),
		(struct encoder_options)ENCODER_OPTIONS_INIT);
	assert_int_equal(model_views(encoder_model(e)), VIEW_DENSE);
	assert_int_equal(model_multi_dim(encoder_model(e)), 0);
	encoder_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_modules_follow_each_other),
		cmocka_unit_test(a_written_tokenizer_has_a_class_that_older_readers_know),
		cmocka_unit_test(poolings_stand_side_by_side),
		cmocka_unit_test(a_chain_need_not_end_in_unit_length),
		cmocka_unit_test(modules_weights_may_be_pickles),
		cmocka_unit_test(three_views_equal_flagembedding),
		cmocka_unit_test(a_model_without_heads_has_one_view),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
