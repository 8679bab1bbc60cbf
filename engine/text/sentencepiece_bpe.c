/* The merges of a sentencepiece BPE model, which holds none: a piece of score s is made by all pairs
 * of pieces that spell it, at once after everything of a higher score. The order of equals is that of
 * transformers (generate_merges in convert_slow_tokenizer.py): by the lengths of the two in code
 * points, descending, and then as found. */
#include <stdlib.h>

#include "base/map.h"
#include "base/utf8.h"
#include "text/sentencepiece.h"

/* Longer ones are no pieces of a model that was trained (16 characters is the default, user-defined
 * symbols are longer): their parts are not looked for, which bounds the work. */
#define SPLIT_MAX 512

struct merge {
	float score;
	uint32_t n_left, n_right; /* code points */
	uint32_t left, right; /* pieces */
	size_t at; /* as found */
};
struct merges {
	struct merge *m;
	size_t n, cap;
};

static int by_rank(const void *a, const void *b)
{
	const struct merge *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->n_left != y->n_left)
		return x->n_left > y->n_left ? -1 : 1;
	if (x->n_right != y->n_right)
		return x->n_right > y->n_right ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int by_ids(const void *a, const void *b)
{
	const struct merge *x = a, *y = b;
	if (x->left != y->left)
		return x->left > y->left ? 1 : -1;
	return (x->right > y->right) - (x->right < y->right);
}

static void add(struct merges *v, struct merge m)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 1024;
		v->m = xreallocarray(v->m, v->cap, sizeof *v->m);
	}
	v->m[v->n++] = m;
}

static void find_splits(
	const struct sentencepiece *sp, size_t id, const struct map *ids, struct merges *v)
{
	const struct piece_entry *p = &sp->pieces[id];
	size_t first = v->n, n_left = 0, n_all = utf8_count(p->s), len;
	if (p->s.len > SPLIT_MAX)
		return;
	for (size_t at = 0; at < p->s.len; at += len) {
		int64_t left, right;
		struct text head = {p->s.s, at}, tail = {p->s.s + at, p->s.len - at};
		utf8_decode(tail.s, tail.len, &len);
		if (at > 0 && map_get(ids, head, &left) && map_get(ids, tail, &right))
			add(v,
				(struct merge){p->score, (uint32_t)n_left,
					(uint32_t)(n_all - n_left), (uint32_t)left, (uint32_t)right,
					0});
		n_left++;
	}
	if (v->n - first > 1)
		qsort(v->m + first, v->n - first, sizeof *v->m, by_ids);
}

void sentencepiece_put_merges(const struct sentencepiece *sp, struct buf *out)
{
	struct map ids = MAP_INIT;
	struct merges v = {0};
	for (size_t i = 0; i < sp->n; i++)
		map_put(&ids, sp->pieces[i].s, (int64_t)i);
	for (size_t i = 0; i < sp->n; i++)
		find_splits(sp, i, &ids, &v);
	for (size_t i = 0; i < v.n; i++)
		v.m[i].at = i;
	if (v.n > 1)
		qsort(v.m, v.n, sizeof *v.m, by_rank);
	json_put_key(out, "merges");
	buf_addch(out, '[');
	for (size_t i = 0; i < v.n; i++) {
		buf_adds(out, i ? ",[" : "[");
		json_put_text(out, sp->pieces[v.m[i].left].s);
		buf_addch(out, ',');
		json_put_text(out, sp->pieces[v.m[i].right].s);
		buf_addch(out, ']');
	}
	buf_addch(out, ']');
	free(v.m);
	map_release(&ids);
}
