#include "model/lora.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

bool lora_target_matches(const char *module, const char *target)
{
	size_t len = strlen(module), n = strlen(target);
	if (n > len || strcmp(module + len - n, target) != 0)
		return false;
	return n == len || module[len - n - 1] == '.';
}

void lora_init(struct lora *l, tn_scope *s, const struct weight *w, int64_t r, int64_t alpha,
	const bool has[WEIGHT_PARTS], uint64_t seed)
{
	double bound = 1.0 / sqrt((double)w->cols);
	l->r = r;
	l->scale = (double)alpha / (double)r;
	for (int i = 0; i < w->n_parts; i++) {
		l->has[i] = has[i];
		l->a[i] = l->b[i] = TN_NONE;
		if (!has[i])
			continue;
		const char *name = w->part[i].name;
		tn_scope *t = tn_push(s);
		l->a[i] = tn_keep(s,
			tn_param(t,
				tn_uniform(t, -bound, bound, seed ^ hash64(name, strlen(name)),
					SHAPE(r, w->cols))));
		l->b[i] = tn_keep(s, tn_param(t, tn_zeros(t, TN_F32, SHAPE(w->part[i].n_rows, r))));
		tn_pop(t);
	}
}

/* Row block of part i in the matrix [O, k*r] whose diagonal holds the B: B between zeros. */
static tensor diagonal_block(
	tn_scope *s, const struct lora *l, const struct weight *w, int i, int at, int k)
{
	tensor block[3];
	int n = 0;
	int64_t rows = w->part[i].n_rows;
	if (!l->has[i])
		return tn_zeros(s, TN_F32, SHAPE(rows, k * l->r));
	if (at > 0)
		block[n++] = tn_zeros(s, TN_F32, SHAPE(rows, at * l->r));
	block[n++] = l->b[i];
	if (at + 1 < k)
		block[n++] = tn_zeros(s, TN_F32, SHAPE(rows, (k - at - 1) * l->r));
	return n == 1 ? block[0] : tn_cat(s, block, n, 1);
}

tensor lora_delta(tn_scope *out, const struct lora *l, const struct weight *w, tensor x,
	enum tn_dtype dtype, double dropout, uint64_t seed)
{
	tn_scope *s = tn_push(out);
	tensor a[WEIGHT_PARTS], b[WEIGHT_PARTS];
	int k = 0, at = 0;
	for (int i = 0; i < w->n_parts; i++)
		if (l->has[i])
			a[k++] = l->a[i];
	for (int i = 0; i < w->n_parts; i++) {
		b[i] = diagonal_block(s, l, w, i, at, k);
		at += l->has[i];
	}
	tensor down = k == 1 ? a[0] : tn_cat(s, a, k, 0); /* [k*r, I] */
	tensor up = w->n_parts == 1 ? b[0] : tn_cat(s, b, w->n_parts, 0); /* [O, k*r] */
	tensor in = dropout > 0.0 ? tn_dropout(s, x, dropout, seed) : x; /* [T,I] */
	tensor low = tn_linear(s, in, tn_cast(s, down, dtype), TN_NONE); /* [T, k*r] */
	tensor y = tn_linear(
		s, low, tn_cast(s, tn_scale(s, up, l->scale), dtype), TN_NONE); /* [T,O] */
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

tensor lora_merged(tn_scope *s, const struct lora *l, const struct weight *w, int i)
{
	tensor base = weight_slice(s, w, w->value, i); /* [O,I] */
	if (!l->has[i])
		return base;
	return tn_add(s, base, tn_scale(s, tn_matmul(s, l->b[i], l->a[i]), l->scale));
}
