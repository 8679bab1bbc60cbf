#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The slot that holds key, or the free one where it belongs. cap > n always. */
static struct map_slot *find(const struct map *m, struct text key, uint32_t hash)
{
	size_t mask = m->cap - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct map_slot *s = &m->slots[i];
		if (!s->key ||
			(s->hash == hash && s->len == key.len &&
				memcmp(s->key, key.s ? key.s : "", key.len) == 0))
			return s;
	}
}

static uint32_t hash_of(struct text key)
{
	return (uint32_t)hash64(key.s, key.len);
}

static void grow(struct map *m)
{
	struct map old = *m;
	m->cap = old.cap ? old.cap * 2 : 64;
	m->slots = xcalloc(m->cap, sizeof *m->slots);
	for (size_t i = 0; i < old.cap; i++) {
		struct map_slot *s = &old.slots[i];
		if (s->key)
			*find(m, (struct text){s->key, s->len}, s->hash) = *s;
	}
	free(old.slots);
}

static struct map_slot *slot_for(struct map *m, struct text key, bool *ret_new)
{
	if ((m->n + 1) * 4 > m->cap * 3)
		grow(m);
	uint32_t hash = hash_of(key);
	struct map_slot *s = find(m, key, hash);
	*ret_new = !s->key;
	if (!s->key) {
		s->key = arena_text(&m->keys, key).s;
		s->len = (uint32_t)key.len;
		s->hash = hash;
		m->n++;
	}
	return s;
}

bool map_put(struct map *m, struct text key, int64_t value)
{
	bool is_new;
	slot_for(m, key, &is_new)->value = value;
	return is_new;
}

int64_t map_intern(struct map *m, struct text key, int64_t value)
{
	bool is_new;
	struct map_slot *s = slot_for(m, key, &is_new);
	if (is_new)
		s->value = value;
	return s->value;
}

bool map_get(const struct map *m, struct text key, int64_t *ret_value)
{
	if (!m->n)
		return false;
	const struct map_slot *s = find(m, key, hash_of(key));
	if (!s->key)
		return false;
	*ret_value = s->value;
	return true;
}

size_t map_size(const struct map *m)
{
	return m->n;
}

void map_release(struct map *m)
{
	free(m->slots);
	arena_release(&m->keys);
	*m = (struct map)MAP_INIT;
}
