/* decoder.c - decoders: Llama and what came of it.
 *
 *	x = embedding(token)                             Gemma, MiniCPM: scaled
 *	x = x + post(attention(turn(norm(x) W')) O')     a layer: attention, then
 *	x = x + post((act(h G') * h U') D'), h = norm(x) the gated feed-forward half
 *	y = norm(x)
 *
 * post is a norm where the architecture has four a layer, a factor in MiniCPM, else nothing. Source: Touvron et al. 2023
 * (LLaMA), section 2.2; Shazeer 2020 for the gate; Gemma Team 2024 (Gemma 2), section 2; names are
 * transformers'. */
#include "model/decoder.h"

#include <stdlib.h>

#include "base/mem.h"

struct layer {
	struct rms before, behind; /* of attention; behind: only of four */
	struct linear qkv, out; /* [(N+2K)D,H], [H,ND] */
	struct rms q_norm, k_norm; /* [D] */
	struct rms mlp_before, mlp_behind;
	struct linear gate_up, down; /* [2F,H], [H,F] */
};

struct backbone {
	const struct model_config *c;
	const struct decoder_config *own;
	const struct decoder_variant *kind;
	struct weight words; /* [V,H] */
	struct layer *layers;
	struct rms norm;
};

/* Places of a layer's random numbers. */
enum { DROP_QKV, DROP_SCORES, DROP_ATTENTION, DROP_UP, DROP_DOWN };

static void declare_attention(struct params *p, struct layer *l, const struct backbone *b,
	const char *at, struct arena *a)
{
	const struct model_config *c = b->c;
	const struct decoder_config *own = b->own;
	int64_t q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
	const struct linear_part qkv[] = {
		{arena_printf(a, "%s.self_attn.q_proj", at), q},
		{arena_printf(a, "%s.self_attn.k_proj", at), kv},
		{arena_printf(a, "%s.self_attn.v_proj", at), kv},
	};
	const struct linear_part out[] = {{arena_printf(a, "%s.self_attn.o_proj", at), c->hidden}};
	rms_declare(p, &l->before, c->hidden, c->norm_eps, own->norm_shift,
		arena_printf(a, "%s.input_layernorm", at));
	linear_declare_parts(p, &l->qkv, c->hidden, own->qkv_has_bias, qkv, ARRAY_LEN(qkv));
	linear_declare_parts(p, &l->out, q, own->out_has_bias, out, ARRAY_LEN(out));
	if (!b->kind->norms_heads)
		return;
	rms_declare(p, &l->q_norm, c->head_dim, c->norm_eps, own->norm_shift,
		arena_printf(a, "%s.self_attn.q_norm", at));
	rms_declare(p, &l->k_norm, c->head_dim, c->norm_eps, own->norm_shift,
		arena_printf(a, "%s.self_attn.k_norm", at));
}

static void declare_mlp(struct params *p, struct layer *l, const struct backbone *b, const char *at,
	struct arena *a)
{
	const struct model_config *c = b->c;
	bool has_bias = b->own->mlp_has_bias;
	const struct linear_part gate_up[] = {
		{arena_printf(a, "%s.mlp.gate_proj", at), c->ff},
		{arena_printf(a, "%s.mlp.up_proj", at), c->ff},
	};
	const struct linear_part down[] = {{arena_printf(a, "%s.mlp.down_proj", at), c->hidden}};
	linear_declare_parts(p, &l->gate_up, c->hidden, has_bias, gate_up, ARRAY_LEN(gate_up));
	linear_declare_parts(p, &l->down, c->ff, has_bias, down, ARRAY_LEN(down));
}

/* With two norms a layer, post_attention_layernorm is the one in front of the feed-forward half. */
static void declare_layer(struct params *p, struct backbone *b, int64_t index)
{
	const struct model_config *c = b->c;
	struct layer *l = &b->layers[index];
	double shift = b->own->norm_shift;
	struct arena a = ARENA_INIT;
	const char *at = arena_printf(&a, "layers.%lld", (long long)index);
	bool four = b->kind->has_four_norms;
	declare_attention(p, l, b, at, &a);
	rms_declare(p, four ? &l->behind : &l->mlp_before, c->hidden, c->norm_eps, shift,
		arena_printf(&a, "%s.post_attention_layernorm", at));
	if (four)
		rms_declare(p, &l->mlp_before, c->hidden, c->norm_eps, shift,
			arena_printf(&a, "%s.pre_feedforward_layernorm", at));
	declare_mlp(p, l, b, at, &a);
	if (four)
		rms_declare(p, &l->mlp_behind, c->hidden, c->norm_eps, shift,
			arena_printf(&a, "%s.post_feedforward_layernorm", at));
	arena_release(&a);
}

struct backbone *decoder_declare(const struct model_config *c, struct params *p)
{
	struct backbone *b = xcalloc(1, sizeof *b);
	b->c = c;
	b->own = c->own;
	b->kind = c->arch->variant;
	token_table_declare(p, &b->words, c->n_vocab, c->hidden, "embed_tokens.weight");
	b->layers = xcalloc((size_t)c->n_layers, sizeof *b->layers);
	for (int64_t i = 0; i < c->n_layers; i++)
		declare_layer(p, b, i);
	rms_declare(p, &b->norm, c->hidden, c->norm_eps, b->own->norm_shift, "norm");
	return b;
}

size_t decoder_linears(struct backbone *b, struct linear **ret, size_t cap)
{
	size_t n = 0;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		struct layer *l = &b->layers[i];
		struct linear *all[] = {&l->qkv, &l->out, &l->gate_up, &l->down};
		for (size_t k = 0; k < ARRAY_LEN(all); k++, n++)
			if (n < cap)
				ret[n] = all[k];
	}
	return n;
}

void decoder_free(struct backbone *b)
{
	if (!b)
		return;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		linear_release(&b->layers[i].qkv);
		linear_release(&b->layers[i].out);
		linear_release(&b->layers[i].gate_up);
		linear_release(&b->layers[i].down);
	}
	free(b->layers);
	free(b);
}

const struct weight *decoder_words(const struct backbone *b)
{
	return &b->words;
}

/* -> [T,H], in the computing dtype. */
static tensor embed(const struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	tensor x = tn_cast(s, token_embedding(s, &b->words, batch), pass->dtype); /* [T,H] */
	if (b->own->embedding_scale != 1.0)
		x = tn_scale(s, x, rounded_to(s, b->own->embedding_scale, pass->dtype));
	x = tn_keep(out, x);
	tn_pop(s);
	return x;
}

/* Keys that a token sees to either side (causal: to the left) beside its own; 0: all. */
static int64_t window_of(const struct backbone *b, int64_t index)
{
	if (!b->own->is_local[index] || b->own->window == 0)
		return 0;
	if (b->c->attention == ATTENTION_CAUSAL)
		return b->own->window - 1;
	return b->own->halves_window ? b->own->window / 2 : b->own->window;
}

/* One forward: what all layers share. */
struct run {
	const struct backbone *b;
	const struct token_batch *batch;
	const struct pass *pass;
	struct rope_tables all, local;
};

/* h [T,H], normed -> [T,H], what attention adds to x. */
static tensor attend(const struct run *r, int64_t index, tn_scope *out, tensor h)
{
	const struct backbone *b = r->b;
	const struct layer *l = &b->layers[index];
	const struct pass *pass = r->pass;
	const struct rope_tables *t = b->own->is_local[index] ? &r->local : &r->all;
	const struct tn_attention how = {
		.n_heads = b->c->n_heads,
		.n_kv_heads = b->c->n_kv_heads,
		.head_dim = b->c->head_dim,
		.scale = b->own->score_scale,
		.is_causal = b->c->attention == ATTENTION_CAUSAL,
		.window = window_of(b, index),
		.soft_cap = b->own->score_cap,
		.dropout = pass->attention_dropout,
		.seed = pass_seed(pass, index, DROP_SCORES),
	};
	const struct tn_rotary turn = {
		.cos = t->cos,
		.sin = t->sin,
		.rows = t->rows,
		.q_norm = l->q_norm.w.value,
		.k_norm = l->k_norm.w.value,
		.eps = l->q_norm.eps,
		.shift = l->q_norm.shift,
	};
	tn_scope *s = tn_push(out);
	tensor qkv = linear_forward(
		s, &l->qkv, h, pass, pass_seed(pass, index, DROP_QKV)); /* [T,(N+2K)D] */
	tensor turned = tn_rotary(s, qkv, &how, &turn);
	tn_drop(s, qkv);
	tensor mixed = tn_attention(s, turned, r->batch->seqs, &how); /* [T,ND] */
	tensor y = linear_forward(s, &l->out, mixed, pass, pass_seed(pass, index, DROP_ATTENTION));
	if (b->kind->has_four_norms)
		y = rms_forward(s, &l->behind, y);
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

/* x [T,H] -> [T,H], what the feed-forward half adds to x. */
static tensor feed(const struct run *r, int64_t index, tn_scope *out, tensor x)
{
	const struct layer *l = &r->b->layers[index];
	const struct pass *pass = r->pass;
	tn_scope *s = tn_push(out);
	tensor h = rms_forward(s, &l->mlp_before, x); /* [T,H] */
	tensor both = linear_forward(
		s, &l->gate_up, h, pass, pass_seed(pass, index, DROP_UP)); /* [T,2F] */
	tensor wide = gate_forward(s, both, r->b->c->act, false); /* [T,F] */
	tn_drop(s, both);
	tensor y = linear_forward(s, &l->down, wide, pass, pass_seed(pass, index, DROP_DOWN));
	if (r->b->kind->has_four_norms)
		y = rms_forward(s, &l->mlp_behind, y);
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

static tensor scaled(const struct run *r, tn_scope *s, tensor x)
{
	double k = r->b->own->depth_scale;
	return k == 1.0 ? x : tn_scale(s, x, k);
}

/* x [T,H] -> [T,H] */
static tensor layer_forward(const struct run *r, int64_t index, tn_scope *out, tensor x)
{
	const struct layer *l = &r->b->layers[index];
	tn_scope *s = tn_push(out);
	tensor y = tn_add(s, x, scaled(r, s, attend(r, index, s, rms_forward(s, &l->before, x))));
	y = tn_keep(out, tn_add(s, y, scaled(r, s, feed(r, index, s, y))));
	tn_pop(s);
	return y;
}

tensor decoder_forward(
	struct backbone *b, tn_scope *out, const struct token_batch *batch, const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	struct run r = {.b = b, .batch = batch, .pass = pass};
	int64_t n = pass_layers(pass, b->c->n_layers);
	rope_tables_init(&r.all, s, &b->own->rope, batch->seqs);
	rope_tables_init(&r.local, s, &b->own->local_rope, batch->seqs);
	tensor x = embed(b, s, batch, pass); /* [T,H] */
	for (int64_t i = 0; i < n; i++) {
		pass_state(pass, out, i, x);
		tensor y = layer_forward(&r, i, s, x);
		tn_drop(s, x);
		x = y;
	}
	x = tn_keep(out, rms_forward(s, &b->norm, x));
	pass_state(pass, out, n, x);
	rope_tables_release(&r.all);
	rope_tables_release(&r.local);
	tn_pop(s);
	return x;
}
