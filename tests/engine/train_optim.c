#include "support.h"

#include <math.h>

#include "base/jsonfile.h"
#include "tensor.h"
#include "train/optim.h"
#include "train/schedule.h"

enum { MATRIX = 12, BIAS = 3, ALL = MATRIX + BIAS };

static tn_scope *root;

static int open_root(void **state)
{
	(void)state;
	char why[200];
	root = tn_open("cpu", 1, why, sizeof why);
	return root ? 0 : -1;
}

static int close_root(void **state)
{
	(void)state;
	tn_close(root);
	return 0;
}

static void read_floats(json list, float *out, size_t n)
{
	size_t at = 0;
	for (struct json_iter it = json_each(list); json_next(&it); at++) {
		double v = 0.0;
		assert_true(at < n && json_real(it.value, &v));
		out[at] = (float)v;
	}
	assert_int_equal(at, n);
}

/* The gradient of sum(scale * param^2) / 2. */
static void backward(tn_scope *s, tensor param, const float *scale, const int64_t *shape, int ndim)
{
	tensor c = tn_from_f32(s, scale, shape, ndim);
	tn_backward(s, tn_scale(s, tn_sum(s, tn_mul(s, c, tn_mul(s, param, param))), 0.5));
}

static void steps_equal_pytorch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct json_file f;
	float matrix[MATRIX], bias[BIAS], scale[ALL], want[ALL], have[ALL];
	assert_ok(json_file_open(test_file("tests/fixtures/train_optim.json"), &f, &err), &err);
	read_floats(json_get(f.root, "matrix"), matrix, MATRIX);
	read_floats(json_get(f.root, "bias"), bias, BIAS);
	read_floats(json_get(f.root, "scale"), scale, ALL);

	tn_scope *s = tn_push(root);
	/* The bias first: the optimiser puts what decays in front, places must still fit. */
	const struct trained trained[] = {
		{tn_param(s, tn_from_f32(s, bias, SHAPE(3))), false, BIAS},
		{tn_param(s, tn_from_f32(s, matrix, SHAPE(4, 3))), true, MATRIX},
	};
	struct optim_options opt = OPTIM_OPTIONS_INIT;
	opt.weight_decay = 0.1;
	assert_ok(json_want_real(f.root, "clip", 0.0, &opt.clip, &err), &err);
	struct optim o;
	optim_init(&o, root, trained, 2, &opt);
	const struct schedule plan = {SCHEDULE_LINEAR, 0.05, 2, 8};
	int64_t done = 0;
	for (struct json_iter it = json_each(json_get(f.root, "steps")); json_next(&it); done++) {
		tn_scope *step = tn_push(s);
		backward(step, trained[1].param, scale, SHAPE(4, 3));
		backward(step, trained[0].param, scale + MATRIX, SHAPE(3));
		tn_pop(step);
		double norm = optim_grad_norm(&o), lr = schedule_lr(&plan, done), want_norm,
		       want_lr;
		assert_ok(json_want_real(it.value, "norm", 0.0, &want_norm, &err), &err);
		assert_ok(json_want_real(it.value, "lr", -1.0, &want_lr, &err), &err);
		assert_true(fabs(norm - want_norm) < 1e-5);
		assert_true(fabs(lr - want_lr) < 1e-12);
		optim_step(&o, lr, norm);
		assert_true(tn_read_f32(s, trained[1].param, have, MATRIX));
		assert_true(tn_read_f32(s, trained[0].param, have + MATRIX, BIAS));
		read_floats(json_get(it.value, "params"), want, ALL);
		assert_close(have, want, ALL, 2e-6);
	}
	assert_int_equal(done, 8);
	assert_int_equal(o.n_steps, 8);
	optim_release(&o);
	tn_pop(s);
	json_file_close(&f);
}

static void a_gradient_that_is_not_finite_shows_in_the_norm(void **state)
{
	(void)state;
	static const float one[] = {1.0F}, bad[] = {INFINITY};
	tn_scope *s = tn_push(root);
	const struct trained trained[] = {
		{tn_param(s, tn_from_f32(s, one, SHAPE(1))), true, 1},
	};
	struct optim o;
	optim_init(&o, root, trained, 1, &(struct optim_options)OPTIM_OPTIONS_INIT);
	backward(s, trained[0].param, bad, SHAPE(1));
	assert_true(isnan(optim_grad_norm(&o)));
	optim_release(&o);
	tn_pop(s);
}

static void nothing_is_left_in_the_context(void **state)
{
	(void)state;
	static const float one[] = {1.0F};
	size_t before = tn_live(root);
	tn_scope *s = tn_push(root);
	const struct trained trained[] = {
		{tn_param(s, tn_from_f32(s, one, SHAPE(1))), false, 1},
	};
	struct optim o;
	optim_init(&o, root, trained, 1, &(struct optim_options)OPTIM_OPTIONS_INIT);
	for (int i = 0; i < 3; i++) {
		tn_scope *step = tn_push(s);
		backward(step, trained[0].param, one, SHAPE(1));
		tn_pop(step);
		optim_step(&o, 0.1, optim_grad_norm(&o));
	}
	optim_release(&o);
	tn_pop(s);
	assert_int_equal(tn_live(root), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_equal_pytorch),
		cmocka_unit_test(a_gradient_that_is_not_finite_shows_in_the_norm),
		cmocka_unit_test(nothing_is_left_in_the_context),
	};
	return cmocka_run_group_tests(tests, open_root, close_root);
}
