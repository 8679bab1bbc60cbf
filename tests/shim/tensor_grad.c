/* The gradient of every differentiable op of tensor.h in f64, along random directions, against
 * central differences. */
#include "tensor_check.h"

struct inputs {
	tensor x; /* [4,6] */
	tensor y; /* [4,6], positive */
	tensor v; /* [6] */
};
typedef tensor (*function)(tn_scope *s, struct inputs in);

static const int64_t starts[] = {0, 3, 3, 4};
static const struct tn_seqs seqs = {starts, 3};

static tensor f_add(tn_scope *s, struct inputs in)
{
	return tn_add(s, in.x, in.v);
}
static tensor f_sub(tn_scope *s, struct inputs in)
{
	return tn_sub(s, in.v, in.x);
}
static tensor f_mul(tn_scope *s, struct inputs in)
{
	return tn_mul(s, in.x, in.v);
}
static tensor f_div(tn_scope *s, struct inputs in)
{
	return tn_div(s, in.x, in.y);
}
static tensor f_scale(tn_scope *s, struct inputs in)
{
	return tn_scale(s, in.x, -1.7);
}
static tensor f_shift(tn_scope *s, struct inputs in)
{
	return tn_shift(s, in.x, 3.0);
}
static tensor f_exp(tn_scope *s, struct inputs in)
{
	return tn_exp(s, in.x);
}
static tensor f_log(tn_scope *s, struct inputs in)
{
	return tn_log(s, in.y);
}
static tensor f_sqrt(tn_scope *s, struct inputs in)
{
	return tn_sqrt(s, in.y);
}
static tensor f_tanh(tn_scope *s, struct inputs in)
{
	return tn_tanh(s, in.x);
}
static tensor f_relu(tn_scope *s, struct inputs in)
{
	return tn_relu(s, in.x);
}
static tensor f_silu(tn_scope *s, struct inputs in)
{
	return tn_silu(s, in.x);
}
static tensor f_sigmoid(tn_scope *s, struct inputs in)
{
	return tn_sigmoid(s, in.x);
}
static tensor f_gelu(tn_scope *s, struct inputs in)
{
	return tn_gelu(s, in.x, false);
}
static tensor f_gelu_tanh(tn_scope *s, struct inputs in)
{
	return tn_gelu(s, in.x, true);
}
static tensor f_bias_gelu(tn_scope *s, struct inputs in)
{
	return tn_bias_gelu(s, in.x, in.v, false);
}
static tensor f_cast(tn_scope *s, struct inputs in)
{
	return tn_cast(s, tn_mul(s, in.x, in.x), TN_F64);
}
static tensor f_softmax(tn_scope *s, struct inputs in)
{
	return tn_softmax(s, in.x);
}
static tensor f_log_softmax(tn_scope *s, struct inputs in)
{
	return tn_log_softmax(s, in.x);
}
static tensor f_normalize(tn_scope *s, struct inputs in)
{
	return tn_normalize(s, in.x);
}
static tensor f_sum(tn_scope *s, struct inputs in)
{
	return tn_sum(s, tn_mul(s, in.x, in.y));
}
static tensor f_mean(tn_scope *s, struct inputs in)
{
	return tn_mean(s, tn_mul(s, in.x, in.y));
}
static tensor f_sum_axis(tn_scope *s, struct inputs in)
{
	return tn_sum_axis(s, in.x, 0, false);
}
static tensor f_mean_axis(tn_scope *s, struct inputs in)
{
	return tn_mean_axis(s, in.x, 1, true);
}
static tensor f_max_axis(tn_scope *s, struct inputs in)
{
	return tn_max_axis(s, in.x, 1);
}
static tensor f_norm_axis(tn_scope *s, struct inputs in)
{
	return tn_norm_axis(s, in.x, 1, false);
}
static tensor f_topk(tn_scope *s, struct inputs in)
{
	return tn_topk(s, in.x, 3, NULL);
}
static tensor f_view(tn_scope *s, struct inputs in)
{
	return tn_view(s, in.x, SHAPE(3, -1));
}
static tensor f_transpose(tn_scope *s, struct inputs in)
{
	return tn_transpose(s, in.x, 0, 1);
}
static tensor f_narrow(tn_scope *s, struct inputs in)
{
	return tn_narrow(s, in.x, 1, 2, 3);
}
static tensor f_layer_norm(tn_scope *s, struct inputs in)
{
	return tn_layer_norm(s, in.x, in.v, in.v, 1e-5);
}
static tensor f_rms_norm(tn_scope *s, struct inputs in)
{
	return tn_rms_norm(s, in.x, in.v, 1e-5, 1.0);
}
static tensor f_dropout(tn_scope *s, struct inputs in)
{
	return tn_dropout(s, in.x, 0.4, 3);
}
static tensor f_linear(tn_scope *s, struct inputs in)
{
	return tn_linear(s, in.x, in.y, TN_NONE);
}
static tensor f_linear_bias(tn_scope *s, struct inputs in)
{
	return tn_linear(s, tn_transpose(s, in.x, 0, 1), tn_transpose(s, in.y, 0, 1), in.v);
}
static tensor f_matmul(tn_scope *s, struct inputs in)
{
	return tn_matmul(s, in.x, tn_transpose(s, in.y, 0, 1));
}
static tensor f_where(tn_scope *s, struct inputs in)
{
	static const uint8_t mask[6] = {1, 0, 0, 1, 0, 1};
	return tn_where(s, tn_borrow(s, mask, TN_U8, SHAPE(6)), in.x, in.y);
}
static tensor f_contiguous(tn_scope *s, struct inputs in)
{
	return tn_contiguous(s, tn_transpose(s, in.x, 0, 1));
}
static tensor f_cat(tn_scope *s, struct inputs in)
{
	return tn_cat(s, (tensor[]){in.x, in.y, in.x}, 3, 0);
}
static tensor f_stack(tn_scope *s, struct inputs in)
{
	return tn_stack(s, (tensor[]){in.x, in.y}, 2, 1);
}
static tensor f_index_select(tn_scope *s, struct inputs in)
{
	return tn_index_select(s, in.x, 0, (int64_t[]){3, 0, 3}, 3);
}
static tensor f_gather(tn_scope *s, struct inputs in)
{
	return tn_gather(s, in.x, 1, tn_from_i64(s, (int64_t[]){5, 0, 0, 2}, SHAPE(4, 1)));
}
static tensor f_cross_entropy(tn_scope *s, struct inputs in)
{
	return tn_cross_entropy(s, in.x, (int64_t[]){5, 0, 2, 2}, 4);
}
static tensor f_embedding(tn_scope *s, struct inputs in)
{
	return tn_embedding(s, in.x, (int64_t[]){2, 0, 2, 1}, 4);
}
static tensor f_add_layer_norm(tn_scope *s, struct inputs in)
{
	return tn_add_layer_norm(s, in.x, in.v, in.y, in.v, in.v, 1e-5, 0.3, 5);
}
static tensor f_mean_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_MEAN);
}
static tensor f_cls_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_CLS);
}
static tensor f_last_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_LAST);
}
static tensor f_max_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_MAX);
}
static tensor f_sqrt_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_MEAN_SQRT);
}
static tensor f_weighted_pool(tn_scope *s, struct inputs in)
{
	return tn_pool(s, in.x, seqs, TN_POOL_WEIGHTED);
}
static tensor f_glu(tn_scope *s, struct inputs in)
{
	return tn_glu(s, in.x, TN_ACT_SILU, false);
}
static tensor f_glu_last(tn_scope *s, struct inputs in)
{
	return tn_glu(s, in.x, TN_ACT_GELU, true);
}
static tensor rotary(tn_scope *s, struct inputs in, tensor q_norm, tensor k_norm)
{
	static const int64_t rows[] = {0, 2, 1, 2};
	struct tn_attention how = {.n_heads = 1, .n_kv_heads = 1, .head_dim = 2};
	tensor angle = tn_uniform(s, 0.0, 3.0, 8, SHAPE(3, 1));
	struct tn_rotary r = {
		angle, tn_exp(s, tn_scale(s, angle, -1.0)), rows, q_norm, k_norm, 1e-5, 1.0};
	return tn_rotary(s, in.x, &how, &r);
}
static tensor f_rotary(tn_scope *s, struct inputs in)
{
	return rotary(s, in, TN_NONE, TN_NONE);
}
static tensor f_rotary_norms(tn_scope *s, struct inputs in)
{
	return rotary(s, in, tn_narrow(s, in.v, 0, 0, 2), tn_narrow(s, in.v, 0, 3, 2));
}

#define OP(name)                                                                                   \
	{                                                                                          \
#name, f_##name                                                                    \
	}
static const struct {
	const char *name;
	function call;
} ops[] = {OP(add), OP(sub), OP(mul), OP(div), OP(scale), OP(shift), OP(exp), OP(log), OP(sqrt),
	OP(tanh), OP(relu), OP(silu), OP(sigmoid), OP(gelu), OP(gelu_tanh), OP(bias_gelu), OP(cast),
	OP(softmax), OP(log_softmax), OP(normalize), OP(sum), OP(mean), OP(sum_axis), OP(mean_axis),
	OP(max_axis), OP(norm_axis), OP(topk), OP(view), OP(transpose), OP(narrow), OP(layer_norm),
	OP(rms_norm), OP(dropout), OP(linear), OP(linear_bias), OP(matmul), OP(where),
	OP(contiguous), OP(cat), OP(stack), OP(index_select), OP(gather), OP(cross_entropy),
	OP(embedding), OP(add_layer_norm), OP(mean_pool), OP(cls_pool), OP(last_pool), OP(max_pool),
	OP(sqrt_pool), OP(weighted_pool), OP(glu), OP(glu_last), OP(rotary), OP(rotary_norms)};

static struct inputs start(tn_scope *s)
{
	return (struct inputs){param_f64(s, tn_normal(s, 1.0, 1, SHAPE(4, 6))),
		param_f64(s, tn_uniform(s, 0.5, 2.0, 2, SHAPE(4, 6))),
		param_f64(s, tn_normal(s, 1.0, 3, SHAPE(6)))};
}

static struct inputs directions(tn_scope *s)
{
	return (struct inputs){tn_cast(s, tn_normal(s, 1.0, 11, SHAPE(4, 6)), TN_F64),
		tn_cast(s, tn_normal(s, 1.0, 12, SHAPE(4, 6)), TN_F64),
		tn_cast(s, tn_normal(s, 1.0, 13, SHAPE(6)), TN_F64)};
}

static tensor moved(tn_scope *s, tensor x, tensor direction, double step)
{
	return tn_add(s, x, tn_scale(s, direction, step));
}

static double loss_at(tn_scope *s, function f, struct inputs x, struct inputs d, double step)
{
	tn_scope *in = tn_push_no_grad(s);
	struct inputs at = {
		moved(in, x.x, d.x, step), moved(in, x.y, d.y, step), moved(in, x.v, d.v, step)};
	double loss = tn_item(in, probe(in, f(in, at)));
	tn_pop(in);
	return loss;
}

static double slope_of(tn_scope *s, tensor param, tensor direction)
{
	tensor grad = tn_grad(s, param);
	return grad.gen == 0 ? 0.0 : tn_item(s, tn_sum(s, tn_mul(s, grad, direction)));
}

static void gradients_equal_finite_differences(void **state)
{
	(void)state;
	const double h = 1e-6;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		tn_scope *s = open_cpu(1);
		struct inputs x = start(s), d = directions(s);
		tn_backward(s, probe(s, ops[i].call(s, x)));
		double want = slope_of(s, x.x, d.x) + slope_of(s, x.y, d.y) + slope_of(s, x.v, d.v);
		double got =
			(loss_at(s, ops[i].call, x, d, h) - loss_at(s, ops[i].call, x, d, -h)) /
			(2 * h);
		if (tn_status(s) != TN_OK)
			fail_msg("%s: %s", ops[i].name, tn_message(s));
		if (!(fabs(want - got) < 1e-6 * (1.0 + fabs(want))) || want == 0.0)
			fail_msg("%s: gradient gives %.12g, differences %.12g", ops[i].name, want,
				got);
		tn_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_equal_finite_differences)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
