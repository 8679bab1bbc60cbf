/* post_norm.c - post-norm encoders: BERT and its kin.
 *
 *	x = norm(word + position + type)           ELECTRA: then projected to the layers' width
 *	x = norm(x + drop(attention(x) W'))        a layer: attention, then
 *	x = norm(x + drop(act(x U') D'))           the feed-forward half
 *
 * Source: Devlin et al. 2019, and Vaswani et al. 2017, section 3, for the layer; names are
 * transformers'. */
#include "model/post_norm.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/relative.h"

struct layer {
	struct linear qkv; /* query, key and value of the file in one, [3H,H] */
	struct linear attention; /* [H,H] */
	struct norm attention_norm;
	struct linear up, down; /* [F,H], [H,F] */
	struct norm norm;
};

struct backbone {
	const struct model_config *c;
	const struct post_norm_kind *kind;
	const struct post_norm_own *own;
	struct weight words, positions, types; /* [V,E], [P,E], [Y,E]; E = H but for ELECTRA */
	struct norm norm;
	struct linear project; /* [H,E], when E is not H */
	struct weight relative; /* [RELATIVE_BUCKETS, heads] */
	struct layer *layers;
};

/* Places of a layer's random numbers. */
enum { DROP_QKV, DROP_SCORES, DROP_ATTENTION, DROP_ATTENTION_OUT, DROP_UP, DROP_DOWN, DROP_OUT };
#define EMBEDDINGS (-1)

static bool projects(const struct backbone *b)
{
	return b->own->table_width != b->c->hidden;
}

static void declare_qkv(struct params *p, struct linear *l, int64_t width, const char *at,
	const struct post_norm_names *names)
{
	const char *const parts[] = {names->query, names->key, names->value};
	params_add(p, &l->w, WEIGHT_LINEAR, 3 * width, width);
	params_add(p, &l->b, WEIGHT_BIAS, 3 * width, 0);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		params_part(p, &l->w, width, "%s.%s.weight", at, parts[i]);
		params_part(p, &l->b, width, "%s.%s.bias", at, parts[i]);
	}
}

static void declare_layer(struct params *p, struct layer *l, const struct model_config *c,
	const struct post_norm_names *names, int64_t index)
{
	struct arena a = ARENA_INIT;
	const char *at = arena_printf(&a, "%s.%lld", names->layer, (long long)index);
	declare_qkv(p, &l->qkv, c->hidden, at, names);
	linear_declare(p, &l->attention, c->hidden, c->hidden,
		arena_printf(&a, "%s.%s", at, names->attention));
	norm_declare(p, &l->attention_norm, c->hidden, c->norm_eps,
		arena_printf(&a, "%s.%s", at, names->attention_norm));
	linear_declare(p, &l->up, c->ff, c->hidden, arena_printf(&a, "%s.%s", at, names->up));
	linear_declare(p, &l->down, c->hidden, c->ff, arena_printf(&a, "%s.%s", at, names->down));
	norm_declare(
		p, &l->norm, c->hidden, c->norm_eps, arena_printf(&a, "%s.%s", at, names->norm));
	arena_release(&a);
}

static void declare_embeddings(struct backbone *b, struct params *p)
{
	const struct model_config *c = b->c;
	int64_t width = b->own->table_width;
	params_one(
		p, &b->words, WEIGHT_TABLE, c->n_vocab, width, "embeddings.word_embeddings.weight");
	params_one(p, &b->positions, WEIGHT_TABLE, c->n_positions + b->own->first_position, width,
		"embeddings.position_embeddings.weight");
	if (b->kind->has_types)
		params_one(p, &b->types, WEIGHT_TABLE, c->n_types, width,
			"embeddings.token_type_embeddings.weight");
	norm_declare(p, &b->norm, width, c->norm_eps, "embeddings.LayerNorm");
	if (projects(b))
		linear_declare(p, &b->project, c->hidden, width, "embeddings_project");
}

struct backbone *post_norm_declare(const struct model_config *c, struct params *p)
{
	struct backbone *b = xcalloc(1, sizeof *b);
	b->c = c;
	b->kind = c->arch->variant;
	b->own = c->own;
	declare_embeddings(b, p);
	b->layers = xcalloc((size_t)c->n_layers, sizeof *b->layers);
	for (int64_t i = 0; i < c->n_layers; i++)
		declare_layer(p, &b->layers[i], c, b->kind->names, i);
	if (b->kind->has_relative_bias)
		params_one(p, &b->relative, WEIGHT_TABLE, RELATIVE_BUCKETS, c->n_heads,
			"encoder.relative_attention_bias.weight");
	return b;
}

size_t post_norm_linears(struct backbone *b, struct linear **ret, size_t cap)
{
	size_t n = 0;
	if (projects(b) && n++ < cap)
		ret[0] = &b->project;
	for (int64_t i = 0; i < b->c->n_layers; i++) {
		struct layer *l = &b->layers[i];
		struct linear *all[] = {&l->qkv, &l->attention, &l->up, &l->down};
		for (size_t k = 0; k < ARRAY_LEN(all); k++, n++)
			if (n < cap)
				ret[n] = all[k];
	}
	return n;
}

void post_norm_free(struct backbone *b)
{
	if (!b)
		return;
	linear_release(&b->project);
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

/* Positions count from first_position; a pad token inside a text takes none. */
static int64_t *position_index(const struct backbone *b, const struct token_batch *batch, int64_t n)
{
	int64_t *at = xcalloc((size_t)n + 1, sizeof *at);
	for (int64_t i = 0; i < batch->seqs.n; i++) {
		int64_t next = b->own->first_position;
		for (int64_t k = batch->seqs.start[i]; k < batch->seqs.start[i + 1]; k++)
			at[k] = b->kind->counts_from_pad && batch->ids[k] == b->own->pad
				? b->own->pad
				: next++;
	}
	return at;
}

/* The rows of word, position and type tables, added and normed; [T,E] f32. */
static tensor look_up(const struct backbone *b, tn_scope *s, const struct token_batch *batch)
{
	int64_t n = batch->seqs.start[batch->seqs.n];
	int64_t *word = word_index(batch, n), *position = position_index(b, batch, n);
	tensor words = tn_embedding(s, b->words.value, word, n); /* [T,E] */
	tensor places = tn_embedding(s, b->positions.value, position, n); /* [T,E] */
	tensor type = TN_NONE; /* [E]: all tokens are of type 0 */
	if (b->kind->has_types && batch->types && b->c->n_types > 1) {
		for (int64_t i = 0; i < n; i++)
			word[i] = batch->types[i];
		places = tn_add(s, places, tn_embedding(s, b->types.value, word, n));
	} else if (b->kind->has_types) {
		type = tn_view(
			s, tn_narrow(s, b->types.value, 0, 0, 1), SHAPE(b->own->table_width));
	}
	free(word);
	free(position);
	return norm_add(s, &b->norm, places, type, words, 0.0, 0);
}

/* -> [T,H], in the computing dtype. */
static tensor embed(const struct backbone *b, tn_scope *out, const struct token_batch *batch,
	const struct pass *pass)
{
	tn_scope *s = tn_push(out);
	tensor x = look_up(b, s, batch); /* [T,E] */
	if (pass->hidden_dropout > 0.0)
		x = tn_dropout(s, x, pass->hidden_dropout, pass_seed(pass, EMBEDDINGS, 0));
	x = tn_cast(s, x, pass->dtype);
	if (projects(b))
		x = linear_forward(s, &b->project, x, pass, pass_seed(pass, EMBEDDINGS, 1));
	x = tn_keep(out, x);
	tn_pop(s);
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
	tensor mixed = b->kind->has_relative_bias
		? relative_attention(s, qkv, seqs, &how, b->relative.value)
		: tn_attention(s, qkv, seqs, &how); /* [T,H] */
	mixed = linear_product(
		s, &l->attention, mixed, pass, pass_seed(pass, index, DROP_ATTENTION));
	tensor y = norm_add(s, &l->attention_norm, mixed, linear_bias(&l->attention), x,
		b->kind->drops_attention ? p : 0.0,
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

tensor post_norm_forward(
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
