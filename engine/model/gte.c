/* gte.c - the encoder of gte-multilingual ("NewModel") and arctic-embed-m-v2 ("GteModel").
 *
 *	x = norm(word + type)
 *	x = norm(x + drop(attention(turn(x W')) O'))       a layer: attention, then
 *	x = norm(x + drop(drop(h A' * act(h B')) D'))      the gated half; A, B: halves of up_gate_proj
 *
 * Source: Zhang et al. 2024 (mGTE), section 2.1; names are those of the published weights. The code
 * that comes with those is not needed, and not run. */
#include <stddef.h>
#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/architectures.h"
#include "model/classifier.h"
#include "model/rope.h"

struct gte {
	struct rope rope;
	bool packs_qkv; /* one qkv_proj in the file; else q_proj, k_proj, v_proj */
};

struct layer {
	struct linear qkv, out; /* [3H,H], [H,H] */
	struct norm norm;
	struct linear up_gate, down; /* [2F,H], [H,F] */
	struct norm mlp_norm;
};

struct backbone {
	const struct model_config *c;
	const struct gte *own;
	struct weight words, types; /* [V,H], [Y,H]; types: when there are any */
	struct norm norm;
	struct layer *layers;
};

/* Places of a layer's random numbers. */
enum {
	DROP_QKV,
	DROP_SCORES,
	DROP_ATTENTION,
	DROP_ATTENTION_OUT,
	DROP_UP,
	DROP_WIDE,
	DROP_DOWN,
	DROP_OUT
};
#define EMBEDDINGS (-1)

#define REQUIRED (-1) /* outside every range: config.json must have the key */

static const struct config_field sizes[] = {
	{{"vocab_size", 1, 1e8, REQUIRED}, offsetof(struct model_config, n_vocab)},
	{{"hidden_size", 1, 65536, REQUIRED}, offsetof(struct model_config, hidden)},
	{{"num_hidden_layers", 1, 1000, REQUIRED}, offsetof(struct model_config, n_layers)},
	{{"num_attention_heads", 1, 4096, REQUIRED}, offsetof(struct model_config, n_heads)},
	{{"intermediate_size", 1, 1e6, REQUIRED}, offsetof(struct model_config, ff)},
	{{"max_position_embeddings", 2, 1e9, 8192}, offsetof(struct model_config, n_positions)},
	{{"type_vocab_size", 0, 1e4, 1}, offsetof(struct model_config, n_types)},
};
static const struct config_field reals[] = {
	{{"layer_norm_eps", 1e-30, 1, 1e-12}, offsetof(struct model_config, norm_eps)},
	{{"initializer_range", 0, 10, 0.02}, offsetof(struct model_config, init_std)},
	{{"hidden_dropout_prob", 0, 0.99, 0.1}, offsetof(struct model_config, hidden_dropout)},
	{{"attention_probs_dropout_prob", 0, 0.99, 0},
		offsetof(struct model_config, attention_dropout)},
};

/* What this file does not compute. */
static bool check_kind(json root, const char *path, struct err *err)
{
	struct text position, norm;
	bool scales;
	if (!json_want_text(root, "position_embedding_type", TEXT("rope"), &position, err) ||
		!json_want_text(root, "layer_norm_type", TEXT("layer_norm"), &norm, err) ||
		!json_want_bool(root, "logn_attention_scale", false, &scales, err))
		return err_prefix(err, "%s", path);
	if (!text_is(position, "rope"))
		return err_set(err, ERR_DATA,
			"%s: position_embedding_type is \"%.*s\", expected rope", path,
			TEXT_ARG(position));
	if (!text_is(norm, "layer_norm"))
		return err_set(err, ERR_DATA,
			"%s: layer_norm_type is \"%.*s\", expected layer_norm", path,
			TEXT_ARG(norm));
	if (scales)
		return err_set(err, ERR_DATA,
			"%s: logn_attention_scale is true; scores that depend on the length are "
			"not known here",
			path);
	return true;
}

static bool configure(json root, const char *path, struct model_config *c, struct err *err)
{
	struct gte *own = arena_calloc(&c->arena, 1, sizeof *own);
	const struct rope_keys keys = {NULL, "rope_theta", 10000.0, false};
	c->own = own;
	c->attention_from = "the architecture";
	if (!check_kind(root, path, err) || !config_act(root, path, "hidden_act", &c->act, err))
		return false;
	if (!config_ints(root, path, sizes, ARRAY_LEN(sizes), c, err) ||
		!config_reals(root, path, reals, ARRAY_LEN(reals), c, err))
		return false;
	struct config_range head = {"classifier_dropout", 0, 0.99, c->hidden_dropout};
	if (!config_real(root, path, head, &c->classifier_dropout, err))
		return false;
	return config_head_dim(path, c, err) &&
		(json_want_bool(root, "pack_qkv", true, &own->packs_qkv, err) ||
			err_prefix(err, "%s", path)) &&
		rope_read(root, path, &keys, c->head_dim, c->n_positions, &own->rope, err);
}

static void declare_layer(struct params *p, struct backbone *b, int64_t index)
{
	const struct model_config *c = b->c;
	struct layer *l = &b->layers[index];
	struct arena a = ARENA_INIT;
	int64_t h = c->hidden;
	const char *at = arena_printf(&a, "encoder.layer.%lld", (long long)index);
	const struct linear_part packed = {arena_printf(&a, "%s.attention.qkv_proj", at), 3 * h},
				 apart[] = {
					 {arena_printf(&a, "%s.attention.q_proj", at), h},
					 {arena_printf(&a, "%s.attention.k_proj", at), h},
					 {arena_printf(&a, "%s.attention.v_proj", at), h},
				 };
	linear_declare_parts(p, &l->qkv, h, true, b->own->packs_qkv ? &packed : apart,
		b->own->packs_qkv ? 1 : 3);
	linear_declare(p, &l->out, h, h, arena_printf(&a, "%s.attention.o_proj", at));
	linear_declare_bare(
		p, &l->up_gate, 2 * c->ff, h, arena_printf(&a, "%s.mlp.up_gate_proj", at));
	linear_declare(p, &l->down, h, c->ff, arena_printf(&a, "%s.mlp.down_proj", at));
	norm_declare(p, &l->norm, h, c->norm_eps, arena_printf(&a, "%s.attn_ln", at));
	norm_declare(p, &l->mlp_norm, h, c->norm_eps, arena_printf(&a, "%s.mlp_ln", at));
	arena_release(&a);
}

static struct backbone *declare(const struct model_config *c, struct params *p)
{
	struct backbone *b = xcalloc(1, sizeof *b);
	b->c = c;
	b->own = c->own;
	token_table_declare(
		p, &b->words, c->n_vocab, c->hidden, "embeddings.word_embeddings.weight");
	if (c->n_types > 0)
		params_one(p, &b->types, WEIGHT_TABLE, c->n_types, c->hidden,
			"embeddings.token_type_embeddings.weight");
	norm_declare(p, &b->norm, c->hidden, c->norm_eps, "embeddings.LayerNorm");
	b->layers = xcalloc((size_t)c->n_layers, sizeof *b->layers);
	for (int64_t i = 0; i < c->n_layers; i++)
		declare_layer(p, b, i);
	return b;
}

static size_t linears(struct backbone *b, struct linear **ret, size_t cap)
{
	size_t n = 0;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		struct layer *l = &b->layers[i];
		struct linear *all[] = {&l->qkv, &l->out, &l->up_gate, &l->down};
		for (size_t k = 0; k < ARRAY_LEN(all); k++, n++)
			if (n < cap)
				ret[n] = all[k];
	}
	return n;
}

static void release(struct backbone *b)
{
	if (!b)
		return;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		linear_release(&b->layers[i].qkv);
		linear_release(&b->layers[i].out);
		linear_release(&b->layers[i].up_gate);
		linear_release(&b->layers[i].down);
	}
	free(b->layers);
	free(b);
}

/* [T,H] of the types, or [H] when all tokens are of type 0. */
static tensor type_rows(const struct backbone *b, tn_scope *out, const struct token_batch *batch)
{
	int64_t n = batch->seqs.start[batch->seqs.n];
	tn_scope *s = tn_push(out);
	tensor rows;
	if (batch->types && b->c->n_types > 1) {
		int64_t *at = xcalloc((size_t)n + 1, sizeof *at);
		for (int64_t i = 0; i < n; i++)
			at[i] = batch->types[i];
		rows = tn_embedding(s, b->types.value, at, n);
		free(at);
	} else {
		rows = tn_view(s, tn_narrow(s, b->types.value, 0, 0, 1), SHAPE(b->c->hidden));
	}
	rows = tn_keep(out, rows);
	tn_pop(s);
	return rows;
}

/* -> [T,H], in the computing dtype. */
static tensor embed(const struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	tensor x = token_embedding(s, &b->words, batch); /* [T,H] */
	if (b->c->n_types > 0)
		x = tn_add(s, x, type_rows(b, s, batch));
	x = norm_forward(s, &b->norm, x);
	if (pass->hidden_dropout > 0.0)
		x = tn_dropout(s, x, pass->hidden_dropout, pass_seed(pass, EMBEDDINGS, 0));
	x = tn_keep(out, tn_cast(s, x, pass->dtype));
	tn_pop(s);
	return x;
}

/* x [T,H] -> [T,H] */
static tensor layer_forward(const struct backbone *b, int64_t index, tn_scope *out, tensor x,
	struct tn_seqs seqs, const struct rope_tables *t, const struct pass *pass)
{
	const struct layer *l = &b->layers[index];
	const struct tn_attention how = {
		.n_heads = b->c->n_heads,
		.n_kv_heads = b->c->n_heads,
		.head_dim = b->c->head_dim,
		.dropout = pass->attention_dropout,
		.seed = pass_seed(pass, index, DROP_SCORES),
	};
	double p = pass->hidden_dropout;
	tn_scope *s = tn_push(out);
	tensor qkv =
		linear_forward(s, &l->qkv, x, pass, pass_seed(pass, index, DROP_QKV)); /* [T,3H] */
	tensor mixed = tn_attention(s, rope_turn(s, qkv, t, &how), seqs, &how); /* [T,H] */
	mixed = linear_product(s, &l->out, mixed, pass, pass_seed(pass, index, DROP_ATTENTION));
	tensor y = norm_add(s, &l->norm, mixed, linear_bias(&l->out), x, p,
		pass_seed(pass, index, DROP_ATTENTION_OUT)); /* [T,H] */
	tensor wide = gate_forward(s,
		linear_forward(s, &l->up_gate, y, pass, pass_seed(pass, index, DROP_UP)), b->c->act,
		true); /* [T,F] */
	if (p > 0.0)
		wide = tn_dropout(s, wide, p, pass_seed(pass, index, DROP_WIDE));
	tensor narrow = linear_product(s, &l->down, wide, pass, pass_seed(pass, index, DROP_DOWN));
	tensor z = norm_add(s, &l->mlp_norm, narrow, linear_bias(&l->down), y, p,
		pass_seed(pass, index, DROP_OUT)); /* [T,H] */
	z = tn_keep(out, z);
	tn_pop(s);
	return z;
}

static tensor forward(
	struct backbone *b, tn_scope *out, const struct token_batch *batch, const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	struct rope_tables t;
	int64_t n = pass_layers(pass, b->c->n_layers);
	rope_tables_init(&t, s, &b->own->rope, batch->seqs);
	tensor x = embed(b, s, batch, pass); /* [T,H] */
	for (int64_t i = 0; i < n; i++) {
		pass_state(pass, out, i, x);
		tensor y = layer_forward(b, i, s, x, batch->seqs, &t, pass);
		tn_drop(s, x);
		x = y;
	}
	pass_state(pass, out, n, x);
	x = tn_keep(out, x);
	rope_tables_release(&t);
	tn_pop(s);
	return x;
}

static const char *const lora_targets[] = {
	"qkv_proj", "q_proj", "k_proj", "v_proj", "o_proj", "up_gate_proj", "down_proj", NULL};
/* A pooler that no vector uses, masked language modelling, classification of tokens, an index of
 * positions. */
static const char *const harmless[] = {
	"*position_ids", "*rotary_emb.inv_freq", "pooler.", "lm_head.", "classifier.", NULL};
static const char *const carried[] = {"pooler.", NULL};

#define GTE(type, name, inside)                                                                    \
	{                                                                                          \
		.model_type = type, .encoder_class = name "Model",                                 \
		.classifier_class = name "ForSequenceClassification",                              \
		.classifier = &classifier_bert, .brings_code = true, .prefix = inside,             \
		.lora_targets = lora_targets, .harmless = harmless, .carried = carried,            \
		.configure = configure, .declare = declare, .free = release, .linears = linears,   \
		.forward = forward,                                                                \
	}
const struct architecture new_architecture = GTE("new", "New", "new.");
const struct architecture gte_architecture = GTE("gte", "Gte", "gte.");
