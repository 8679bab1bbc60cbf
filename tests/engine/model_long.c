/* Long texts: memory grows with the length, never with its square. One row of heads times length
 * squared would be gigabytes here. */
#include "support.h"

#include <sys/resource.h>

#include "base/rng.h"
#include "model/model.h"
#include "tensor.h"

#define VOCAB 48

/* Most memory that this process ever had, in MB. */
static double peak(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_maxrss / 1024.0;
}

/* One forward of a text of n tokens, and a backward when it trains; how much the peak grew, in MB. */
static double growth(const char *dir, int64_t n, bool trains, const char *attention)
{
	struct err err = ERR_INIT;
	char why[200];
	struct rng rng = rng_new(3, 0);
	struct model_options opt = {.use = trains ? MODEL_TRAIN : MODEL_ENCODE,
		.dtype = MODEL_F32,
		.attention = attention};
	tn_scope *root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(root);
	struct model *m = model_open(test_file(dir), root, &opt, &err);
	assert_ok(m != NULL, &err);
	int32_t *ids = xcalloc((size_t)n, sizeof *ids);
	for (int64_t i = 0; i < n; i++)
		ids[i] = 4 + (int32_t)rng_below(&rng, VOCAB - 4);
	int64_t start[] = {0, n};
	struct token_batch b = {.ids = ids, .seqs = {start, 1}};
	struct forward how = {.train = trains};
	double before = peak();
	tn_scope *s = trains ? tn_push(root) : tn_push_no_grad(root);
	tensor y = model_embed(m, s, &b, &how);
	if (trains)
		tn_backward(s, tn_sum(s, y));
	double first = 0.0;
	int64_t width = tn_dim(s, y, 1);
	float *v = xcalloc((size_t)width, sizeof *v);
	assert_true(tn_read_f32(s, y, v, (size_t)width));
	for (int64_t i = 0; i < width; i++)
		first += (double)v[i];
	assert_true(first == first);
	tn_pop(s);
	double grown = peak() - before;
	print_message("%s: %lld tokens%s: %.0f MB\n", dir, (long long)n,
		trains ? ", forward and backward" : "", grown);
	free(v);
	free(ids);
	model_close(m);
	tn_close(root);
	return grown;
}

/* Scores of 3 or 4 heads over 8,192 x 8,192 tokens would take 800 MB and more. */
static void training_on_8192_tokens_keeps_no_square(void **state)
{
	(void)state;
	assert_true(growth("tests/fixtures/decoders/mistral-1", 8192, true, NULL) < 200.0);
	assert_true(growth("tests/fixtures/decoders/gemma2-1", 8192, true, NULL) < 200.0);
	assert_true(growth("tests/fixtures/decoders/modernbert-1", 8192, true, NULL) < 200.0);
}

/* Scores of 2 heads over 32,768 x 32,768 tokens would take 8 GB. */
static void a_text_of_32768_tokens_keeps_no_square(void **state)
{
	(void)state;
	assert_true(
		growth("tests/fixtures/decoders/gemma3_text-3", 32768, false, "causal") < 200.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(training_on_8192_tokens_keeps_no_square),
		cmocka_unit_test(a_text_of_32768_tokens_keeps_no_square),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
