/* Adapter folders as PEFT writes them, beside PEFT (tests/parity/make_adapter_gold.py). */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "model/model.h"
#include "model_case.h"

static void ranks_tables_and_biases_follow_their_patterns(void **state)
{
	(void)state;
	check_model_case("tests/fixtures/adapters/patterns");
}

static void dora_equals_peft(void **state)
{
	(void)state;
	check_model_case("tests/fixtures/adapters/dora");
}

static void a_classification_adapter_brings_its_head(void **state)
{
	(void)state;
	check_model_case("tests/fixtures/adapters/head");
}

static void both_spellings_of_names_are_known(void **state)
{
	(void)state;
	check_model_case("tests/fixtures/adapters/spelled");
}

/* A copy of `patterns` whose adapter_config.json has `from` replaced. */
static const char *changed(const char *from, const char *to)
{
	static char dir[600];
	static unsigned n;
	struct err err = ERR_INIT;
	char path[800];
	struct buf b = BUF_INIT, out = BUF_INIT;
	snprintf(dir, sizeof dir, "%s/adapter-%u", test_scratch(), n++);
	assert_ok(fs_mkdirs(dir, &err) &&
			fs_read(test_file(
					"tests/fixtures/adapters/patterns/adapter_model.safetensors"),
				&b, 0, &err),
		&err);
	snprintf(path, sizeof path, "%s/adapter_model.safetensors", dir);
	assert_ok(fs_write_atomic(path, b.data, b.len, &err), &err);
	buf_clear(&b);
	assert_ok(fs_read(test_file("tests/fixtures/adapters/patterns/adapter_config.json"), &b, 0,
			  &err),
		&err);
	char *at = strstr(b.data, from);
	assert_non_null(at);
	buf_add(&out, b.data, (size_t)(at - b.data));
	buf_adds(&out, to);
	buf_adds(&out, at + strlen(from));
	snprintf(path, sizeof path, "%s/adapter_config.json", dir);
	assert_ok(fs_write_atomic(path, out.data, out.len, &err), &err);
	buf_release(&b);
	buf_release(&out);
	return dir;
}

static void refused(const char *dir, const char *base, const char *word)
{
	struct err err = ERR_INIT;
	struct model_options opt = {.use = MODEL_ENCODE, .dtype = MODEL_F32, .base = base};
	char why[200];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	assert_null(model_open(dir, root, &opt, &err));
	assert_int_equal(tn_live(root), 0);
	if (!strstr(err.text, word))
		fail_msg("'%s' should say %s", err.text, word);
	tn_close(root);
}

static void what_does_not_fit_is_refused_by_name(void **state)
{
	(void)state;
	static const char where[] = "\"../../encoders/bert-1\"";
	const char *base = "tests/fixtures/encoders/bert-1";
	char full[600];
	snprintf(full, sizeof full, "%s", test_file(base));
	refused(changed(where, "\"BAAI/nowhere\""), NULL, "--base DIR");
	refused(changed("\"LORA\"", "\"IA3\""), full, "peft_type is \"IA3\"");
	refused(changed("\"r\": 4", "\"r\": 5"), full, "has rank 4");
	refused(changed("\"rank_pattern\": {", "\"rank_pattern\": {\"value\": \"x\","), full,
		"value is no positive number");
	refused(changed("\"rank_pattern\": {", "\"rank_pattern\": {\"(a|b)\": 2,"), full,
		"more of a regular expression");
	refused(changed("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true"), full,
		"fan_in_fan_out");
	refused(changed("\"r\": 4", "\"r\": 4"), test_file("tests/fixtures/encoders/distilbert-1"),
		"belongs to no module");
	refused(full, full, "--base is for adapter folders");
}

static void a_second_adapter_is_refused_before_it_is_trained(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct model_options opt = {.use = MODEL_TRAIN, .dtype = MODEL_F32};
	struct lora_options lora = {.r = 2, .alpha = 2};
	char why[200];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	struct model *m = model_open(test_file("tests/fixtures/adapters/dora"), root, &opt, &err);
	assert_ok(m != NULL, &err);
	assert_false(model_add_lora(m, &lora, &err));
	assert_non_null(strstr(err.text, "is an adapter"));
	model_close(m);
	tn_close(root);
}

static void a_written_adapter_is_merged(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	static const int32_t ids[] = {4, 9, 14, 30, 7};
	static const int64_t start[] = {0, 5};
	struct token_batch b = {.ids = ids, .seqs = {start, 1}};
	struct forward how = FORWARD_ENCODE;
	char why[200], dir[600];
	float got[2][12];
	snprintf(dir, sizeof dir, "%s/merged", test_scratch());
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	for (int i = 0; i < 2; i++) {
		struct model_options opt = {.use = MODEL_ENCODE, .dtype = MODEL_F32};
		struct model *m = model_open(
			i ? dir : test_file("tests/fixtures/adapters/dora"), root, &opt, &err);
		assert_ok(m != NULL, &err);
		tn_scope *s = tn_push_no_grad(root);
		assert_true(tn_read_f32(s, model_embed(m, s, &b, &how), got[i], 12));
		tn_pop(s);
		if (i == 0)
			assert_ok(model_write(m, dir, &err), &err);
		model_close(m);
	}
	assert_close(got[0], got[1], 12, 1e-6);
	tn_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_tables_and_biases_follow_their_patterns),
		cmocka_unit_test(dora_equals_peft),
		cmocka_unit_test(a_classification_adapter_brings_its_head),
		cmocka_unit_test(both_spellings_of_names_are_known),
		cmocka_unit_test(what_does_not_fit_is_refused_by_name),
		cmocka_unit_test(a_second_adapter_is_refused_before_it_is_trained),
		cmocka_unit_test(a_written_adapter_is_merged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
