/* The part of metrics.h that knows no rankings: correlations, resampling. */
#include "eval/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

#define RESAMPLES 1000
#define SIGN_DRAWS 10000

double metric_pearson(const double *x, const double *y, size_t n)
{
	double mean_x = 0.0, mean_y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
	for (size_t i = 0; i < n; i++) {
		mean_x += x[i] / (double)n;
		mean_y += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		double dx = x[i] - mean_x, dy = y[i] - mean_y;
		xx += dx * dx;
		yy += dy * dy;
		xy += dx * dy;
	}
	return n >= 2 && xx > 0.0 && yy > 0.0 ? xy / (sqrt(xx) * sqrt(yy)) : (double)NAN;
}

struct keyed {
	double value;
	size_t at;
};

static int by_value(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* Ranks from 1; equal values share the mean of their ranks. */
static double *ranks_of(const double *x, size_t n)
{
	struct keyed *sorted = xcalloc(n + 1, sizeof *sorted);
	double *ranks = xcalloc(n + 1, sizeof *ranks);
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct keyed){x[i], i};
	qsort(sorted, n, sizeof *sorted, by_value);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && sorted[to].value == sorted[from].value;)
			to++;
		for (size_t i = from; i < to; i++)
			ranks[sorted[i].at] = ((double)from + 1.0 + (double)to) / 2.0;
	}
	free(sorted);
	return ranks;
}

double metric_spearman(const double *x, const double *y, size_t n)
{
	double *rx = ranks_of(x, n), *ry = ranks_of(y, n);
	double r = metric_pearson(rx, ry, n);
	free(rx);
	free(ry);
	return r;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* The value below which a share p of the sorted values lies, linear between neighbours. */
static double percentile(const double *sorted, size_t n, double p)
{
	double at = p * (double)(n - 1);
	size_t low = (size_t)at;
	size_t high = low + 1 < n ? low + 1 : low;
	return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

struct interval metric_bootstrap(const double *values, size_t n, uint64_t seed)
{
	struct interval in = {0.0, 0.0, 0.0};
	if (n == 0)
		return in;
	double *means = xcalloc(RESAMPLES, sizeof *means);
	struct rng r = rng_new(seed, 0);
	for (size_t i = 0; i < n; i++)
		in.mean += values[i];
	in.mean /= (double)n;
	for (size_t b = 0; b < RESAMPLES; b++) {
		double sum = 0.0;
		for (size_t i = 0; i < n; i++)
			sum += values[rng_below(&r, n)];
		means[b] = sum / (double)n;
	}
	qsort(means, RESAMPLES, sizeof *means, by_size);
	in.low = percentile(means, RESAMPLES, 0.025);
	in.high = percentile(means, RESAMPLES, 0.975);
	free(means);
	return in;
}

double metric_randomization(const double *differences, size_t n, uint64_t seed)
{
	struct rng r = rng_new(seed, 1);
	double observed = 0.0, size = 0.0;
	size_t as_large = 0;
	for (size_t i = 0; i < n; i++) {
		observed += differences[i];
		size += fabs(differences[i]);
	}
	/* Sums of the same numbers in another order of signs differ in their last bits. */
	double bar = fabs(observed) - 1e-12 * size;
	for (size_t b = 0; b < SIGN_DRAWS; b++) {
		double sum = 0.0;
		uint64_t bits = 0;
		for (size_t i = 0; i < n; i++) {
			if (i % 64 == 0)
				bits = rng_next(&r);
			sum += bits >> (i % 64) & 1 ? differences[i] : -differences[i];
		}
		as_large += fabs(sum) >= bar;
	}
	return (double)(as_large + 1) / (SIGN_DRAWS + 1.0);
}
