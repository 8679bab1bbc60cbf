/* Decoders' config.json: nonsense is refused by file and key before any weight is looked at; and
 * which tokens see which: what the file says, what --attention says instead, what is written. */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "model/facts.h"
#include "model/model.h"
#include "tensor.h"

/* A copy of tests/fixtures/decoders/NAME in the scratch folder, with the first `from` of config.json
 * replaced; from NULL: as it is. */
static const char *changed(const char *name, const char *from, const char *to)
{
	static char dir[700];
	static unsigned n;
	static const char *const files[] = {"config.json", "model.safetensors"};
	struct err err = ERR_INIT;
	snprintf(dir, sizeof dir, "%s/%u/%s", test_scratch(), n++, name);
	assert_ok(fs_mkdirs(dir, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[900];
		struct buf b = BUF_INIT, out = BUF_INIT;
		snprintf(path, sizeof path, "tests/fixtures/decoders/%s/%s", name, files[i]);
		assert_ok(fs_read(test_file(path), &b, 0, &err), &err);
		const char *at = from && i == 0 ? strstr(b.data, from) : NULL;
		if (from && i == 0 && !at)
			fail_msg("%s does not hold %s", path, from);
		buf_add(&out, b.data, at ? (size_t)(at - b.data) : b.len);
		if (at) {
			buf_adds(&out, to);
			buf_adds(&out, at + strlen(from));
		}
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		assert_ok(fs_write_atomic(path, out.data, out.len, &err), &err);
		buf_release(&b);
		buf_release(&out);
	}
	return dir;
}

static void nonsense_is_refused_by_key(void **state)
{
	(void)state;
	static const struct {
		const char *name, *from, *to, *word;
	} cases[] = {
		{"qwen2-1", "\"num_key_value_heads\": 1", "\"num_key_value_heads\": 2",
			"num_key_value_heads is 2, expected a divisor of num_attention_heads (3)"},
		{"qwen2-1", "\"num_key_value_heads\": 1", "\"num_key_value_heads\": -1",
			"num_key_value_heads is -1"},
		{"qwen2-1", "\"num_attention_heads\": 3", "\"num_attention_heads\": 1e9",
			"num_attention_heads is 1e+09"},
		{"qwen2-1", "\"head_dim\": 6", "\"head_dim\": 0", "head_dim is 0"},
		{"qwen2-1", "\"head_dim\": 6", "\"head_dim\": 7", "heads of 7 cannot turn"},
		{"qwen2-1", "\"head_dim\": 6,", "",
			"hidden_size is 16, expected a multiple of num_attention_heads (3)"},
		{"qwen2-1", "\"head_dim\": 6", "\"head_dim\": 1e18", "head_dim is 1e+18"},
		{"qwen2-1", "\"intermediate_size\": 20", "\"intermediate_size\": 0",
			"intermediate_size is 0"},
		{"qwen2-1", "\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": -1",
			"rms_norm_eps is -1"},
		{"qwen2-1", "\"hidden_act\": \"silu\"", "\"hidden_act\": \"swiglu2\"",
			"hidden_act is \"swiglu2\""},
		{"qwen2-1", "\"rope_type\": \"default\"", "\"rope_type\": \"longrope\"",
			"rope_type is \"longrope\""},
		{"qwen2-1", "\"rope_type\": \"default\"", "\"rope_type\": \"linear\"",
			"factor is missing"},
		{"qwen2-1", "\"rope_theta\": 1000000.0", "\"rope_theta\": 0", "rope_theta is 0"},
		{"qwen2-1", "\"rope_theta\": 1000000.0",
			"\"rope_theta\": 1e4, \"partial_rotary_factor\": 0.5",
			"partial_rotary_factor is 0.5"},
		{"qwen2-1", "\"layer_types\": [", "\"layer_types\": [\"full_attention\",",
			"layer_types has 3 entries, expected num_hidden_layers (2)"},
		{"llama-1", "\"high_freq_factor\": 4.0", "\"high_freq_factor\": 0.5",
			"high_freq_factor is 0.5"},
		{"llama-1", "\"factor\": 8.0", "\"factor\": \"x\"", "factor is \"x\""},
		{"llama-1", "\"attention_bias\": true", "\"attention_bias\": 3",
			"attention_bias is 3"},
		{"mistral-1", "\"sliding_window\": 5", "\"sliding_window\": -5",
			"sliding_window is -5"},
		{"gemma2-1", "\"full_attention\"", "\"chunked_attention\"",
			"layer_types has \"chunked_attention\""},
		{"gemma2-1", "\"query_pre_attn_scalar\": 9", "\"query_pre_attn_scalar\": 0",
			"query_pre_attn_scalar is 0"},
		{"gemma2-1", "\"attn_logit_softcapping\": 1.5", "\"attn_logit_softcapping\": -2",
			"attn_logit_softcapping is -2"},
		{"modernbert-1", "\"num_attention_heads\": 3", "\"num_attention_heads\": 4",
			"hidden_size is 18, expected a multiple of num_attention_heads (4)"},
		{"modernbert-1", "\"local_attention\": 8", "\"local_attention\": 0",
			"local_attention is 0"},
		{"new-1", "\"position_embedding_type\": \"rope\"",
			"\"position_embedding_type\": \"absolute\"",
			"position_embedding_type is \"absolute\""},
		{"new-1", "\"pack_qkv\": true", "\"pack_qkv\": \"yes\"", "pack_qkv is \"yes\""},
		{"qwen2-1", "\"hidden_size\": 16", "\"hidden_size\": 18", "has shape"},
		{"qwen2-1", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "3"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct model_facts f;
		const char *dir = changed(cases[i].name, cases[i].from, cases[i].to);
		bool ok = model_facts_read(dir, NULL, &f, &err);
		if (ok || !strstr(err.text, cases[i].word) || strchr(err.text, '\n'))
			fail_msg("%s with %s: '%s' should say %s", cases[i].name, cases[i].to,
				err.text, cases[i].word);
		if (strstr(cases[i].word, " is ") && !strstr(err.text, "config.json"))
			fail_msg("'%s' should name config.json", err.text);
		model_facts_release(&f);
	}
}

static struct model_config config_of(const char *dir, const char *asked)
{
	struct model_config c;
	struct err err = ERR_INIT;
	assert_ok(
		model_config_read(dir, &c, &err) && model_attention_choose(&c, asked, &err), &err);
	return c;
}

static void attention_follows_file_table_and_user(void **state)
{
	(void)state;
	static const char old[] = "\"model_type\": \"qwen2\"";
	static const struct {
		const char *to, *asked;
		enum model_attention want;
		const char *from;
	} cases[] = {
		{old, NULL, ATTENTION_CAUSAL, "the architecture"},
		{old, "auto", ATTENTION_CAUSAL, "the architecture"},
		{old, "bidirectional", ATTENTION_BIDIRECTIONAL, "--attention"},
		{"\"model_type\": \"qwen2\", \"is_causal\": false", NULL, ATTENTION_BIDIRECTIONAL,
			"is_causal"},
		{"\"model_type\": \"qwen2\", \"is_causal\": false", "causal", ATTENTION_CAUSAL,
			"--attention"},
		{"\"model_type\": \"qwen2\", \"use_bidirectional_attention\": true", NULL,
			ATTENTION_BIDIRECTIONAL, "use_bidirectional_attention"},
		{"\"model_type\": \"qwen2\", \"auto_map\": {\"AutoModel\": "
		 "\"modeling_qwen.Qwen2Model\"}",
			NULL, ATTENTION_BIDIRECTIONAL, ATTENTION_ASSUMED},
		{"\"model_type\": \"qwen2\", \"_name_or_path\": "
		 "\"x/KaLM-embedding-multilingual-mini-instruct-v2\"",
			NULL, ATTENTION_BIDIRECTIONAL, ATTENTION_ASSUMED},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct model_config c =
			config_of(changed("qwen2-1", old, cases[i].to), cases[i].asked);
		assert_int_equal(c.attention, cases[i].want);
		assert_string_equal(c.attention_from, cases[i].from);
		model_config_release(&c);
	}
}

static void an_encoder_is_never_causal(void **state)
{
	(void)state;
	struct model_config c = config_of(test_file("tests/fixtures/decoders/modernbert-1"), NULL);
	struct err err = ERR_INIT;
	assert_false(model_attention_choose(&c, "causal", &err));
	assert_non_null(strstr(err.text, "is an encoder (modernbert)"));
	assert_true(model_attention_choose(&c, "bidirectional", &err));
	model_config_release(&c);
}

static float *vectors(const char *dir, const char *attention, tn_scope *root, const char *write_to)
{
	struct err err = ERR_INIT;
	struct model_options opt = {
		.use = MODEL_TRAIN, .dtype = MODEL_F32, .pooling = "mean", .attention = attention};
	struct model *m = model_open(dir, root, &opt, &err);
	assert_ok(m != NULL, &err);
	const int32_t ids[] = {5, 6, 7, 8, 9, 10, 11, 12, 13};
	const int64_t start[] = {0, 9};
	struct token_batch b = {.ids = ids, .seqs = {start, 1}};
	struct forward how = FORWARD_ENCODE;
	float *v = xcalloc(16, sizeof *v);
	tn_scope *s = tn_push_no_grad(root);
	assert_true(tn_read_f32(s, model_embed(m, s, &b, &how), v, 16));
	tn_pop(s);
	if (write_to)
		assert_ok(model_write(m, write_to, &err), &err);
	model_close(m);
	return v;
}

/* An override changes the vectors, is stored, and the written folder gives the same by itself. */
static void a_written_folder_says_what_the_attention_is(void **state)
{
	(void)state;
	static const struct {
		const char *name, *asked, *line;
	} cases[] = {
		{"qwen2-1", "bidirectional", "\"is_causal\": false"},
		{"gemma3_text-1", "causal", "\"use_bidirectional_attention\": false"},
	};
	char why[200];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[600], path[700];
		struct err err = ERR_INIT;
		struct buf b = BUF_INIT;
		const char *dir = changed(cases[i].name, NULL, NULL);
		snprintf(out, sizeof out, "%s/written-%zu", test_scratch(), i);
		float *before = vectors(dir, NULL, root, NULL);
		float *other = vectors(dir, cases[i].asked, root, out);
		float *again = vectors(out, NULL, root, NULL);
		assert_memory_not_equal(before, other, 16 * sizeof(float));
		assert_memory_equal(other, again, 16 * sizeof(float));
		snprintf(path, sizeof path, "%s/config.json", out);
		assert_ok(fs_read(path, &b, 0, &err), &err);
		if (!strstr(b.data, cases[i].line))
			fail_msg("%s should hold %s: %s", path, cases[i].line, b.data);
		buf_release(&b);
		free(before);
		free(other);
		free(again);
	}
	tn_close(root);
}

/* transformers checks the types of ModernBERT's config: 2 is no number of its kind, 2.0 is. */
static void written_numbers_keep_their_kind(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct model_options opt = {.use = MODEL_TRAIN, .dtype = MODEL_F32};
	char why[200], out[600], path[700];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	struct model *m =
		model_open(test_file("tests/fixtures/decoders/modernbert-1"), root, &opt, &err);
	assert_ok(m != NULL, &err);
	snprintf(out, sizeof out, "%s/kinds", test_scratch());
	assert_ok(model_write(m, out, &err), &err);
	snprintf(path, sizeof path, "%s/config.json", out);
	assert_ok(fs_read(path, &b, 0, &err), &err);
	assert_non_null(strstr(b.data, "\"initializer_cutoff_factor\": 2.0"));
	assert_non_null(strstr(b.data, "\"hidden_size\": 18,"));
	buf_release(&b);
	model_close(m);
	tn_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_is_refused_by_key),
		cmocka_unit_test(attention_follows_file_table_and_user),
		cmocka_unit_test(an_encoder_is_never_causal),
		cmocka_unit_test(a_written_folder_says_what_the_attention_is),
		cmocka_unit_test(written_numbers_keep_their_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
