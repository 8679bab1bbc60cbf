#include "text/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CACHE_SLOTS ((size_t)1 << 18)
#define CACHE_FULL (CACHE_SLOTS / 4 * 3)
#define CACHE_POOL ((size_t)1 << 22) /* words: 16 MiB, of which only what is used is touched */
#define CACHE_PROBES 8

void cache_init(struct cache *c)
{
	c->slots = xcalloc(CACHE_SLOTS, sizeof(*c->slots));
	c->pool = xmalloc(CACHE_POOL * sizeof(*c->pool));
	c->used = c->n = 0;
}

void cache_release(struct cache *c)
{
	free(c->slots);
	free(c->pool);
}

/* Keys are short: two loads, which may overlap, are quicker than a call. */
static inline bool is_same(const void *a, const void *b, size_t n)
{
	uint64_t x, y, z, w;
	if (n > 16 || n < 8)
		return memcmp(a, b, n) == 0;
	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	memcpy(&z, (const char *)a + n - 8, 8);
	memcpy(&w, (const char *)b + n - 8, 8);
	return x == y && z == w;
}

const int32_t *cache_get(
	const struct cache *c, const void *key, size_t len, uint64_t hash, size_t *ret_n)
{
	size_t i = hash & (CACHE_SLOTS - 1);
	uint32_t check = (uint32_t)(hash >> 32);
	for (int probe = 0; probe < CACHE_PROBES; probe++) {
		const struct cache_slot *s = &c->slots[i];
		if (s->n_key == 0)
			return NULL;
		if (s->check == check && s->n_key == len &&
			is_same(c->pool + s->at + s->n_ids, key, len)) {
			*ret_n = s->n_ids;
			return (const int32_t *)(c->pool + s->at);
		}
		i = (i + 1) & (CACHE_SLOTS - 1);
	}
	return NULL;
}

void cache_put(
	struct cache *c, const void *key, size_t len, uint64_t hash, const int32_t *ids, size_t n)
{
	if (len > CACHE_KEY_MAX || n > CACHE_IDS_MAX)
		return;
	size_t words = n + (len + 3) / 4;
	if (c->used + words > CACHE_POOL || c->n >= CACHE_FULL) {
		memset(c->slots, 0, CACHE_SLOTS * sizeof(*c->slots));
		c->used = c->n = 0;
	}
	size_t i = hash & (CACHE_SLOTS - 1);
	for (int probe = 0; probe < CACHE_PROBES; probe++) {
		struct cache_slot *s = &c->slots[i];
		if (s->n_key == 0) {
			*s = (struct cache_slot){(uint32_t)(hash >> 32), (uint32_t)c->used,
				(uint16_t)len, (uint16_t)n};
			if (n)
				memcpy(c->pool + c->used, ids, n * sizeof(*ids));
			memcpy(c->pool + c->used + n, key, len);
			c->used += words;
			c->n++;
			return;
		}
		i = (i + 1) & (CACHE_SLOTS - 1);
	}
}
