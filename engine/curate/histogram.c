#include "curate/histogram.h"

#include <stdlib.h>

void histogram_add(struct histogram *h, size_t length)
{
	if (!h->bins)
		h->bins = xcalloc(HISTOGRAM_BINS, sizeof *h->bins);
	if (length < HISTOGRAM_BINS) {
		h->bins[length]++;
		return;
	}
	if (h->n_beyond == h->cap_beyond) {
		h->cap_beyond = h->cap_beyond ? 2 * h->cap_beyond : 64;
		h->beyond = xreallocarray(h->beyond, h->cap_beyond, sizeof *h->beyond);
	}
	h->beyond[h->n_beyond++] = length;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->bins)
		return;
	if (!into->bins)
		into->bins = xcalloc(HISTOGRAM_BINS, sizeof *into->bins);
	for (size_t i = 0; i < HISTOGRAM_BINS; i++)
		into->bins[i] += from->bins[i];
	for (size_t i = 0; i < from->n_beyond; i++)
		histogram_add(into, from->beyond[i]);
}

static int by_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* The smallest length that at least `need` (1 to n) of the lengths do not exceed. */
static size_t quantile(const struct histogram *h, size_t need)
{
	size_t seen = 0;
	for (size_t i = 0; i < HISTOGRAM_BINS; i++) {
		seen += h->bins[i];
		if (seen >= need)
			return i;
	}
	return h->beyond[need - seen - 1];
}

static size_t share(size_t n, size_t percent)
{
	size_t need = n / 100 * percent + (n % 100 * percent + 99) / 100;
	return need ? need : 1;
}

void histogram_lengths(struct histogram *h, struct lengths *ret)
{
	*ret = (struct lengths){0};
	if (!h->bins)
		return;
	double sum = 0.0;
	for (size_t i = 0; i < HISTOGRAM_BINS; i++) {
		ret->n += h->bins[i];
		sum += (double)h->bins[i] * (double)i;
	}
	if (h->n_beyond > 0)
		qsort(h->beyond, h->n_beyond, sizeof *h->beyond, by_size);
	for (size_t i = 0; i < h->n_beyond; i++)
		sum += (double)h->beyond[i];
	ret->n += h->n_beyond;
	ret->mean = sum / (double)ret->n;
	ret->min = quantile(h, 1);
	ret->p50 = quantile(h, share(ret->n, 50));
	ret->p90 = quantile(h, share(ret->n, 90));
	ret->p99 = quantile(h, share(ret->n, 99));
	ret->max = quantile(h, ret->n);
}

void histogram_release(struct histogram *h)
{
	free(h->bins);
	free(h->beyond);
	*h = (struct histogram)HISTOGRAM_INIT;
}
