/* mem.h - the only place that calls malloc, and the arena that most code should use instead.
 *
 * xmalloc and its kin never return NULL: when the machine is out of memory for the small things,
 * there is nothing sensible left to do, so they report and abort (the crash handler of signals.h
 * says so). Sizes that come from user data or a model go through try_malloc, whose failure is an
 * ordinary error.
 *
 * An arena hands out memory that lives as long as one unit of work (a row, a batch, a data set) and
 * is released at once. arena_mark/arena_rewind give back what a loop body took.
 *
 *	struct arena a = ARENA_INIT;
 *	char *copy = arena_text(&a, t).s;
 *	arena_release(&a); */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull)); /* overflow aborts */
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len)
	__attribute__((malloc, returns_nonnull)); /* adds the NUL */
char *xasprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
/* n * size bytes, 64-byte aligned, not cleared; NULL and *err on overflow or failure. free() it. */
void *try_malloc(size_t n, size_t size, const char *what, struct err *err) MUST_CHECK;

struct arena_block;
struct arena {
	struct arena_block *top;
	size_t used; /* bytes taken from the top block */
};
struct arena_mark {
	struct arena_block *top;
	size_t used;
};

#define ARENA_INIT                                                                                 \
	{                                                                                          \
		NULL, 0                                                                            \
	}
/* 16-byte aligned, not cleared; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_calloc(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));
/* A copy of t with a NUL behind it (not counted in len). */
struct text arena_text(struct arena *a, struct text t);
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((returns_nonnull, format(printf, 2, 3)));
struct arena_mark arena_mark(const struct arena *a);
/* Gives back everything taken since the mark. Blocks stay for reuse. */
void arena_rewind(struct arena *a, struct arena_mark mark);
void arena_release(struct arena *a); /* all of it; the arena is empty and usable again */

#endif
