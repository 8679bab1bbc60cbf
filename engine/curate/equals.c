#include "curate/equals.h"

#include <stdlib.h>

#include "base/mem.h"

enum { DIGITS = 8, VALUES = 256 };
_Static_assert(DIGITS % 2 == 0, "the last pass writes back into the array");

static size_t digit(const struct stand *s, unsigned d)
{
	return s->hash >> (8 * d) & (VALUES - 1);
}

bool stands_sort(struct stand *s, size_t n, struct err *err)
{
	if (n < 2)
		return true;
	struct stand *other = try_malloc(n, sizeof *other, "the search for equal texts", err);
	if (!other)
		return false;
	struct stand *from = s, *to = other;
	for (unsigned d = 0; d < DIGITS; d++) {
		size_t at[VALUES] = {0}, sum = 0;
		for (size_t i = 0; i < n; i++)
			at[digit(&from[i], d)]++;
		for (size_t v = 0; v < VALUES; v++) {
			size_t count = at[v];
			at[v] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[at[digit(&from[i], d)]++] = from[i];
		struct stand *swap = from;
		from = to;
		to = swap;
	}
	free(other);
	return true;
}

bool group_next(const struct stand *s, size_t n, struct group *g)
{
	g->begin = g->end;
	if (g->begin == n)
		return false;
	g->end = g->begin + 1;
	while (g->end < n && s[g->end].hash == s[g->begin].hash)
		g->end++;
	return true;
}
