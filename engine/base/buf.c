#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

char *buf_reserve(struct buf *b, size_t n)
{
	size_t limit = b->limit ? b->limit : BUF_LIMIT;
	if (b->is_full || n > limit - b->len) {
		b->is_full = true;
		return NULL;
	}
	if (b->cap - b->len < n + 1) {
		size_t cap = b->cap ? b->cap * 2 : 64;
		while (cap - b->len < n + 1)
			cap *= 2;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_reserve(b, len);
	if (!to)
		return;
	if (len)
		memcpy(to, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_addtext(struct buf *b, struct text t)
{
	buf_add(b, t.s, t.len);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addch(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	buf_vaddf(b, fmt, args);
	va_end(args);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->is_full = false;
	if (b->data)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){NULL, 0, 0, b->limit, false};
}

bool buf_ok(const struct buf *b)
{
	return !b->is_full;
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? b->data : xstrdup("");
	*b = (struct buf){NULL, 0, 0, b->limit, false};
	return data;
}

struct text buf_text(const struct buf *b)
{
	return (struct text){b->data ? b->data : "", b->len};
}

static void put_escape(struct buf *b, unsigned char c)
{
	static const char *const named[32] = {
		['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
	if (c == '"' || c == '\\') {
		buf_addch(b, '\\');
		buf_addch(b, (char)c);
	} else if (named[c]) {
		buf_adds(b, named[c]);
	} else {
		buf_addf(b, "\\u%04x", c);
	}
}

void json_put_text(struct buf *b, struct text t)
{
	buf_addch(b, '"');
	size_t from = 0;
	for (size_t i = 0; i < t.len;) {
		unsigned char c = (unsigned char)t.s[i];
		size_t len = 1;
		bool is_bad =
			c >= 0x80 && utf8_decode(t.s + i, t.len - i, &len) == UTF8_BAD && len == 1;
		if (c >= 0x20 && c != '"' && c != '\\' && !is_bad) {
			i += len;
			continue;
		}
		buf_add(b, t.s + from, i - from);
		if (is_bad)
			buf_adds(b, "\xEF\xBF\xBD");
		else
			put_escape(b, c);
		from = ++i;
	}
	buf_add(b, t.s + from, t.len - from);
	buf_addch(b, '"');
}

void json_put_str(struct buf *b, const char *s)
{
	json_put_text(b, text_of(s));
}

void json_put_real(struct buf *b, double v)
{
	if (!isfinite(v)) {
		buf_adds(b, "null");
		return;
	}
	char s[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, v);
		if (strtod(s, NULL) == v)
			break;
	}
	buf_adds(b, s);
}

void json_put_float(struct buf *b, float v)
{
	if (!isfinite(v)) {
		buf_adds(b, "null");
		return;
	}
	char s[40];
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, (double)v);
		if (strtof(s, NULL) == v)
			break;
	}
	buf_adds(b, s);
}

void json_put_int(struct buf *b, int64_t v)
{
	buf_addf(b, "%lld", (long long)v);
}

void json_put_key(struct buf *b, const char *key)
{
	char last = b->len ? b->data[b->len - 1] : '{';
	if (last != '{' && last != '[')
		buf_addch(b, ',');
	json_put_str(b, key);
	buf_addch(b, ':');
}
