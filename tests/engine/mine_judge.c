/* Rerankers of every kind against FlagEmbedding, the model cards and transformers
 * (tests/parity/make_reranker_gold.py). */
#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "mine/judge.h"

#define MOST 16

struct gold {
	struct json_file f;
	struct judge_pair pairs[MOST];
	size_t n;
};

static const char *folder(const char *name)
{
	char path[300];
	snprintf(path, sizeof path, "tests/fixtures/rerankers/%s", name);
	return test_file(path);
}

static void open_gold(struct gold *g, const char *name)
{
	struct err err = ERR_INIT;
	char path[400];
	snprintf(path, sizeof path, "%s/scores.json", folder(name));
	assert_ok(json_file_open(path, &g->f, &err), &err);
	g->n = 0;
	for (struct json_iter it = json_each(json_get(g->f.root, "pairs")); json_next(&it);) {
		struct text t[2] = {TEXT_NONE, TEXT_NONE};
		size_t k = 0;
		for (struct json_iter side = json_each(it.value); json_next(&side); k++)
			assert_true(json_string(side.value, &t[k].s, &t[k].len));
		g->pairs[g->n++] = (struct judge_pair){t[0], t[1]};
	}
}

static bool take(void *ctx, const size_t *which, const float *raw, size_t n, struct err *err)
{
	float *out = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++)
		out[which[i]] = raw[i];
	return true;
}

static bool score(const char *dir, const struct judge_options *opt, const struct judge_pair *pairs,
	size_t n, float *out, struct judge_stats *stats, struct err *err)
{
	char why[200];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	struct judge *j = judge_open(dir, root, opt, err);
	bool ok = j && judge_score(j, pairs, n, take, out, stats, err);
	judge_close(j);
	tn_close(root);
	return ok;
}

/* Every run of the gold file, in large and in small batches, on one thread and two. */
static void check(const char *name)
{
	struct gold g;
	open_gold(&g, name);
	for (struct json_iter run = json_each(json_get(g.f.root, "runs")); json_next(&run);)
		for (int k = 0; k < 2; k++) {
			struct err err = ERR_INIT;
			struct judge_stats stats = {0};
			float got[MOST], want[MOST];
			size_t n = 0;
			double worst = 0.0;
			struct judge_options opt = {
				.dtype = MODEL_F32, .batch_tokens = k ? 1 : 4096, .threads = k + 1};
			assert_true(json_int(json_get(run.value, "max_length"), &opt.max_length));
			assert_true(json_int(
				json_get(run.value, "query_max_length"), &opt.query_max_length));
			for (struct json_iter it = json_each(json_get(run.value, "scores"));
				json_next(&it); n++) {
				double v;
				assert_true(json_real(it.value, &v));
				want[n] = (float)v;
			}
			assert_int_equal(n, g.n);
			assert_ok(score(folder(name), &opt, g.pairs, g.n, got, &stats, &err), &err);
			for (size_t i = 0; i < n; i++)
				worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
			print_message("%s: %lld tokens: %.2e, %zu cut\n", name,
				(long long)opt.max_length, worst, stats.n_cut);
			assert_close(got, want, n, 1e-5);
		}
	json_file_close(&g.f);
}

static void yes_logits_equal_flagembedding(void **state)
{
	(void)state;
	check("gemma");
}

static void capped_yes_logits_equal_flagembedding(void **state)
{
	(void)state;
	check("gemma2");
}

static void yes_minus_no_equals_the_model_card(void **state)
{
	(void)state;
	check("qwen3");
}

static void a_decoders_head_equals_transformers(void **state)
{
	(void)state;
	check("qwen2-head");
}

static void an_encoders_budgets_equal_flagembedding(void **state)
{
	(void)state;
	check("xlm-roberta");
}

static void options_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *dir;
		struct judge_options opt;
		const char *word;
	} cases[] = {
		{"qwen2-head", {.family = "yes"}, "--family is for causal language models"},
		{"qwen2-head", {.layers = 1}, "--layers is for rerankers"},
		{"gemma", {.label = 1}, "--label is for classification heads"},
		{"gemma", {.max_length = 500}, "more than the 512 positions"},
		{"qwen3", {.max_length = 40}, "leaves none for the passage"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct judge_pair pair = {TEXT("a"), TEXT("b")};
		float out[1];
		struct judge_stats stats = {0};
		assert_false(
			score(folder(cases[i].dir), &cases[i].opt, &pair, 1, out, &stats, &err));
		if (!strstr(err.text, cases[i].word))
			fail_msg("'%s' should say %s", err.text, cases[i].word);
	}
}

static void fewer_layers_and_another_family_give_other_scores(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct judge_pair pair = {TEXT("what is a panda?"), TEXT("a bear")};
	struct judge_options all = {.dtype = MODEL_F32}, first = {.dtype = MODEL_F32, .layers = 1},
			     other = {.dtype = MODEL_F32, .family = "yes-no"};
	struct judge_stats stats = {0};
	float a, b, c;
	other.max_length = 400;
	assert_ok(score(folder("gemma"), &all, &pair, 1, &a, &stats, &err) &&
			score(folder("gemma"), &first, &pair, 1, &b, &stats, &err) &&
			score(folder("gemma"), &other, &pair, 1, &c, &stats, &err),
		&err);
	assert_true(a != b && a != c && b != c);
}

static void rerankers_are_known_by_their_folder(void **state)
{
	(void)state;
	static const struct {
		const char *dir;
		bool is;
	} cases[] = {{"tests/fixtures/rerankers/gemma", true},
		{"tests/fixtures/rerankers/qwen2-head", true},
		{"tests/fixtures/model-base", false}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		bool is;
		assert_ok(judge_is(test_file(cases[i].dir), &is, &err), &err);
		assert_int_equal(is, cases[i].is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yes_logits_equal_flagembedding),
		cmocka_unit_test(capped_yes_logits_equal_flagembedding),
		cmocka_unit_test(yes_minus_no_equals_the_model_card),
		cmocka_unit_test(a_decoders_head_equals_transformers),
		cmocka_unit_test(an_encoders_budgets_equal_flagembedding),
		cmocka_unit_test(options_that_do_not_fit_are_refused),
		cmocka_unit_test(fewer_layers_and_another_family_give_other_scores),
		cmocka_unit_test(rerankers_are_known_by_their_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
