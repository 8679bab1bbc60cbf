/* tensor_check.h - for the tests of tensor.h: a context, reproducible numbers, gradients twice. */
#ifndef TESTS_TENSOR_CHECK_H
#define TESTS_TENSOR_CHECK_H

#include <math.h>

#include "support.h"
#include "tensor.h"

static inline tn_scope *open_cpu(int threads)
{
	char why[256] = "";
	tn_scope *root = tn_open("cpu", threads, why, sizeof why);
	if (!root)
		fail_msg("%s", why);
	return root;
}

static inline void assert_no_failure(const tn_scope *s)
{
	if (tn_status(s) != TN_OK)
		fail_msg("%s", tn_message(s));
}

/* f64 leaf of a f32 tensor's numbers. */
static inline tensor param_f64(tn_scope *s, tensor x)
{
	return tn_param(s, tn_cast(s, x, TN_F64));
}

static inline double *read_f64(tn_scope *s, tensor t, size_t *ret_n)
{
	size_t n = (size_t)tn_numel(s, t);
	double *out = xcalloc(n + 1, sizeof *out);
	tn_read_raw(s, tn_cast(s, t, TN_F64), out, n * sizeof *out);
	assert_no_failure(s);
	*ret_n = n;
	return out;
}

/* Largest |a - b| / (1 + |b|) of two tensors of one size. */
static inline double difference(tn_scope *s, tensor a, tensor b)
{
	size_t n, m;
	double *x = read_f64(s, a, &n), *y = read_f64(s, b, &m), worst = 0.0;
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		double d = fabs(x[i] - y[i]) / (1.0 + fabs(y[i]));
		if (!(d <= worst))
			worst = d;
	}
	free(x);
	free(y);
	return worst;
}

#define assert_same_tensor(s, a, b, tolerance)                                                     \
	do {                                                                                       \
		double worst_ = difference(s, a, b);                                               \
		if (!(worst_ <= (tolerance)))                                                      \
			fail_msg("%s and %s differ by %g, allowed %g", #a, #b, worst_,             \
				(double)(tolerance));                                              \
	} while (0)

/* Sum of y times fixed numbers: a loss whose gradient differs for each element. */
static inline tensor probe(tn_scope *s, tensor y)
{
	int64_t n = tn_numel(s, y);
	tensor flat = tn_view(s, tn_cast(s, y, TN_F64), SHAPE(n));
	tensor weights = tn_cast(s, tn_uniform(s, -1.0, 1.0, 99, SHAPE(n)), TN_F64);
	return tn_sum(s, tn_mul(s, flat, weights));
}

#endif
