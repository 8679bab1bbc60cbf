/* text.h - a borrowed stretch of bytes: pointer and length. NUL inside is legal, an end mark is not
 * promised. Whoever made it says until when it lives. Every user text travels in this form. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
	const char *s;
	size_t len;
};

#define TEXT_NONE ((struct text){NULL, 0})
#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_INIT(literal)                                                                         \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	} /* in static tables */
/* For printf: "%.*s", TEXT_ARG(t). Only for texts known to be short and free of NUL. */
#define TEXT_ARG(t) (int)(t).len, (t).s ? (t).s : ""

static inline struct text text_of(const char *s)
{
	return (struct text){s, s ? strlen(s) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

static inline bool text_is(struct text a, const char *s)
{
	return text_equal(a, text_of(s));
}

#endif
