#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "tensor.h"
#include "train/checkpoint.h"

enum { ROWS = 50, COLS = 8, BIAS = 4 };

/* A table of which few rows are looked up, and a bias; with the optimiser that moves them. */
struct learner {
	tn_scope *root;
	tensor table, bias;
	struct optim o;
};

static void begin(struct learner *l, double decay)
{
	char why[200];
	l->root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(l->root);
	l->table = tn_param(l->root, tn_normal(l->root, 1.0, 5, SHAPE(ROWS, COLS)));
	l->bias = tn_param(l->root, tn_normal(l->root, 1.0, 6, SHAPE(BIAS)));
	const struct trained trained[] = {{l->bias, false, BIAS}, {l->table, true, ROWS * COLS}};
	struct optim_options opt = OPTIM_OPTIONS_INIT;
	opt.weight_decay = decay;
	optim_init(&l->o, l->root, trained, 2, &opt);
}

static void step(struct learner *l)
{
	tn_scope *s = tn_push(l->root);
	uint64_t n = (uint64_t)l->o.n_steps;
	const int64_t ids[] = {(int64_t)(7 * n % ROWS), 3, (int64_t)(11 * n % ROWS)};
	tensor rows = tn_embedding(s, l->table, ids, 3);
	tn_backward(s, tn_sum(s, tn_mul(s, rows, tn_normal(s, 1.0, n, SHAPE(3, COLS)))));
	tn_backward(s, tn_sum(s, tn_mul(s, l->bias, tn_normal(s, 1.0, n, SHAPE(BIAS)))));
	tn_pop(s);
	optim_step(&l->o, 0.1, optim_grad_norm(&l->o));
	assert_string_equal(tn_message(l->root), "");
}

static void end(struct learner *l)
{
	optim_release(&l->o);
	tn_close(l->root);
}

static const struct identity identity[] = {{"data", "abc"}, {"--lr", "0.1"}};

static const char *fresh_dir(struct arena *a)
{
	static int at;
	struct err err = ERR_INIT;
	char *dir = arena_printf(a, "%s/checkpoint-%d", test_scratch(), at++);
	assert_ok(fs_mkdirs(dir, &err), &err);
	return dir;
}

static void write_to(struct learner *l, const char *dir)
{
	struct err err = ERR_INIT;
	const struct progress at = {l->o.n_steps, 0.5};
	assert_ok(checkpoint_write(dir, &at, identity, 2, &l->o, &err), &err);
}

static void same_params(struct learner *a, struct learner *b)
{
	float x[ROWS * COLS], y[ROWS * COLS];
	assert_true(tn_read_f32(a->root, a->table, x, ROWS * COLS));
	assert_true(tn_read_f32(b->root, b->table, y, ROWS * COLS));
	assert_memory_equal(x, y, sizeof x);
	assert_true(tn_read_f32(a->root, a->bias, x, BIAS));
	assert_true(tn_read_f32(b->root, b->bias, y, BIAS));
	assert_memory_equal(x, y, BIAS * sizeof *x);
}

static void what_is_read_goes_on_bit_for_bit(void **state)
{
	(void)state;
	for (int decays = 0; decays < 2; decays++) {
		struct err err = ERR_INIT;
		struct arena a = ARENA_INIT;
		const char *dir = fresh_dir(&a);
		struct learner first, second;
		struct progress at;
		begin(&first, decays ? 0.1 : 0.0);
		begin(&second, decays ? 0.1 : 0.0);
		for (int i = 0; i < 4; i++)
			step(&first);
		write_to(&first, dir);
		assert_ok(checkpoint_check(dir, identity, 2, &at, &err), &err);
		assert_ok(checkpoint_load(dir, &second.o, &err), &err);
		second.o.n_steps = at.step;
		assert_int_equal(at.step, 4);
		same_params(&first, &second);
		for (int i = 0; i < 4; i++) {
			step(&first);
			step(&second);
		}
		same_params(&first, &second);
		end(&first);
		end(&second);
		arena_release(&a);
	}
}

static int64_t weights_bytes(struct arena *a, const char *dir)
{
	return fs_size(fs_join(a, dir, "trained.safetensors"));
}

static void rows_that_were_never_touched_take_no_place(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const char *few = fresh_dir(&a), *all = fresh_dir(&a);
	struct learner l;
	begin(&l, 0.0);
	step(&l);
	write_to(&l, few);
	end(&l);
	begin(&l, 0.1); /* decay moves every row */
	step(&l);
	write_to(&l, all);
	end(&l);
	int64_t whole = 3 * ROWS * COLS * (int64_t)sizeof(float);
	assert_true(weights_bytes(&a, all) > whole);
	assert_true(weights_bytes(&a, few) < whole / 2);
	arena_release(&a);
}

static void another_run_is_refused_by_name(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	const char *dir = fresh_dir(&a);
	struct learner l;
	struct progress at = {.step = -7};
	begin(&l, 0.0);
	write_to(&l, dir);
	end(&l);
	const struct identity other[] = {{"data", "abc"}, {"--lr", "0.2"}};
	assert_false(checkpoint_check(dir, other, 2, &at, &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "--lr 0.1"));
	assert_non_null(strstr(err.text, "0.2"));
	assert_int_equal(at.step, -7);
	const struct identity more[] = {
		{"--mask", "none"}}; /* an option that it did not know yet */
	err_clear(&err);
	assert_false(checkpoint_check(dir, more, 1, &at, &err));
	assert_non_null(strstr(err.text, "--mask"));
	arena_release(&a);
}

static void damage_is_an_error_that_names_the_file(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const char *dir = fresh_dir(&a), *path = fs_join(&a, dir, "trained.safetensors");
	struct learner l;
	struct err err = ERR_INIT;
	struct buf whole = BUF_INIT;
	struct progress at;
	begin(&l, 0.0);
	step(&l);
	write_to(&l, dir);
	assert_ok(fs_read(path, &whole, 0, &err), &err);
	for (size_t cut = 0; cut < whole.len; cut += 1 + whole.len / 9) {
		assert_ok(fs_write_atomic(path, whole.data, cut, &err), &err);
		assert_false(checkpoint_load(dir, &l.o, &err));
		assert_non_null(strstr(err.text, "trained.safetensors"));
		err_clear(&err);
	}
	test_write(fs_join(&a, dir, "state.json"), "{\"format\":2,\"step\":1,\"identity\":{}}");
	assert_false(checkpoint_check(dir, NULL, 0, &at, &err));
	assert_non_null(strstr(err.text, "format 2"));
	err_clear(&err);
	test_write(fs_join(&a, dir, "state.json"), "{\"format\":1");
	assert_false(checkpoint_check(dir, NULL, 0, &at, &err));
	assert_non_null(strstr(err.text, "state.json"));
	buf_release(&whole);
	end(&l);
	arena_release(&a);
}

static void a_checkpoint_of_another_model_is_refused(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const char *dir = fresh_dir(&a);
	struct err err = ERR_INIT;
	struct learner l;
	begin(&l, 0.0);
	write_to(&l, dir);
	const struct trained other[] = {
		{tn_param(l.root, tn_zeros(l.root, TN_F32, SHAPE(BIAS + 1))), false, BIAS + 1}};
	struct optim o;
	optim_init(&o, l.root, other, 1, &(struct optim_options)OPTIM_OPTIONS_INIT);
	assert_false(checkpoint_load(dir, &o, &err));
	assert_int_equal(err.code, ERR_DATA);
	optim_release(&o);
	end(&l);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_goes_on_bit_for_bit),
		cmocka_unit_test(rows_that_were_never_touched_take_no_place),
		cmocka_unit_test(another_run_is_refused_by_name),
		cmocka_unit_test(damage_is_an_error_that_names_the_file),
		cmocka_unit_test(a_checkpoint_of_another_model_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
