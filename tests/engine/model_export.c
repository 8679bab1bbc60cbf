/* What is written loads again, in our reader here and in the peers by tests/parity/exported.sh. */
#include "support.h"

#include "base/fs.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "tensor.h"

static tn_scope *root;

static int open_root(void **state)
{
	char why[200];
	(void)state;
	root = tn_open("cpu", 1, why, sizeof why);
	return root ? 0 : -1;
}

static int close_root(void **state)
{
	(void)state;
	tn_close(root);
	return 0;
}

/* tests/parity/exported.sh wants to look at what was written: it names the folder. */
static const char *scratch(const char *name)
{
	static char ring[4][512];
	static unsigned at;
	const char *kept = getenv("VECSMITH_KEEP");
	char *path = ring[at++ % ARRAY_LEN(ring)];
	snprintf(path, sizeof ring[0], "%s/%s", kept ? kept : test_scratch(), name);
	return path;
}

static struct model *open_model(const char *dir, enum model_use use)
{
	struct err err = ERR_INIT;
	struct model_options opt = {.use = use, .dtype = MODEL_F32};
	struct model *m = model_open(dir, root, &opt, &err);
	assert_ok(m != NULL, &err);
	return m;
}

static void vector_of(struct model *m, float out[24])
{
	static const int32_t ids[] = {2, 9, 14, 30, 3};
	static const int64_t start[] = {0, 5};
	struct token_batch b = {.ids = ids, .seqs = {start, 1}};
	struct forward how = FORWARD_ENCODE;
	tn_scope *s = tn_push_no_grad(root);
	assert_true(tn_read_f32(s, model_embed(m, s, &b, &how), out, 24));
	tn_pop(s);
}

static void same_file(const char *a, const char *b)
{
	struct err err = ERR_INIT;
	struct fs_map x, y;
	assert_ok(fs_map(a, &x, &err) && fs_map(b, &y, &err), &err);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	fs_unmap(&x);
	fs_unmap(&y);
}

static void a_written_model_gives_the_same_vectors(void **state)
{
	(void)state;
	static const char *const dirs[] = {"model-base", "model-old", "model-sharded"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct err err = ERR_INIT;
		char path[256];
		float before[24], after[24];
		snprintf(path, sizeof path, "tests/fixtures/%s", dirs[i]);
		const char *out = scratch(dirs[i]);
		for (int use = MODEL_ENCODE; use <= MODEL_TRAIN; use++) {
			struct model *m = open_model(test_file(path), (enum model_use)use);
			vector_of(m, before);
			assert_ok(model_write(m, out, &err), &err);
			model_close(m);
			m = open_model(out, MODEL_ENCODE);
			vector_of(m, after);
			assert_memory_equal(before, after, sizeof before);
			model_close(m);
		}
	}
}

static void the_written_folder_keeps_pooling_length_and_prompts(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *out = scratch("kept");
	struct model *m = open_model(test_file("tests/fixtures/model-old"), MODEL_TRAIN);
	assert_ok(model_write(m, out, &err), &err);
	model_close(m);
	m = open_model(out, MODEL_ENCODE);
	assert_string_equal(model_pooling(m), "cls");
	assert_false(model_normalizes(m));
	assert_int_equal(model_max_length(m), 16);
	model_close(m);
	m = open_model(test_file("tests/fixtures/model-base"), MODEL_TRAIN);
	out = scratch("kept-base");
	assert_ok(model_write(m, out, &err), &err);
	assert_int_equal(model_max_length(m), 20);
	model_close(m);
	struct buf b = BUF_INIT;
	char path[600];
	snprintf(path, sizeof path, "%s/config_sentence_transformers.json", out);
	assert_ok(fs_read(path, &b, 0, &err), &err);
	assert_non_null(strstr(b.data, "\"query : \""));
	buf_release(&b);
	snprintf(path, sizeof path, "%s/tokenizer.json", out);
	same_file(path, test_file("tests/fixtures/model-base/tokenizer.json"));
}

static void prompts_of_the_training_are_stored(void **state)
{
	(void)state;
	static const char *const dirs[] = {"model-base", "model-old"}; /* with prompts, without */
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct err err = ERR_INIT;
		struct buf b = BUF_INIT;
		char path[600];
		snprintf(path, sizeof path, "tests/fixtures/%s", dirs[i]);
		struct model *m = open_model(test_file(path), MODEL_TRAIN);
		model_set_prompts(m, "find \"it\": ", NULL);
		assert_ok(model_write(m, scratch("prompted"), &err), &err);
		model_close(m);
		snprintf(path, sizeof path, "%s/config_sentence_transformers.json",
			scratch("prompted"));
		assert_ok(fs_read(path, &b, 0, &err), &err);
		assert_non_null(strstr(b.data, "\"query\": \"find \\\"it\\\": \""));
		assert_null(strstr(b.data, "\"query : \""));
		assert_true((strstr(b.data, "\"passage : \"") != NULL) == (i == 0));
		buf_release(&b);
	}
}

static void equal_models_are_equal_files(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct model *m = open_model(test_file("tests/fixtures/model-base"), MODEL_TRAIN);
	assert_ok(model_write(m, scratch("first"), &err), &err);
	assert_ok(model_write(m, scratch("second"), &err), &err);
	model_close(m);
	same_file(scratch("first/model.safetensors"), scratch("second/model.safetensors"));
}

/* The fixture was written by the format's own library from the same tensors and one I64 more, which
 * we leave out: all others lie in the same order. */
static void tensors_lie_in_the_order_of_the_formats_library(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct safetensors ours, theirs;
	struct model *m = open_model(test_file("tests/fixtures/model-base"), MODEL_ENCODE);
	assert_ok(model_write(m, scratch("order"), &err), &err);
	model_close(m);
	assert_ok(safetensors_open(scratch("order/model.safetensors"), &ours, &err), &err);
	assert_ok(safetensors_open(
			  test_file("tests/fixtures/model-base/model.safetensors"), &theirs, &err),
		&err);
	assert_int_equal(ours.n + 1, theirs.n);
	for (size_t i = 0; i < ours.n; i++) {
		const struct st_tensor *t = &theirs.t[i + 1]; /* the I64 stands first */
		assert_string_equal(ours.t[i].name, t->name);
		assert_int_equal(ours.t[i].bytes, t->bytes);
		assert_memory_equal(ours.t[i].data, t->data, t->bytes);
	}
	safetensors_close(&ours);
	safetensors_close(&theirs);
}

static const struct st_tensor *need(const struct safetensors *st, const char *name)
{
	const struct st_tensor *t = safetensors_find(st, text_of(name));
	if (!t)
		fail_msg("%s is not there", name);
	return t;
}

static float *floats(const struct st_tensor *t)
{
	float *out = xmalloc(t->bytes + 1);
	memcpy(out, t->data, t->bytes);
	return out;
}

/* Adapters with the gold file's values, in the order of training. */
static struct model *open_adapted(const struct safetensors *gold)
{
	static const char *const targets[] = {"query", "value", "output.dense"};
	static const char *const modules[] = {"attention.self.query", "attention.self.value",
		"attention.output.dense", "output.dense"};
	struct lora_options lora = {
		.r = 4, .alpha = 6, .targets = targets, .n_targets = ARRAY_LEN(targets)};
	struct err err = ERR_INIT;
	struct model *m = open_model(test_file("tests/fixtures/model-base"), MODEL_TRAIN);
	assert_ok(model_add_lora(m, &lora, &err), &err);
	const struct trained *t;
	size_t n = model_trained(m, &t);
	tn_scope *s = tn_push_no_grad(root);
	for (size_t i = 0; i < n; i++) {
		char name[200];
		snprintf(name, sizeof name,
			"value.base_model.model.encoder.layer.%zu.%s.lora_%c.weight", i / 8,
			modules[i % 8 / 2], i % 2 ? 'B' : 'A');
		const struct st_tensor *in = need(gold, name);
		float *v = floats(in);
		tn_copy_(s, t[i].param, tn_from_f32(s, v, in->shape, 2));
		free(v);
	}
	tn_pop(s);
	return m;
}

static void adapters_merge_as_peft_merges_them(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct safetensors gold, ours;
	const char *path = test_file("tests/fixtures/model-lora/gold.safetensors");
	assert_ok(safetensors_open(path, &gold, &err), &err);
	struct model *m = open_adapted(&gold);
	float before[24], after[24];
	vector_of(m, before);
	assert_ok(model_write(m, scratch("merged"), &err), &err);
	model_close(m);
	assert_ok(safetensors_open(scratch("merged/model.safetensors"), &ours, &err), &err);
	size_t n = 0;
	for (size_t i = 0; i < gold.n; i++) {
		if (strncmp(gold.t[i].name, "merged.", 7) != 0)
			continue;
		const struct st_tensor *t = need(&ours, gold.t[i].name + 7);
		float *a = floats(t), *b = floats(&gold.t[i]);
		assert_close(a, b, t->bytes / sizeof *a, 1e-6);
		free(a);
		free(b);
		n++;
	}
	assert_int_equal(n, 3);
	m = open_model(scratch("merged"), MODEL_ENCODE);
	vector_of(m, after);
	assert_close(after, before, 24, 1e-5);
	model_close(m);
	safetensors_close(&ours);
	safetensors_close(&gold);
}

static void an_adapter_has_pefts_names_and_values(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct safetensors gold, ours;
	const char *path = test_file("tests/fixtures/model-lora/gold.safetensors");
	assert_ok(safetensors_open(path, &gold, &err), &err);
	struct model *m = open_adapted(&gold);
	assert_ok(model_write_adapter(m, scratch("adapter"), &err), &err);
	model_close(m);
	assert_ok(
		safetensors_open(scratch("adapter/adapter_model.safetensors"), &ours, &err), &err);
	size_t n = 0;
	for (size_t i = 0; i < gold.n; i++) {
		if (strncmp(gold.t[i].name, "value.", 6) != 0)
			continue;
		const struct st_tensor *t = need(&ours, gold.t[i].name + 6);
		assert_int_equal(t->bytes, gold.t[i].bytes);
		assert_memory_equal(t->data, gold.t[i].data, t->bytes);
		n++;
	}
	assert_int_equal(n, ours.n);
	struct buf b = BUF_INIT;
	assert_ok(fs_read(scratch("adapter/adapter_config.json"), &b, 0, &err), &err);
	assert_non_null(strstr(b.data, "\"r\": 4"));
	assert_non_null(strstr(b.data,
		"\"target_modules\": [\"attention.self.query\", "
		"\"attention.self.value\", \"attention.output.dense\", "
		"\"output.dense\"]"));
	buf_release(&b);
	safetensors_close(&ours);
	safetensors_close(&gold);
}

static void a_model_without_adapters_writes_none(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct model *m = open_model(test_file("tests/fixtures/model-base"), MODEL_TRAIN);
	assert_false(model_write_adapter(m, scratch("none"), &err));
	assert_non_null(strstr(err.text, "no adapter"));
	model_close(m);
}

static void an_unknown_lora_target_is_refused_by_name(void **state)
{
	(void)state;
	static const char *const targets[] = {"query", "q_proj"};
	struct lora_options lora = {.r = 4, .alpha = 4, .targets = targets, .n_targets = 2};
	struct err err = ERR_INIT;
	struct model *m = open_model(test_file("tests/fixtures/model-base"), MODEL_TRAIN);
	assert_false(model_add_lora(m, &lora, &err));
	assert_non_null(strstr(err.text, "\"q_proj\""));
	model_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_written_model_gives_the_same_vectors),
		cmocka_unit_test(the_written_folder_keeps_pooling_length_and_prompts),
		cmocka_unit_test(prompts_of_the_training_are_stored),
		cmocka_unit_test(equal_models_are_equal_files),
		cmocka_unit_test(tensors_lie_in_the_order_of_the_formats_library),
		cmocka_unit_test(adapters_merge_as_peft_merges_them),
		cmocka_unit_test(an_adapter_has_pefts_names_and_values),
		cmocka_unit_test(a_model_without_adapters_writes_none),
		cmocka_unit_test(an_unknown_lora_target_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, open_root, close_root);
}
