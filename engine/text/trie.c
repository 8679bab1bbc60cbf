#include "text/trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void alloc_edges(struct trie *t, size_t slots)
{
	t->edges = xreallocarray(NULL, slots, sizeof(*t->edges));
	/* All ones: key is TRIE_NO_KEY. */
	memset(t->edges, 0xFF, slots * sizeof(*t->edges));
	t->mask = slots - 1;
	t->shift = 64 - __builtin_ctzll(slots);
}

void trie_init(struct trie *t, size_t n_expected)
{
	size_t slots = 256;
	while (slots / 4 * 3 < n_expected)
		slots *= 2;
	t->n_nodes = 1;
	alloc_edges(t, slots);
}

void trie_release(struct trie *t)
{
	free(t->edges);
	t->edges = NULL;
}

/* The slot that holds key, or the free one where it belongs. */
static struct trie_edge *find(struct trie *t, uint64_t key)
{
	size_t i = trie_slot(t, key);
	while (t->edges[i].key != key && t->edges[i].key != TRIE_NO_KEY)
		i = (i + 1) & t->mask;
	return &t->edges[i];
}

static void grow(struct trie *t)
{
	struct trie_edge *old = t->edges;
	size_t n = t->mask + 1;
	alloc_edges(t, 2 * n);
	for (size_t i = 0; i < n; i++)
		if (old[i].key != TRIE_NO_KEY)
			*find(t, old[i].key) = old[i];
	free(old);
}

int32_t trie_put(struct trie *t, const uint32_t *c, size_t n, int32_t id)
{
	uint32_t node = TRIE_ROOT;
	struct trie_edge *e = NULL;
	for (size_t i = 0; i < n; i++) {
		uint64_t key = (uint64_t)node << 21 | c[i];
		e = find(t, key);
		if (e->key == TRIE_NO_KEY) {
			if (t->n_nodes > (t->mask + 1) / 4 * 3) {
				grow(t);
				e = find(t, key);
			}
			*e = (struct trie_edge){key, t->n_nodes++, TRIE_NO_ID};
		}
		node = e->node;
	}
	int32_t old = e->id;
	e->id = id;
	return old;
}

bool trie_get(const struct trie *t, const uint32_t *c, size_t n, int32_t *ret_id)
{
	uint32_t node = TRIE_ROOT;
	const struct trie_edge *e = NULL;
	for (size_t i = 0; i < n; i++) {
		e = trie_step(t, node, c[i]);
		if (!e)
			return false;
		node = e->node;
	}
	if (!e || e->id == TRIE_NO_ID)
		return false;
	*ret_id = e->id;
	return true;
}

bool trie_walk(const struct trie *t, uint32_t node, const uint32_t *c, size_t n, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct trie_edge *e = trie_step(t, node, c[i]);
		if (!e)
			return false;
		node = e->node;
	}
	*ret = node;
	return true;
}
