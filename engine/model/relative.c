#include "model/relative.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define FARTHEST 128

int64_t relative_bucket(int64_t distance)
{
	int64_t half = RELATIVE_BUCKETS / 2, exact = half / 2;
	int64_t n = distance < 0 ? -distance : distance, base = distance > 0 ? half : 0;
	if (n < exact)
		return base + n;
	/* In f32, in torch's order: a bucket's edge must fall on the same distance. */
	float far = logf((float)n / (float)exact) / (float)log((double)FARTHEST / (double)exact) *
		(float)(half - exact);
	int64_t bucket = exact + (int64_t)far;
	return base + (bucket < half ? bucket : half - 1);
}

/* [1, heads, L, L] */
static tensor bias_of(tn_scope *out, tensor table, int64_t len, int64_t n_heads)
{
	int64_t *bucket = xcalloc((size_t)(len * len), sizeof *bucket);
	for (int64_t i = 0; i < len; i++)
		for (int64_t k = 0; k < len; k++)
			bucket[i * len + k] = relative_bucket(k - i);
	tn_scope *s = tn_push(out);
	tensor rows = tn_index_select(s, table, 0, bucket, len * len); /* [L*L, heads] */
	tensor bias = tn_contiguous(s, tn_transpose(s, rows, 0, 1)); /* [heads, L*L] */
	bias = tn_keep(out, tn_view(s, bias, SHAPE(1, n_heads, len, len)));
	tn_pop(s);
	free(bucket);
	return bias;
}

/* Head `first` and the n_heads behind it, of qkv [n*L, ...] -> [n, heads, L, D]. */
static tensor heads_of(
	tn_scope *s, tensor qkv, int64_t n, int64_t len, int part, const struct tn_attention *how)
{
	int64_t width = how->n_heads * how->head_dim;
	tensor x = tn_contiguous(s, tn_narrow(s, qkv, 1, part * width, width)); /* [n*L, H] */
	x = tn_view(s, x, SHAPE(n, len, how->n_heads, how->head_dim));
	return tn_contiguous(s, tn_transpose(s, x, 1, 2));
}

/* n texts of equal length: rows [n*L, 3H] of qkv -> [n*L, H]. */
static tensor run(tn_scope *out, tensor qkv, int64_t n, int64_t len, const struct tn_attention *how,
	tensor table, uint64_t seed)
{
	tn_scope *s = tn_push(out);
	tensor q = heads_of(s, qkv, n, len, 0, how), k = heads_of(s, qkv, n, len, 1, how);
	tensor v = heads_of(s, qkv, n, len, 2, how); /* [n, heads, L, D] */
	tensor scores = tn_matmul(s, q, tn_transpose(s, k, 2, 3)); /* [n, heads, L, L] */
	scores = tn_cast(s, tn_scale(s, scores, 1.0 / sqrt((double)how->head_dim)), TN_F32);
	scores = tn_add(s, scores, bias_of(s, table, len, how->n_heads));
	tensor p = tn_dropout(s, tn_softmax(s, scores), how->dropout, seed);
	tensor y = tn_matmul(s, tn_cast(s, p, tn_dtype_of(s, v)), v); /* [n, heads, L, D] */
	y = tn_contiguous(s, tn_transpose(s, y, 1, 2));
	y = tn_keep(out, tn_view(s, y, SHAPE(n * len, how->n_heads * how->head_dim)));
	tn_pop(s);
	return y;
}

tensor relative_attention(tn_scope *out, tensor qkv, struct tn_seqs seqs,
	const struct tn_attention *how, tensor table)
{
	tn_scope *s = tn_push(out);
	tensor *part = xcalloc((size_t)seqs.n + 1, sizeof *part);
	int n_parts = 0;
	for (int64_t i = 0, next; i < seqs.n; i = next) {
		int64_t len = seqs.start[i + 1] - seqs.start[i];
		for (next = i + 1; next < seqs.n; next++)
			if (seqs.start[next + 1] - seqs.start[next] != len)
				break;
		if (len == 0)
			continue;
		tensor rows = tn_narrow(s, qkv, 0, seqs.start[i], (next - i) * len);
		part[n_parts++] = run(s, rows, next - i, len, how, table, how->seed + (uint64_t)i);
	}
	tensor y = n_parts == 1 ? part[0]
		: n_parts > 1   ? tn_cat(s, part, n_parts, 0)
				: tn_zeros(s, TN_F32, SHAPE(0, how->n_heads * how->head_dim));
	y = tn_keep(out, y); /* [T,H] */
	tn_pop(s);
	free(part);
	return y;
}
