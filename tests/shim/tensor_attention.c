/* tn_attention against a loop in doubles that follows the formula: values, gradients, every
 * option, odd sizes. */
#include "tensor_check.h"

struct shape {
	const char *name;
	int64_t start[5];
	int64_t n;
	struct tn_attention how;
};

static const struct shape shapes[] = {
	{"plain", {0, 7, 20, 25, 33}, 4, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 8}},
	{"one token", {0, 1}, 1, {.n_heads = 3, .n_kv_heads = 3, .head_dim = 4}},
	{"empty sequences", {0, 0, 5, 5, 9}, 4, {.n_heads = 1, .n_kv_heads = 1, .head_dim = 16}},
	{"head of 5", {0, 17, 30}, 2, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 5}},
	{"257 tokens", {0, 257, 270}, 2, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 8}},
	{"several blocks", {0, 700}, 1, {.n_heads = 2, .n_kv_heads = 1, .head_dim = 4}},
	{"causal", {0, 19, 160}, 2,
		{.n_heads = 2, .n_kv_heads = 2, .head_dim = 8, .is_causal = true}},
	{"window", {0, 40, 240}, 2, {.n_heads = 2, .n_kv_heads = 2, .head_dim = 8, .window = 9}},
	{"causal window", {0, 300, 310}, 2,
		{.n_heads = 1, .n_kv_heads = 1, .head_dim = 8, .is_causal = true, .window = 5}},
	{"shared key heads", {0, 23, 60}, 2, {.n_heads = 6, .n_kv_heads = 2, .head_dim = 8}},
	{"soft cap", {0, 33, 50}, 2,
		{.n_heads = 2, .n_kv_heads = 1, .head_dim = 8, .soft_cap = 1.5, .scale = 0.7}},
	{"dropout", {0, 33, 50}, 2,
		{.n_heads = 2, .n_kv_heads = 2, .head_dim = 8, .dropout = 0.3, .seed = 42}},
	{"everything", {0, 150, 150, 171, 172}, 4,
		{.n_heads = 4,
			.n_kv_heads = 2,
			.head_dim = 6,
			.scale = 0.9,
			.is_causal = true,
			.window = 20,
			.soft_cap = 2.0,
			.dropout = 0.2,
			.seed = 7}},
};

static struct tn_seqs seqs_of(const struct shape *c)
{
	return (struct tn_seqs){c->start, c->n};
}

static int64_t width(const struct shape *c)
{
	return (c->how.n_heads + 2 * c->how.n_kv_heads) * c->how.head_dim;
}

static tensor input(tn_scope *s, const struct shape *c)
{
	return tn_normal(s, 1.0, 5, SHAPE(c->start[c->n], width(c)));
}

/* One score, before the softmax; -inf when query i does not see key j. */
static double score(const struct shape *c, const float *q, const float *k, int64_t i, int64_t j)
{
	const struct tn_attention *a = &c->how;
	bool seen = a->is_causal ? j <= i : true;
	if (a->window > 0 && (i - j > a->window || j - i > a->window))
		seen = false;
	double dot = 0.0;
	for (int64_t d = 0; d < a->head_dim; d++)
		dot += (double)q[d] * (double)k[d];
	dot *= a->scale != 0.0 ? a->scale : 1.0 / sqrt((double)a->head_dim);
	if (a->soft_cap > 0.0)
		dot = a->soft_cap * tanh(dot / a->soft_cap);
	return seen ? dot : -INFINITY;
}

/* out[d] of one query and head, without dropout. */
static void naive_row(
	const struct shape *c, const float *x, int64_t seq, int64_t i, int64_t h, double *out)
{
	const struct tn_attention *a = &c->how;
	int64_t first = c->start[seq], len = c->start[seq + 1] - first, w = width(c),
		d = a->head_dim;
	int64_t kv = h / (a->n_heads / a->n_kv_heads);
	double sum = 0.0;
	for (int64_t e = 0; e < d; e++)
		out[e] = 0.0;
	for (int64_t j = 0; j < len; j++) {
		const float *k = x + (first + j) * w + (a->n_heads + kv) * d;
		double p = exp(score(c, x + (first + i) * w + h * d, k, i, j));
		sum += p;
		for (int64_t e = 0; e < d; e++)
			out[e] += p * (double)k[a->n_kv_heads * d + e];
	}
	for (int64_t e = 0; e < d; e++)
		out[e] /= sum;
}

static void assert_naive(const struct shape *c, const float *x, const float *y)
{
	int64_t d = c->how.head_dim, heads = c->how.n_heads;
	double row[64];
	for (int64_t seq = 0; seq < c->n; seq++)
		for (int64_t t = c->start[seq]; t < c->start[seq + 1]; t++)
			for (int64_t h = 0; h < heads; h++) {
				naive_row(c, x, seq, t - c->start[seq], h, row);
				for (int64_t e = 0; e < d; e++)
					if (!(fabs(row[e] - (double)y[(t * heads + h) * d + e]) <
						    5e-6))
						fail_msg("%s: token %d head %d: %g, expected %g",
							c->name, (int)t, (int)h,
							(double)y[(t * heads + h) * d + e], row[e]);
			}
}

static void values_equal_the_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct shape c = shapes[i];
		c.how.dropout = 0.0;
		tn_scope *s = open_cpu(1);
		tensor x = input(s, &c), y = tn_attention(s, x, seqs_of(&c), &c.how);
		assert_no_failure(s);
		size_t n = (size_t)tn_numel(s, x), m = (size_t)tn_numel(s, y);
		float *in = xcalloc(n, sizeof *in), *out = xcalloc(m, sizeof *out);
		tn_read_f32(s, x, in, n);
		tn_read_f32(s, y, out, m);
		assert_naive(&c, in, out);
		free(in);
		free(out);
		tn_close(s);
	}
}

/* f64 takes the way of plain ATen ops: its gradients are checked against differences below. */
static void kernel_and_plain_ops_agree_in_values_and_gradients(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *c = &shapes[i];
		for (int threads = 1; threads <= 2; threads++) {
			tn_scope *s = open_cpu(threads);
			tensor x = input(s, c), fast = tn_param(s, x), slow = param_f64(s, x);
			tensor y = tn_attention(s, fast, seqs_of(c), &c->how);
			tensor z = tn_attention(s, slow, seqs_of(c), &c->how);
			assert_same_tensor(s, y, z, 5e-6);
			tn_backward(s, probe(s, y));
			tn_backward(s, probe(s, z));
			assert_same_tensor(s, tn_grad(s, fast), tn_grad(s, slow), 1e-5);
			assert_no_failure(s);
			tn_close(s);
		}
	}
}

static void bf16_is_the_f32_result_rounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *c = &shapes[i];
		tn_scope *s = open_cpu(1);
		tensor x = tn_cast(s, input(s, c), TN_BF16);
		tensor low = tn_param(s, x), high = tn_param(s, tn_cast(s, x, TN_F32));
		tensor y = tn_attention(s, low, seqs_of(c), &c->how);
		tensor z = tn_attention(s, high, seqs_of(c), &c->how);
		assert_int_equal(tn_dtype_of(s, y), TN_BF16);
		assert_same_tensor(s, y, tn_cast(s, z, TN_BF16), 4e-3);
		tn_backward(s, probe(s, y));
		tn_backward(s, probe(s, z));
		assert_same_tensor(s, tn_grad(s, low), tn_grad(s, high), 1e-2);
		assert_no_failure(s);
		tn_close(s);
	}
}

static double loss_at(
	tn_scope *s, const struct shape *c, tensor base, tensor direction, double step)
{
	tn_scope *in = tn_push_no_grad(s);
	tensor x = tn_add(in, base, tn_scale(in, direction, step));
	double loss = tn_item(in, probe(in, tn_attention(in, x, seqs_of(c), &c->how)));
	tn_pop(in);
	return loss;
}

/* f64 central differences along random directions. */
static void plain_gradients_equal_finite_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *c = &shapes[i];
		tn_scope *s = open_cpu(1);
		tensor x = param_f64(s, input(s, c));
		tn_backward(s, probe(s, tn_attention(s, x, seqs_of(c), &c->how)));
		tensor base = tn_detach(s, x), grad = tn_grad(s, x);
		for (uint64_t k = 0; k < 2; k++) {
			int64_t rows = tn_dim(s, x, 0), columns = tn_dim(s, x, 1);
			tensor dir =
				tn_cast(s, tn_normal(s, 1.0, 70 + k, SHAPE(rows, columns)), TN_F64);
			double want = tn_item(s, tn_sum(s, tn_mul(s, grad, dir)));
			double got =
				(loss_at(s, c, base, dir, 1e-5) - loss_at(s, c, base, dir, -1e-5)) /
				2e-5;
			if (!(fabs(want - got) < 1e-6 * (1.0 + fabs(want))))
				fail_msg("%s: %.12g, differences give %.12g", c->name, want, got);
		}
		assert_no_failure(s);
		tn_close(s);
	}
}

static void dropout_keeps_the_expected_share_and_the_seed_decides(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	int64_t start[] = {0, 64}, heads = 4;
	struct tn_seqs seqs = {start, 1};
	struct tn_attention how = {
		.n_heads = heads, .n_kv_heads = heads, .head_dim = 1, .dropout = 0.25};
	tensor x = tn_full(
		s, 1.0, SHAPE(64, 3 * heads)); /* equal scores, v = 1: y = kept share / 0.75 */
	tensor y = tn_attention(s, x, seqs, &how);
	double mean = tn_item(s, tn_mean(s, y));
	assert_true(fabs(mean - 1.0) < 0.02); /* 16384 draws: deviation 0.0045 */
	how.seed = 1;
	tensor other = tn_attention(s, x, seqs, &how);
	assert_true(difference(s, y, other) > 0.01);
	how.seed = 0;
	assert_true(difference(s, y, tn_attention(s, x, seqs, &how)) == 0.0);
	tn_close(s);
}

static void threads_and_repetition_do_not_change_a_bit(void **state)
{
	(void)state;
	const struct shape *c = &shapes[4];
	float *seen = NULL;
	size_t n = (size_t)(c->start[c->n] * width(c));
	for (int run = 0; run < 4; run++) {
		tn_scope *s = open_cpu(1 + run / 2);
		tensor x = tn_param(s, input(s, c));
		tn_backward(s, probe(s, tn_attention(s, x, seqs_of(c), &c->how)));
		float *grad = xcalloc(n, sizeof *grad);
		assert_true(tn_read_f32(s, tn_grad(s, x), grad, n));
		if (seen)
			assert_memory_equal(seen, grad, n * sizeof *grad);
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
	int64_t good[] = {0, 2, 4}, backwards[] = {0, 3, 2, 4}, short_of[] = {0, 3};
	struct tn_attention how = {.n_heads = 2, .n_kv_heads = 2, .head_dim = 3};
	tensor x = tn_zeros(s, TN_F32, SHAPE(4, 18));
	tn_attention(s, tn_zeros(s, TN_F32, SHAPE(4, 17)), (struct tn_seqs){good, 2}, &how);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	assert_non_null(strstr(tn_message(s), "[T,18]"));
	tn_clear(s);
	tn_attention(s, x, (struct tn_seqs){backwards, 3}, &how);
	assert_non_null(strstr(tn_message(s), "sequence 1 ends at 2 before its start 3"));
	tn_clear(s);
	tn_attention(s, x, (struct tn_seqs){short_of, 1}, &how);
	assert_non_null(strstr(tn_message(s), "end at 3 of 4"));
	tn_clear(s);
	how.n_kv_heads = 0;
	tn_attention(s, x, (struct tn_seqs){good, 2}, &how);
	assert_int_equal(tn_status(s), TN_BAD_SHAPE);
	tn_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_equal_the_formula),
		cmocka_unit_test(kernel_and_plain_ops_agree_in_values_and_gradients),
		cmocka_unit_test(bf16_is_the_f32_result_rounded),
		cmocka_unit_test(plain_gradients_equal_finite_differences),
		cmocka_unit_test(dropout_keeps_the_expected_share_and_the_seed_decides),
		cmocka_unit_test(threads_and_repetition_do_not_change_a_bit),
		cmocka_unit_test(wrong_shapes_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
