#include "model/heads.h"

#include <stdlib.h>

#include "base/mem.h"

/* Leading tokens of text i that are left out. A text that is all prompt keeps its tokens for CLS,
 * as sentence-transformers does, and has none otherwise. */
static int64_t skipped(const struct token_batch *batch, int64_t i, enum tn_pool how)
{
	int64_t len = batch->seqs.start[i + 1] - batch->seqs.start[i];
	int64_t skip = batch->prompt_tokens[i];
	if (skip >= len)
		return how == TN_POOL_CLS ? 0 : len;
	return skip;
}

/* A token's weight is its place in the whole text, from 1, also when the prompt in front of it is
 * left out: the mean of x * place * len / sum(places). */
static tensor pool_weighted(tn_scope *out, tensor x, const struct token_batch *batch)
{
	const int64_t *start = batch->seqs.start;
	int64_t n_tokens = start[batch->seqs.n];
	float *weight = xcalloc((size_t)n_tokens + 1, sizeof *weight); /* [T] */
	for (int64_t i = 0; i < batch->seqs.n; i++) {
		int64_t len = start[i + 1] - start[i];
		int64_t skip = skipped(batch, i, TN_POOL_WEIGHTED);
		double sum = 0.5 * (double)((len - skip) * (len + skip + 1));
		for (int64_t k = skip; k < len; k++)
			weight[start[i] + k] = (float)((double)(k + 1) * (double)len / sum);
	}
	tn_scope *s = tn_push(out);
	tensor scaled = tn_mul(s, x, tn_from_f32(s, weight, SHAPE(n_tokens, 1))); /* [T,H] */
	tensor y = tn_keep(out, tn_pool(s, scaled, batch->seqs, TN_POOL_MEAN)); /* [n,H] */
	tn_pop(s);
	free(weight);
	return y;
}

/* Tokens behind the prompt alone. */
static tensor pool_rest(tn_scope *out, tensor x, const struct token_batch *batch, enum tn_pool how)
{
	int64_t n = batch->seqs.n, n_kept = 0;
	int64_t *kept = xcalloc((size_t)batch->seqs.start[n] + 1, sizeof *kept);
	int64_t *start = xcalloc((size_t)n + 1, sizeof *start);
	for (int64_t i = 0; i < n; i++) {
		int64_t from = batch->seqs.start[i] + skipped(batch, i, how);
		for (int64_t k = from; k < batch->seqs.start[i + 1]; k++)
			kept[n_kept++] = k;
		start[i + 1] = n_kept;
	}
	tn_scope *s = tn_push(out);
	tensor rest = tn_index_select(s, x, 0, kept, n_kept); /* [T - prompts, H] */
	tensor y = tn_keep(out, tn_pool(s, rest, (struct tn_seqs){start, n}, how)); /* [n,H] */
	tn_pop(s);
	free(kept);
	free(start);
	return y;
}

tensor head_pool(tn_scope *s, tensor x, const struct token_batch *batch, enum tn_pool how)
{
	if (!batch->prompt_tokens)
		return tn_pool(s, x, batch->seqs, how);
	if (how == TN_POOL_WEIGHTED)
		return pool_weighted(s, x, batch);
	return pool_rest(s, x, batch, how);
}

static void declare_head(struct params *p, struct linear *l, int64_t out, int64_t in,
	const char *name, double init_std)
{
	params_one(p, &l->w, WEIGHT_HEAD, out, in, "%s.weight", name);
	params_one(p, &l->b, WEIGHT_BIAS, out, 0, "%s.bias", name);
	l->w.init_std = l->b.init_std = init_std;
}

void classifier_declare(struct params *p, struct classifier *h, const struct model_config *c)
{
	declare_head(p, &h->pooler, c->hidden, c->hidden, "pooler.dense", c->init_std);
	declare_head(p, &h->out, c->n_labels, c->hidden, "classifier", c->init_std);
	h->out.w.is_outside = h->out.b.is_outside = true;
	h->dropout = c->classifier_dropout;
}

tensor classifier_forward(tn_scope *out, const struct classifier *h, tensor x, struct tn_seqs seqs,
	double dropout, uint64_t seed)
{
	tn_scope *s = tn_push(out);
	tensor first = tn_pool(s, x, seqs, TN_POOL_CLS); /* [n,H] */
	tensor pooled =
		tn_tanh(s, tn_linear(s, first, h->pooler.w.value, h->pooler.b.value)); /* [n,H] */
	pooled = tn_dropout(s, pooled, dropout, seed);
	tensor y =
		tn_keep(out, tn_linear(s, pooled, h->out.w.value, h->out.b.value)); /* [n,labels] */
	tn_pop(s);
	return y;
}
