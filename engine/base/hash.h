/* hash.h - content ids. XXH3-128 (libxxhash) of bytes; equal content, equal id, on every machine.
 * Not for secrets: for keys of rows, texts, models and caches. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct hash128 {
	uint64_t lo, hi;
};

uint64_t hash64(const void *data, size_t len);
struct hash128 hash128(const void *data, size_t len);

/* Several fields as one id. Each field is fed with its length, so ("ab","c") and ("a","bc") differ.
 */
struct hasher;
struct hasher *hasher_new(void);
void hasher_add(struct hasher *h, const void *data, size_t len);
void hasher_text(struct hasher *h, struct text t);
void hasher_int(struct hasher *h, int64_t v);
struct hash128 hasher_end(struct hasher *h); /* frees h */

#define HASH_HEX 33 /* 32 hex digits and the NUL */
void hash_hex(struct hash128 h, char out[HASH_HEX]);
/* The id of a file's bytes. */
bool hash_file(const char *path, struct hash128 *ret, struct err *err) MUST_CHECK;

#endif
