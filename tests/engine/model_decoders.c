/* Every decoder, and the encoders that turn their heads, against transformers' eager attention: keys
 * of transformers 4 and 5, float32 and bfloat16 files, adapters as peft applies them
 * (tests/parity/make_decoder_gold.py). */
#include "support.h"

#include "model/model_impl.h"
#include "model_case.h"

#define TOLERANCE 1e-5

struct adapted {
	struct safetensors gold;
	tn_scope *root;
	struct model *m;
	struct arena arena;
};

static float *gold_floats(struct adapted *x, const char *name, const struct st_tensor **ret)
{
	const struct st_tensor *t = safetensors_find(&x->gold, text_of(name));
	if (!t)
		fail_msg("gold has no %s", name);
	float *v = arena_alloc(&x->arena, t->bytes + 1);
	memcpy(v, t->data, t->bytes);
	*ret = t;
	return v;
}

/* Gives an adapter's matrix the value that the gold file has for it. */
static bool set_matrix(void *ctx, const struct named *what, struct err *err)
{
	struct adapted *x = ctx;
	const struct st_tensor *t;
	const float *v = gold_floats(x,
		arena_printf(&x->arena, "value.base_model.model.%s.lora_%c.weight",
			module_name(what->w, what->part, &x->arena), what->is_b ? 'B' : 'A'),
		&t);
	(void)err;
	tn_scope *s = tn_push_no_grad(x->root);
	tn_copy_(s, what->is_b ? what->lora->b[what->part] : what->lora->a[what->part],
		tn_from_f32(s, v, t->shape, 2));
	tn_pop(s);
	return true;
}

static int32_t *gold_ids(struct adapted *x, size_t n)
{
	const struct st_tensor *t = safetensors_find(&x->gold, text_of("ids"));
	int64_t *wide = arena_alloc(&x->arena, t->bytes + 1);
	int32_t *ids = arena_calloc(&x->arena, n + 1, sizeof *ids);
	assert_int_equal(t->bytes, n * sizeof *wide);
	memcpy(wide, t->data, t->bytes);
	for (size_t i = 0; i < n; i++)
		ids[i] = (int32_t)wide[i];
	return ids;
}

static void compare_adapted(struct adapted *x)
{
	const struct st_tensor *start = safetensors_find(&x->gold, text_of("start")), *states;
	int64_t *at = arena_alloc(&x->arena, start->bytes + 1), n = start->shape[0] - 1;
	memcpy(at, start->data, start->bytes);
	float *want = gold_floats(x, "lora.states", &states);
	struct token_batch b = {.ids = gold_ids(x, (size_t)at[n]), .seqs = {at, n}};
	struct forward how = FORWARD_ENCODE;
	size_t size = (size_t)(states->shape[0] * states->shape[1]);
	float *got = arena_alloc(&x->arena, (size + 1) * sizeof *got);
	tn_scope *s = tn_push_no_grad(x->root);
	if (!tn_read_f32(s, model_hidden(x->m, s, &b, &how), got, size))
		fail_msg("%s", tn_message(s));
	tn_pop(s);
	assert_close(got, want, size, TOLERANCE);
}

static void check_adapters(const char *dir, const char *const *targets, size_t n_targets)
{
	struct err err = ERR_INIT;
	struct adapted x = {0};
	struct model_options opt = {.use = MODEL_TRAIN, .dtype = MODEL_F32};
	struct lora_options lora = {.r = 2, .alpha = 3, .targets = targets, .n_targets = n_targets};
	char path[300], why[200];
	snprintf(path, sizeof path, "%s/gold.safetensors", dir);
	assert_ok(safetensors_open(test_file(path), &x.gold, &err), &err);
	x.root = tn_open("cpu", 1, why, sizeof why);
	x.m = model_open(test_file(dir), x.root, &opt, &err);
	assert_ok(x.m != NULL, &err);
	assert_ok(model_add_lora(x.m, &lora, &err), &err);
	assert_ok(model_each_lora(x.m, set_matrix, &x, &err), &err);
	compare_adapted(&x);
	model_close(x.m);
	tn_close(x.root);
	safetensors_close(&x.gold);
	arena_release(&x.arena);
}

static void check_models(const char *family)
{
	char dir[200];
	for (int i = 1; i <= 3; i++) {
		snprintf(dir, sizeof dir, "tests/fixtures/decoders/%s-%d", family, i);
		check_model_case(dir);
	}
}

static void check_family(const char *family)
{
	static const char *const targets[] = {"q_proj", "v_proj", "up_proj", "down_proj"};
	char dir[200];
	check_models(family);
	snprintf(dir, sizeof dir, "tests/fixtures/decoders/%s-1", family);
	check_adapters(dir, targets, ARRAY_LEN(targets));
}

static void qwen2_equals_transformers(void **state)
{
	(void)state;
	check_family("qwen2");
}

static void qwen3_equals_transformers(void **state)
{
	(void)state;
	check_family("qwen3");
}

static void llama_equals_transformers(void **state)
{
	(void)state;
	check_family("llama");
}

static void mistral_equals_transformers(void **state)
{
	(void)state;
	check_family("mistral");
}

static void gemma_equals_transformers(void **state)
{
	(void)state;
	check_family("gemma");
}

static void gemma2_equals_transformers(void **state)
{
	(void)state;
	check_family("gemma2");
}

static void gemma3_equals_transformers(void **state)
{
	(void)state;
	check_family("gemma3_text");
}

static void modernbert_equals_transformers(void **state)
{
	(void)state;
	static const char *const targets[] = {"Wqkv", "mlp.Wo"};
	check_models("modernbert");
	check_adapters("tests/fixtures/decoders/modernbert-1", targets, ARRAY_LEN(targets));
}

static void modernbert_rerankers_equal_transformers(void **state)
{
	(void)state;
	check_model_case("tests/fixtures/decoders/modernbert-4");
	check_model_case("tests/fixtures/decoders/modernbert-5");
}

static void minicpm_equals_its_description(void **state)
{
	(void)state;
	check_models("minicpm");
}

static void new_model_equals_its_description(void **state)
{
	(void)state;
	check_models("new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qwen2_equals_transformers),
		cmocka_unit_test(qwen3_equals_transformers),
		cmocka_unit_test(llama_equals_transformers),
		cmocka_unit_test(mistral_equals_transformers),
		cmocka_unit_test(gemma_equals_transformers),
		cmocka_unit_test(gemma2_equals_transformers),
		cmocka_unit_test(gemma3_equals_transformers),
		cmocka_unit_test(modernbert_equals_transformers),
		cmocka_unit_test(modernbert_rerankers_equal_transformers),
		cmocka_unit_test(minicpm_equals_its_description),
		cmocka_unit_test(new_model_equals_its_description),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
