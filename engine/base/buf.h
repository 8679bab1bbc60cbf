/* buf.h - growing bytes with a cap, and the one JSON writer.
 *
 * Failure is sticky: a buffer that would pass its cap takes nothing more, and buf_ok() tells once
 * at the end. data[len] is always 0. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct buf {
	char *data; /* NULL while empty; else terminated */
	size_t len, cap;
	size_t limit; /* most bytes that it may hold; 0 = BUF_LIMIT */
	bool is_full; /* an append was refused */
};

#define BUF_LIMIT ((size_t)1 << 32)
#define BUF_INIT                                                                                   \
	{                                                                                          \
		NULL, 0, 0, 0, false                                                               \
	}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_addtext(struct buf *b, struct text t);
void buf_adds(struct buf *b, const char *s);
void buf_addch(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list args);
/* Room for n more bytes at data + len; NULL when the cap forbids. The caller raises len. */
char *buf_reserve(struct buf *b, size_t n);
void buf_clear(struct buf *b); /* len = 0, memory kept, is_full forgotten */
void buf_release(struct buf *b);
bool buf_ok(const struct buf *b);
/* The bytes, NUL-terminated, now the caller's to free(); the buffer is empty. Never NULL. */
char *buf_take(struct buf *b);
struct text buf_text(const struct buf *b); /* borrowed until the next change */

/* JSON. A string is written as UTF-8 with only the escapes that JSON demands, so Korean stays
 * readable; bytes that are not UTF-8 become U+FFFD. Numbers print the shortest form that reads back
 * to the same value; NaN and infinities become null, which JSON can say. */
void json_put_text(struct buf *b, struct text t);
void json_put_str(struct buf *b, const char *s);
void json_put_real(struct buf *b, double v);
void json_put_float(struct buf *b, float v); /* shortest for a float: 0.1, not 0.10000000149 */
void json_put_int(struct buf *b, int64_t v);
/* `"key":` with a comma before it unless the last byte written is { or [. */
void json_put_key(struct buf *b, const char *key);

#endif
