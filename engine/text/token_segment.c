#include "text/token_segment.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAGIC 0x316E656B6F747376ull /* "vstoken1" */
#define FIRST_SLOTS 1024

struct head {
	uint64_t magic;
	struct hash128 tokenizer;
	uint64_t n_slots, n, n_ids;
	uint64_t reserved;
	uint64_t self; /* of what stands before it */
};
_Static_assert(sizeof(struct head) == 64, "the head keeps the table aligned");

static uint32_t check_of(struct hash128 text, const int32_t *ids, size_t n)
{
	uint64_t h = hash64(ids, n * sizeof *ids) ^ text.lo ^ text.hi ^ n;
	return (uint32_t)(h ^ h >> 32);
}

/* The slot of a text, or the free one where it would be. Damaged tables end after one round. */
static bool find_slot(const struct token_segment *s, struct hash128 text, size_t *ret)
{
	size_t at = (size_t)text.lo & (s->n_slots - 1);
	for (size_t round = 0; round < s->n_slots; round++) {
		uint32_t slot = s->slots[at];
		if (slot > s->n)
			return false;
		const struct hash128 *have = slot ? &s->entries[slot - 1].text : NULL;
		if (!have || (have->lo == text.lo && have->hi == text.hi)) {
			*ret = at;
			return true;
		}
		at = (at + 1) & (s->n_slots - 1);
	}
	return false;
}

static enum token_found entry_ids(const struct token_segment *s, const struct token_entry *e,
	const int32_t **ret_ids, size_t *ret_n)
{
	if (e->at > s->n_ids || e->n > s->n_ids - e->at ||
		check_of(e->text, s->ids + e->at, e->n) != e->check)
		return TOKENS_DAMAGED;
	*ret_ids = s->ids + e->at;
	*ret_n = e->n;
	return TOKENS_FOUND;
}

enum token_found token_segment_get(
	const struct token_segment *s, struct hash128 text, const int32_t **ret_ids, size_t *ret_n)
{
	size_t at;
	if (s->n == 0)
		return TOKENS_ABSENT;
	if (!find_slot(s, text, &at))
		return TOKENS_DAMAGED;
	if (s->slots[at] == 0)
		return TOKENS_ABSENT;
	return entry_ids(s, &s->entries[s->slots[at] - 1], ret_ids, ret_n);
}

static void grow(struct token_segment *s, size_t n_ids)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : FIRST_SLOTS / 2;
		s->n_slots = 2 * s->cap;
		s->entries = xreallocarray(s->entries, s->cap, sizeof *s->entries);
		free(s->slots);
		s->slots = xcalloc(s->n_slots, sizeof *s->slots);
		for (size_t i = 0; i < s->n; i++) {
			size_t at;
			if (find_slot(s, s->entries[i].text, &at))
				s->slots[at] = (uint32_t)(i + 1);
		}
	}
	if (s->cap_ids - s->n_ids < n_ids) {
		s->cap_ids = 2 * s->cap_ids > s->n_ids + n_ids ? 2 * s->cap_ids : s->n_ids + n_ids;
		s->ids = xreallocarray(s->ids, s->cap_ids, sizeof *s->ids);
	}
}

void token_segment_put(struct token_segment *s, struct hash128 text, const int32_t *ids, size_t n)
{
	size_t at;
	grow(s, n + 1); /* never NULL, even when all texts are empty */
	if (n > UINT32_MAX || !find_slot(s, text, &at) || s->slots[at])
		return;
	s->entries[s->n++] =
		(struct token_entry){text, s->n_ids, (uint32_t)n, check_of(text, ids, n)};
	s->slots[at] = (uint32_t)s->n;
	if (n)
		memcpy(s->ids + s->n_ids, ids, n * sizeof *ids);
	s->n_ids += n;
}

static size_t bytes_of(size_t n_slots, size_t n, size_t n_ids)
{
	return sizeof(struct head) + n_slots * sizeof(uint32_t) + n * sizeof(struct token_entry) +
		n_ids * sizeof(int32_t);
}

size_t token_segment_bytes(const struct token_segment *s)
{
	return bytes_of(s->n_slots, s->n, s->n_ids);
}

void token_segment_merge(struct token_segment *to, const struct token_segment *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const int32_t *ids;
		size_t n;
		if (entry_ids(from, &from->entries[i], &ids, &n) == TOKENS_FOUND)
			token_segment_put(to, from->entries[i].text, ids, n);
	}
}

static uint64_t self_hash(const struct head *h)
{
	return hash64(h, offsetof(struct head, self));
}

bool token_segment_write(
	const struct token_segment *s, struct hash128 tokenizer, const char *path, struct err *err)
{
	struct head h = {MAGIC, tokenizer, s->n_slots, s->n, s->n_ids, 0, 0};
	h.self = self_hash(&h);
	struct fs_out *f = fs_out_open(path, err);
	if (!f)
		return false;
	fs_out_add(f, &h, sizeof h);
	fs_out_add(f, s->slots, s->n_slots * sizeof *s->slots);
	fs_out_add(f, s->entries, s->n * sizeof *s->entries);
	fs_out_add(f, s->ids, s->n_ids * sizeof *s->ids);
	return fs_out_commit(f, err);
}

/* Whether the sizes in the head are those of the file. */
static bool head_fits(const struct head *h, struct hash128 tokenizer, size_t len)
{
	if (h->magic != MAGIC || h->self != self_hash(h) || h->tokenizer.lo != tokenizer.lo ||
		h->tokenizer.hi != tokenizer.hi)
		return false;
	if (h->n_slots > len / sizeof(uint32_t) || h->n > len / sizeof(struct token_entry) ||
		h->n_ids > len / sizeof(int32_t))
		return false;
	bool is_power = h->n_slots > 0 && (h->n_slots & (h->n_slots - 1)) == 0;
	return is_power && bytes_of((size_t)h->n_slots, (size_t)h->n, (size_t)h->n_ids) == len;
}

bool token_segment_open(
	const char *path, struct hash128 tokenizer, struct token_segment *ret, struct err *err)
{
	struct token_segment s = {0};
	struct head h;
	if (!fs_map(path, &s.map, err))
		return false;
	bool is_whole = s.map.len >= sizeof h;
	if (is_whole) {
		memcpy(&h, s.map.data, sizeof h);
		is_whole = head_fits(&h, tokenizer, s.map.len);
	}
	if (!is_whole) {
		fs_unmap(&s.map);
		return err_set(err, ERR_DATA, "%s is damaged, or of another version", path);
	}
	char *at = (char *)s.map.base + (s.map.data - (const char *)s.map.base) + sizeof h;
	s.n_slots = (size_t)h.n_slots;
	s.n = (size_t)h.n;
	s.n_ids = (size_t)h.n_ids;
	s.slots = (uint32_t *)(void *)at;
	at += s.n_slots * sizeof *s.slots;
	s.entries = (struct token_entry *)(void *)at;
	at += s.n * sizeof *s.entries;
	s.ids = (int32_t *)(void *)at;
	s.path = xstrdup(path);
	s.bytes = s.map.len;
	*ret = s;
	return true;
}

void token_segment_release(struct token_segment *s)
{
	if (s->path) {
		fs_unmap(&s->map);
	} else {
		free(s->slots);
		free(s->entries);
		free(s->ids);
	}
	free(s->path);
	*s = (struct token_segment){0};
}
