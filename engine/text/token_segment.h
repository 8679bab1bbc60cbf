/* token_segment.h - one table of text -> ids: a part of the token cache, in memory while it grows,
 * mapped from a file once it is full. Private to token_cache.c and its tests.
 *
 * The file: head, slots, entries, ids (see token_segment.c). It is written beside its name and
 * renamed, so it is whole or absent; what a disk does to it later is seen by checks of the head and
 * of every entry, and costs the entry. Numbers stand in the machine's byte order. */
#ifndef TEXT_TOKEN_SEGMENT_H
#define TEXT_TOKEN_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"

struct token_entry {
	struct hash128 text;
	uint64_t at; /* first of its ids */
	uint32_t n; /* how many */
	uint32_t check; /* of the ids and the text's hash */
};

struct token_segment {
	/* Of the table: either growing (cap > 0, memory of its own) or borrowed from the file. */
	uint32_t *slots; /* [n_slots], a power of two: entry + 1, or 0 */
	struct token_entry *entries; /* [n] */
	int32_t *ids; /* [n_ids] */
	size_t n_slots, n, n_ids;
	size_t cap, cap_ids;
	struct fs_map map; /* of a file */
	char *path; /* likewise; NULL: in memory */
	size_t bytes; /* what it takes on disk */
	bool is_damaged; /* set by any reader that met a wrong entry */
};

enum token_found { TOKENS_ABSENT, TOKENS_FOUND, TOKENS_DAMAGED };
enum token_found token_segment_get(
	const struct token_segment *s, struct hash128 text, const int32_t **ret_ids, size_t *ret_n);
/* To one in memory; a text that it holds stays as it is. */
void token_segment_put(struct token_segment *s, struct hash128 text, const int32_t *ids, size_t n);
size_t token_segment_bytes(const struct token_segment *s); /* as a file */
/* Every sound entry of `from` goes into `to`, which is in memory. */
void token_segment_merge(struct token_segment *to, const struct token_segment *from);

bool token_segment_write(const struct token_segment *s, struct hash128 tokenizer, const char *path,
	struct err *err) MUST_CHECK;
/* False with *err when it cannot be read or is none of this tokenizer. */
bool token_segment_open(const char *path, struct hash128 tokenizer, struct token_segment *ret,
	struct err *err) MUST_CHECK;
void token_segment_release(struct token_segment *s); /* the file stays */

#endif
