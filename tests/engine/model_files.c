/* Damaged folders: one sentence with file and key each, before anything of the model's size is
 * allocated. */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "model/facts.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "tensor.h"

static const char *base(const char *file)
{
	char path[256];
	snprintf(path, sizeof path, "tests/fixtures/model-base/%s", file);
	return test_file(path);
}

/* A fresh copy of model-base in the scratch folder. */
static const char *fresh(void)
{
	static char dir[512];
	static unsigned n;
	static const char *const files[] = {"config.json", "model.safetensors", "modules.json",
		"1_Pooling/config.json", "sentence_bert_config.json",
		"config_sentence_transformers.json", "tokenizer.json", "tokenizer_config.json",
		"vocab.txt"};
	struct err err = ERR_INIT;
	char to[600];
	snprintf(dir, sizeof dir, "%s/copy-%u", test_scratch(), n++);
	snprintf(to, sizeof to, "%s/1_Pooling", dir);
	assert_ok(fs_mkdirs(to, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf b = BUF_INIT;
		snprintf(to, sizeof to, "%s/%s", dir, files[i]);
		assert_ok(fs_read(base(files[i]), &b, 0, &err) &&
				fs_write_atomic(to, b.data, b.len, &err),
			&err);
		buf_release(&b);
	}
	return dir;
}

static void change(const char *dir, const char *file, const char *from, const char *to)
{
	struct err err = ERR_INIT;
	char path[600];
	struct buf b = BUF_INIT, out = BUF_INIT;
	snprintf(path, sizeof path, "%s/%s", dir, file);
	assert_ok(fs_read(path, &b, 0, &err), &err);
	char *at = strstr(b.data, from);
	if (!at)
		fail_msg("%s does not hold %s", file, from);
	buf_add(&out, b.data, (size_t)(at - b.data));
	buf_adds(&out, to);
	buf_adds(&out, at + strlen(from));
	assert_ok(fs_write_atomic(path, out.data, out.len, &err), &err);
	buf_release(&b);
	buf_release(&out);
}

/* Opening fails with one sentence that holds both words, as model_open() and as facts. */
static void refused(const char *dir, const char *file, const char *word)
{
	char why[200];
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	struct model_options opt = {.use = MODEL_ENCODE, .dtype = MODEL_F32};
	struct err err = ERR_INIT, again = ERR_INIT;
	struct model_facts facts;
	assert_null(model_open(dir, root, &opt, &err));
	assert_int_equal(tn_live(root), 0);
	if (!strstr(err.text, file) || !strstr(err.text, word) || strchr(err.text, '\n'))
		fail_msg("'%s' should name %s and %s", err.text, file, word);
	assert_false(model_facts_read(dir, NULL, &facts, &again));
	assert_string_equal(again.text, err.text);
	model_facts_release(&facts);
	tn_close(root);
}

static void nonsense_in_config_is_refused_by_key(void **state)
{
	(void)state;
	static const struct {
		const char *file, *from, *to, *word;
	} cases[] = {
		{"config.json", "\"hidden_size\": 24", "\"hidden_size\": -24",
			"hidden_size is -24"},
		{"config.json", "\"hidden_size\": 24", "\"hidden_size\": 2.5",
			"hidden_size is 2.5"},
		{"config.json", "\"hidden_size\": 24", "\"hidden_size\": \"x\"",
			"hidden_size is \"x\""},
		{"config.json", "\"hidden_size\": 24", "\"hidden_size\": 25", "hidden_size is 25"},
		{"config.json", "\"hidden_size\": 24", "\"hidden_size\": 1e300", "hidden_size"},
		{"config.json", "\"hidden_size\": 24,", "", "hidden_size is missing"},
		{"config.json", "\"num_attention_heads\": 3", "\"num_attention_heads\": 0",
			"num_attention_heads is 0"},
		{"config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000",
			"num_hidden_layers is 1e+06"},
		{"config.json", "\"vocab_size\": 60", "\"vocab_size\": 1e15", "vocab_size"},
		{"config.json", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0",
			"layer_norm_eps is 0"},
		{"config.json", "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"mish\"",
			"hidden_act is \"mish\""},
		{"config.json", "\"model_type\": \"bert\"", "\"model_type\": \"mamba\"",
			"model_type is \"mamba\""},
		{"config.json", "\"model_type\": \"bert\",", "", "model_type is missing"},
		{"config.json", "BertModel", "BertForCausalLM", "BertForCausalLM"},
		{"config.json", "{", "[{", "config.json:"},
		{"1_Pooling/config.json", "\"pooling_mode_mean_tokens\": true",
			"\"pooling_mode_mean_tokens\": false", "pooling_mode"},
		{"1_Pooling/config.json", "\"pooling_mode_cls_token\": false",
			"\"pooling_mode_cls_token\": 7", "pooling_mode_cls_token is 7"},
		{"1_Pooling/config.json", "\"pooling_mode_cls_token\": false",
			"\"pooling_mode\": \"middle\"", "pooling_mode is \"middle\""},
		{"modules.json", "sentence_transformers.models.Normalize",
			"sentence_transformers.models.CNN", "CNN"},
		{"modules.json", "\"1_Pooling\"", "\"../1_Pooling\"", "path of module 1"},
		{"sentence_bert_config.json", "20", "-3", "max_seq_length is -3"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *dir = fresh();
		change(dir, cases[i].file, cases[i].from, cases[i].to);
		refused(dir, cases[i].file, cases[i].word);
	}
}

static void a_module_without_its_files_is_named(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char path[600];
	const char *dir = fresh();
	change(dir, "modules.json", "sentence_transformers.models.Normalize",
		"sentence_transformers.models.Dense");
	refused(dir, "2_Normalize/config.json", "No such file");
	snprintf(path, sizeof path, "%s/2_Normalize", dir);
	assert_ok(fs_mkdirs(path, &err), &err);
	snprintf(path, sizeof path, "%s/2_Normalize/config.json", dir);
	test_write(path, "{\"in_features\": 23, \"out_features\": 7}");
	refused(dir, "2_Normalize/config.json", "in_features is 23");
	test_write(path,
		"{\"in_features\": 24, \"out_features\": 7, \"activation_function\": \"os.system\"}");
	refused(dir, "2_Normalize/config.json", "activation_function is \"os.system\"");
	test_write(path, "{\"in_features\": 24, \"out_features\": 7}");
	refused(dir, "2_Normalize", "neither model.safetensors");
}

static void a_wrong_shape_names_tensor_and_both_shapes(void **state)
{
	(void)state;
	const char *dir = fresh();
	change(dir, "config.json", "\"intermediate_size\": 40", "\"intermediate_size\": 41");
	refused(dir, "model.safetensors", "intermediate.dense.weight has shape [40,24]");
	refused(dir, "model.safetensors", "[41,24]");
}

static void a_missing_tensor_is_named(void **state)
{
	(void)state;
	const char *dir = fresh();
	change(dir, "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
	refused(dir, "model.safetensors", "encoder.layer.2.attention.self.query.weight");
}

static void a_missing_file_is_named(void **state)
{
	(void)state;
	char path[600];
	const char *dir = fresh();
	snprintf(path, sizeof path, "%s/config.json", dir);
	remove(path);
	refused(dir, "config.json", "No such file");
	dir = fresh();
	snprintf(path, sizeof path, "%s/model.safetensors", dir);
	remove(path);
	refused(dir, dir, "neither model.safetensors nor pytorch_model.bin");
	snprintf(path, sizeof path, "%s/pytorch_model.bin", dir);
	test_write(path, "x");
	refused(dir, "pytorch_model.bin", "is no zip archive");
	refused("/nonexistent/model", "/nonexistent/model", "is no folder");
}

static struct buf weights(void)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	assert_ok(fs_read(base("model.safetensors"), &b, 0, &err), &err);
	return b;
}

static void refused_weights(const void *data, size_t len, const char *word)
{
	struct err err = ERR_INIT;
	struct safetensors st;
	char path[600];
	snprintf(path, sizeof path, "%s/broken.safetensors", test_scratch());
	assert_ok(fs_write_atomic(path, data, len, &err), &err);
	bool ok = safetensors_open(path, &st, &err);
	safetensors_close(&st);
	if (ok || !strstr(err.text, "broken.safetensors") || !strstr(err.text, word))
		fail_msg("'%s' should say %s", err.text, word);
}

static void every_truncation_of_a_weight_file_is_refused(void **state)
{
	(void)state;
	struct buf b = weights();
	for (size_t len = 0; len < b.len; len += len < 64 ? 1 : 997) {
		struct err err = ERR_INIT;
		struct safetensors st;
		char path[600];
		snprintf(path, sizeof path, "%s/short.safetensors", test_scratch());
		assert_ok(fs_write_atomic(path, b.data, len, &err), &err);
		assert_false(safetensors_open(path, &st, &err));
		assert_non_null(strstr(err.text, "short.safetensors"));
		safetensors_close(&st);
	}
	buf_release(&b);
}

static void header(struct buf *out, const char *text, size_t data)
{
	uint64_t len = strlen(text);
	buf_clear(out);
	for (int i = 0; i < 8; i++)
		buf_addch(out, (char)(len >> (8 * i)));
	buf_adds(out, text);
	for (size_t i = 0; i < data; i++)
		buf_addch(out, 1);
}

static void headers_that_lie_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		size_t data;
		const char *word;
	} cases[] = {
		{"[1]", 0, "does not begin with {"},
		{"{\"a\":", 0, "header, byte"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 12,
			"4 bytes behind the last tensor"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4,
			"truncated"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12,
			"does not begin where"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
			"ask for 12"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8,
			"a size that cannot be"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
		 "\"data_offsets\":[0,0]}}",
			0, "a size that cannot be"},
		{"{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1,
			"dtype \"F4\""},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8,
			"no pair of rising offsets"},
		{"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", 0, "shape is no list"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
		 "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
			4, "does not begin where"},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
		 "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
			2, "stands there twice"},
	};
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		header(&b, cases[i].json, cases[i].data);
		refused_weights(b.data, b.len, cases[i].word);
	}
	memset(b.data, 0xff, 8);
	refused_weights(b.data, b.len, "should be");
	buf_release(&b);
}

static void scalars_and_empty_tensors_are_legal(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct safetensors st;
	struct buf b = BUF_INIT;
	char path[600];
	header(&b,
		"{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
		"\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[4,4]}}  ",
		4);
	snprintf(path, sizeof path, "%s/legal.safetensors", test_scratch());
	assert_ok(fs_write_atomic(path, b.data, b.len, &err), &err);
	assert_ok(safetensors_open(path, &st, &err), &err);
	assert_int_equal(st.n, 2);
	assert_int_equal(safetensors_find(&st, TEXT("s"))->ndim, 0);
	safetensors_close(&st);
	buf_release(&b);
}

static const char *sharded(void)
{
	static const char *const files[] = {"config.json", "model.safetensors.index.json",
		"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
	static char dir[512];
	static unsigned n;
	struct err err = ERR_INIT;
	snprintf(dir, sizeof dir, "%s/sharded-%u", test_scratch(), n++);
	assert_ok(fs_mkdirs(dir, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf b = BUF_INIT;
		char from[300], to[600];
		snprintf(from, sizeof from, "tests/fixtures/model-sharded/%s", files[i]);
		snprintf(to, sizeof to, "%s/%s", dir, files[i]);
		assert_ok(fs_read(test_file(from), &b, 0, &err) &&
				fs_write_atomic(to, b.data, b.len, &err),
			&err);
		buf_release(&b);
	}
	return dir;
}

static void a_broken_shard_or_index_is_named(void **state)
{
	(void)state;
	char path[600];
	struct err err = ERR_INIT;
	const char *dir = sharded();
	snprintf(path, sizeof path, "%s/model-00002-of-00002.safetensors", dir);
	struct buf b = BUF_INIT;
	assert_ok(fs_read(path, &b, 0, &err) && fs_write_atomic(path, b.data, b.len - 10, &err),
		&err);
	buf_release(&b);
	refused(dir, "model-00002-of-00002.safetensors", "truncated");
	remove(path);
	refused(dir, "model-00002-of-00002.safetensors", "No such file");
	dir = sharded();
	change(dir, "model.safetensors.index.json", "model-00001-of-00002.safetensors",
		"../model-00001-of-00002.safetensors");
	refused(dir, "model.safetensors.index.json", "expected the name of a file");
	dir = sharded();
	change(dir, "model.safetensors.index.json", "\"pooler.dense.bias\"", "\"pooler.dense.x\"");
	refused(dir, "model.safetensors.index.json", "weight_map names");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_in_config_is_refused_by_key),
		cmocka_unit_test(a_module_without_its_files_is_named),
		cmocka_unit_test(a_wrong_shape_names_tensor_and_both_shapes),
		cmocka_unit_test(a_missing_tensor_is_named),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(every_truncation_of_a_weight_file_is_refused),
		cmocka_unit_test(headers_that_lie_are_refused),
		cmocka_unit_test(scalars_and_empty_tensors_are_legal),
		cmocka_unit_test(a_broken_shard_or_index_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
