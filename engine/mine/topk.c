#include "mine/topk.h"

#include <stdlib.h>

static void sift_down(struct hit *h, size_t n, size_t at)
{
	struct hit moving = h[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= n)
			break;
		if (child + 1 < n && hit_before(h[child], h[child + 1]))
			child++;
		if (!hit_before(moving, h[child]))
			break;
		h[at] = h[child];
		at = child;
	}
	h[at] = moving;
}

static void sift_up(struct hit *h, size_t at)
{
	struct hit moving = h[at];
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (!hit_before(h[parent], moving))
			break;
		h[at] = h[parent];
		at = parent;
	}
	h[at] = moving;
}

void topk_push(struct topk *t, struct hit h)
{
	if (isnan(h.score))
		return;
	if (t->n < t->k) {
		t->hits[t->n] = h;
		sift_up(t->hits, t->n++);
	} else if (t->k && hit_before(h, t->hits[0])) {
		t->hits[0] = h;
		sift_down(t->hits, t->n, 0);
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	return hit_before(*x, *y) ? -1 : hit_before(*y, *x);
}

void topk_finish(struct topk *t)
{
	qsort(t->hits, t->n, sizeof *t->hits, by_rank);
	for (size_t i = t->n; i < t->k; i++)
		t->hits[i] = (struct hit){-INFINITY, -1};
}
