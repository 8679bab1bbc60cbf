#include "text/chars.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

uint32_t *chars_reserve(struct chars *v, size_t n)
{
	if (v->cap - v->n < n) {
		size_t cap = v->cap + v->cap / 2;
		if (cap < v->n + n)
			cap = v->n + n;
		if (cap < 256)
			cap = 256;
		v->c = xreallocarray(v->c, cap, sizeof(*v->c));
		v->cap = cap;
	}
	return v->c + v->n;
}

void chars_append(struct chars *v, const uint32_t *c, size_t n)
{
	uint32_t *out = chars_reserve(v, n);
	if (n)
		memcpy(out, c, n * sizeof(*c));
	v->n += n;
}

void chars_decode(struct chars *v, struct text t)
{
	uint32_t *out = chars_reserve(v, t.len); /* at most one a byte */
	for (size_t i = 0; i < t.len;) {
		uint32_t b = (unsigned char)t.s[i];
		if (b < 0x80) {
			*out++ = b;
			i++;
			continue;
		}
		size_t len;
		*out++ = utf8_decode(t.s + i, t.len - i, &len);
		i += len;
	}
	v->n = (size_t)(out - v->c);
}

void chars_encode(const uint32_t *c, size_t n, struct buf *out)
{
	char *at = buf_reserve(out, 4 * n);
	if (!at)
		return;
	const char *begin = at;
	for (size_t i = 0; i < n; i++)
		at += utf8_encode(c[i], at);
	out->len += (size_t)(at - begin);
}

void chars_release(struct chars *v)
{
	free(v->c);
	*v = (struct chars)CHARS_INIT;
}

void placed_reserve(struct placed *v, size_t n)
{
	if (v->cap - v->n >= n)
		return;
	size_t cap = v->cap + v->cap / 2;
	if (cap < v->n + n)
		cap = v->n + n;
	if (cap < 256)
		cap = 256;
	v->c = xreallocarray(v->c, cap, sizeof(*v->c));
	v->at = xreallocarray(v->at, cap, sizeof(*v->at));
	v->cap = cap;
}

void placed_copy(struct placed *v, const struct placed *from, size_t begin, size_t end)
{
	size_t n = end - begin;
	if (n == 0)
		return;
	placed_reserve(v, n);
	memcpy(v->c + v->n, from->c + begin, n * sizeof(*v->c));
	memcpy(v->at + v->n, from->at + begin, n * sizeof(*v->at));
	v->n += n;
}

void placed_decode(struct placed *v, struct text t, size_t at)
{
	placed_reserve(v, t.len); /* at most one a byte */
	uint32_t *c = v->c + v->n, *place = v->at + v->n;
	for (size_t i = 0; i < t.len;) {
		uint32_t b = (unsigned char)t.s[i];
		size_t len = 1;
		*c++ = b < 0x80 ? b : utf8_decode(t.s + i, t.len - i, &len);
		*place++ = (uint32_t)(at + i);
		i += len;
	}
	v->n = (size_t)(c - v->c);
}

void placed_release(struct placed *v)
{
	free(v->c);
	free(v->at);
	*v = (struct placed){.c = NULL};
}
