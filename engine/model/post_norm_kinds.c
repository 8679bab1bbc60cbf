/* post_norm_kinds.c - the table of post-norm encoders, and their config.json. */
#include <stddef.h>

#include "base/jsonfile.h"
#include "model/classifier.h"
#include "model/post_norm.h"
#include "model/relative.h"

#define REQUIRED (-1) /* outside every range: config.json must have the key */

/* A key of config.json; DistilBERT has its own words for most. */
struct setting {
	struct config_range range;
	size_t at; /* in struct model_config */
};
#define SETTING(member, ...)                                                                       \
	{                                                                                          \
		{__VA_ARGS__}, offsetof(struct model_config, member)                               \
	}

static const struct setting sizes[] = {
	SETTING(n_vocab, "vocab_size", 1, 1e8, REQUIRED),
	SETTING(hidden, "hidden_size", 1, 65536, REQUIRED),
	SETTING(n_layers, "num_hidden_layers", 1, 1000, REQUIRED),
	SETTING(n_heads, "num_attention_heads", 1, 4096, REQUIRED),
	SETTING(ff, "intermediate_size", 1, 1e6, REQUIRED),
	SETTING(n_positions, "max_position_embeddings", 2, 1e7, REQUIRED),
	SETTING(n_types, "type_vocab_size", 1, 1e4, 2),
};
static const struct setting reals[] = {
	SETTING(norm_eps, "layer_norm_eps", 1e-30, 1, 1e-12),
	SETTING(init_std, "initializer_range", 0, 10, 0.02),
	SETTING(hidden_dropout, "hidden_dropout_prob", 0, 0.99, 0.1),
	SETTING(attention_dropout, "attention_probs_dropout_prob", 0, 0.99, 0.1),
};
static const struct setting distil_sizes[] = {
	SETTING(n_vocab, "vocab_size", 1, 1e8, REQUIRED),
	SETTING(hidden, "dim", 1, 65536, REQUIRED),
	SETTING(n_layers, "n_layers", 1, 1000, REQUIRED),
	SETTING(n_heads, "n_heads", 1, 4096, REQUIRED),
	SETTING(ff, "hidden_dim", 1, 1e6, REQUIRED),
	SETTING(n_positions, "max_position_embeddings", 2, 1e7, 512),
};
static const struct setting distil_reals[] = {
	SETTING(init_std, "initializer_range", 0, 10, 0.02),
	SETTING(hidden_dropout, "dropout", 0, 0.99, 0.1),
	SETTING(attention_dropout, "attention_dropout", 0, 0.99, 0.1),
	SETTING(classifier_dropout, "seq_classif_dropout", 0, 0.99, 0.2),
};

static const struct post_norm_names bert_names = {
	.layer = "encoder.layer",
	.query = "attention.self.query",
	.key = "attention.self.key",
	.value = "attention.self.value",
	.attention = "attention.output.dense",
	.attention_norm = "attention.output.LayerNorm",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "output.LayerNorm",
};
static const struct post_norm_names mpnet_names = {
	.layer = "encoder.layer",
	.query = "attention.attn.q",
	.key = "attention.attn.k",
	.value = "attention.attn.v",
	.attention = "attention.attn.o",
	.attention_norm = "attention.LayerNorm",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "output.LayerNorm",
};
static const struct post_norm_names distil_names = {
	.layer = "transformer.layer",
	.query = "attention.q_lin",
	.key = "attention.k_lin",
	.value = "attention.v_lin",
	.attention = "attention.out_lin",
	.attention_norm = "sa_layer_norm",
	.up = "ffn.lin1",
	.down = "ffn.lin2",
	.norm = "output_layer_norm",
};
static bool read_settings(json root, const char *path, struct model_config *c,
	const struct setting *ints, size_t n_ints, const struct setting *floats, size_t n_floats,
	struct err *err)
{
	for (size_t i = 0; i < n_ints; i++)
		if (!config_int(root, path, ints[i].range, (void *)((char *)c + ints[i].at), err))
			return false;
	for (size_t i = 0; i < n_floats; i++)
		if (!config_real(
			    root, path, floats[i].range, (void *)((char *)c + floats[i].at), err))
			return false;
	return true;
}

/* What post_norm.c does not compute. */
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

/* The keys that the kind alone has. */
static bool read_own(json root, const char *path, struct model_config *c, struct err *err)
{
	const struct post_norm_kind *kind = c->arch->variant;
	struct post_norm_own *own = arena_calloc(&c->arena, 1, sizeof *own);
	struct config_range width = {"embedding_size", 1, 65536, (double)c->hidden};
	struct config_range pad = {"pad_token_id", 0, (double)c->n_vocab - 1, 1};
	struct config_range buckets = {"relative_attention_num_buckets", RELATIVE_BUCKETS,
		RELATIVE_BUCKETS, RELATIVE_BUCKETS};
	int64_t unused;
	c->own = own;
	own->table_width = c->hidden;
	if (kind->has_narrow_tables && !config_int(root, path, width, &own->table_width, err))
		return false;
	if (kind->has_relative_bias && !config_int(root, path, buckets, &unused, err))
		return false;
	if (!kind->counts_from_pad)
		return true;
	if (!config_int(root, path, pad, &own->pad, err))
		return false;
	own->first_position = own->pad + 1;
	if (c->n_positions <= own->first_position)
		return err_set(err, ERR_DATA,
			"%s: max_position_embeddings is %lld, expected more than pad_token_id + 1 "
			"(%lld)",
			path, (long long)c->n_positions, (long long)own->first_position);
	c->n_positions -= own->first_position;
	return true;
}

static bool finish(json root, const char *path, struct model_config *c, const char *width,
	const char *heads, struct err *err)
{
	if (c->hidden % c->n_heads != 0)
		return err_set(err, ERR_DATA, "%s: %s is %lld, expected a multiple of %s (%lld)",
			path, width, (long long)c->hidden, heads, (long long)c->n_heads);
	c->head_dim = c->hidden / c->n_heads;
	c->n_kv_heads = c->n_heads;
	return read_own(root, path, c, err);
}

/* DistilBERT's own words. */
static bool configure_distilbert(
	json root, const char *path, struct model_config *c, struct err *err)
{
	c->norm_eps = 1e-12; /* no key of its config.json */
	return config_act(root, path, "activation", &c->act, err) &&
		read_settings(root, path, c, distil_sizes, ARRAY_LEN(distil_sizes), distil_reals,
			ARRAY_LEN(distil_reals), err) &&
		finish(root, path, c, "dim", "n_heads", err);
}

bool post_norm_configure(json root, const char *path, struct model_config *c, struct err *err)
{
	const struct post_norm_kind *kind = c->arch->variant;
	if (kind->names == &distil_names)
		return configure_distilbert(root, path, c, err);
	if (!check_kind(root, path, err) || !config_act(root, path, "hidden_act", &c->act, err) ||
		!read_settings(
			root, path, c, sizes, ARRAY_LEN(sizes), reals, ARRAY_LEN(reals), err))
		return false;
	struct config_range head = {"classifier_dropout", 0, 0.99, c->hidden_dropout};
	return config_real(root, path, head, &c->classifier_dropout, err) &&
		finish(root, path, c, "hidden_size", "num_attention_heads", err);
}

static const struct post_norm_kind bert = {
	.names = &bert_names, .has_types = true, .drops_attention = true};
static const struct post_norm_kind roberta = {
	.names = &bert_names, .has_types = true, .counts_from_pad = true, .drops_attention = true};
static const struct post_norm_kind electra = {.names = &bert_names,
	.has_types = true,
	.has_narrow_tables = true,
	.drops_attention = true};
static const struct post_norm_kind mpnet = {.names = &mpnet_names,
	.counts_from_pad = true,
	.has_relative_bias = true,
	.drops_attention = true};
static const struct post_norm_kind distil = {.names = &distil_names};

static const struct classifier_kind electra_classifier = {
	.dense = "classifier.dense",
	.out = "classifier.out_proj",
	.drops_input = true,
	.act = HEAD_GELU,
};
static const struct classifier_kind distil_classifier = {
	.dense = "pre_classifier",
	.out = "classifier",
	.act = HEAD_RELU,
};

static const char *const bert_targets[] = {"query", "key", "value", "dense", NULL};
static const char *const mpnet_targets[] = {"q", "k", "v", "o", "dense", NULL};
static const char *const distil_targets[] = {
	"q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2", NULL};
/* A pooler that no vector uses, heads of pretraining, indexes that old versions stored. */
static const char *const harmless[] = {"*position_ids", "*token_type_ids", "pooler.", "cls.",
	"lm_head.", "generator_predictions.", "generator_lm_head.", "discriminator_predictions.",
	"vocab_transform.", "vocab_layer_norm.", "vocab_projector.", NULL};
static const char *const carried[] = {"pooler.", NULL};

#define POST_NORM(type, class, short, kind_of_it, head, targets)                                   \
	{                                                                                          \
		.model_type = type, .encoder_class = class "Model",                                \
		.classifier_class = class "ForSequenceClassification", .classifier = &(head),      \
		.variant = &(kind_of_it), .prefix = short ".", .lora_targets = (targets),          \
		.harmless = harmless, .carried = carried, .configure = post_norm_configure,        \
		.declare = post_norm_declare, .free = post_norm_free,                              \
		.linears = post_norm_linears, .forward = post_norm_forward                         \
	}

const struct architecture bert_architecture =
	POST_NORM("bert", "Bert", "bert", bert, classifier_bert, bert_targets);
const struct architecture roberta_architecture =
	POST_NORM("roberta", "Roberta", "roberta", roberta, classifier_roberta, bert_targets);
const struct architecture xlm_roberta_architecture = POST_NORM(
	"xlm-roberta", "XLMRoberta", "roberta", roberta, classifier_roberta, bert_targets);
const struct architecture camembert_architecture =
	POST_NORM("camembert", "Camembert", "roberta", roberta, classifier_roberta, bert_targets);
const struct architecture electra_architecture =
	POST_NORM("electra", "Electra", "electra", electra, electra_classifier, bert_targets);
const struct architecture mpnet_architecture =
	POST_NORM("mpnet", "MPNet", "mpnet", mpnet, classifier_roberta, mpnet_targets);
const struct architecture distilbert_architecture = POST_NORM(
	"distilbert", "DistilBert", "distilbert", distil, distil_classifier, distil_targets);
