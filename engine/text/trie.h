/* trie.h - a set of code point strings with an id each: vocabularies and added tokens.
 *
 * One hash table holds all edges, keyed by (node, code point), so building needs no sorting (a
 * vocabulary of 250,000 pieces takes about 40 ms), a step is one probe as a rule, and memory is 16
 * bytes a slot, half to three quarters of them used. Walking by code points instead of bytes makes
 * a Korean or Chinese character one step, and every match ends between characters by itself. */
#ifndef TEXT_TRIE_H
#define TEXT_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIE_ROOT 0u
#define TRIE_NO_KEY UINT64_MAX
#define TRIE_NO_ID (-1)

struct trie_edge {
	uint64_t key; /* parent node << 21 | code point; TRIE_NO_KEY: free */
	uint32_t node; /* where it leads; nodes are numbered from 1 in the order of their birth */
	int32_t id; /* of the string that ends there, or TRIE_NO_ID */
};
struct trie {
	struct trie_edge *edges;
	size_t mask; /* slots - 1; slots is a power of two */
	int shift; /* 64 - log2(slots) */
	uint32_t n_nodes; /* root included */
};

void trie_init(struct trie *t, size_t n_expected); /* edges to make room for */
void trie_release(struct trie *t);
/* Sets the id of a string of n >= 1 code points; returns the id that stood there, or TRIE_NO_ID. */
int32_t trie_put(struct trie *t, const uint32_t *c, size_t n, int32_t id);
bool trie_get(const struct trie *t, const uint32_t *c, size_t n, int32_t *ret_id);
/* The node that n code points lead to, from `node`. */
bool trie_walk(const struct trie *t, uint32_t node, const uint32_t *c, size_t n, uint32_t *ret);

static inline size_t trie_slot(const struct trie *t, uint64_t key)
{
	return (size_t)((key * 0x9E3779B97F4A7C15u) >> t->shift);
}

/* The edge from `node` over c, or NULL. */
static inline const struct trie_edge *trie_step(const struct trie *t, uint32_t node, uint32_t c)
{
	uint64_t key = (uint64_t)node << 21 | c;
	for (size_t i = trie_slot(t, key);; i = (i + 1) & t->mask) {
		const struct trie_edge *e = &t->edges[i];
		if (e->key == key)
			return e;
		if (e->key == TRIE_NO_KEY)
			return NULL;
	}
}

#endif
