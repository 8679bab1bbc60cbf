/* The layers of decoders: values against formulas in doubles, the kernels against plain f64 ops in
 * values and gradients, odd sizes, both element types. */
#include "tensor_check.h"

/* Rows of numbers as different as real ones. */
static tensor numbers(tn_scope *s, uint64_t seed, int64_t rows, int64_t n)
{
	return tn_normal(s, 2.0, seed, SHAPE(rows, n));
}

static void rms_norm_divides_by_the_root_mean_square_and_shifts_its_weight(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const float x[] = {3, 4}, w[] = {1, 10};
	float r = (float)sqrt(12.5 + 0.5), got[2], want[] = {3 / r * 2, 4 / r * 11};
	tensor y = tn_rms_norm(
		s, tn_from_f32(s, x, SHAPE(1, 2)), tn_from_f32(s, w, SHAPE(2)), 0.5, 1.0);
	assert_true(tn_read_f32(s, y, got, 2));
	assert_close(got, want, 2, 1e-6);
	tn_close(s);
}

static void a_gate_lets_the_other_half_through(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const float x[] = {1, -2, 3, 5};
	float silu[] = {1 / (1 + expf(-1)), -2 / (1 + expf(2))};
	float first[] = {silu[0] * 3, silu[1] * 5}, got[2];
	tensor in = tn_from_f32(s, x, SHAPE(1, 4));
	assert_true(tn_read_f32(s, tn_glu(s, in, TN_ACT_SILU, false), got, 2));
	assert_close(got, first, 2, 1e-6);
	float last[] = {3, -2 * 5};
	assert_true(tn_read_f32(s, tn_glu(s, in, TN_ACT_RELU, true), got, 2));
	assert_close(got, last, 2, 1e-6);
	assert_int_equal(tn_glu(s, in, TN_ACT_TANH, false).gen, 0);
	assert_non_null(strstr(tn_message(s), "is not one of a gate"));
	tn_close(s);
}

static void a_head_turns_by_its_row_and_values_pass(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	/* one head of 2 each for q, k, v; angle = row */
	float x[] = {1, 0, 0, 1, 9, 9, 1, 0, 0, 1, 9, 9, 1, 0, 0, 1, 9, 9}, got[18];
	float cos_[2] = {1, cosf(1)}, sin_[2] = {0, sinf(1)};
	int64_t rows[] = {0, 1, 0}, beyond[] = {0, 1, 2};
	struct tn_attention how = {.n_heads = 1, .n_kv_heads = 1, .head_dim = 2};
	struct tn_rotary r = {.cos = tn_from_f32(s, cos_, SHAPE(2, 1)),
		.sin = tn_from_f32(s, sin_, SHAPE(2, 1)),
		.rows = rows};
	tensor in = tn_from_f32(s, x, SHAPE(3, 6));
	assert_true(tn_read_f32(s, tn_rotary(s, in, &how, &r), got, 18));
	const float want[] = {
		1, 0, 0, 1, 9, 9, cosf(1), sinf(1), -sinf(1), cosf(1), 9, 9, 1, 0, 0, 1, 9, 9};
	assert_close(got, want, 18, 1e-6);
	r.rows = beyond;
	tn_rotary(s, in, &how, &r);
	assert_non_null(strstr(tn_message(s), "token 2 turns by row 2 of 2"));
	tn_close(s);
}

/* Values and gradients of one op in f32, in bf16, and in f64 by plain ops. */
typedef tensor (*layer)(tn_scope *s, tensor x, tensor v, tensor w);

static void compare_layer(layer f, tensor (*input)(tn_scope *, uint64_t), int64_t n_vector)
{
	for (int low = 0; low <= 1; low++) {
		tn_scope *s = open_cpu(1 + low);
		tensor x = input(s, 1), v = tn_uniform(s, 0.5, 2.0, 2, SHAPE(n_vector)),
		       w = tn_uniform(s, 0.5, 2.0, 3, SHAPE(n_vector));
		if (low)
			x = tn_cast(s, x, TN_BF16);
		tensor a[] = {tn_param(s, x), tn_param(s, v), tn_param(s, w)};
		tensor b[] = {param_f64(s, x), param_f64(s, v), param_f64(s, w)};
		tensor y = f(s, a[0], a[1], a[2]), z = f(s, b[0], b[1], b[2]);
		assert_int_equal(tn_dtype_of(s, y), low ? TN_BF16 : TN_F32);
		assert_same_tensor(s, y, z, low ? 4e-3 : 2e-6);
		tn_backward(s, probe(s, y));
		tn_backward(s, probe(s, z));
		for (size_t i = 0; i < 3; i++)
			if (tn_grad(s, b[i]).gen != 0)
				assert_same_tensor(
					s, tn_grad(s, a[i]), tn_grad(s, b[i]), low ? 5e-2 : 2e-5);
		assert_no_failure(s);
		tn_close(s);
	}
}

static tensor rms(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)w;
	return tn_rms_norm(s, x, v, 1e-6, 0.25);
}

static tensor rows_of_37(tn_scope *s, uint64_t seed)
{
	return numbers(s, seed, 301, 37);
}

static void rms_norm_and_its_gradients_equal_plain_ops(void **state)
{
	(void)state;
	compare_layer(rms, rows_of_37, 37);
}

static tensor glu_gelu(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)v;
	(void)w;
	return tn_glu(s, x, TN_ACT_GELU, false);
}
static tensor glu_tanh(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)v;
	(void)w;
	return tn_glu(s, x, TN_ACT_GELU_TANH, true);
}
static tensor glu_silu(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)v;
	(void)w;
	return tn_glu(s, x, TN_ACT_SILU, false);
}
static tensor glu_relu(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)v;
	(void)w;
	return tn_glu(s, x, TN_ACT_RELU, true);
}

static tensor rows_of_46(tn_scope *s, uint64_t seed)
{
	return numbers(s, seed, 33, 46);
}

static void gates_and_their_gradients_equal_plain_ops(void **state)
{
	(void)state;
	static const layer all[] = {glu_gelu, glu_tanh, glu_silu, glu_relu};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		compare_layer(all[i], rows_of_46, 1);
}

/* 3 query heads, 1 key head, 1 value head of `d`. */
static tensor turn(tn_scope *s, tensor x, int64_t d, tensor q_norm, tensor k_norm)
{
	int64_t rows[150];
	struct tn_attention how = {.n_heads = 3, .n_kv_heads = 1, .head_dim = d};
	tensor angle = tn_uniform(s, 0.0, 3.0, 8, SHAPE(150, d / 2));
	for (int64_t i = 0; i < 150; i++)
		rows[i] = i * 7 % 150;
	struct tn_rotary r = {
		angle, tn_exp(s, tn_scale(s, angle, -1.0)), rows, q_norm, k_norm, 1e-6, 0.0};
	return tn_rotary(s, x, &how, &r);
}

static tensor bare_heads(tn_scope *s, tensor x, tensor v, tensor w)
{
	(void)v;
	(void)w;
	return turn(s, x, 10, TN_NONE, TN_NONE);
}
static tensor normed_heads(tn_scope *s, tensor x, tensor v, tensor w)
{
	return turn(s, x, 10, v, w);
}
static tensor wide_heads(tn_scope *s, tensor x, tensor v, tensor w)
{
	return turn(s, x, 64, v, w);
}

static tensor rows_of_50(tn_scope *s, uint64_t seed)
{
	return numbers(s, seed, 150, 50);
}
static tensor rows_of_320(tn_scope *s, uint64_t seed)
{
	return numbers(s, seed, 150, 320);
}

static void heads_and_their_gradients_equal_plain_ops(void **state)
{
	(void)state;
	compare_layer(bare_heads, rows_of_50, 10);
	compare_layer(normed_heads, rows_of_50, 10);
	compare_layer(wide_heads, rows_of_320, 64);
}

static void threads_do_not_change_a_bit(void **state)
{
	(void)state;
	float *seen = NULL;
	for (int threads = 1; threads <= 2; threads++) {
		tn_scope *s = open_cpu(threads);
		tensor x = tn_param(s, rows_of_320(s, 5)),
		       w = tn_param(s, tn_uniform(s, 0.5, 2.0, 2, SHAPE(64)));
		tn_backward(s, probe(s, wide_heads(s, x, w, w)));
		float *grad = xcalloc(64, sizeof *grad);
		assert_true(tn_read_f32(s, tn_grad(s, w), grad, 64));
		if (seen)
			assert_memory_equal(seen, grad, 64 * sizeof *grad);
		free(seen);
		seen = grad;
		tn_close(s);
	}
	free(seen);
}

static void wrong_shapes_are_named(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	struct tn_attention how = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 4};
	int64_t rows[] = {0, 0};
	struct tn_rotary r = {.cos = tn_zeros(s, TN_F32, SHAPE(1, 2)),
		.sin = tn_zeros(s, TN_F32, SHAPE(1, 2)),
		.rows = rows};
	tn_rotary(s, tn_zeros(s, TN_F32, SHAPE(2, 15)), &how, &r);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	assert_non_null(strstr(tn_message(s), "[T,16]"));
	tn_clear(s);
	r.q_norm = tn_zeros(s, TN_F32, SHAPE(3));
	tn_rotary(s, tn_zeros(s, TN_F32, SHAPE(2, 16)), &how, &r);
	assert_non_null(strstr(tn_message(s), "norm of heads of 4"));
	tn_clear(s);
	tn_glu(s, tn_zeros(s, TN_F32, SHAPE(2, 5)), TN_ACT_SILU, false);
	assert_non_null(strstr(tn_message(s), "[T,2F]"));
	tn_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rms_norm_divides_by_the_root_mean_square_and_shifts_its_weight),
		cmocka_unit_test(a_gate_lets_the_other_half_through),
		cmocka_unit_test(a_head_turns_by_its_row_and_values_pass),
		cmocka_unit_test(rms_norm_and_its_gradients_equal_plain_ops),
		cmocka_unit_test(gates_and_their_gradients_equal_plain_ops),
		cmocka_unit_test(heads_and_their_gradients_equal_plain_ops),
		cmocka_unit_test(threads_do_not_change_a_bit),
		cmocka_unit_test(wrong_shapes_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
