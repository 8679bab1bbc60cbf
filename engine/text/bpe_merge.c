#include "text/bpe.h"

#include <stdlib.h>

#include "base/mem.h"

#define SHORT_WORD 40 /* symbols; up to here looking through the queue is faster than a heap */
#define SCRATCH_KEPT ((size_t)1 << 20) /* symbols that a run keeps from a long piece to the next */

bool bpe_merges_init(struct bpe_merges *m, size_t n, struct err *err)
{
	size_t slots = 16;
	while (slots < 2 * n)
		slots *= 2;
	*m = (struct bpe_merges){NULL, NULL, slots - 1, 64 - __builtin_ctzll(slots)};
	m->slots = try_malloc(slots, sizeof(*m->slots), "the merges", err);
	m->ids = try_malloc(n + 1, sizeof(*m->ids), "the merges", err);
	for (size_t i = 0; m->slots && i < slots; i++)
		m->slots[i].rank = BPE_NO_RANK;
	return m->slots && m->ids;
}

void bpe_merges_release(struct bpe_merges *m)
{
	free(m->slots);
	free(m->ids);
}

/* The slot of a pair, or the free one where it belongs. */
static inline struct bpe_merge *slot_of(const struct bpe_merges *m, int32_t left, int32_t right)
{
	uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
	uint64_t hash = (pair ^ pair >> 29) * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(hash >> m->shift);
	while (m->slots[i].rank != BPE_NO_RANK && m->slots[i].pair != pair)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

void bpe_merges_put(struct bpe_merges *m, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
	uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
	*slot_of(m, left, right) = (struct bpe_merge){pair, rank, id};
	m->ids[rank] = id;
}

void bpe_add_symbol(struct segmenter_run *r, int32_t id, uint32_t len)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->symbols = xreallocarray(r->symbols, r->cap, sizeof(*r->symbols));
	}
	uint32_t at = (uint32_t)r->n;
	if (at > 0)
		r->symbols[at - 1].next = at;
	r->symbols[r->n++] =
		(struct bpe_symbol){id, len, at - 1, BPE_END, TRIE_NO_ID}; /* 0 - 1: BPE_END */
}

static void push(struct segmenter_run *r, uint64_t key, bool is_heap)
{
	if (r->n_queue == r->cap_queue) {
		r->cap_queue = r->cap_queue ? 2 * r->cap_queue : 128;
		r->queue = xreallocarray(r->queue, r->cap_queue, sizeof(*r->queue));
	}
	size_t i = r->n_queue++;
	for (; is_heap && i > 0 && r->queue[(i - 1) / 4] > key; i = (i - 1) / 4)
		r->queue[i] = r->queue[(i - 1) / 4];
	r->queue[i] = key;
}

/* Lets the key at i sink to where it belongs in the heap of four children a node. */
static void sink(struct segmenter_run *r, size_t i)
{
	uint64_t *q = r->queue, key = q[i];
	for (size_t child = 4 * i + 1; child < r->n_queue; child = 4 * i + 1) {
		size_t end = child + 4 < r->n_queue ? child + 4 : r->n_queue, least = child;
		for (size_t k = child + 1; k < end; k++)
			if (q[k] < q[least])
				least = k;
		if (q[least] >= key)
			break;
		q[i] = q[least];
		i = least;
	}
	q[i] = key;
}

static uint64_t pop_heap(struct segmenter_run *r)
{
	uint64_t least = r->queue[0];
	r->queue[0] = r->queue[--r->n_queue];
	if (r->n_queue > 0)
		sink(r, 0);
	return least;
}

static uint64_t pop_least(struct segmenter_run *r)
{
	size_t least = 0;
	for (size_t i = 1; i < r->n_queue; i++)
		if (r->queue[i] < r->queue[least])
			least = i;
	uint64_t key = r->queue[least];
	r->queue[least] = r->queue[--r->n_queue];
	return key;
}

static void offer(const struct bpe_merges *m, struct segmenter_run *r, uint32_t left, bool is_heap)
{
	struct bpe_symbol *a = &r->symbols[left];
	const struct bpe_merge *found = slot_of(m, a->id, r->symbols[a->next].id);
	a->whole = found->rank != BPE_NO_RANK ? found->id : TRIE_NO_ID;
	if (found->rank != BPE_NO_RANK)
		push(r, (uint64_t)found->rank << 32 | left, is_heap);
}

/* Takes one entry of the queue. It is stale when its left symbol is gone, or would now become
 * another token; a different way to the same token counts as the entry itself, at its rank. */
static void merge_one(
	const struct bpe_merges *m, struct segmenter_run *r, uint64_t key, bool is_heap)
{
	uint32_t at = (uint32_t)key;
	struct bpe_symbol *left = &r->symbols[at];
	int32_t id = m->ids[key >> 32];
	if (left->len == 0 || left->whole != id)
		return;
	struct bpe_symbol *right = &r->symbols[left->next];
	left->id = id;
	left->len += right->len;
	left->next = right->next;
	left->whole = TRIE_NO_ID;
	right->len = 0;
	if (left->prev != BPE_END)
		offer(m, r, left->prev, is_heap);
	if (left->next != BPE_END) {
		r->symbols[left->next].prev = at;
		offer(m, r, at, is_heap);
	}
}

/* Works through the queue, which is in no order yet. */
static void merge_queue(const struct bpe_merges *m, struct segmenter_run *r)
{
	bool is_heap = r->n > SHORT_WORD;
	for (size_t i = r->n_queue / 4 + 1; is_heap && i-- > 0;)
		if (i < r->n_queue)
			sink(r, i);
	while (r->n_queue > 0)
		merge_one(m, r, is_heap ? pop_heap(r) : pop_least(r), is_heap);
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->symbols[i].len > 0)
			r->symbols[n++] = r->symbols[i];
	r->n = n;
	if (r->cap_queue > SCRATCH_KEPT) {
		free(r->queue);
		r->queue = NULL;
		r->cap_queue = 0;
	}
}

void bpe_merge_all(const struct bpe_merges *m, struct segmenter_run *r)
{
	r->n_queue = 0;
	for (uint32_t i = 0; i + 1 < r->n; i++)
		offer(m, r, i, false);
	merge_queue(m, r);
}

struct bpe_bytes *bpe_bytes_new(const struct bpe_merges *m, const int32_t ids[256])
{
	struct bpe_bytes *pairs = xreallocarray(NULL, 256 * 256, sizeof(*pairs));
	for (size_t i = 0; i < 256 * 256; i++) {
		const struct bpe_merge *found = slot_of(m, ids[i >> 8], ids[i & 0xFF]);
		pairs[i] = (struct bpe_bytes){
			found->rank, found->rank != BPE_NO_RANK ? found->id : TRIE_NO_ID};
	}
	return pairs;
}

void bpe_merge_bytes(const struct bpe_merges *m, const int32_t ids[256],
	const struct bpe_bytes *pairs, const char *bytes, size_t n, struct segmenter_run *r)
{
	r->n = r->n_queue = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned b = (unsigned char)bytes[i];
		bpe_add_symbol(r, ids[b], 1);
		if (i + 1 == n)
			break;
		const struct bpe_bytes *pair = &pairs[b << 8 | (unsigned char)bytes[i + 1]];
		r->symbols[i].whole = pair->id;
		if (pair->rank != BPE_NO_RANK)
			push(r, (uint64_t)pair->rank << 32 | i, false);
	}
	merge_queue(m, r);
}
