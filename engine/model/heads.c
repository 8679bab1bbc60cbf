#include "model/heads.h"

#include <stdlib.h>
#include <string.h>

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

const char head_act_list[] = "identity, tanh, gelu, gelu_pytorch_tanh, relu, silu or sigmoid";

bool head_act_parse(struct text name, enum head_act *ret)
{
	static const struct {
		const char *name, *class;
		enum head_act act;
	} acts[] = {
		{"identity", "Identity", HEAD_IDENTITY},
		{"tanh", "Tanh", HEAD_TANH},
		{"gelu", "GELU", HEAD_GELU},
		{"gelu_new", "NewGELUActivation", HEAD_GELU_TANH},
		{"gelu_pytorch_tanh", "PytorchGELUTanh", HEAD_GELU_TANH},
		{"relu", "ReLU", HEAD_RELU},
		{"silu", "SiLU", HEAD_SILU},
		{"sigmoid", "Sigmoid", HEAD_SIGMOID},
	};
	const char *dot = name.len > 0 ? memrchr(name.s, '.', name.len) : NULL;
	if (dot)
		name = (struct text){dot + 1, name.len - (size_t)(dot + 1 - name.s)};
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (text_is(name, acts[i].name) || text_is(name, acts[i].class)) {
			*ret = acts[i].act;
			return true;
		}
	return false;
}

tensor head_activate(tn_scope *s, tensor x, enum head_act act)
{
	switch (act) {
	case HEAD_IDENTITY:
		break;
	case HEAD_TANH:
		return tn_tanh(s, x);
	case HEAD_GELU:
	case HEAD_GELU_TANH:
		return tn_gelu(s, x, act == HEAD_GELU_TANH);
	case HEAD_RELU:
		return tn_relu(s, x);
	case HEAD_SILU:
		return tn_silu(s, x);
	case HEAD_SIGMOID:
		return tn_sigmoid(s, x);
	}
	return x;
}
