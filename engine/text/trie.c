#include "text/trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* A string while it is sorted. */
struct item {
	uint64_t prefix; /* its first 8 bytes, the first the highest; zeros behind a shorter one */
	uint32_t at; /* index into the strings */
};

static uint64_t prefix_of(struct text s)
{
	uint64_t prefix = 0;
	for (size_t i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < s.len ? (unsigned char)s.s[i] : 0);
	return prefix;
}

/* By prefix, least significant byte first; equal ones keep their order. */
static void radix_sort(struct item *items, size_t n)
{
	struct item *from = items, *to = xreallocarray(NULL, n + 1, sizeof *to), *spare = to;
	for (int shift = 0; shift < 64; shift += 8) {
		size_t count[257] = {0};
		for (size_t i = 0; i < n; i++)
			count[(from[i].prefix >> shift & 0xFF) + 1]++;
		for (size_t k = 0; k < 256; k++)
			count[k + 1] += count[k];
		for (size_t i = 0; i < n; i++)
			to[count[from[i].prefix >> shift & 0xFF]++] = from[i];
		struct item *swap = from;
		from = to;
		to = swap;
	}
	free(spare); /* eight passes: the result is back in items */
}

static int compare_items(const void *a, const void *b, void *ctx)
{
	const struct text *strings = *(const struct text *const *)ctx;
	const struct item *x = a, *y = b;
	struct text s = strings[x->at], t = strings[y->at];
	size_t both = s.len < t.len ? s.len : t.len;
	int c = both > 8 ? memcmp(s.s + 8, t.s + 8, both - 8) : 0; /* the prefix is equal */
	if (c == 0 && s.len != t.len)
		c = s.len < t.len ? -1 : 1;
	return c ? c : x->at < y->at ? -1 : 1;
}

/* In the order of their bytes, which is that of their code points. */
static void sort_items(struct item *items, size_t n, const struct text *strings)
{
	radix_sort(items, n);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		while (end < n && items[end].prefix == items[i].prefix)
			end++;
		if (end - i > 1)
			qsort_r(items + i, end - i, sizeof *items, compare_items, &strings);
		i = end;
	}
}

/* A node whose children are still to be made: from items [begin, end), which agree in their first
 * `depth` bytes and are all longer. */
struct todo {
	uint32_t node;
	uint32_t begin, end;
	size_t depth;
};
struct build {
	struct trie *t;
	const struct text *sorted; /* the strings, in one stretch of memory */
	const double *weights;
	const struct item *items;
	size_t cap; /* nodes */
	struct todo *stack;
	size_t n_stack, cap_stack;
	struct big {
		uint32_t node, n;
	} * big; /* nodes whose children want the hash table */
	size_t n_big, cap_big, n_hashed; /* n_hashed: all these children */
};

static struct trie_node *add_node(struct build *b, uint32_t c)
{
	struct trie *t = b->t;
	if (t->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 256;
		t->nodes = xreallocarray(t->nodes, b->cap, sizeof *t->nodes);
		t->ids = xreallocarray(t->ids, b->cap, sizeof *t->ids);
	}
	t->nodes[t->n] = (struct trie_node){c, 0, TRIE_NO_WEIGHT};
	t->ids[t->n] = TRIE_NO_ID;
	return &t->nodes[t->n++];
}

static void push(struct build *b, struct todo todo)
{
	if (b->n_stack == b->cap_stack) {
		b->cap_stack = b->cap_stack ? 2 * b->cap_stack : 256;
		b->stack = xreallocarray(b->stack, b->cap_stack, sizeof *b->stack);
	}
	b->stack[b->n_stack++] = todo;
}

/* Whether s has the same `len` bytes at `depth` as `like`: 1 to 4, a character. */
static bool has_char(struct text s, size_t depth, const char *like, size_t len)
{
	if (s.len < depth + len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s.s[depth + i] != like[i])
			return false;
	return true;
}

/* Makes the child over the character at byte `depth` of items[begin]; returns one past the items
 * that pass through it. */
static uint32_t add_child(struct build *b, uint32_t begin, uint32_t end, size_t depth)
{
	struct text s = b->sorted[begin];
	size_t len;
	uint32_t c = utf8_decode(s.s + depth, s.len - depth, &len);
	uint32_t node = (uint32_t)b->t->n;
	struct trie_node *made = add_node(b, c);
	uint32_t i = begin, longer = begin;
	for (; i < end; i++) {
		struct text other = b->sorted[i];
		if (!has_char(other, depth, s.s + depth, len))
			break;
		if (other.len == depth + len) {
			made->weight = b->weights ? b->weights[b->items[i].at] : 0.0;
			b->t->ids[node] = (int32_t)b->items[i].at;
			longer = i + 1;
		}
	}
	b->t->n_strings += longer > begin;
	if (longer < i)
		push(b, (struct todo){node, longer, i, depth + len});
	return i;
}

static void add_big(struct build *b, uint32_t node, uint32_t n)
{
	if (b->n_big == b->cap_big) {
		b->cap_big = b->cap_big ? 2 * b->cap_big : 64;
		b->big = xreallocarray(b->big, b->cap_big, sizeof *b->big);
	}
	b->big[b->n_big++] = (struct big){node, n};
	b->n_hashed += n;
}

static void add_children(struct build *b, const struct todo *todo)
{
	size_t before = b->n_stack;
	uint32_t first = (uint32_t)b->t->n;
	for (uint32_t i = todo->begin; i < todo->end;)
		i = add_child(b, i, todo->end, todo->depth);
	uint32_t n = (uint32_t)b->t->n - first;
	struct trie_node *parent = &b->t->nodes[todo->node];
	parent->first = first;
	parent->c_n |= (n > TRIE_SCANNED ? TRIE_HASHED : n) << 21;
	if (n > TRIE_SCANNED)
		add_big(b, todo->node, n);
	/* The first child's subtree comes next: it is on top. */
	for (size_t lo = before, hi = b->n_stack; lo + 1 < hi; lo++) {
		struct todo swap = b->stack[lo];
		b->stack[lo] = b->stack[--hi];
		b->stack[hi] = swap;
	}
}

static size_t slot_of(const struct trie *t, uint32_t first, uint32_t c)
{
	uint64_t key = (uint64_t)first << 21 | c;
	return (size_t)((key * 0x9E3779B97F4A7C15u) >> t->shift);
}

static void build_hash(struct trie *t, const struct build *b)
{
	size_t slots = 16;
	while (slots < 2 * b->n_hashed)
		slots *= 2;
	t->mask = slots - 1;
	t->shift = 64 - __builtin_ctzll(slots);
	t->hashed = xcalloc(slots, sizeof *t->hashed);
	for (size_t k = 0; k < b->n_big; k++) {
		uint32_t first = t->nodes[b->big[k].node].first;
		for (uint32_t node = first; node < first + b->big[k].n; node++) {
			size_t i = slot_of(t, first, trie_char(&t->nodes[node]));
			while (t->hashed[i].node)
				i = (i + 1) & t->mask;
			t->hashed[i] = (struct trie_slot){first, node};
		}
	}
}

const struct trie_node *trie_jump(const struct trie *t, const struct trie_node *node, uint32_t c)
{
	for (size_t i = slot_of(t, node->first, c);; i = (i + 1) & t->mask) {
		const struct trie_slot *s = &t->hashed[i];
		if (!s->node)
			return NULL;
		if (s->first == node->first && trie_char(&t->nodes[s->node]) == c)
			return &t->nodes[s->node];
	}
}

/* Copies the strings in their order, so that the many passes over them read memory forward. */
static struct text *copy_sorted(
	const struct item *items, size_t n, const struct text *strings, char **ret_bytes)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += strings[items[i].at].len;
	struct text *sorted = xreallocarray(NULL, n + 1, sizeof *sorted);
	char *at = *ret_bytes = xmalloc(bytes + 1);
	for (size_t i = 0; i < n; i++) {
		struct text s = strings[items[i].at];
		memcpy(at, s.s, s.len);
		sorted[i] = (struct text){at, s.len};
		at += s.len;
	}
	return sorted;
}

void trie_build(struct trie *t, const struct text *strings, const double *weights, size_t n)
{
	struct item *items = xreallocarray(NULL, n + 1, sizeof *items);
	size_t n_items = 0;
	for (size_t i = 0; i < n; i++)
		if (strings[i].len)
			items[n_items++] = (struct item){prefix_of(strings[i]), (uint32_t)i};
	sort_items(items, n_items, strings);
	*t = (struct trie){.nodes = NULL};
	char *bytes;
	struct text *sorted = copy_sorted(items, n_items, strings, &bytes);
	struct build b = {.t = t, .sorted = sorted, .weights = weights, .items = items};
	add_node(&b, 0);
	if (n_items)
		push(&b, (struct todo){0, 0, (uint32_t)n_items, 0});
	while (b.n_stack) {
		struct todo todo = b.stack[--b.n_stack];
		add_children(&b, &todo);
	}
	build_hash(t, &b);
	free(b.stack);
	free(b.big);
	free(sorted);
	free(bytes);
	free(items);
}

void trie_release(struct trie *t)
{
	free(t->nodes);
	free(t->ids);
	free(t->hashed);
	*t = (struct trie){.nodes = NULL};
}

const struct trie_node *trie_walk(const struct trie *t, const struct trie_node *node, struct text s)
{
	for (size_t i = 0; i < s.len && node;) {
		size_t len;
		node = trie_step(t, node, utf8_decode(s.s + i, s.len - i, &len));
		i += len;
	}
	return node;
}

bool trie_find(const struct trie *t, struct text s, int32_t *ret_id)
{
	const struct trie_node *node = t->n ? trie_walk(t, t->nodes, s) : NULL;
	if (!node || trie_id(t, node) == TRIE_NO_ID)
		return false;
	*ret_id = trie_id(t, node);
	return true;
}
