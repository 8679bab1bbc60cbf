/* regex.h - the regular expressions of a tokenizer.json, run by Oniguruma, which the Hugging Face
 * library runs them with too. In: UTF-8 without bad bytes; out: one match after the other.
 *
 * Only for patterns that nobody wrote a scanner for: see scan.h. Threads: a regex is read-only. */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "text/uclass.h"

struct regex;
struct regex *regex_new(struct text pattern, struct err *err) MUST_CHECK; /* NULL: not a pattern */
void regex_free(struct regex *r);

/* Appends c[0..n) as UTF-8 for regex_each(). A character that may be newer than this machine's
 * Oniguruma is spelled as an older one of the same class and as many bytes: so matches are where
 * they are in the Hugging Face library, which brings its own. */
void regex_spell(const struct uclass *u, const uint32_t *c, size_t n, struct buf *out);
/* Calls fn for every match [begin, end), from left to right; matches may be empty. A match that
 * takes longer than Oniguruma's limits allow ends the search. */
typedef void (*regex_fn)(void *ctx, size_t begin, size_t end);
void regex_each(const struct regex *r, struct text t, regex_fn fn, void *ctx);

#endif
