#include "mine/texts.h"

#include <stdlib.h>

#include "base/utf8.h"

void mine_texts_release(struct mine_texts *x)
{
	free(x->t);
	free(x->fold);
	map_release(&x->by_text);
	map_release(&x->by_fold);
	arena_release(&x->arena);
	*x = (struct mine_texts)MINE_TEXTS_INIT;
}

uint32_t mine_texts_fold(struct mine_texts *x, struct text t)
{
	struct buf key = BUF_INIT;
	utf8_fold(&key, t);
	int64_t number = map_intern(&x->by_fold, buf_text(&key), (int64_t)map_size(&x->by_fold));
	buf_release(&key);
	return (uint32_t)number;
}

uint32_t mine_texts_add(struct mine_texts *x, struct text t)
{
	int64_t at;
	if (utf8_is_blank(t))
		return TEXT_BLANK;
	if (map_get(&x->by_text, t, &at))
		return (uint32_t)at;
	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 1024;
		x->t = xreallocarray(x->t, x->cap, sizeof *x->t);
		x->fold = xreallocarray(x->fold, x->cap, sizeof *x->fold);
	}
	map_put(&x->by_text, t, (int64_t)x->n);
	x->t[x->n] = arena_text(&x->arena, t);
	x->fold[x->n] = mine_texts_fold(x, t);
	return (uint32_t)x->n++;
}
