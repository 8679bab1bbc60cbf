/* map.h - bytes -> int64, open addressing. Keys are copied. Used for vocabularies, ids, names.
 * Threads: lookups may run side by side, changes not. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"

struct map_slot {
	const char *key;
	uint32_t len;
	uint32_t hash;
	int64_t value;
};
struct map {
	struct map_slot *slots;
	size_t cap, n; /* cap is a power of two */
	struct arena keys;
};

#define MAP_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0, ARENA_INIT                                                             \
	}

/* Sets key to value; true when the key is new. */
bool map_put(struct map *m, struct text key, int64_t value);
/* Keeps the first: returns the value that stands (the given one when the key is new). */
int64_t map_intern(struct map *m, struct text key, int64_t value);
bool map_get(const struct map *m, struct text key, int64_t *ret_value);
size_t map_size(const struct map *m);
void map_release(struct map *m);

#endif
