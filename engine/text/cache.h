/* cache.h - bytes -> ids, for stretches of text that come again and again. One a run.
 *
 * Natural text repeats its words: of a Korean or English corpus nine words in ten were seen before,
 * and a hit costs a hash and a comparison instead of normalising and segmenting. Memory is bounded:
 * when the pool is full everything is forgotten and filled anew. A key is looked for in at most
 * CACHE_PROBES slots, so keys made to collide cost no more than a miss. */
#ifndef TEXT_CACHE_H
#define TEXT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/tokenizer.h"

#define CACHE_KEY_MAX 160 /* bytes; longer keys are not kept */
#define CACHE_IDS_MAX 96

struct cache_slot {
	uint32_t check; /* upper half of the hash; with n_key 0 the slot is free */
	uint32_t at; /* in words of the pool: the ids, then the key */
	uint16_t n_key; /* bytes */
	uint16_t n_ids;
};
struct cache {
	struct cache_slot *slots;
	uint32_t *pool;
	size_t used, n; /* words of the pool, slots taken */
};

void cache_init(struct cache *c);
void cache_release(struct cache *c);
/* Borrowed until the next put; NULL = not known. hash is hash64() of the key, len >= 1. */
const int32_t *cache_get(
	const struct cache *c, const void *key, size_t len, uint64_t hash, size_t *ret_n);
void cache_put(
	struct cache *c, const void *key, size_t len, uint64_t hash, const int32_t *ids, size_t n);

#endif
