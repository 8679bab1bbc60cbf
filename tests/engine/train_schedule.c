#include "support.h"

#include <math.h>

#include "train/schedule.h"

static void assert_near(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance))
		fail_msg("%.17g is not %.17g", a, b);
}

/* Rates of transformers' get_*_schedule_with_warmup(AdamW(lr=1.0), 3, 10) before each step. */
static const double linear[] = {
	0.0, 1.0 / 3, 2.0 / 3, 1.0, 6.0 / 7, 5.0 / 7, 4.0 / 7, 3.0 / 7, 2.0 / 7, 1.0 / 7, 0.0};
static const double cosine[] = {0.0, 0.3333333333333333, 0.6666666666666666, 1.0,
	0.9504844339512095, 0.8117449009293668, 0.6112604669781572, 0.38873953302184283,
	0.1882550990706332, 0.04951556604879043, 0.0};

static void check(enum schedule_kind kind, const double *want, size_t n)
{
	const struct schedule s = {.kind = kind, .lr = 2e-5, .warmup = 3, .total = 10};
	for (size_t i = 0; i < n; i++)
		assert_near(schedule_lr(&s, (int64_t)i) * 5e4, want[i], 1e-6);
}

static void linear_rises_from_nothing_and_falls_to_nothing(void **state)
{
	(void)state;
	check(SCHEDULE_LINEAR, linear, ARRAY_LEN(linear));
}

static void cosine_follows_half_a_wave(void **state)
{
	(void)state;
	check(SCHEDULE_COSINE, cosine, ARRAY_LEN(cosine));
}

static void constant_stays_after_its_warm_up(void **state)
{
	(void)state;
	const double want[] = {0.0, 1.0 / 3, 2.0 / 3, 1.0, 1.0, 1.0};
	check(SCHEDULE_CONSTANT, want, ARRAY_LEN(want));
}

static void without_warm_up_the_first_step_has_the_full_rate(void **state)
{
	(void)state;
	const struct schedule s = {.kind = SCHEDULE_LINEAR, .lr = 1.0, .warmup = 0, .total = 4};
	assert_near(schedule_lr(&s, 0), 1.0, 0.0);
	assert_near(schedule_lr(&s, 3), 0.25, 1e-12);
	assert_near(schedule_lr(&s, 5), 0.0, 0.0);
}

static void a_run_that_is_all_warm_up_divides_by_nothing(void **state)
{
	(void)state;
	const struct schedule s = {.kind = SCHEDULE_LINEAR, .lr = 1.0, .warmup = 4, .total = 4};
	assert_near(schedule_lr(&s, 3), 0.75, 1e-12);
	assert_near(schedule_lr(&s, 4), 0.0, 0.0);
}

static void a_ratio_rounds_up(void **state)
{
	(void)state;
	assert_int_equal(schedule_warmup(0.1, 197), 20);
	assert_int_equal(schedule_warmup(0.1, 10), 1);
	assert_int_equal(schedule_warmup(0.0, 10), 0);
}

static void names_are_known_or_refused(void **state)
{
	(void)state;
	enum schedule_kind kind = SCHEDULE_LINEAR;
	assert_true(schedule_parse("cosine", &kind));
	assert_int_equal(kind, SCHEDULE_COSINE);
	assert_false(schedule_parse("cosin", &kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_rises_from_nothing_and_falls_to_nothing),
		cmocka_unit_test(cosine_follows_half_a_wave),
		cmocka_unit_test(constant_stays_after_its_warm_up),
		cmocka_unit_test(without_warm_up_the_first_step_has_the_full_rate),
		cmocka_unit_test(a_run_that_is_all_warm_up_divides_by_nothing),
		cmocka_unit_test(a_ratio_rounds_up),
		cmocka_unit_test(names_are_known_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
