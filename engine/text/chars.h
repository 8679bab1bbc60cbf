/* chars.h - text as code points: what everything between the bytes of a text and its ids works on.
 *
 * A run keeps a few of these and refills them for every text, so that encoding allocates nothing
 * once they have grown. */
#ifndef TEXT_CHARS_H
#define TEXT_CHARS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

struct chars {
	uint32_t *c; /* scalar values */
	size_t n, cap;
};
#define CHARS_INIT                                                                                 \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

/* Room for n more behind the end; the caller writes there and raises v->n. */
uint32_t *chars_reserve(struct chars *v, size_t n);
void chars_append(struct chars *v, const uint32_t *c, size_t n);
void chars_decode(struct chars *v, struct text t); /* appends; a bad byte becomes U+FFFD */
void chars_encode(const uint32_t *c, size_t n, struct buf *out); /* appends UTF-8 */
void chars_release(struct chars *v);

/* The same with the place of each: the byte of the user's text where the character begins that it
 * stands for; with PLACE_EMPTY in it, it stands for nothing there. */
#define PLACE_EMPTY 0x80000000u
struct placed {
	uint32_t *c, *at;
	size_t n, cap;
};

void placed_reserve(struct placed *v, size_t n); /* room for n more */
void placed_copy(
	struct placed *v, const struct placed *from, size_t begin, size_t end); /* appends */
/* Appends t, whose first byte is byte `at` of the user's text. */
void placed_decode(struct placed *v, struct text t, size_t at);
void placed_release(struct placed *v);

static inline void placed_add(struct placed *v, uint32_t c, uint32_t at)
{
	if (v->n == v->cap)
		placed_reserve(v, 1);
	v->c[v->n] = c;
	v->at[v->n++] = at;
}

static inline void chars_add(struct chars *v, uint32_t c)
{
	if (v->n == v->cap)
		chars_reserve(v, 1);
	v->c[v->n++] = c;
}

#endif
