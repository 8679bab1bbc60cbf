/* modernbert.c - ModernBERT: pre-norm layers, rotary positions, every third layer global, the others
 * see a window.
 *
 *	x = norm(embedding(token))
 *	x = x + attention(turn(norm(x) W')) O'           a layer; the first has no norm here
 *	x = x + (act(h A') * h B') O', h = norm(x)        A and B: the halves of Wi
 *	y = norm(x)
 *
 * Source: Warner et al. 2024 (ModernBERT), section 2.1; names are transformers'. */
#include <stddef.h>
#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/architectures.h"
#include "model/classifier.h"
#include "model/rope.h"

struct modernbert {
	struct rope all, local;
	int64_t window; /* tokens seen to either side by is_local layers */
	const bool *is_local; /* [n_layers] */
	bool has_attention_bias, has_mlp_bias, has_norm_bias;
};

struct layer {
	struct norm before, mlp_before; /* [H]; before: not of the first layer */
	struct linear qkv, out; /* [3H,H], [H,H] */
	struct linear both, down; /* [2F,H], [H,F] */
};

struct backbone {
	const struct model_config *c;
	const struct modernbert *own;
	struct weight words; /* [V,H] */
	struct norm norm, last;
	struct layer *layers;
};

/* Places of a layer's random numbers. */
enum { DROP_QKV, DROP_SCORES, DROP_ATTENTION, DROP_ATTENTION_OUT, DROP_UP, DROP_WIDE, DROP_DOWN };
#define EMBEDDINGS (-1)

#define REQUIRED (-1) /* outside every range: config.json must have the key */

static const struct config_field sizes[] = {
	{{"vocab_size", 1, 1e8, REQUIRED}, offsetof(struct model_config, n_vocab)},
	{{"hidden_size", 1, 65536, REQUIRED}, offsetof(struct model_config, hidden)},
	{{"num_hidden_layers", 1, 1000, REQUIRED}, offsetof(struct model_config, n_layers)},
	{{"num_attention_heads", 1, 4096, REQUIRED}, offsetof(struct model_config, n_heads)},
	{{"intermediate_size", 1, 1e6, REQUIRED}, offsetof(struct model_config, ff)},
	{{"max_position_embeddings", 2, 1e9, 8192}, offsetof(struct model_config, n_positions)},
};
static const struct config_field reals[] = {
	{{"norm_eps", 1e-30, 1, 1e-5}, offsetof(struct model_config, norm_eps)},
	{{"initializer_range", 0, 10, 0.02}, offsetof(struct model_config, init_std)},
	/* embedding_dropout too is taken to be this: published models have 0 for both. */
	{{"mlp_dropout", 0, 0.99, 0}, offsetof(struct model_config, hidden_dropout)},
	{{"attention_dropout", 0, 0.99, 0}, offsetof(struct model_config, attention_dropout)},
	{{"classifier_dropout", 0, 0.99, 0}, offsetof(struct model_config, classifier_dropout)},
};

static bool read_numbers(json root, const char *path, struct model_config *c, struct err *err)
{
	if (!config_ints(root, path, sizes, ARRAY_LEN(sizes), c, err) ||
		!config_reals(root, path, reals, ARRAY_LEN(reals), c, err))
		return false;
	return config_head_dim(path, c, err);
}

static bool read_layers(json root, const char *path, struct model_config *c, struct modernbert *own,
	struct err *err)
{
	bool *is_local = arena_calloc(&c->arena, (size_t)c->n_layers, sizeof *is_local);
	struct config_range every = {"global_attn_every_n_layers", 1, 1e6, 3},
			    width = {"local_attention", 2, 1e9, 128};
	int64_t n, window;
	own->is_local = is_local;
	if (!config_int(root, path, every, &n, err) || !config_int(root, path, width, &window, err))
		return false;
	own->window = window / 2;
	for (int64_t i = 0; i < c->n_layers; i++)
		is_local[i] = i % n != 0;
	return config_layer_types(root, path, c, is_local, err);
}

static bool read_biases(json root, const char *path, struct modernbert *own, struct err *err)
{
	return (json_want_bool(root, "attention_bias", false, &own->has_attention_bias, err) &&
		       json_want_bool(root, "mlp_bias", false, &own->has_mlp_bias, err) &&
		       json_want_bool(root, "norm_bias", false, &own->has_norm_bias, err)) ||
		err_prefix(err, "%s", path);
}

static bool configure(json root, const char *path, struct model_config *c, struct err *err)
{
	struct modernbert *own = arena_calloc(&c->arena, 1, sizeof *own);
	const struct rope_keys all = {"full_attention", "global_rope_theta", 160000.0, false},
			       local = {"sliding_attention", "local_rope_theta", 10000.0, false};
	c->own = own;
	c->attention_from = "the architecture";
	return config_act(root, path, "hidden_activation", &c->act, err) &&
		read_numbers(root, path, c, err) && read_layers(root, path, c, own, err) &&
		read_biases(root, path, own, err) &&
		rope_read(root, path, &all, c->head_dim, c->n_positions, &own->all, err) &&
		rope_read(root, path, &local, c->head_dim, c->n_positions, &own->local, err);
}

static void declare_norm(
	struct params *p, struct norm *n, const struct backbone *b, const char *name)
{
	if (b->own->has_norm_bias)
		norm_declare(p, n, b->c->hidden, b->c->norm_eps, name);
	else
		norm_declare_bare(p, n, b->c->hidden, b->c->norm_eps, name);
}

static void declare_linear(struct params *p, struct linear *l, int64_t out, int64_t in,
	bool has_bias, const char *name)
{
	linear_declare_parts(p, l, in, has_bias, &(struct linear_part){name, out}, 1);
}

static void declare_layer(struct params *p, struct backbone *b, int64_t index)
{
	const struct model_config *c = b->c;
	struct layer *l = &b->layers[index];
	struct arena a = ARENA_INIT;
	const char *at = arena_printf(&a, "layers.%lld", (long long)index);
	bool attention = b->own->has_attention_bias, mlp = b->own->has_mlp_bias;
	if (index > 0)
		declare_norm(p, &l->before, b, arena_printf(&a, "%s.attn_norm", at));
	declare_linear(p, &l->qkv, 3 * c->hidden, c->hidden, attention,
		arena_printf(&a, "%s.attn.Wqkv", at));
	declare_linear(
		p, &l->out, c->hidden, c->hidden, attention, arena_printf(&a, "%s.attn.Wo", at));
	declare_norm(p, &l->mlp_before, b, arena_printf(&a, "%s.mlp_norm", at));
	declare_linear(p, &l->both, 2 * c->ff, c->hidden, mlp, arena_printf(&a, "%s.mlp.Wi", at));
	declare_linear(p, &l->down, c->hidden, c->ff, mlp, arena_printf(&a, "%s.mlp.Wo", at));
	arena_release(&a);
}

static struct backbone *declare(const struct model_config *c, struct params *p)
{
	struct backbone *b = xcalloc(1, sizeof *b);
	b->c = c;
	b->own = c->own;
	token_table_declare(
		p, &b->words, c->n_vocab, c->hidden, "embeddings.tok_embeddings.weight");
	declare_norm(p, &b->norm, b, "embeddings.norm");
	b->layers = xcalloc((size_t)c->n_layers, sizeof *b->layers);
	for (int64_t i = 0; i < c->n_layers; i++)
		declare_layer(p, b, i);
	declare_norm(p, &b->last, b, "final_norm");
	return b;
}

static size_t linears(struct backbone *b, struct linear **ret, size_t cap)
{
	size_t n = 0;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		struct layer *l = &b->layers[i];
		struct linear *all[] = {&l->qkv, &l->out, &l->both, &l->down};
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
		linear_release(&b->layers[i].both);
		linear_release(&b->layers[i].down);
	}
	free(b->layers);
	free(b);
}

/* -> [T,H], in the computing dtype. */
static tensor embed(const struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	tensor x = norm_forward(s, &b->norm, token_embedding(s, &b->words, batch)); /* [T,H] */
	if (pass->hidden_dropout > 0.0)
		x = tn_dropout(s, x, pass->hidden_dropout, pass_seed(pass, EMBEDDINGS, 0));
	x = tn_keep(out, tn_cast(s, x, pass->dtype));
	tn_pop(s);
	return x;
}

/* One forward: what all layers share. */
struct run {
	const struct backbone *b;
	const struct token_batch *batch;
	const struct pass *pass;
	struct rope_tables all, local;
};

/* x [T,H] -> [T,H], what attention adds to x. */
static tensor attend(const struct run *r, int64_t index, tn_scope *out, tensor x)
{
	const struct backbone *b = r->b;
	const struct layer *l = &b->layers[index];
	const struct pass *pass = r->pass;
	bool is_local = b->own->is_local[index];
	const struct tn_attention how = {
		.n_heads = b->c->n_heads,
		.n_kv_heads = b->c->n_heads,
		.head_dim = b->c->head_dim,
		.window = is_local ? b->own->window : 0,
		.dropout = pass->attention_dropout,
		.seed = pass_seed(pass, index, DROP_SCORES),
	};
	tn_scope *s = tn_push(out);
	tensor h = index > 0 ? norm_forward(s, &l->before, x) : x; /* [T,H] */
	tensor qkv =
		linear_forward(s, &l->qkv, h, pass, pass_seed(pass, index, DROP_QKV)); /* [T,3H] */
	tensor turned = rope_turn(s, qkv, is_local ? &r->local : &r->all, &how);
	tn_drop(s, qkv);
	tensor mixed = tn_attention(s, turned, r->batch->seqs, &how); /* [T,H] */
	tensor y = linear_forward(s, &l->out, mixed, pass, pass_seed(pass, index, DROP_ATTENTION));
	if (pass->attention_dropout > 0.0)
		y = tn_dropout(
			s, y, pass->attention_dropout, pass_seed(pass, index, DROP_ATTENTION_OUT));
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
	tensor h = norm_forward(s, &l->mlp_before, x); /* [T,H] */
	tensor both =
		linear_forward(s, &l->both, h, pass, pass_seed(pass, index, DROP_UP)); /* [T,2F] */
	tensor wide = gate_forward(s, both, r->b->c->act, false); /* [T,F] */
	tn_drop(s, both);
	if (pass->hidden_dropout > 0.0)
		wide = tn_dropout(s, wide, pass->hidden_dropout, pass_seed(pass, index, DROP_WIDE));
	tensor y = tn_keep(
		out, linear_forward(s, &l->down, wide, pass, pass_seed(pass, index, DROP_DOWN)));
	tn_pop(s);
	return y;
}

/* x [T,H] -> [T,H] */
static tensor layer_forward(const struct run *r, int64_t index, tn_scope *out, tensor x)
{
	tn_scope *s = tn_push(out);
	tensor y = tn_add(s, x, attend(r, index, s, x));
	y = tn_keep(out, tn_add(s, y, feed(r, index, s, y)));
	tn_pop(s);
	return y;
}

static tensor forward(
	struct backbone *b, tn_scope *out, const struct token_batch *batch, const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	struct run r = {.b = b, .batch = batch, .pass = pass};
	int64_t n = pass_layers(pass, b->c->n_layers);
	rope_tables_init(&r.all, s, &b->own->all, batch->seqs);
	rope_tables_init(&r.local, s, &b->own->local, batch->seqs);
	tensor x = embed(b, s, batch, pass); /* [T,H] */
	for (int64_t i = 0; i < n; i++) {
		pass_state(pass, out, i, x);
		tensor y = layer_forward(&r, i, s, x);
		tn_drop(s, x);
		x = y;
	}
	x = tn_keep(out, norm_forward(s, &b->last, x));
	pass_state(pass, out, n, x);
	rope_tables_release(&r.all);
	rope_tables_release(&r.local);
	tn_pop(s);
	return x;
}

static const struct classifier_kind classifier = {
	.dense = "head.dense",
	.norm = "head.norm",
	.out = "classifier",
	.is_free = true,
};
static const char *const lora_targets[] = {"Wqkv", "Wo", "Wi", NULL};
/* Masked language modelling. */
static const char *const harmless[] = {"head.", "decoder.", NULL};
static const char *const carried[] = {NULL};

const struct architecture modernbert_architecture = {
	.model_type = "modernbert",
	.encoder_class = "ModernBertModel",
	.classifier_class = "ModernBertForSequenceClassification",
	.classifier = &classifier,
	.prefix = "model.",
	.lora_targets = lora_targets,
	.harmless = harmless,
	.carried = carried,
	.configure = configure,
	.declare = declare,
	.free = release,
	.linears = linears,
	.forward = forward,
};
