#include "model/layers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

uint64_t pass_seed(const struct pass *p, int64_t layer, int place)
{
	struct rng r = rng_new(p->seed, (uint64_t)layer * 16 + (uint64_t)place);
	return rng_next(&r);
}

int64_t pass_layers(const struct pass *p, int64_t n_layers)
{
	return p->n_layers > 0 && p->n_layers < n_layers ? p->n_layers : n_layers;
}

void pass_state(const struct pass *p, tn_scope *out, int64_t index, tensor x)
{
	if (p->states)
		p->states[index] = tn_keep(out, x);
}

void linear_declare(struct params *p, struct linear *l, int64_t out, int64_t in, const char *name)
{
	params_one(p, &l->w, WEIGHT_LINEAR, out, in, "%s.weight", name);
	params_one(p, &l->b, WEIGHT_BIAS, out, 0, "%s.bias", name);
}

void linear_declare_bare(
	struct params *p, struct linear *l, int64_t out, int64_t in, const char *name)
{
	params_one(p, &l->w, WEIGHT_LINEAR, out, in, "%s.weight", name);
}

void linear_declare_parts(struct params *p, struct linear *l, int64_t in, bool has_bias,
	const struct linear_part *parts, size_t n)
{
	int64_t out = 0;
	for (size_t i = 0; i < n; i++)
		out += parts[i].out;
	params_add(p, &l->w, WEIGHT_LINEAR, out, in);
	for (size_t i = 0; i < n; i++)
		params_part(p, &l->w, parts[i].out, "%s.weight", parts[i].name);
	if (!has_bias)
		return;
	params_add(p, &l->b, WEIGHT_BIAS, out, 0);
	for (size_t i = 0; i < n; i++)
		params_part(p, &l->b, parts[i].out, "%s.bias", parts[i].name);
}

void linear_pack(tn_scope *s, struct linear *l)
{
	tn_scope *t = tn_push_no_grad(s);
	l->pack = tn_pack_linear(t, tn_cast(t, l->w.value, TN_BF16), l->b.value);
	tn_pop(t);
}

void linear_release(struct linear *l)
{
	tn_pack_free(l->pack);
	l->pack = NULL;
}

static enum tn_act act_of(enum model_act act)
{
	switch (act) {
	case MODEL_GELU:
		return TN_ACT_GELU;
	case MODEL_GELU_TANH:
		return TN_ACT_GELU_TANH;
	case MODEL_RELU:
		return TN_ACT_RELU;
	case MODEL_SILU:
		break;
	}
	return TN_ACT_SILU;
}

static tensor add_lora(tn_scope *s, const struct linear *l, tensor y, tensor x,
	const struct pass *pass, uint64_t seed)
{
	if (!l->lora)
		return y;
	return tn_add(
		s, y, lora_delta(s, l->lora, &l->w, x, pass->dtype, pass->lora_dropout, seed));
}

tensor linear_product(
	tn_scope *s, const struct linear *l, tensor x, const struct pass *pass, uint64_t seed)
{
	tensor y = l->pack ? tn_linear_packed(s, x, l->pack, TN_ACT_NONE)
			   : tn_linear(s, x, l->w.compute, TN_NONE); /* [T,O] */
	return add_lora(s, l, y, x, pass, seed);
}

tensor linear_bias(const struct linear *l)
{
	return l->pack ? TN_NONE : l->b.value;
}

tensor linear_forward(
	tn_scope *s, const struct linear *l, tensor x, const struct pass *pass, uint64_t seed)
{
	if (l->pack)
		return linear_product(s, l, x, pass, seed);
	tensor bias = l->b.value.gen == 0 ? TN_NONE : tn_cast(s, l->b.value, pass->dtype);
	tensor y = tn_linear(s, x, l->w.compute, bias); /* [T,O] */
	return add_lora(s, l, y, x, pass, seed);
}

tensor linear_act(tn_scope *s, const struct linear *l, tensor x, enum model_act act,
	const struct pass *pass, uint64_t seed)
{
	if (l->pack && !l->lora && act != MODEL_SILU)
		return tn_linear_packed(s, x, l->pack, act_of(act));
	if (!l->pack && l->b.value.gen != 0 && (act == MODEL_GELU || act == MODEL_GELU_TANH))
		return tn_bias_gelu(
			s, linear_product(s, l, x, pass, seed), l->b.value, act == MODEL_GELU_TANH);
	tensor y = linear_forward(s, l, x, pass, seed); /* [T,O] */
	switch (act) {
	case MODEL_GELU:
	case MODEL_GELU_TANH:
		return tn_gelu(s, y, act == MODEL_GELU_TANH);
	case MODEL_RELU:
		return tn_relu(s, y);
	case MODEL_SILU:
		break;
	}
	return tn_silu(s, y);
}

void norm_declare(struct params *p, struct norm *n, int64_t width, double eps, const char *name)
{
	params_one(p, &n->w, WEIGHT_NORM, width, 0, "%s.weight", name);
	params_one(p, &n->b, WEIGHT_NORM, width, 0, "%s.bias", name);
	n->eps = eps;
}

void norm_declare_bare(
	struct params *p, struct norm *n, int64_t width, double eps, const char *name)
{
	params_one(p, &n->w, WEIGHT_NORM, width, 0, "%s.weight", name);
	n->eps = eps;
}

tensor norm_forward(tn_scope *s, const struct norm *n, tensor x)
{
	return tn_layer_norm(s, x, n->w.value, n->b.value, n->eps);
}

tensor norm_add(tn_scope *s, const struct norm *n, tensor x, tensor bias, tensor residual,
	double dropout, uint64_t seed)
{
	return tn_add_layer_norm(
		s, x, bias, residual, n->w.value, n->b.value, n->eps, dropout, seed);
}

void rms_declare(
	struct params *p, struct rms *n, int64_t width, double eps, double shift, const char *name)
{
	params_one(p, &n->w, WEIGHT_NORM, width, 0, "%s.weight", name);
	n->eps = eps;
	n->shift = shift;
}

tensor rms_forward(tn_scope *s, const struct rms *n, tensor x)
{
	return tn_rms_norm(s, x, n->w.value, n->eps, n->shift);
}

tensor gate_forward(tn_scope *s, tensor x, enum model_act act, bool gate_last)
{
	return tn_glu(s, x, act_of(act), gate_last);
}

void token_table_declare(
	struct params *p, struct weight *table, int64_t rows, int64_t width, const char *name)
{
	params_one(p, table, WEIGHT_TABLE, rows, width, "%s", name);
	table->is_cast = true;
}

tensor token_embedding(tn_scope *s, const struct weight *table, const struct token_batch *batch)
{
	int64_t n = batch->seqs.start[batch->seqs.n];
	int64_t *id = xcalloc((size_t)n + 1, sizeof *id);
	for (int64_t i = 0; i < n; i++)
		id[i] = batch->ids[i];
	tensor rows = tn_cast(s, tn_embedding(s, table->value, id, n), TN_F32); /* [T,H] */
	free(id);
	return rows;
}

double rounded_to(tn_scope *s, double v, enum tn_dtype dtype)
{
	tn_scope *t = tn_push_no_grad(s);
	double r = tn_item(t, tn_cast(t, tn_full(t, v, SHAPE(1)), dtype));
	tn_pop(t);
	return r;
}
