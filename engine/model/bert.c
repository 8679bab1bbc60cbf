/* bert.c - post-norm encoders: BERT.
 *
 *	x = norm(word + position + type)
 *	x = norm(x + drop(attention(x) W'))        a layer: attention, then
 *	x = norm(x + drop(act(x U') D'))           the feed-forward half
 *
 * Source: Devlin et al. 2019, and Vaswani et al. 2017, section 3, for the layer; names are
 * transformers'. */
#include <stddef.h>
#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/architectures.h"

struct layer {
	struct linear qkv; /* query, key and value of the file in one, [3H,H] */
	struct linear attention; /* [H,H] */
	struct norm attention_norm;
	struct linear up, down; /* [F,H], [H,F] */
	struct norm norm;
};

struct backbone {
	const struct model_config *c;
	struct weight words, positions, types; /* [V,H], [P,H], [Y,H] */
	struct norm norm;
	struct layer *layers;
};

/* Places of a layer's random numbers. */
enum { DROP_QKV, DROP_SCORES, DROP_ATTENTION, DROP_ATTENTION_OUT, DROP_UP, DROP_DOWN, DROP_OUT };
#define EMBEDDINGS (-1)

#define REQUIRED (-1) /* outside every range: config.json must have the key */

static const struct {
	struct config_range range;
	size_t at;
} sizes[] =
	{
		{{"vocab_size", 1, 1e8, REQUIRED}, offsetof(struct model_config, n_vocab)},
		{{"hidden_size", 1, 65536, REQUIRED}, offsetof(struct model_config, hidden)},
		{{"num_hidden_layers", 1, 1000, REQUIRED}, offsetof(struct model_config, n_layers)},
		{{"num_attention_heads", 1, 4096, REQUIRED},
			offsetof(struct model_config, n_heads)},
		{{"intermediate_size", 1, 1e6, REQUIRED}, offsetof(struct model_config, ff)},
		{{"max_position_embeddings", 2, 1e7, REQUIRED},
			offsetof(struct model_config, n_positions)},
		{{"type_vocab_size", 1, 1e4, 2}, offsetof(struct model_config, n_types)},
},
  reals[] = {
	  {{"layer_norm_eps", 1e-30, 1, 1e-12}, offsetof(struct model_config, norm_eps)},
	  {{"initializer_range", 0, 10, 0.02}, offsetof(struct model_config, init_std)},
	  {{"hidden_dropout_prob", 0, 0.99, 0.1}, offsetof(struct model_config, hidden_dropout)},
	  {{"attention_probs_dropout_prob", 0, 0.99, 0.1},
		  offsetof(struct model_config, attention_dropout)},
};

/* What this file does not compute. */
static bool check_kind(json root, const char *path, struct err *err)
{
	struct text kind;
	bool is_decoder;
	if (!json_want_text(root, "position_embedding_type", TEXT("absolute"), &kind, err) ||
		!json_want_bool(root, "is_decoder", false, &is_decoder, err))
		return err_prefix(err, "%s", path);
	if (!text_is(kind, "absolute"))
		return err_set(err, ERR_DATA,
			"%s: position_embedding_type is \"%.*s\", expected absolute", path,
			TEXT_ARG(kind));
	if (is_decoder)
		return err_set(err, ERR_DATA, "%s: is_decoder is true, expected an encoder", path);
	return true;
}

static bool configure(json root, const char *path, struct model_config *c, struct err *err)
{
	if (!check_kind(root, path, err) || !config_act(root, path, "hidden_act", &c->act, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (!config_int(root, path, sizes[i].range, (void *)((char *)c + sizes[i].at), err))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(reals); i++)
		if (!config_real(
			    root, path, reals[i].range, (void *)((char *)c + reals[i].at), err))
			return false;
	struct config_range head = {"classifier_dropout", 0, 0.99, c->hidden_dropout};
	if (!config_real(root, path, head, &c->classifier_dropout, err))
		return false;
	if (c->hidden % c->n_heads != 0)
		return err_set(err, ERR_DATA,
			"%s: hidden_size is %lld, expected a multiple of num_attention_heads (%lld)",
			path, (long long)c->hidden, (long long)c->n_heads);
	c->head_dim = c->hidden / c->n_heads;
	c->n_kv_heads = c->n_heads;
	return true;
}

static void declare_qkv(struct params *p, struct linear *l, int64_t width, int64_t index)
{
	static const char *const names[] = {"query", "key", "value"};
	params_add(p, &l->w, WEIGHT_LINEAR, 3 * width, width);
	params_add(p, &l->b, WEIGHT_BIAS, 3 * width, 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		params_part(p, &l->w, width, "encoder.layer.%lld.attention.self.%s.weight",
			(long long)index, names[i]);
		params_part(p, &l->b, width, "encoder.layer.%lld.attention.self.%s.bias",
			(long long)index, names[i]);
	}
}

static void declare_layer(
	struct params *p, struct layer *l, const struct model_config *c, int64_t index)
{
	struct arena a = ARENA_INIT;
	const char *at = arena_printf(&a, "encoder.layer.%lld", (long long)index);
	declare_qkv(p, &l->qkv, c->hidden, index);
	linear_declare(p, &l->attention, c->hidden, c->hidden,
		arena_printf(&a, "%s.attention.output.dense", at));
	norm_declare(p, &l->attention_norm, c->hidden, c->norm_eps,
		arena_printf(&a, "%s.attention.output.LayerNorm", at));
	linear_declare(p, &l->up, c->ff, c->hidden, arena_printf(&a, "%s.intermediate.dense", at));
	linear_declare(p, &l->down, c->hidden, c->ff, arena_printf(&a, "%s.output.dense", at));
	norm_declare(
		p, &l->norm, c->hidden, c->norm_eps, arena_printf(&a, "%s.output.LayerNorm", at));
	arena_release(&a);
}

static struct backbone *declare(const struct model_config *c, struct params *p)
{
	struct backbone *b = xcalloc(1, sizeof *b);
	b->c = c;
	params_one(p, &b->words, WEIGHT_TABLE, c->n_vocab, c->hidden,
		"embeddings.word_embeddings.weight");
	params_one(p, &b->positions, WEIGHT_TABLE, c->n_positions, c->hidden,
		"embeddings.position_embeddings.weight");
	params_one(p, &b->types, WEIGHT_TABLE, c->n_types, c->hidden,
		"embeddings.token_type_embeddings.weight");
	norm_declare(p, &b->norm, c->hidden, c->norm_eps, "embeddings.LayerNorm");
	b->layers = xcalloc((size_t)c->n_layers, sizeof *b->layers);
	for (int64_t i = 0; i < c->n_layers; i++)
		declare_layer(p, &b->layers[i], c, i);
	return b;
}

static size_t linears(struct backbone *b, struct linear **ret, size_t cap)
{
	size_t n = 0;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		struct layer *l = &b->layers[i];
		struct linear *all[] = {&l->qkv, &l->attention, &l->up, &l->down};
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
		linear_release(&b->layers[i].attention);
		linear_release(&b->layers[i].up);
		linear_release(&b->layers[i].down);
	}
	free(b->layers);
	free(b);
}

/* Rows of a table that a batch needs: index(token, place in its text). */
static int64_t *word_index(const struct token_batch *batch, int64_t n)
{
	int64_t *at = xcalloc((size_t)n + 1, sizeof *at);
	for (int64_t i = 0; i < n; i++)
		at[i] = batch->ids[i];
	return at;
}

static int64_t *position_index(const struct token_batch *batch, int64_t n)
{
	int64_t *at = xcalloc((size_t)n + 1, sizeof *at);
	for (int64_t i = 0; i < batch->seqs.n; i++)
		for (int64_t k = batch->seqs.start[i]; k < batch->seqs.start[i + 1]; k++)
			at[k] = k - batch->seqs.start[i];
	return at;
}

/* -> [T,H], in the computing dtype. */
static tensor embed(const struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass)
{
	int64_t n = batch->seqs.start[batch->seqs.n];
	int64_t *word = word_index(batch, n), *position = position_index(batch, n);
	tn_scope *s = tn_push(out);
	tensor words = tn_embedding(s, b->words.value, word, n); /* [T,H] */
	tensor places = tn_embedding(s, b->positions.value, position, n); /* [T,H] */
	tensor type = TN_NONE; /* [H]: all tokens are of type 0 */
	if (batch->types) {
		for (int64_t i = 0; i < n; i++)
			word[i] = batch->types[i];
		places = tn_add(s, places, tn_embedding(s, b->types.value, word, n));
	} else {
		type = tn_view(s, tn_narrow(s, b->types.value, 0, 0, 1), SHAPE(b->c->hidden));
	}
	tensor x = norm_add(s, &b->norm, places, type, words, 0.0, 0); /* [T,H] */
	if (pass->hidden_dropout > 0.0)
		x = tn_dropout(s, x, pass->hidden_dropout, pass_seed(pass, EMBEDDINGS, 0));
	x = tn_keep(out, tn_cast(s, x, pass->dtype));
	tn_pop(s);
	free(word);
	free(position);
	return x;
}

/* x [T,H] -> [T,H] */
static tensor layer_forward(const struct backbone *b, int64_t index, tn_scope *out, tensor x,
	struct tn_seqs seqs, const struct pass *pass)
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
	tensor mixed = tn_attention(s, qkv, seqs, &how); /* [T,H] */
	mixed = linear_product(
		s, &l->attention, mixed, pass, pass_seed(pass, index, DROP_ATTENTION));
	tensor y = norm_add(s, &l->attention_norm, mixed, linear_bias(&l->attention), x, p,
		pass_seed(pass, index, DROP_ATTENTION_OUT)); /* [T,H] */
	tensor wide = linear_act(
		s, &l->up, y, b->c->act, pass, pass_seed(pass, index, DROP_UP)); /* [T,F] */
	tensor narrow = linear_product(
		s, &l->down, wide, pass, pass_seed(pass, index, DROP_DOWN)); /* [T,H] */
	tensor z = norm_add(s, &l->norm, narrow, linear_bias(&l->down), y, p,
		pass_seed(pass, index, DROP_OUT)); /* [T,H] */
	z = tn_keep(out, z);
	tn_pop(s);
	return z;
}

static tensor forward(
	struct backbone *b, tn_scope *out, const struct token_batch *batch, const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	tensor x = embed(b, s, batch, pass); /* [T,H] */
	for (int64_t i = 0; i < pass_layers(pass, b->c->n_layers); i++) {
		pass_state(pass, out, i, x);
		tensor y = layer_forward(b, i, s, x, batch->seqs, pass);
		tn_drop(s, x);
		x = y;
	}
	pass_state(pass, out, pass_layers(pass, b->c->n_layers), x);
	x = tn_keep(out, x);
	tn_pop(s);
	return x;
}

static const char *const lora_targets[] = {"query", "key", "value", "dense", NULL};
/* A pooler that no vector uses, masked language modelling, next sentence, an index of positions. */
static const char *const harmless[] = {"*position_ids", "*token_type_ids", "pooler.", "cls.", NULL};
static const char *const carried[] = {"pooler.", NULL};

const struct architecture bert_architecture = {
	.model_type = "bert",
	.encoder_class = "BertModel",
	.classifier_class = "BertForSequenceClassification",
	.prefix = "bert.",
	.lora_targets = lora_targets,
	.harmless = harmless,
	.carried = carried,
	.configure = configure,
	.declare = declare,
	.free = release,
	.linears = linears,
	.forward = forward,
};
