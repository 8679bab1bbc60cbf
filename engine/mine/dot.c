/* The inner product that decides. Products of floats are exact in double, so whether a CPU fuses
 * them with the addition changes nothing, and one body compiled for three instruction sets gives
 * equal bits. */
#include "mine/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mine/dot.h"

#define LANES 8

static inline __attribute__((always_inline)) float dot_body(
	const float *a, const float *b, size_t dim)
{
	double sum[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= dim; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			sum[l] += (double)a[i + l] * (double)b[i + l];
	for (size_t l = 0; i + l < dim; l++)
		sum[l] += (double)a[i + l] * (double)b[i + l];
	return (float)(((sum[0] + sum[4]) + (sum[2] + sum[6])) +
		((sum[1] + sum[5]) + (sum[3] + sum[7])));
}

static float dot_plain(const float *a, const float *b, size_t dim)
{
	return dot_body(a, b, dim);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static float dot_avx2(const float *a, const float *b, size_t dim)
{
	return dot_body(a, b, dim);
}

__attribute__((target("avx512f"))) static float dot_avx512(
	const float *a, const float *b, size_t dim)
{
	return dot_body(a, b, dim);
}
#endif

dot_fn dot_best(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
		return dot_avx512;
	if (__builtin_cpu_supports("avx2"))
		return dot_avx2;
#endif
	return dot_plain;
}

float search_dot(const float *a, const float *b, size_t dim)
{
	return dot_best()(a, b, dim);
}

void search_normalize(float *x, size_t n, size_t dim)
{
	dot_fn dot = dot_best();
	for (size_t i = 0; i < n; i++, x += dim) {
		float square = dot(x, x, dim);
		/* What float rounding leaves of a normalised vector is left alone. */
		if (!(square > 0.0f) || fabsf(square - 1.0f) < 1e-5f)
			continue;
		double scale = 1.0 / sqrt((double)square);
		for (size_t k = 0; k < dim; k++)
			x[k] = (float)((double)x[k] * scale);
	}
}

double search_shortest(float x)
{
	char digits[32];
	if (!isfinite(x))
		return (double)x;
	for (int precision = 6; precision <= 9; precision++) {
		snprintf(digits, sizeof digits, "%.*g", precision, (double)x);
		if (strtof(digits, NULL) == x)
			break;
	}
	return strtod(digits, NULL);
}
