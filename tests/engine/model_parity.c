/* Hidden states, vectors, scores and gradients against transformers, sentence-transformers and peft
 * (tests/parity/make_model_gold.py). */
#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "tensor.h"

/* f32 rounding through two layers; a wrong GELU differs by 3e-4, a wrong epsilon by less. */
#define TOLERANCE 1e-5

/* A folder's gold file: the batch and what it must give. */
struct gold {
	struct safetensors st;
	int32_t *ids;
	int64_t *start;
	int64_t n;
	tn_scope *root;
	struct model *m;
};

static const struct st_tensor *need(const struct gold *g, const char *name)
{
	const struct st_tensor *t = safetensors_find(&g->st, text_of(name));
	if (!t)
		fail_msg("gold has no %s", name);
	return t;
}

/* Aligned copies: a mapped tensor may begin at any byte. */
static float *floats(const struct gold *g, const char *name, size_t *ret_n)
{
	const struct st_tensor *t = need(g, name);
	float *out = xmalloc(t->bytes + 1);
	memcpy(out, t->data, t->bytes);
	*ret_n = t->bytes / sizeof(float);
	return out;
}

static int64_t *integers(const struct gold *g, const char *name, size_t *ret_n)
{
	const struct st_tensor *t = need(g, name);
	int64_t *out = xmalloc(t->bytes + 1);
	memcpy(out, t->data, t->bytes);
	*ret_n = t->bytes / sizeof(int64_t);
	return out;
}

static int32_t *narrow(const int64_t *wide, size_t n)
{
	int32_t *out = xcalloc(n + 1, sizeof *out);
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)wide[i];
	return out;
}

static void open_gold(struct gold *g, const char *gold_dir, const char *model_dir,
	const struct model_options *opt)
{
	struct err err = ERR_INIT;
	char path[256], why[200];
	size_t n;
	*g = (struct gold){0};
	snprintf(path, sizeof path, "tests/fixtures/%s/gold.safetensors", gold_dir);
	assert_ok(safetensors_open(test_file(path), &g->st, &err), &err);
	int64_t *ids = integers(g, "ids", &n);
	g->ids = narrow(ids, n);
	free(ids);
	g->start = integers(g, "start", &n);
	g->n = (int64_t)n - 1;
	g->root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(g->root);
	snprintf(path, sizeof path, "tests/fixtures/%s", model_dir);
	g->m = model_open(test_file(path), g->root, opt, &err);
	assert_ok(g->m != NULL, &err);
}

static void close_gold(struct gold *g)
{
	model_close(g->m);
	assert_int_equal(tn_live(g->root), 0);
	tn_close(g->root);
	safetensors_close(&g->st);
	free(g->ids);
	free(g->start);
}

static struct token_batch batch_of(const struct gold *g)
{
	return (struct token_batch){.ids = g->ids, .seqs = {g->start, g->n}};
}

static float *read_all(tn_scope *s, tensor t, size_t n)
{
	float *out = xmalloc((n + 1) * sizeof *out);
	if (!tn_read_f32(s, t, out, n))
		fail_msg("%s", tn_message(s));
	return out;
}

static void compare(struct gold *g, tn_scope *s, tensor t, const char *name, double tolerance)
{
	size_t n;
	float *want = floats(g, name, &n);
	float *got = read_all(s, t, n);
	print_message("%s\n", name);
	assert_close(got, want, n, tolerance);
	free(want);
	free(got);
}

static const struct model_options encode_f32 = {.use = MODEL_ENCODE, .dtype = MODEL_F32};
static const struct model_options train_f32 = {.use = MODEL_TRAIN, .dtype = MODEL_F32};

static void check_hidden(const char *dir)
{
	static const enum model_use uses[] = {MODEL_ENCODE, MODEL_TRAIN};
	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		struct gold g;
		struct model_options opt = {.use = uses[i], .dtype = MODEL_F32};
		open_gold(&g, dir, dir, &opt);
		struct token_batch b = batch_of(&g);
		struct forward how = FORWARD_ENCODE;
		tn_scope *s = tn_push(g.root);
		compare(&g, s, model_hidden(g.m, s, &b, &how), "hidden", TOLERANCE);
		tn_pop(s);
		close_gold(&g);
	}
}

static void hidden_states_equal_transformers(void **state)
{
	(void)state;
	check_hidden("model-base");
	check_hidden("model-old");
	check_hidden("model-sharded");
}

static void every_pooling_equals_sentence_transformers(void **state)
{
	(void)state;
	static const char *const names[] = {
		"cls", "mean", "max", "mean_sqrt_len", "weighted", "last"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct gold g;
		struct model_options opt = encode_f32;
		opt.pooling = names[i];
		open_gold(&g, "model-base", "model-base", &opt);
		struct token_batch b = batch_of(&g);
		struct forward how = FORWARD_ENCODE;
		char name[64];
		tn_scope *s = tn_push(g.root);
		snprintf(name, sizeof name, "pooled.%s", names[i]);
		size_t n;
		float *want = floats(&g, name, &n);
		tensor raw = tn_from_f32(s, want, SHAPE(g.n, 24));
		float *unit = read_all(s, tn_normalize(s, raw), n); /* the folder normalises */
		float *got = read_all(s, model_embed(g.m, s, &b, &how), n);
		assert_close(got, unit, n, TOLERANCE);
		free(want);
		free(unit);
		free(got);
		tn_pop(s);
		close_gold(&g);
	}
}

static void pooling_and_normalising_follow_the_folder(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *pooling;
	} folders[] = {{"model-old", "cls"}, {"model-sharded", "mean"}};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct gold g;
		char name[64];
		open_gold(&g, folders[i].dir, folders[i].dir, &encode_f32);
		struct token_batch b = batch_of(&g);
		struct forward how = FORWARD_ENCODE;
		tn_scope *s = tn_push(g.root);
		assert_string_equal(model_pooling(g.m), folders[i].pooling);
		assert_false(model_normalizes(g.m));
		snprintf(name, sizeof name, "pooled.%s", folders[i].pooling);
		compare(&g, s, model_embed(g.m, s, &b, &how), name, TOLERANCE);
		tn_pop(s);
		close_gold(&g);
	}
}

/* The same texts alone, and packed in random orders, in batches of several sizes. */
static void a_text_gives_the_same_vector_in_every_batch(void **state)
{
	(void)state;
	static const int64_t sizes[] = {1, 2, 5, 6};
	struct gold g;
	struct err err = ERR_INIT;
	open_gold(&g, "model-base", "model-base", &encode_f32);
	size_t n;
	float *raw = floats(&g, "pooled.mean", &n);
	tn_scope *s = tn_push(g.root);
	float *want = read_all(s, tn_normalize(s, tn_from_f32(s, raw, SHAPE(g.n, 24))), n);
	struct rng rng = rng_new(7, 0);
	for (size_t k = 0; k < 4 * ARRAY_LEN(sizes); k++) {
		int64_t order[16], size = sizes[k % ARRAY_LEN(sizes)];
		for (int64_t i = 0; i < g.n; i++)
			order[i] = i;
		rng_shuffle(&rng, order, (size_t)g.n);
		for (int64_t at = 0; at < g.n; at += size) {
			int64_t m = g.n - at < size ? g.n - at : size;
			int32_t ids[64];
			int64_t start[16] = {0};
			for (int64_t i = 0; i < m; i++) {
				const int64_t *o = &g.start[order[at + i]];
				memcpy(ids + start[i], g.ids + o[0],
					(size_t)(o[1] - o[0]) * sizeof *ids);
				start[i + 1] = start[i] + o[1] - o[0];
			}
			struct token_batch b = {.ids = ids, .seqs = {start, m}};
			struct forward how = FORWARD_ENCODE;
			float *got = read_all(s, model_embed(g.m, s, &b, &how), (size_t)m * 24);
			for (int64_t i = 0; i < m; i++)
				assert_close(
					got + i * 24, want + order[at + i] * 24, 24, TOLERANCE);
			free(got);
		}
	}
	(void)err;
	tn_pop(s);
	free(raw);
	free(want);
	close_gold(&g);
}

static void bf16_stays_close_to_f32(void **state)
{
	(void)state;
	static const enum model_use uses[] = {MODEL_ENCODE, MODEL_TRAIN};
	for (size_t k = 0; k < ARRAY_LEN(uses); k++) {
		struct gold g;
		struct model_options opt = {.use = uses[k], .dtype = MODEL_BF16};
		open_gold(&g, "model-base", "model-base", &opt);
		struct token_batch b = batch_of(&g);
		struct forward how = FORWARD_ENCODE;
		tn_scope *s = tn_push(g.root);
		size_t n;
		float *raw = floats(&g, "pooled.mean", &n);
		float *want = read_all(s, tn_normalize(s, tn_from_f32(s, raw, SHAPE(g.n, 24))), n);
		float *got = read_all(s, model_embed(g.m, s, &b, &how), n);
		for (int64_t i = 0; i < g.n; i++) {
			double dot = 0.0;
			for (int64_t j = 0; j < 24; j++)
				dot += (double)got[i * 24 + j] * (double)want[i * 24 + j];
			assert_true(dot > 0.999);
		}
		free(raw);
		free(want);
		free(got);
		tn_pop(s);
		close_gold(&g);
	}
}

/* Each gradient of the gold file within 1e-4 of its own largest value. */
static void compare_gradients(struct gold *g, const char *written)
{
	struct safetensors ours;
	struct err err = ERR_INIT;
	size_t n_compared = 0;
	assert_ok(safetensors_open(written, &ours, &err), &err);
	for (size_t i = 0; i < g->st.n; i++) {
		const char *name = g->st.t[i].name;
		if (strncmp(name, "grad.", 5) != 0)
			continue;
		const struct st_tensor *t = safetensors_find(&ours, text_of(name + 5));
		if (!t)
			fail_msg("no gradient of %s was written", name + 5);
		size_t n;
		float *want = floats(g, name, &n);
		float *got = xmalloc(t->bytes + 1);
		assert_int_equal(t->bytes, n * sizeof *want);
		memcpy(got, t->data, t->bytes);
		double largest = 0.0;
		for (size_t k = 0; k < n; k++)
			largest = fmax(largest, fabs((double)want[k]));
		/* A key's bias shifts all scores of a query alike: its gradient is rounding alone. */
		assert_close(got, want, n, 1e-4 * fmax(largest, 1e-2));
		n_compared++;
		free(want);
		free(got);
	}
	assert_int_equal(n_compared, ours.n);
	safetensors_close(&ours);
}

static const char *gradient_file(void)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/gradients.safetensors", test_scratch());
	return path;
}

static void write_vector_gradients(struct gold *g)
{
	struct err err = ERR_INIT;
	struct token_batch b = batch_of(g);
	struct forward how = {.train = true, .dropout = 0.0};
	tn_scope *s = tn_push(g->root);
	size_t n;
	float *c = floats(g, "loss.c", &n);
	tensor v = model_embed(g->m, s, &b, &how); /* [n,24] */
	tn_backward(s, tn_sum(s, tn_mul(s, v, tn_from_f32(s, c, SHAPE(g->n, 24)))));
	assert_int_equal(tn_status(s), TN_OK);
	assert_ok(model_write_gradients(g->m, gradient_file(), &err), &err);
	tn_pop(s);
	free(c);
}

static void backward_of_vectors(struct gold *g)
{
	write_vector_gradients(g);
	compare_gradients(g, gradient_file());
}

static void gradients_equal_pytorch(void **state)
{
	(void)state;
	struct gold g;
	open_gold(&g, "model-base", "model-base", &train_f32);
	backward_of_vectors(&g);
	close_gold(&g);
}

/* What bf16 loses in a gradient is the rounding of its factors, not a direction. */
static void gradients_in_bf16_point_the_same_way(void **state)
{
	(void)state;
	struct model_options opt = {.use = MODEL_TRAIN, .dtype = MODEL_BF16};
	struct gold g;
	struct safetensors ours;
	struct err err = ERR_INIT;
	open_gold(&g, "model-base", "model-base", &opt);
	write_vector_gradients(&g);
	assert_ok(safetensors_open(gradient_file(), &ours, &err), &err);
	for (size_t i = 0; i < ours.n; i++) {
		char name[200];
		size_t n;
		snprintf(name, sizeof name, "grad.%s", ours.t[i].name);
		float *want = floats(&g, name, &n);
		float *got = xmalloc(ours.t[i].bytes + 1);
		memcpy(got, ours.t[i].data, ours.t[i].bytes);
		double dot = 0.0, a = 0.0, b = 0.0;
		for (size_t k = 0; k < n; k++) {
			dot += (double)got[k] * (double)want[k];
			a += (double)got[k] * (double)got[k];
			b += (double)want[k] * (double)want[k];
		}
		/* A key's bias has no gradient but rounding. */
		if (!strstr(name, "key.bias") && !(dot > 0.99 * sqrt(a * b)))
			fail_msg("%s: cosine %g", name, dot / sqrt(a * b));
		free(want);
		free(got);
	}
	safetensors_close(&ours);
	close_gold(&g);
}

static void bf16_copies_follow_their_masters_when_refreshed(void **state)
{
	(void)state;
	struct model_options opt = {.use = MODEL_TRAIN, .dtype = MODEL_BF16};
	struct gold g;
	open_gold(&g, "model-base", "model-base", &opt);
	struct token_batch b = batch_of(&g);
	struct forward how = FORWARD_ENCODE;
	size_t n = (size_t)g.n * 24, at = 0;
	float *got[3];
	const struct trained *t;
	size_t n_trained = model_trained(g.m, &t), live = 0;
	while (at < n_trained && t[at].numel != 3 * 24 * 24)
		at++;
	assert_true(at < n_trained);
	for (int i = 0; i < 3; i++) {
		tn_scope *s = tn_push_no_grad(g.root);
		if (i == 1) /* query, key and value of the first layer */
			tn_axpy_(s, t[at].param, 1.0, tn_full(s, 0.5, SHAPE(72, 24)));
		if (i == 2)
			model_refresh(g.m);
		got[i] = read_all(s, model_embed(g.m, s, &b, &how), n);
		tn_pop(s);
		if (i == 0)
			live = tn_live(g.root);
	}
	assert_int_equal(tn_live(g.root), live); /* old copies are gone */
	assert_memory_equal(got[0], got[1], n * sizeof(float));
	assert_memory_not_equal(got[0], got[2], n * sizeof(float));
	for (int i = 0; i < 3; i++)
		free(got[i]);
	close_gold(&g);
}

static void scores_and_their_gradients_equal_transformers(void **state)
{
	(void)state;
	struct gold g;
	struct err err = ERR_INIT;
	size_t n;
	open_gold(&g, "model-classifier", "model-classifier", &train_f32);
	assert_int_equal(model_n_labels(g.m), 3);
	assert_int_equal(model_dim(g.m), 0);
	int64_t *wide = integers(&g, "types", &n), *labels = integers(&g, "labels", &n);
	struct token_batch b = batch_of(&g);
	int32_t *types = narrow(wide, (size_t)g.start[g.n]);
	b.types = types;
	struct forward how = {.train = true, .dropout = 0.0};
	tn_scope *s = tn_push(g.root);
	tensor logits = model_classify(g.m, s, &b, &how); /* [n,3] */
	compare(&g, s, logits, "logits", TOLERANCE);
	tn_backward(s, tn_cross_entropy(s, logits, labels, g.n));
	assert_ok(model_write_gradients(g.m, gradient_file(), &err), &err);
	tn_pop(s);
	compare_gradients(&g, gradient_file());
	free(wide);
	free(labels);
	free(types);
	close_gold(&g);
}

/* Gives the adapters the values that the gold file has, in the order of training. */
static void set_adapters(struct gold *g)
{
	static const char *const modules[] = {"attention.self.query", "attention.self.value",
		"attention.output.dense", "output.dense"};
	const struct trained *t;
	size_t n_trained = model_trained(g->m, &t), at = 0;
	tn_scope *s = tn_push_no_grad(g->root);
	for (int layer = 0; layer < 2; layer++)
		for (size_t i = 0; i < ARRAY_LEN(modules); i++)
			for (int b = 0; b < 2; b++) {
				char name[160];
				size_t n;
				snprintf(name, sizeof name,
					"value.base_model.model.encoder.layer.%d.%s.lora_%c.weight",
					layer, modules[i], b ? 'B' : 'A');
				const struct st_tensor *in = need(g, name);
				float *v = floats(g, name, &n);
				tn_copy_(s, t[at++].param, tn_from_f32(s, v, in->shape, 2));
				free(v);
			}
	assert_int_equal(at, n_trained);
	assert_int_equal(tn_status(s), TN_OK);
	tn_pop(s);
}

static void adapters_apply_and_learn_as_in_peft(void **state)
{
	(void)state;
	static const char *const targets[] = {"query", "value", "output.dense"};
	struct lora_options lora = {.r = 4, .alpha = 6, .targets = targets, .n_targets = 3};
	struct gold g;
	struct err err = ERR_INIT;
	open_gold(&g, "model-lora", "model-base", &train_f32);
	assert_ok(model_add_lora(g.m, &lora, &err), &err);
	set_adapters(&g);
	struct token_batch b = batch_of(&g);
	struct forward how = FORWARD_ENCODE;
	tn_scope *s = tn_push(g.root);
	compare(&g, s, model_hidden(g.m, s, &b, &how), "hidden", TOLERANCE);
	tn_pop(s);
	backward_of_vectors(&g);
	close_gold(&g);
}

static void fresh_adapters_change_nothing(void **state)
{
	(void)state;
	struct lora_options lora = {.r = 8, .alpha = 16, .dropout = 0.1, .seed = 5};
	struct gold g;
	struct err err = ERR_INIT;
	open_gold(&g, "model-base", "model-base", &train_f32);
	assert_ok(model_add_lora(g.m, &lora, &err), &err);
	struct token_batch b = batch_of(&g);
	struct forward how = FORWARD_ENCODE;
	tn_scope *s = tn_push(g.root);
	compare(&g, s, model_hidden(g.m, s, &b, &how), "hidden", TOLERANCE);
	tn_pop(s);
	/* query, key, value, three dense, in two layers, each r * (in + out) */
	assert_int_equal(model_n_params(g.m, true), 2 * 8 * (4 * (24 + 24) + 2 * (24 + 40)));
	close_gold(&g);
}

static void dropout_repeats_with_its_seed(void **state)
{
	(void)state;
	struct gold g;
	open_gold(&g, "model-base", "model-base", &train_f32);
	struct token_batch b = batch_of(&g);
	float *got[3];
	size_t n = (size_t)g.n * 24;
	for (size_t i = 0; i < 3; i++) {
		struct forward how = {.train = true, .dropout = 0.3, .seed = i == 2 ? 9 : 8};
		tn_scope *s = tn_push_no_grad(g.root);
		got[i] = read_all(s, model_embed(g.m, s, &b, &how), n);
		tn_pop(s);
	}
	assert_memory_equal(got[0], got[1], n * sizeof(float));
	assert_memory_not_equal(got[0], got[2], n * sizeof(float));
	for (size_t i = 0; i < 3; i++)
		free(got[i]);
	close_gold(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hidden_states_equal_transformers),
		cmocka_unit_test(every_pooling_equals_sentence_transformers),
		cmocka_unit_test(pooling_and_normalising_follow_the_folder),
		cmocka_unit_test(a_text_gives_the_same_vector_in_every_batch),
		cmocka_unit_test(bf16_stays_close_to_f32),
		cmocka_unit_test(gradients_equal_pytorch),
		cmocka_unit_test(gradients_in_bf16_point_the_same_way),
		cmocka_unit_test(bf16_copies_follow_their_masters_when_refreshed),
		cmocka_unit_test(scores_and_their_gradients_equal_transformers),
		cmocka_unit_test(adapters_apply_and_learn_as_in_peft),
		cmocka_unit_test(fresh_adapters_change_nothing),
		cmocka_unit_test(dropout_repeats_with_its_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
