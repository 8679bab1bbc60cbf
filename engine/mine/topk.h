/* topk.h - private to mine/: the k best hits seen so far, as a heap with the worst on top. */
#ifndef MINE_TOPK_H
#define MINE_TOPK_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "mine/search.h"

struct topk {
	struct hit *hits; /* [k], the caller's */
	size_t n, k;
};

/* The order of every ranking here: score descending, then id ascending. */
static inline bool hit_before(struct hit a, struct hit b)
{
	return a.score > b.score || (a.score == b.score && a.id < b.id);
}

/* A score below this cannot enter. */
static inline float topk_floor(const struct topk *t)
{
	return t->n < t->k ? -INFINITY : t->hits[0].score;
}

void topk_push(struct topk *t, struct hit h); /* NaN scores are dropped */
/* Sorts, best first, and fills up with {-infinity, -1}. The heap is spent. */
void topk_finish(struct topk *t);

#endif
