/* charsmap.h - sentencepiece's precompiled_charsmap: a double array (Darts) from UTF-8 to UTF-8.
 *
 * Layout: u32 trie size in bytes, the trie's u32 units, then NUL-terminated texts; a leaf's value is
 * an offset into them. All little-endian. (sentencepiece, src/normalizer.cc; darts-clone.)
 *
 * It is applied as the Hugging Face library does, not as sentencepiece does: to one extended
 * grapheme cluster at a time when that has at most 5 bytes, else to each of its code points; the
 * shortest entry that begins it replaces all of it. */
#ifndef TEXT_CHARSMAP_H
#define TEXT_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "text/chars.h"
#include "text/uclass.h"

struct charsmap;
/* From the base64 text of the file; checked so that no walk can leave it. Lives in the arena. */
struct charsmap *charsmap_load(struct text base64, struct arena *a, struct err *err) MUST_CHECK;
/* The shortest entry that begins c[0..n): its text. False: none. */
bool charsmap_find(const struct charsmap *m, const uint32_t *c, size_t n, struct text *ret);
/* One past the last code point of the grapheme cluster that begins at i < n (Unicode Standard Annex
 * 29). The rules for flags and Indic conjuncts are left out: such clusters have 6 bytes or more
 * either way, so charsmap_apply() cannot tell. */
size_t grapheme_end(const struct uclass *u, const uint32_t *c, size_t i, size_t n);

#endif
