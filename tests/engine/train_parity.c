#include "support.h"

#include <math.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/model_impl.h"
#include "train/step.h"

/* Five steps on the tiny model, against make_train_gold.py: rows are read, drawn, tokenized, packed,
 * encoded, and learnt from exactly as `train` does it. */

struct setting {
	int64_t batch, group, steps, warmup, query_length, passage_length;
	double temperature, lr, decay, clip;
};

struct case_files {
	char *name;
	enum loss_kind kind;
	bool in_batch, is_lora;
	int64_t accumulate;
	json losses, norms;
};

static void want_int(json o, const char *key, int64_t *ret)
{
	struct err err = ERR_INIT;
	assert_ok(json_want_int(o, key, -1, ret, &err), &err);
}

static void want_real(json o, const char *key, double *ret)
{
	struct err err = ERR_INIT;
	assert_ok(json_want_real(o, key, NAN, ret, &err), &err);
}

static char *want_string(json o, const char *key)
{
	struct err err = ERR_INIT;
	struct text t;
	assert_ok(json_want_text(o, key, TEXT_NONE, &t, &err), &err);
	return xstrndup(t.s, t.len);
}

static struct setting read_setting(json o)
{
	struct setting s;
	want_int(o, "batch", &s.batch);
	want_int(o, "group", &s.group);
	want_int(o, "steps", &s.steps);
	want_int(o, "warmup", &s.warmup);
	want_int(o, "query_length", &s.query_length);
	want_int(o, "passage_length", &s.passage_length);
	want_real(o, "temperature", &s.temperature);
	want_real(o, "lr", &s.lr);
	want_real(o, "decay", &s.decay);
	want_real(o, "clip", &s.clip);
	return s;
}

static struct case_files read_case(json o)
{
	struct err err = ERR_INIT;
	struct case_files c = {.name = want_string(o, "name")};
	char *loss = want_string(o, "loss");
	assert_true(loss_parse(loss, &c.kind));
	free(loss);
	assert_ok(json_want_bool(o, "in_batch", true, &c.in_batch, &err), &err);
	assert_ok(json_want_bool(o, "lora", false, &c.is_lora, &err), &err);
	want_int(o, "accumulate", &c.accumulate);
	c.losses = json_get(o, "losses");
	c.norms = json_get(o, "norms");
	return c;
}

/* Gold's first adapters, since two generators give two of them. */
struct adapters {
	tn_scope *s;
	const struct safetensors *gold;
	size_t n;
};

static bool set_adapter(void *ctx, const struct named *what, struct err *err)
{
	struct adapters *a = ctx;
	struct arena arena = ARENA_INIT;
	(void)err;
	const char *name = arena_printf(&arena, "start.base_model.model.%s.lora_%c.weight",
		module_name(what->w, what->part, &arena), what->is_b ? 'B' : 'A');
	const struct st_tensor *from = safetensors_find(a->gold, text_of(name));
	if (!from)
		fail_msg("gold has no %s", name);
	float *data = arena_alloc(&arena, from->bytes);
	memcpy(data, from->data, from->bytes);
	tn_copy_(a->s, what->is_b ? what->lora->b[what->part] : what->lora->a[what->part],
		tn_from_f32(a->s, data, from->shape, from->ndim));
	a->n++;
	arena_release(&arena);
	return true;
}

static void add_adapters(struct model *m, tn_scope *root, const struct safetensors *gold)
{
	static const char *const targets[] = {"query", "value", "dense"};
	struct lora_options lora = {.r = 4, .alpha = 8, .targets = targets, .n_targets = 3};
	struct err err = ERR_INIT;
	const struct trained *trained;
	assert_ok(model_add_lora(m, &lora, &err), &err);
	size_t n = model_trained(m, &trained);
	struct adapters a = {tn_push_no_grad(root), gold, 0};
	assert_ok(model_each_lora(m, set_adapter, &a, &err), &err);
	assert_int_equal(a.n, n);
	tn_pop(a.s);
}

/* Every gradient of gold is in the file, and the other way round; the largest difference is told. */
static void compare_gradients(const char *path, const struct safetensors *gold)
{
	struct err err = ERR_INIT;
	struct safetensors have;
	size_t n_gold = 0;
	assert_ok(safetensors_open(path, &have, &err), &err);
	for (size_t i = 0; i < gold->n; i++) {
		const struct st_tensor *want = &gold->t[i];
		if (strncmp(want->name, "grad.", 5) != 0)
			continue;
		const struct st_tensor *is = safetensors_find(&have, text_of(want->name + 5));
		if (!is || is->bytes != want->bytes)
			fail_msg("%s is missing or of another size", want->name);
		float *a = xmalloc(is->bytes), *b = xmalloc(is->bytes);
		memcpy(a, is->data, is->bytes);
		memcpy(b, want->data, is->bytes);
		assert_close(a, b, is->bytes / sizeof *a, 1e-5);
		free(a);
		free(b);
		n_gold++;
	}
	assert_int_equal(have.n, n_gold);
	safetensors_close(&have);
}

static void check_number(const char *what, size_t step, double have, json list, double tolerance)
{
	size_t at = 0;
	for (struct json_iter it = json_each(list); json_next(&it); at++) {
		double want = NAN;
		if (at != step)
			continue;
		assert_true(json_real(it.value, &want));
		if (!(fabs(have - want) <= tolerance * fmax(1.0, fabs(want))))
			fail_msg(
				"%s of step %zu is %.9g, PyTorch has %.9g", what, step, have, want);
		return;
	}
	fail_msg("gold has no step %zu", step);
}

static void train_steps(const struct setting *s, const struct case_files *c,
	struct trainer_parts *parts, const struct trainer_options *opt,
	const struct safetensors *gold)
{
	struct err err = ERR_INIT;
	const struct trained *trained;
	struct optim o;
	char dump[600];
	size_t n = model_trained(parts->model, &trained);
	snprintf(dump, sizeof dump, "%s/%s.safetensors", test_scratch(), c->name);
	optim_init(&o, parts->root, trained, n, &opt->optim);
	for (int64_t step = 0; step < s->steps; step++) {
		struct step_place at = step_place(step, (int64_t)parts->rows->n, s->batch);
		struct step_sums sums;
		assert_ok(step_gradients(parts, opt, &at, &sums, &err), &err);
		if (step == 0) {
			assert_ok(model_write_gradients(parts->model, dump, &err), &err);
			compare_gradients(dump, gold);
		}
		double norm = optim_grad_norm(&o);
		check_number("the loss", (size_t)step, sums.loss.loss / (double)sums.loss.n_queries,
			c->losses, 2e-5);
		check_number("the norm", (size_t)step, norm, c->norms, 2e-4);
		optim_step(&o, schedule_lr(&opt->schedule, step), norm);
		model_refresh(parts->model);
	}
	optim_release(&o);
}

static void check_case(const struct setting *s, const struct case_files *c)
{
	struct err err = ERR_INIT;
	char why[200], file[200];
	struct safetensors gold;
	struct rows rows;
	struct prompts prompts;
	struct trainer_parts parts = {.rows = &rows};
	const char *model_dir = test_file("tests/fixtures/model-base");
	const char *data = test_file("tests/fixtures/train_rows.jsonl");
	snprintf(file, sizeof file, "tests/fixtures/train_gold/%s.safetensors", c->name);
	assert_ok(safetensors_open(test_file(file), &gold, &err), &err);
	struct dataset *d = dataset_open(&data, 1, &(struct dataset_options){0}, &err);
	assert_ok(d, &err);
	assert_ok(rows_open(d, &(struct rows_options){.threads = 1}, &rows, &err), &err);
	struct tokenizer *tokenizer = tokenizer_open(model_dir, &err);
	assert_ok(tokenizer, &err);
	assert_ok(prompts_open(model_dir, NULL, NULL, &prompts, &err), &err);
	parts.root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(parts.root);
	const struct model_options how = {.use = MODEL_TRAIN, .dtype = MODEL_F32};
	parts.model = model_open(model_dir, parts.root, &how, &err);
	assert_ok(parts.model, &err);
	if (c->is_lora)
		add_adapters(parts.model, parts.root, &gold);

	const struct batch_options batching = {
		.draw = {.group_size = s->group, .wants_scores = c->kind != LOSS_INFONCE},
		.query_max_length = (size_t)s->query_length,
		.passage_max_length = (size_t)s->passage_length,
		.threads = 2,
	};
	parts.batcher = batcher_new(&rows, tokenizer, &prompts, &batching);
	struct trainer_options opt = {
		.batch_size = s->batch,
		.accumulate = c->accumulate,
		.schedule = {SCHEDULE_LINEAR, s->lr, s->warmup, s->steps},
		.optim = OPTIM_OPTIONS_INIT,
		.loss = {.kind = c->kind,
			.in_batch = c->in_batch,
			.temperature = s->temperature,
			.teacher_temperature = 1.0,
			.kd_alpha = 1.0},
	};
	opt.optim.weight_decay = s->decay;
	opt.optim.clip = s->clip;
	train_steps(s, c, &parts, &opt, &gold);

	batcher_free(parts.batcher);
	model_close(parts.model);
	tn_close(parts.root);
	prompts_close(&prompts);
	tokenizer_close(tokenizer);
	rows_close(&rows);
	dataset_close(d);
	safetensors_close(&gold);
}

static void five_steps_equal_pytorch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct json_file f;
	const char *path = test_file("tests/fixtures/train_gold/runs.json");
	assert_ok(json_file_open(path, &f, &err), &err);
	const struct setting setting = read_setting(f.root);
	size_t n = 0;
	for (struct json_iter it = json_each(json_get(f.root, "runs")); json_next(&it); n++) {
		struct case_files c = read_case(it.value);
		print_message("%s\n", c.name);
		check_case(&setting, &c);
		free(c.name);
	}
	assert_int_equal(n, 6);
	json_file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_steps_equal_pytorch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
