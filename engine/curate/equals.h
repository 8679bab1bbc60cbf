/* equals.h - in: hashes of texts and the rows they stand in; out: which stand in several rows or
 * files. */
#ifndef CURATE_EQUALS_H
#define CURATE_EQUALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct stand {
	uint64_t hash;
	size_t row;
};
/* Orders by hash and keeps the order within one (radix sort), so rows that came in order stay so. */
bool stands_sort(struct stand *s, size_t n, struct err *err) MUST_CHECK;

/* The stands of one hash, [begin, end) of a sorted array. */
struct group {
	size_t begin, end;
};
/* The group behind g; start with {0, 0}. False at the end. */
bool group_next(const struct stand *s, size_t n, struct group *g);

#endif
