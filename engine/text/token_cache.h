/* token_cache.h - in: texts; out: their ids, from the disk when any earlier run or epoch had them.
 *
 * A folder of segments (token_segment.h) for each tokenizer, named by its hash: another tokenizer
 * can never be served. A text's key is the hash of its bytes; its ids are those of the whole text
 * without special tokens, so that one entry serves every length and template: tokenizer_join()
 * makes the rest.
 *
 * Full segments are written at once and renamed into place: a kill at any moment leaves a folder
 * that is good. Wrong bytes in a file are met by a check of each entry, which makes the text absent
 * and the file go away. Small segments are merged, so that few are looked at; when all of them take
 * more than the bound, the oldest go. Several processes may share a folder. Deleting it is safe.
 *
 * Threads: token_cache_ids() is called by worker w of parallel_for(); everything else by one thread
 * with no other call under way. */
#ifndef TEXT_TOKEN_CACHE_H
#define TEXT_TOKEN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "text/tokenizer.h"

/* The default bound of a folder, in bytes: the ids of about 250 million tokens. */
#define TOKEN_CACHE_BYTES ((size_t)1 << 30)

struct token_cache;
/* dir: of all tokenizers' caches, made when missing. workers: threads that will ask. */
struct token_cache *token_cache_open(const char *dir, struct hash128 tokenizer, size_t max_bytes,
	int workers, struct err *err) MUST_CHECK;
/* What is not written yet is. A failure to write is only logged: it costs the next run time. */
void token_cache_close(struct token_cache *c);

/* The ids of the text without special tokens: found, or made by run. Valid until the next
 * token_cache_ids() of this worker or token_cache_settle(). */
struct ids token_cache_ids(
	struct token_cache *c, int worker, struct tokenizer_run *run, struct text t);
/* After a step of all workers: what they made is found by all from now on; what is full is written,
 * what was met as damaged goes. */
void token_cache_settle(struct token_cache *c);

struct token_cache_stats {
	size_t n_found, n_made; /* texts */
	size_t n_segments, n_bytes; /* on disk */
};
struct token_cache_stats token_cache_stats(const struct token_cache *c);

#endif
