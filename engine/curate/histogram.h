/* histogram.h - how often each length occurs, exactly: bins below HISTOGRAM_BINS, a list beyond. */
#ifndef CURATE_HISTOGRAM_H
#define CURATE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "curate/inspect.h"

#define HISTOGRAM_BINS ((size_t)1 << 16)
struct histogram {
	uint64_t *bins; /* NULL until the first length */
	size_t *beyond, n_beyond, cap_beyond;
};
#define HISTOGRAM_INIT                                                                             \
	{                                                                                          \
		NULL, NULL, 0, 0                                                                   \
	}

void histogram_add(struct histogram *h, size_t length);
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_lengths(struct histogram *h, struct lengths *ret);
void histogram_release(struct histogram *h);

#endif
