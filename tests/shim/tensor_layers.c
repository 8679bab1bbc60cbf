/* The fused layers of tensor.h: values against formulas in doubles, gradients of the f32 kernels
 * against f64's plain ops, whose own gradients tensor_grad.c checks with differences. */
#include "tensor_check.h"

static const int64_t widths[] = {1, 5, 16, 33, 384};

static void gelu_equals_erfc_to_a_millionth(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	enum { N = 4001 };
	float x[N], y[N];
	for (int i = 0; i < N; i++)
		x[i] = (float)(i - N / 2) * 0.005F; /* -10 .. 10 */
	tensor zero = tn_zeros(s, TN_F32, SHAPE(N));
	tensor out = tn_bias_gelu(s, tn_from_f32(s, x, SHAPE(1, N)), zero, false);
	assert_true(tn_read_f32(s, out, y, N));
	for (int i = 0; i < N; i++) {
		double want = 0.5 * (double)x[i] * erfc(-(double)x[i] / sqrt(2.0));
		if (!(fabs((double)y[i] - want) <= 1e-6 * fabs(want) + 1e-12))
			fail_msg(
				"gelu(%g) = %.9g, expected %.9g", (double)x[i], (double)y[i], want);
	}
	tn_close(s);
}

static void gelu_passes_nan_on(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	float x[3] = {NAN, 1.0F, NAN}, y[3];
	tensor zero = tn_zeros(s, TN_F32, SHAPE(3));
	assert_true(
		tn_read_f32(s, tn_bias_gelu(s, tn_from_f32(s, x, SHAPE(1, 3)), zero, false), y, 3));
	assert_true(isnan(y[0]) && isnan(y[2]) && y[1] > 0.84F && y[1] < 0.85F);
	tn_close(s);
}

struct leaves {
	tensor x, bias, residual, w, b;
};

static struct leaves leaves_of(tn_scope *s, int64_t rows, int64_t n, enum tn_dtype dtype)
{
	tensor v[5] = {tn_normal(s, 1.0, 1, SHAPE(rows, n)), tn_normal(s, 0.5, 2, SHAPE(n)),
		tn_normal(s, 1.0, 3, SHAPE(rows, n)), tn_uniform(s, 0.5, 1.5, 4, SHAPE(n)),
		tn_normal(s, 0.5, 5, SHAPE(n))};
	for (int i = 0; i < 5; i++) {
		bool is_vector = i == 1 || i >= 3;
		v[i] = tn_param(
			s, tn_cast(s, v[i], is_vector && dtype == TN_BF16 ? TN_F32 : dtype));
	}
	return (struct leaves){v[0], v[1], v[2], v[3], v[4]};
}

static void assert_same_grads(
	tn_scope *s, struct leaves a, struct leaves b, bool has_bias, double tolerance)
{
	assert_same_tensor(s, tn_grad(s, a.x), tn_grad(s, b.x), tolerance);
	if (has_bias)
		assert_same_tensor(s, tn_grad(s, a.bias), tn_grad(s, b.bias), tolerance);
	assert_same_tensor(s, tn_grad(s, a.residual), tn_grad(s, b.residual), tolerance);
	assert_same_tensor(s, tn_grad(s, a.w), tn_grad(s, b.w), tolerance);
	assert_same_tensor(s, tn_grad(s, a.b), tn_grad(s, b.b), tolerance);
}

static void add_layer_norm_agrees_with_plain_ops(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		for (int variant = 0; variant < 4; variant++) {
			tn_scope *s = open_cpu(1 + (int)(i % 2));
			int64_t rows = 131; /* more than one block of row sums */
			struct leaves a = leaves_of(s, rows, widths[i], TN_F32),
				      b = leaves_of(s, rows, widths[i], TN_F64);
			bool has_bias = variant & 1;
			double p = variant & 2 ? 0.3 : 0.0;
			tensor y = tn_add_layer_norm(s, a.x, has_bias ? a.bias : TN_NONE,
				a.residual, a.w, a.b, 1e-3, p, 11);
			tensor z = tn_add_layer_norm(s, b.x, has_bias ? b.bias : TN_NONE,
				b.residual, b.w, b.b, 1e-3, p, 11);
			assert_same_tensor(s, y, z, 1e-5);
			tn_backward(s, probe(s, y));
			tn_backward(s, probe(s, z));
			assert_same_grads(s, a, b, has_bias, 3e-5);
			assert_no_failure(s);
			tn_close(s);
		}
}

static void layer_norm_agrees_with_plain_ops(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		tn_scope *s = open_cpu(1);
		struct leaves a = leaves_of(s, 7, widths[i], TN_F32),
			      b = leaves_of(s, 7, widths[i], TN_F64);
		tensor y = tn_layer_norm(s, a.x, a.w, a.b, 1e-3),
		       z = tn_layer_norm(s, b.x, b.w, b.b, 1e-3);
		assert_same_tensor(s, y, z, 1e-5);
		tn_backward(s, probe(s, y));
		tn_backward(s, probe(s, z));
		assert_same_tensor(s, tn_grad(s, a.x), tn_grad(s, b.x), 3e-5);
		assert_same_tensor(s, tn_grad(s, a.w), tn_grad(s, b.w), 1e-5);
		assert_same_tensor(s, tn_grad(s, a.b), tn_grad(s, b.b), 1e-5);
		tensor no_shift = tn_layer_norm(s, a.x, a.w, TN_NONE, 1e-3);
		assert_same_tensor(s, tn_add(s, no_shift, a.b), y, 1e-6);
		assert_no_failure(s);
		tn_close(s);
	}
}

static void bias_gelu_agrees_with_plain_ops(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		for (int tanh_form = 0; tanh_form <= 1; tanh_form++) {
			tn_scope *s = open_cpu(1);
			struct leaves a = leaves_of(s, 130, widths[i], TN_F32),
				      b = leaves_of(s, 130, widths[i], TN_F64);
			tensor y = tn_bias_gelu(s, a.x, a.bias, tanh_form),
			       z = tn_bias_gelu(s, b.x, b.bias, tanh_form);
			assert_same_tensor(s, y, z, 1e-6);
			tn_backward(s, probe(s, y));
			tn_backward(s, probe(s, z));
			assert_same_tensor(s, tn_grad(s, a.x), tn_grad(s, b.x), 2e-6);
			assert_same_tensor(s, tn_grad(s, a.bias), tn_grad(s, b.bias), 1e-5);
			assert_no_failure(s);
			tn_close(s);
		}
}

static void bf16_layers_are_near_f32(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	struct leaves a = leaves_of(s, 9, 40, TN_BF16);
	tensor x = tn_cast(s, a.x, TN_F32), residual = tn_cast(s, a.residual, TN_F32);
	tensor y = tn_add_layer_norm(s, a.x, a.bias, a.residual, a.w, a.b, 1e-5, 0.2, 3);
	assert_int_equal(tn_dtype_of(s, y), TN_BF16);
	assert_same_tensor(
		s, y, tn_add_layer_norm(s, x, a.bias, residual, a.w, a.b, 1e-5, 0.2, 3), 4e-3);
	assert_same_tensor(
		s, tn_bias_gelu(s, a.x, a.bias, false), tn_bias_gelu(s, x, a.bias, false), 4e-3);
	assert_same_tensor(s, tn_dropout(s, a.x, 0.5, 9), tn_dropout(s, x, 0.5, 9), 1e-6);
	tn_backward(s, probe(s, y));
	assert_int_equal(tn_dtype_of(s, tn_grad(s, a.w)), TN_F32);
	assert_int_equal(tn_dtype_of(s, tn_grad(s, a.x)), TN_BF16);
	assert_no_failure(s);
	tn_close(s);
}

static void dropout_scales_what_it_keeps_and_repeats_in_backward(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(2);
	enum { N = 100003 };
	tensor x = tn_param(s, tn_full(s, 1.0, SHAPE(N))), y = tn_dropout(s, x, 0.2, 77);
	tn_backward(s, tn_sum(s, y));
	assert_true(difference(s, tn_grad(s, x), y) == 0.0);
	float *out = xcalloc(N, sizeof *out);
	assert_true(tn_read_f32(s, y, out, N));
	int kept = 0;
	for (int i = 0; i < N; i++) {
		assert_true(out[i] == 0.0F || out[i] == 1.25F);
		kept += out[i] != 0.0F;
	}
	assert_true(abs(kept - 80002) < 700); /* deviation 126 */
	free(out);
	assert_true(difference(s, tn_dropout(s, x, 0.2, 78), y) > 0.1);
	tensor same = tn_dropout(s, x, 0.0, 77);
	assert_true(difference(s, same, x) == 0.0);
	tn_dropout(s, x, 1.0, 0);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

static void a_table_collects_one_dense_gradient_over_passes(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	float rows[] = {1, 2, 3, 4, 5, 6}, out[6];
	tensor table = tn_param(s, tn_from_f32(s, rows, SHAPE(3, 2)));
	int64_t ids[] = {2, 0, 2}, more[] = {1};
	tensor y = tn_embedding(s, table, ids, 3);
	assert_true(tn_read_f32(s, y, out, 6));
	assert_memory_equal(out, ((float[]){5, 6, 1, 2, 5, 6}), sizeof out);
	tn_backward(s, tn_sum(s, y));
	tn_backward(s, tn_scale(s, tn_sum(s, tn_embedding(s, table, more, 1)), 3.0));
	assert_true(tn_read_f32(s, tn_grad(s, table), out, 6));
	assert_memory_equal(out, ((float[]){1, 1, 3, 3, 2, 2}), sizeof out);
	int64_t wrong[] = {3};
	tn_embedding(s, table, wrong, 1);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

static void pooling_follows_each_sequence(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	float x[] = {1, -2, 3, 4, -5, -6}, out[6];
	int64_t start[] = {0, 2, 2, 3};
	struct tn_seqs seqs = {start, 3};
	const float r2 = (float)sqrt(2.0);
	const struct {
		enum tn_pool how;
		float want[6];
	} all[] = {{TN_POOL_MEAN, {2, 1, 0, 0, -5, -6}}, {TN_POOL_CLS, {1, -2, 0, 0, -5, -6}},
		{TN_POOL_LAST, {3, 4, 0, 0, -5, -6}}, {TN_POOL_MAX, {3, 4, 0, 0, -5, -6}},
		{TN_POOL_MEAN_SQRT, {4 / r2, 2 / r2, 0, 0, -5, -6}},
		{TN_POOL_WEIGHTED, {7.0F / 3, 2, 0, 0, -5, -6}}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		tensor y = tn_pool(s, tn_from_f32(s, x, SHAPE(3, 2)), seqs, all[i].how);
		assert_true(tn_read_f32(s, y, out, 6));
		assert_close(out, all[i].want, 6, 1e-6);
	}
	tn_close(s);
}

static void packed_linears_equal_plain_ones(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor w = tn_cast(s, tn_normal(s, 0.2, 1, SHAPE(24, 40)), TN_BF16);
	tensor bias = tn_cast(s, tn_normal(s, 1.0, 2, SHAPE(24)), TN_BF16);
	tensor x = tn_cast(s, tn_normal(s, 1.0, 3, SHAPE(7, 40)), TN_BF16);
	tn_pack *p = tn_pack_linear(s, w, bias), *bare = tn_pack_linear(s, w, TN_NONE);
	assert_no_failure(s);
	tensor wide[] = {tn_cast(s, x, TN_F32), tn_cast(s, w, TN_F32), tn_cast(s, bias, TN_F32)};
	tensor y = tn_linear(s, wide[0], wide[1], wide[2]); /* [7,24] */
	const tensor want[] = {y, tn_gelu(s, y, false), tn_gelu(s, y, true), tn_relu(s, y),
		tn_tanh(s, y), tn_silu(s, y)};
	for (int act = TN_ACT_NONE; act <= TN_ACT_SILU; act++) {
		assert_same_tensor(s, tn_linear_packed(s, x, p, (enum tn_act)act), want[act], 6e-3);
	}
	assert_same_tensor(s, tn_linear_packed(s, x, bare, TN_ACT_NONE),
		tn_linear(s, wide[0], wide[1], TN_NONE), 6e-3);
	tensor none = tn_linear_packed(s, tn_narrow(s, x, 0, 0, 0), p, TN_ACT_NONE);
	assert_int_equal(tn_dim(s, none, 1), 24);
	assert_no_failure(s);
	tn_pack_free(p);
	tn_pack_free(bare);
	assert_null(tn_pack_linear(s, wide[1], TN_NONE));
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gelu_equals_erfc_to_a_millionth),
		cmocka_unit_test(gelu_passes_nan_on),
		cmocka_unit_test(add_layer_norm_agrees_with_plain_ops),
		cmocka_unit_test(layer_norm_agrees_with_plain_ops),
		cmocka_unit_test(bias_gelu_agrees_with_plain_ops),
		cmocka_unit_test(bf16_layers_are_near_f32),
		cmocka_unit_test(dropout_scales_what_it_keeps_and_repeats_in_backward),
		cmocka_unit_test(a_table_collects_one_dense_gradient_over_passes),
		cmocka_unit_test(pooling_follows_each_sequence),
		cmocka_unit_test(packed_linears_equal_plain_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
