/* Values of the plain ops of tensor.h on small numbers worked out by hand, and the refusals that
 * name a shape. */
#include "tensor_check.h"

#define assert_values(s, t, ...)                                                                   \
	do {                                                                                       \
		const float want_[] = {__VA_ARGS__};                                               \
		float got_[sizeof want_ / sizeof *want_];                                          \
		if (!tn_read_f32(s, t, got_, sizeof want_ / sizeof *want_))                        \
			fail_msg("%s: %s", #t, tn_message(s));                                     \
		assert_close(got_, want_, sizeof want_ / sizeof *want_, 2e-6);                     \
	} while (0)

#define assert_refused(s, call, text)                                                              \
	do {                                                                                       \
		(void)(call);                                                                      \
		assert_int_equal(tn_status(s), TN_BAD_SHAPE);                                      \
		if (!strstr(tn_message(s), text))                                                  \
			fail_msg("'%s' does not say '%s'", tn_message(s), text);                   \
		assert_null(strchr(tn_message(s), '\n'));                                          \
		tn_clear(s);                                                                       \
	} while (0)

static const float six[] = {1, 2, 3, 4, 5, 6};

static void arithmetic_broadcasts(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor a = tn_from_f32(s, six, SHAPE(2, 3)), b = tn_from_f32(s, six, SHAPE(3));
	assert_values(s, tn_add(s, a, b), 2, 4, 6, 5, 7, 9);
	assert_values(s, tn_sub(s, a, b), 0, 0, 0, 3, 3, 3);
	assert_values(s, tn_mul(s, a, b), 1, 4, 9, 4, 10, 18);
	assert_values(s, tn_div(s, a, b), 1, 1, 1, 4, 2.5F, 2);
	assert_values(s, tn_scale(s, b, -2.0), -2, -4, -6);
	assert_values(s, tn_shift(s, b, 0.5), 1.5F, 2.5F, 3.5F);
	assert_refused(s, tn_add(s, a, tn_full(s, 1.0, SHAPE(2))), "tn_add [2, 3] x [2]");
	tn_close(s);
}

static void functions_give_known_values(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const float x[] = {-1, 0, 4};
	tensor a = tn_from_f32(s, x, SHAPE(3)), p = tn_from_f32(s, six, SHAPE(3));
	assert_values(s, tn_exp(s, a), 0.36787944F, 1, 54.59815F);
	assert_values(s, tn_log(s, p), 0, 0.69314718F, 1.09861229F);
	assert_values(s, tn_sqrt(s, p), 1, 1.41421356F, 1.73205081F);
	assert_values(s, tn_tanh(s, a), -0.76159416F, 0, 0.99932930F);
	assert_values(s, tn_relu(s, a), 0, 0, 4);
	assert_values(s, tn_sigmoid(s, a), 0.26894142F, 0.5F, 0.98201379F);
	assert_values(s, tn_silu(s, a), -0.26894142F, 0, 3.92805516F);
	assert_values(s, tn_gelu(s, a, false), -0.15865525F, 0, 3.99987331F);
	assert_values(s, tn_gelu(s, a, true), -0.15880801F, 0, 3.99992977F);
	assert_values(s, tn_gelu(s, tn_scale(s, a, 0.25), false), -0.10032343F, 0, 0.84134475F);
	tn_close(s);
}

static void where_picks_by_a_byte_mask(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const uint8_t mask[] = {1, 0, 7};
	tensor m = tn_borrow(s, mask, TN_U8, SHAPE(3)), a = tn_from_f32(s, six, SHAPE(3));
	assert_values(s, tn_where(s, m, a, tn_scale(s, a, -1.0)), 1, -2, 3);
	tn_close(s);
}

static void products_and_linears(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor a = tn_from_f32(s, six, SHAPE(2, 3)), b = tn_from_f32(s, six, SHAPE(3, 2));
	assert_values(s, tn_matmul(s, a, b), 22, 28, 49, 64);
	assert_values(s, tn_linear(s, a, a, TN_NONE), 14, 32, 32, 77);
	assert_values(s, tn_linear(s, a, a, tn_from_f32(s, six, SHAPE(2))), 15, 34, 33, 79);
	assert_refused(s, tn_linear(s, a, b, TN_NONE), "does not fit weight [3, 2]");
	assert_refused(s, tn_linear(s, a, a, tn_full(s, 0.0, SHAPE(3))), "bias of 3 for 2 outputs");
	tn_close(s);
}

static void shapes_change_as_asked(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor a = tn_from_f32(s, six, SHAPE(2, 3));
	assert_int_equal(tn_ndim(s, a), 2);
	assert_int_equal(tn_dim(s, a, -1), 3);
	tensor v = tn_view(s, a, SHAPE(-1, 2)), t = tn_transpose(s, a, 0, -1);
	assert_int_equal(tn_dim(s, v, 0), 3);
	assert_values(s, t, 1, 4, 2, 5, 3, 6);
	assert_values(s, tn_contiguous(s, t), 1, 4, 2, 5, 3, 6);
	assert_values(s, tn_view(s, t, SHAPE(6)), 1, 4, 2, 5, 3, 6);
	assert_values(s, tn_narrow(s, a, 1, 1, 2), 2, 3, 5, 6);
	const tensor two[] = {a, tn_narrow(s, a, 0, 0, 1)};
	assert_values(s, tn_cat(s, two, 2, 0), 1, 2, 3, 4, 5, 6, 1, 2, 3);
	const tensor same[] = {tn_narrow(s, a, 0, 1, 1), two[1]};
	tensor stacked = tn_stack(s, same, 2, -1);
	assert_int_equal(tn_dim(s, stacked, 2), 2);
	assert_values(s, stacked, 4, 1, 5, 2, 6, 3);
	const int64_t rows[] = {1, 0, 1};
	assert_values(s, tn_index_select(s, a, 0, rows, 3), 4, 5, 6, 1, 2, 3, 4, 5, 6);
	const int64_t columns[] = {2, 0};
	assert_values(s, tn_gather(s, a, 1, tn_from_i64(s, columns, SHAPE(2, 1))), 3, 4);
	tn_close(s);
}

static void impossible_shapes_are_refused(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor a = tn_from_f32(s, six, SHAPE(2, 3));
	const int64_t bad = 2;
	assert_refused(s, tn_view(s, a, SHAPE(4, -1)), "cannot be seen as [4, -1]");
	assert_refused(s, tn_transpose(s, a, 0, 2), "axis 2 of a tensor of 2 axes");
	assert_refused(s, tn_narrow(s, a, 1, 2, 2), "[2, 2 + 2) of an axis of 3");
	assert_refused(s, tn_index_select(s, a, 0, &bad, 1), "index 2 at place 0");
	assert_refused(s, tn_zeros(s, TN_F32, SHAPE(-3)), "negative dim");
	assert_refused(s, tn_cat(s, &a, 0, 0), "no parts");
	assert_refused(s, tn_topk(s, a, 4, NULL), "the 4 largest of 3");
	assert_refused(s, tn_param(s, tn_from_i64(s, &bad, SHAPE(1))), "cannot have a gradient");
	assert_refused(s, tn_cross_entropy(s, a, &bad, 1), "1 targets");
	tn_close(s);
}

static void reductions(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor a = tn_from_f32(s, six, SHAPE(2, 3)), ids;
	assert_true(tn_item(s, tn_sum(s, a)) == 21.0);
	assert_true(tn_item(s, tn_mean(s, a)) == 3.5);
	assert_values(s, tn_sum_axis(s, a, 0, false), 5, 7, 9);
	assert_values(s, tn_mean_axis(s, a, -1, true), 2, 5);
	assert_values(s, tn_max_axis(s, a, 1), 3, 6);
	assert_values(s, tn_norm_axis(s, a, 1, false), 3.74165739F, 8.77496439F);
	assert_values(s, tn_topk(s, a, 2, &ids), 3, 2, 6, 5);
	int64_t got[4];
	assert_true(tn_read_i64(s, ids, got, 4));
	assert_memory_equal(got, ((int64_t[]){2, 1, 2, 1}), sizeof got);
	assert_int_equal(tn_ndim(s, tn_sum_axis(s, a, 0, true)), 2);
	tn_close(s);
}

static void softmax_and_its_kin(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const float x[] = {0, 0.69314718F, 3, 4};
	tensor a = tn_from_f32(s, x, SHAPE(2, 2));
	const int64_t target[] = {1, 0};
	assert_values(s, tn_softmax(s, a), 1.0F / 3, 2.0F / 3, 0.26894142F, 0.73105858F);
	assert_values(
		s, tn_log_softmax(s, a), -1.09861229F, -0.40546511F, -1.31326169F, -0.31326169F);
	assert_values(s, tn_normalize(s, tn_narrow(s, a, 0, 1, 1)), 0.6F, 0.8F);
	assert_values(s, tn_normalize(s, tn_full(s, 0.0, SHAPE(2))), 0, 0);
	assert_values(s, tn_cross_entropy(s, a, target, 2), (0.40546511F + 1.31326169F) / 2);
	tensor low = tn_softmax(s, tn_cast(s, a, TN_BF16));
	assert_int_equal(tn_dtype_of(s, low), TN_BF16);
	tn_close(s);
}

static void rms_norm_divides_by_the_root_mean_square(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const float x[] = {3, 4}, w[] = {1, 10};
	const float r = (float)sqrt(12.5);
	assert_values(s,
		tn_rms_norm(
			s, tn_from_f32(s, x, SHAPE(1, 2)), tn_from_f32(s, w, SHAPE(2)), 0.0, 0.0),
		3 / r, 40 / r);
	tn_close(s);
}

static void data_survive_the_way_in_and_out(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	const int64_t ints[] = {-1, INT64_C(1) << 40};
	int64_t back[2];
	assert_true(tn_read_i64(s, tn_from_i64(s, ints, SHAPE(2)), back, 2));
	assert_memory_equal(back, ints, sizeof ints);
	assert_refused(s, tn_read_i64(s, tn_full(s, 1.5, SHAPE(1)), back, 1), "no integers");
	assert_refused(
		s, tn_read_f32(s, tn_full(s, 1.5, SHAPE(1)), (float[2]){0}, 2), "holds 1 elements");
	assert_true(isnan(tn_item(s, tn_full(s, 1.0, SHAPE(2)))));
	tn_clear(s);
	/* borrowed memory: the same bytes; a misaligned start is copied */
	unsigned char bytes[4 * sizeof(float) + 1];
	memcpy(bytes + 1, six, 4 * sizeof(float));
	assert_values(s, tn_borrow(s, bytes + 1, TN_F32, SHAPE(2, 2)), 1, 2, 3, 4);
	float own[] = {1, 2};
	tensor view = tn_borrow(s, own, TN_F32, SHAPE(2)), copy = tn_copy(s, view);
	own[0] = 5;
	assert_values(s, view, 5, 2);
	assert_values(s, copy, 1, 2);
	const uint16_t half[] = {0x3f80, 0xc000}; /* bf16 1, -2 */
	tensor low = tn_borrow(s, half, TN_BF16, SHAPE(2));
	uint16_t raw[2];
	assert_values(s, low, 1, -2);
	assert_true(tn_read_raw(s, low, raw, sizeof raw));
	assert_memory_equal(raw, half, sizeof raw);
	assert_int_equal(tn_dtype_of(s, tn_cast(s, low, TN_F16)), TN_F16);
	assert_int_equal(tn_numel(s, tn_zeros(s, TN_I32, SHAPE(0, 3))), 0);
	assert_no_failure(s);
	tn_close(s);
}

static void random_numbers_follow_their_seed_and_distribution(void **state)
{
	(void)state;
	tn_scope *s = open_cpu(1);
	tensor u = tn_uniform(s, -1.0, 3.0, 7, SHAPE(20000)),
	       n = tn_normal(s, 2.0, 7, SHAPE(20000));
	assert_true(fabs(tn_item(s, tn_mean(s, u)) - 1.0) < 0.04);
	assert_true(tn_item(s, tn_max_axis(s, u, 0)) < 3.0);
	assert_true(tn_item(s, tn_max_axis(s, tn_scale(s, u, -1.0), 0)) <= 1.0);
	assert_true(fabs(tn_item(s, tn_mean(s, n))) < 0.06);
	assert_true(fabs(tn_item(s, tn_mean(s, tn_mul(s, n, n))) - 4.0) < 0.2);
	assert_true(difference(s, u, tn_uniform(s, -1.0, 3.0, 7, SHAPE(20000))) == 0.0);
	assert_true(difference(s, u, tn_uniform(s, -1.0, 3.0, 8, SHAPE(20000))) > 0.1);
	assert_no_failure(s);
	tn_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_broadcasts),
		cmocka_unit_test(functions_give_known_values),
		cmocka_unit_test(where_picks_by_a_byte_mask),
		cmocka_unit_test(products_and_linears),
		cmocka_unit_test(shapes_change_as_asked),
		cmocka_unit_test(impossible_shapes_are_refused),
		cmocka_unit_test(reductions),
		cmocka_unit_test(softmax_and_its_kin),
		cmocka_unit_test(rms_norm_divides_by_the_root_mean_square),
		cmocka_unit_test(data_survive_the_way_in_and_out),
		cmocka_unit_test(random_numbers_follow_their_seed_and_distribution),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
