/* Every post-norm encoder against transformers' eager attention, in float32, float16 and bfloat16
 * files of both formats (tests/parity/make_encoder_gold.py). */
#include "support.h"

#include "model/relative.h"
#include "model_case.h"

static void check_family(const char *family)
{
	for (int i = 1; i <= 3; i++) {
		char dir[200];
		snprintf(dir, sizeof dir, "tests/fixtures/encoders/%s-%d", family, i);
		check_model_case(dir);
	}
}

static void bert_equals_transformers(void **state)
{
	(void)state;
	check_family("bert");
}

static void roberta_equals_transformers(void **state)
{
	(void)state;
	check_family("roberta");
}

static void xlm_roberta_equals_transformers(void **state)
{
	(void)state;
	check_family("xlm-roberta");
}

static void electra_equals_transformers(void **state)
{
	(void)state;
	check_family("electra");
}

static void mpnet_equals_transformers(void **state)
{
	(void)state;
	check_family("mpnet");
}

static void distilbert_equals_transformers(void **state)
{
	(void)state;
	check_family("distilbert");
}

/* The first distance of each bucket behind the exact ones, as transformers' tensors give them. */
static void buckets_change_where_transformers_changes_them(void **state)
{
	(void)state;
	static const int64_t edges[] = {8, 12, 16, 23, 32, 46, 64, 91};
	for (int64_t distance = 0; distance <= 600; distance++) {
		int64_t want = distance;
		for (size_t i = 0; i < ARRAY_LEN(edges); i++)
			if (distance >= edges[i])
				want = 8 + (int64_t)i;
		assert_int_equal(relative_bucket(-distance), want);
		assert_int_equal(relative_bucket(distance), distance ? want + 16 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bert_equals_transformers),
		cmocka_unit_test(roberta_equals_transformers),
		cmocka_unit_test(xlm_roberta_equals_transformers),
		cmocka_unit_test(electra_equals_transformers),
		cmocka_unit_test(mpnet_equals_transformers),
		cmocka_unit_test(distilbert_equals_transformers),
		cmocka_unit_test(buckets_change_where_transformers_changes_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
