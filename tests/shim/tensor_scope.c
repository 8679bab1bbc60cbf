/* Lifetimes of tensor.h: scopes free what they own, stale names are reported, failures stick. */
#include "support.h"

#include <math.h>

#include "tensor.h"

static tn_scope *open_cpu(void)
{
	char why[256] = "";
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	if (!root)
		fail_msg("%s", why);
	return root;
}

static void popping_a_scope_frees_its_tensors(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tensor kept = tn_zeros(root, TN_F32, SHAPE(2, 3));
	tn_scope *s = tn_push(root);
	tensor sum = tn_add(s, kept, kept);
	assert_int_equal(tn_live(root), 2);
	assert_int_equal(tn_numel(s, sum), 6);
	tn_pop(s);
	assert_int_equal(tn_live(root), 1);
	assert_int_equal(tn_status(root), TN_OK);
	tn_close(root);
}

static void a_kept_tensor_survives_its_scope_under_the_same_name(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tn_scope *s = tn_push(root);
	tensor x = tn_full(s, 3.0, SHAPE(2));
	tensor y = tn_keep(root, x);
	assert_int_equal(tn_keep(root, x).slot, y.slot); /* twice is once */
	tn_pop(s);
	assert_true(tn_item(root, tn_sum(root, x)) == 6.0);
	assert_true(tn_item(root, tn_sum(root, y)) == 6.0);
	tn_drop(root, y);
	assert_int_equal(tn_live(root), 2); /* the two sums */
	tn_close(root);
}

static void a_stale_name_is_reported_even_when_its_slot_is_in_use_again(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tn_scope *s = tn_push(root);
	tensor old = tn_full(s, 1.0, SHAPE(1));
	tn_pop(s);
	tensor reused = tn_full(root, 2.0, SHAPE(1));
	assert_int_equal(old.slot, reused.slot);
	assert_int_equal(tn_exp(root, old).gen, 0);
	assert_int_equal(tn_status(root), TN_STALE);
	assert_non_null(strstr(tn_message(root), "tn_exp"));
	assert_non_null(strstr(tn_message(root), "freed"));
	tn_close(root);
}

static void after_a_failure_nothing_runs_until_it_is_cleared(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tensor a = tn_full(root, 1.0, SHAPE(2, 3));
	tensor b = tn_full(root, 1.0, SHAPE(4, 5));
	float out[6] = {7};
	assert_int_equal(tn_matmul(root, a, b).gen, 0);
	assert_int_equal(tn_status(root), TN_BAD_SHAPE);
	assert_string_equal(
		tn_message(root), "tn_matmul [2, 3] x [4, 5]: inner dims differ: 3 and 4");
	size_t live = tn_live(root);
	assert_int_equal(tn_add(root, a, a).gen, 0);
	assert_int_equal(tn_dim(root, a, 0), 0);
	assert_false(tn_read_f32(root, a, out, 6));
	assert_true(out[0] == 7.0F);
	assert_int_equal(tn_live(root), live);
	assert_non_null(strstr(tn_message(root), "tn_matmul")); /* the first failure stays */
	tn_clear(root);
	assert_string_equal(tn_message(root), "");
	assert_int_equal(tn_dim(root, a, -1), 3);
	tn_close(root);
}

static void popping_a_parent_before_its_child_is_reported_and_safe(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tn_scope *parent = tn_push(root);
	tn_scope *child = tn_push(parent);
	tn_full(child, 1.0, SHAPE(1));
	tn_pop(parent);
	assert_int_equal(tn_status(root), TN_STALE);
	tn_pop(child);
	assert_int_equal(tn_live(root), 0);
	tn_close(root);
}

static void dropping_what_a_scope_does_not_own_is_reported(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tn_scope *s = tn_push(root);
	tensor x = tn_full(root, 1.0, SHAPE(1));
	tn_drop(s, TN_NONE);
	assert_int_equal(tn_status(root), TN_OK);
	tn_drop(s, x);
	assert_int_equal(tn_status(root), TN_STALE);
	assert_int_equal(tn_live(root), 1);
	tn_pop(s);
	tn_close(root);
}

static void backward_works_after_the_inner_scopes_are_popped(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tensor w = tn_param(root, tn_full(root, 2.0, SHAPE(3)));
	tensor loss = TN_NONE;
	for (int i = 0; i < 3; i++) {
		tn_scope *s = tn_push(root);
		tensor y = tn_sum(s, tn_mul(s, w, w));
		loss = tn_keep(root, y);
		tn_pop(s);
		tn_backward(root, loss);
		tn_drop(root, loss);
		assert_int_equal(tn_live(root), 2);
	}
	float grad[3];
	tensor g = tn_grad(root, w);
	assert_true(tn_read_f32(root, g, grad, 3));
	assert_true(grad[0] == 12.0F && grad[2] == 12.0F); /* 3 times 2w */
	assert_true(fabs(tn_grad_norm(root, &w, 1) - 12.0 * sqrt(3.0)) < 1e-12);
	tn_zero_grad(root, &w, 1);
	assert_int_equal(tn_grad(root, w).gen, 0);
	assert_int_equal(tn_status(root), TN_OK);
	tn_close(root);
}

static void no_grad_scopes_and_their_children_record_nothing(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	tensor w = tn_param(root, tn_full(root, 2.0, SHAPE(3)));
	tn_scope *quiet = tn_push_no_grad(root);
	tn_scope *inner = tn_push(quiet);
	tn_backward(inner, tn_sum(inner, w));
	assert_int_equal(tn_status(root), TN_TORCH);
	tn_clear(root);
	tn_pop(inner);
	tn_pop(quiet);
	tn_close(root);
}

static void opening_an_unknown_or_absent_device_says_why(void **state)
{
	(void)state;
	char why[256] = "";
	assert_null(tn_open("tpu", 1, why, sizeof why));
	assert_non_null(strstr(why, "tpu"));
	assert_null(tn_open("cuda:x", 1, why, sizeof why));
	assert_non_null(strstr(why, "cuda:N"));
	if (!tn_cuda_present()) {
		assert_null(tn_open("cuda:0", 1, why, sizeof why));
		assert_true(strlen(why) > 20);
	}
	assert_null(tn_open("tpu", 1, NULL, 0));
}

static void a_context_describes_itself_and_its_memory(void **state)
{
	(void)state;
	tn_scope *root = open_cpu();
	assert_non_null(strstr(tn_describe(root), "1 thread"));
	struct tn_memory m = tn_memory(root);
	assert_true(m.used > 0 && m.peak >= m.used && m.total > m.peak);
	tn_close(root);
}

static void ops_without_a_scope_do_nothing(void **state)
{
	(void)state;
	assert_int_equal(tn_full(NULL, 1.0, SHAPE(1)).gen, 0);
	assert_null(tn_push(NULL));
	tn_pop(NULL);
	tn_close(NULL);
	tn_pack_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(popping_a_scope_frees_its_tensors),
		cmocka_unit_test(a_kept_tensor_survives_its_scope_under_the_same_name),
		cmocka_unit_test(a_stale_name_is_reported_even_when_its_slot_is_in_use_again),
		cmocka_unit_test(after_a_failure_nothing_runs_until_it_is_cleared),
		cmocka_unit_test(popping_a_parent_before_its_child_is_reported_and_safe),
		cmocka_unit_test(dropping_what_a_scope_does_not_own_is_reported),
		cmocka_unit_test(backward_works_after_the_inner_scopes_are_popped),
		cmocka_unit_test(no_grad_scopes_and_their_children_record_nothing),
		cmocka_unit_test(opening_an_unknown_or_absent_device_says_why),
		cmocka_unit_test(a_context_describes_itself_and_its_memory),
		cmocka_unit_test(ops_without_a_scope_do_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
