#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static void *or_die(void *p, size_t size)
{
	if (!p) {
		/* The crash handler adds the rest; there is no memory for more. */
		fprintf(stderr, "vecsmith: out of memory: %zu bytes were refused\n", size);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1), size);
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1), n * size);
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1), size);
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n ? n : 1, size ? size : 1), n * size);
}

char *xstrndup(const char *s, size_t len)
{
	char *copy = xmalloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *s = NULL;
	int n = vasprintf(&s, fmt, args);
	va_end(args);
	return or_die(n < 0 ? NULL : s, 0);
}

void *try_malloc(size_t n, size_t size, const char *what, struct err *err)
{
	size_t bytes = 0;
	void *p = NULL;
	if (!__builtin_mul_overflow(n, size, &bytes) && bytes < SIZE_MAX / 2 &&
		!fault_hit(FAULT_MEMORY))
		p = aligned_alloc(64, (bytes + 64) / 64 * 64);
	if (!p)
		err_set(err, ERR_FAILED, "out of memory: %s needs %zu x %zu bytes", what, n, size);
	return p;
}

/* Blocks double, so that a large arena is a handful of them. */
struct arena_block {
	struct arena_block *below;
	size_t size;
	_Alignas(16) unsigned char data[];
};

enum { FIRST_BLOCK = 4096 };

static void push_block(struct arena *a, size_t at_least)
{
	size_t size = a->top ? a->top->size * 2 : FIRST_BLOCK;
	if (size > (size_t)16 << 20)
		size = (size_t)16 << 20;
	if (size < at_least)
		size = at_least;
	struct arena_block *b = xmalloc(sizeof *b + size);
	b->below = a->top;
	b->size = size;
	a->top = b;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15;
	if (!a->top || a->top->size - a->used < need)
		push_block(a, need);
	void *p = a->top->data + a->used;
	a->used += need;
	return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		or_die(NULL, SIZE_MAX);
	return memset(arena_alloc(a, bytes), 0, bytes);
}

struct text arena_text(struct arena *a, struct text t)
{
	char *copy = arena_alloc(a, t.len + 1);
	if (t.len)
		memcpy(copy, t.s, t.len);
	copy[t.len] = '\0';
	return (struct text){copy, t.len};
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t len = strlen(s) + 1;
	return memcpy(arena_alloc(a, len), s, len);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	char *s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
	va_end(again);
	return s;
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){a->top, a->used};
}

void arena_rewind(struct arena *a, struct arena_mark mark)
{
	while (a->top != mark.top) {
		struct arena_block *b = a->top;
		/* The oldest block survives a rewind to the empty mark: the next round needs it. */
		if (!mark.top && !b->below) {
			a->used = 0;
			return;
		}
		a->top = b->below;
		free(b);
	}
	a->used = mark.used;
}

void arena_release(struct arena *a)
{
	while (a->top) {
		struct arena_block *b = a->top;
		a->top = b->below;
		free(b);
	}
	a->used = 0;
}
