/* What a training step does through tensor.h: leaves, gradients, norms, AdamW. */
#include "tensor_check.h"

static void adamw_equals_the_algorithm_in_doubles(void **state)
{
	(void)state;
	enum { N = 37 };
	tn_scope *s = open_cpu(2);
	struct tn_adamw how = {.lr = 1e-2,
		.beta1 = 0.9,
		.beta2 = 0.999,
		.eps = 1e-8,
		.weight_decay = 0.1,
		.grad_scale = 0.5};
	tensor start = tn_normal(s, 1.0, 1, SHAPE(N)), idle = tn_param(s, start);
	tensor p[2] = {tn_param(s, start), idle};
	tensor m[2] = {tn_zeros(s, TN_F32, SHAPE(N)), tn_zeros(s, TN_F32, SHAPE(N))};
	tensor v[2] = {tn_zeros(s, TN_F32, SHAPE(N)), tn_zeros(s, TN_F32, SHAPE(N))};
	float x0[N], got[N], g[N];
	double x[N], m1[N] = {0}, m2[N] = {0};
	tn_read_f32(s, start, x0, N);
	for (int i = 0; i < N; i++)
		x[i] = (double)x0[i];
	for (how.step = 1; how.step <= 5; how.step++) {
		tensor slope = tn_normal(s, 2.0, (uint64_t)how.step, SHAPE(N));
		tn_backward(s, tn_sum(s, tn_mul(s, p[0], slope)));
		tn_adamw_(s, p, m, v, 2, &how);
		tn_zero_grad(s, p, 2);
		tn_read_f32(s, slope, g, N);
		for (int i = 0; i < N; i++) {
			double grad = 0.5 * (double)g[i], t = (double)how.step;
			x[i] -= how.lr * how.weight_decay * x[i];
			m1[i] = 0.9 * m1[i] + 0.1 * grad;
			m2[i] = 0.999 * m2[i] + 0.001 * grad * grad;
			x[i] -= how.lr * (m1[i] / (1 - pow(0.9, t))) /
				(sqrt(m2[i] / (1 - pow(0.999, t))) + how.eps);
		}
	}
	assert_no_failure(s);
	tn_read_f32(s, p[0], got, N);
	for (int i = 0; i < N; i++)
		assert_true(fabs((double)got[i] - x[i]) < 1e-6);
	assert_true(difference(s, idle, start) == 0.0); /* no gradient, not even decay */
	tn_close(s);
}

static void adamw_refuses_what_it_cannot_update_in_place(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor p = tn_param(s, tn_full(s, 1.0, SHAPE(3))), m = tn_zeros(s, TN_F32, SHAPE(4));
	struct tn_adamw how = {.lr = 1e-2,
		.beta1 = 0.9,
		.beta2 = 0.999,
		.eps = 1e-8,
		.grad_scale = 1.0,
		.step = 1};
	tn_adamw_(s, &p, &m, &m, 1, &how);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

/* One step of two equal params: one looked up, one multiplied by the same rows as a matrix of ones
 * and zeros, whose gradient is an ordinary one. */
static void step_both(tn_scope *root, tensor p[2], const tensor *m, const tensor *v,
	const int64_t *ids, int n, const struct tn_adamw *how)
{
	enum { V = 6, H = 20 };
	tn_scope *s = tn_push(root);
	float pick[8 * V] = {0};
	for (int i = 0; i < n; i++)
		pick[i * V + ids[i]] = 1.0F;
	tensor slope = tn_normal(s, 1.0, (uint64_t)how->step, SHAPE(n, H));
	tensor rows = tn_embedding(s, p[0], ids, n);
	tensor product = tn_matmul(s, tn_from_f32(s, pick, SHAPE(n, V)), p[1]);
	tn_backward(s, tn_sum(s, tn_mul(s, rows, slope)));
	tn_backward(s, tn_sum(s, tn_mul(s, product, slope)));
	assert_true(difference(s, tn_grad(s, p[0]), tn_grad(s, p[1])) < 1e-6);
	double norm = tn_grad_norm(s, p, 1);
	assert_true(fabs(norm - tn_grad_norm(s, p + 1, 1)) < 1e-6 * norm);
	tn_scale_grads(s, p, 2, 0.5);
	tn_adamw_(s, p, m, v, 2, how);
	tn_zero_grad(s, p, 2);
	assert_true(tn_grad_norm(s, p, 2) == 0.0);
	tn_pop(s);
}

static void a_tables_rows_move_as_those_of_any_matrix(void **state)
{
	(void)state;
	enum { V = 6, H = 20 };
	static const int64_t ids[] = {4, 1, 4, 0, 1, 5, 4, 4, 2, 0, 1, 1};
	for (int run = 0; run < 4;
		run++) { /* without decay and with it; with moments from outside */
		tn_scope *s = open_cpu(1 + run % 2);
		struct tn_adamw how = {.lr = 0.1,
			.beta1 = 0.9,
			.beta2 = 0.999,
			.eps = 1e-8,
			.weight_decay = run < 2 ? 0.0 : 0.3,
			.grad_scale = 1.0};
		tensor start = tn_normal(s, 1.0, 7, SHAPE(V, H)), m[2], v[2];
		tensor p[2] = {tn_param(s, start), tn_param(s, start)};
		for (int i = 0; i < 2; i++) {
			m[i] = tn_zeros(s, TN_F32, SHAPE(V, H));
			v[i] = tn_zeros(s, TN_F32, SHAPE(V, H));
		}
		for (how.step = 1; how.step <= 4; how.step++) {
			if (how.step == 3) { /* a resumed run: row 4 must go on by its momentum */
				tensor again = tn_param(s, p[0]);
				m[0] = tn_copy(s, m[0]);
				v[0] = tn_copy(s, v[0]);
				p[0] = again;
			}
			step_both(s, p, m, v, ids + 3 * (how.step - 1), 3, &how);
			assert_true(difference(s, p[0], p[1]) < 1e-6);
		}
		tensor last = tn_sub(s, p[0], start); /* row 3 was never looked up */
		float moved[V * H];
		assert_true(tn_read_f32(s, last, moved, V * H));
		assert_true((moved[3 * H] == 0.0F) == (run < 2));
		assert_true(moved[4 * H] != 0.0F);
		assert_no_failure(s);
		tn_close(s);
	}
}

static void the_gradient_norm_spans_all_params_and_ignores_threads(void **state)
{
	(void)state;
	double seen[2];
	for (int threads = 1; threads <= 2; threads++) {
		tn_scope *s = open_cpu(threads);
		tensor x = tn_normal(s, 1.0, 1, SHAPE(100001)), y = tn_normal(s, 1.0, 2, SHAPE(3));
		tensor p[3] = {tn_param(s, x), tn_param(s, y), tn_param(s, y)};
		tn_backward(
			s, tn_add(s, tn_sum(s, tn_mul(s, p[0], x)), tn_sum(s, tn_mul(s, p[1], y))));
		seen[threads - 1] = tn_grad_norm(s, p, 3);
		double square = tn_item(
			s, tn_add(s, tn_sum(s, tn_mul(s, x, x)), tn_sum(s, tn_mul(s, y, y))));
		assert_true(fabs(seen[threads - 1] - sqrt(square)) < 1e-3);
		tn_scale_grads(s, p, 3, 0.5);
		assert_true(fabs(tn_grad_norm(s, p, 3) - 0.5 * seen[threads - 1]) < 1e-9);
		assert_no_failure(s);
		tn_close(s);
	}
	assert_true(seen[0] == seen[1]);
}

static void backward_from_continues_with_a_given_gradient(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	float w0[] = {1, 2}, g0[] = {10, 100}, out[2];
	tensor w = tn_param(s, tn_from_f32(s, w0, SHAPE(2)));
	tn_backward_from(s, tn_mul(s, w, w), tn_from_f32(s, g0, SHAPE(2)));
	assert_true(tn_read_f32(s, tn_grad(s, w), out, 2));
	assert_true(out[0] == 20.0F && out[1] == 400.0F);
	tn_backward_from(s, tn_mul(s, w, w), tn_from_f32(s, g0, SHAPE(1)));
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

static void running_backward_twice_over_own_ops_is_refused(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor x = tn_param(s, tn_full(s, 1.0, SHAPE(4, 8))), w = tn_full(s, 1.0, SHAPE(8));
	tensor loss = tn_sum(s, tn_layer_norm(s, x, w, w, 1e-5));
	tn_backward(s, loss);
	assert_no_failure(s);
	tn_backward(s, loss);
	assert_int_equal(tn_status(s), TN_TORCH);
	tn_close(s);
}

static void in_place_steps_change_params_without_recording(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	float out[2];
	tensor p = tn_param(s, tn_full(s, 1.0, SHAPE(2))), x = tn_full(s, 3.0, SHAPE(2));
	tn_axpy_(s, p, 2.0, x);
	assert_true(tn_read_f32(s, p, out, 2));
	assert_true(out[0] == 7.0F);
	tn_copy_(s, p, tn_cast(s, x, TN_BF16));
	assert_true(tn_read_f32(s, p, out, 2));
	assert_true(out[1] == 3.0F);
	tn_backward(s, tn_sum(s, p));
	assert_true(tn_read_f32(s, tn_grad(s, p), out, 2));
	assert_true(out[0] == 1.0F);
	tn_copy_(s, p, tn_full(s, 1.0, SHAPE(3)));
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

/* A small encoder layer, some steps: what a trainer does, twice, bit for bit, without a handle
 * left over. */
static double train(tn_scope *root)
{
	int64_t start[] = {0, 5, 12}, ids[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3},
		target[] = {0, 1};
	struct tn_seqs seqs = {start, 2};
	tensor p[5] = {tn_param(root, tn_normal(root, 0.5, 1, SHAPE(10, 16))),
		tn_param(root, tn_normal(root, 0.3, 2, SHAPE(48, 16))),
		tn_param(root, tn_full(root, 1.0, SHAPE(16))),
		tn_param(root, tn_zeros(root, TN_F32, SHAPE(16))),
		tn_param(root, tn_zeros(root, TN_F32, SHAPE(48)))};
	tensor m[5], v[5];
	for (int i = 0; i < 5; i++) {
		m[i] = tn_scale(root, tn_detach(root, p[i]), 0.0);
		v[i] = tn_scale(root, tn_detach(root, p[i]), 0.0);
	}
	size_t live = tn_live(root);
	double loss = 0.0;
	for (int64_t step = 1; step <= 6; step++) {
		tn_scope *s = tn_push(root);
		struct tn_attention how = {.n_heads = 4,
			.n_kv_heads = 4,
			.head_dim = 4,
			.dropout = 0.1,
			.seed = (uint64_t)step};
		tensor x = tn_embedding(s, p[0], ids, 12);
		tensor y = tn_attention(s, tn_linear(s, x, p[1], p[4]), seqs, &how);
		tensor z = tn_add_layer_norm(
			s, y, TN_NONE, x, p[2], p[3], 1e-12, 0.1, 100 + (uint64_t)step);
		tensor e = tn_normalize(
			s, tn_pool(s, tn_bias_gelu(s, z, p[3], false), seqs, TN_POOL_MEAN));
		tensor sim = tn_scale(s, tn_matmul(s, e, tn_transpose(s, e, 0, 1)), 0.5);
		tensor l = tn_cross_entropy(s, sim, target, 2);
		loss = tn_item(s, l);
		tn_backward(s, l);
		struct tn_adamw how2 = {.lr = 0.01,
			.beta1 = 0.9,
			.beta2 = 0.999,
			.eps = 1e-8,
			.weight_decay = 0.01,
			.grad_scale = 1.0,
			.step = step};
		tn_adamw_(s, p, m, v, 5, &how2);
		tn_zero_grad(s, p, 5);
		tn_pop(s);
		assert_no_failure(root);
		assert_int_equal(tn_live(root), live);
	}
	return loss;
}

static void training_repeats_bit_for_bit_and_leaves_no_handle(void **state)
{
	(void)state;
	double seen[4];
	for (int run = 0; run < 4; run++) {
		tn_scope *root = open_cpu(1 + run % 2);
		seen[run] = train(root);
		tn_close(root);
	}
	assert_true(seen[0] == seen[2] && seen[1] == seen[3]);
	assert_true(isfinite(seen[0]) && fabs(seen[0] - seen[1]) < 1e-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adamw_equals_the_algorithm_in_doubles),
		cmocka_unit_test(adamw_refuses_what_it_cannot_update_in_place),
		cmocka_unit_test(a_tables_rows_move_as_those_of_any_matrix),
		cmocka_unit_test(the_gradient_norm_spans_all_params_and_ignores_threads),
		cmocka_unit_test(backward_from_continues_with_a_given_gradient),
		cmocka_unit_test(running_backward_twice_over_own_ops_is_refused),
		cmocka_unit_test(in_place_steps_change_params_without_recording),
		cmocka_unit_test(training_repeats_bit_for_bit_and_leaves_no_handle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
