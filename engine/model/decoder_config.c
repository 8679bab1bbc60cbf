#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/decoder.h"

#define REQUIRED (-1) /* outside every range: config.json must have the key */

static const struct config_field sizes[] = {
	{{"vocab_size", 1, 1e8, REQUIRED}, offsetof(struct model_config, n_vocab)},
	{{"hidden_size", 1, 65536, REQUIRED}, offsetof(struct model_config, hidden)},
	{{"num_hidden_layers", 1, 1000, REQUIRED}, offsetof(struct model_config, n_layers)},
	{{"num_attention_heads", 1, 4096, REQUIRED}, offsetof(struct model_config, n_heads)},
	{{"intermediate_size", 1, 1e6, REQUIRED}, offsetof(struct model_config, ff)},
};
static const struct config_field reals[] = {
	{{"rms_norm_eps", 1e-30, 1, 1e-6}, offsetof(struct model_config, norm_eps)},
	{{"initializer_range", 0, 10, 0.02}, offsetof(struct model_config, init_std)},
	{{"attention_dropout", 0, 0.99, 0}, offsetof(struct model_config, attention_dropout)},
};

static bool read_sizes(json root, const char *path, struct model_config *c, struct err *err)
{
	if (!config_ints(root, path, sizes, ARRAY_LEN(sizes), c, err) ||
		!config_reals(root, path, reals, ARRAY_LEN(reals), c, err))
		return false;
	return true;
}

static bool read_heads(json root, const char *path, struct model_config *c, struct err *err)
{
	const struct decoder_variant *v = c->arch->variant;
	int64_t even = c->hidden % c->n_heads == 0 ? c->hidden / c->n_heads : REQUIRED;
	struct config_range kv = {"num_key_value_heads", 1, 4096, (double)c->n_heads},
			    dim = {"head_dim", 1, 4096,
				    (double)(v->head_dim > 0 ? v->head_dim : even)};
	if (!config_int(root, path, kv, &c->n_kv_heads, err))
		return false;
	if (c->n_heads % c->n_kv_heads != 0)
		return err_set(err, ERR_DATA,
			"%s: num_key_value_heads is %lld, expected a divisor of "
			"num_attention_heads (%lld)",
			path, (long long)c->n_kv_heads, (long long)c->n_heads);
	json given = json_get(root, "head_dim");
	bool is_given = !json_is(given, JSON_MISSING) && !json_is(given, JSON_NULL);
	if (!is_given && dim.def == REQUIRED)
		return err_set(err, ERR_DATA,
			"%s: hidden_size is %lld, expected a multiple of num_attention_heads (%lld) "
			"or a head_dim",
			path, (long long)c->hidden, (long long)c->n_heads);
	return config_int(root, path, dim, &c->head_dim, err);
}

static bool read_act(json root, const char *path, struct model_config *c, struct err *err)
{
	const struct decoder_variant *v = c->arch->variant;
	json given = json_get(root, v->act_key);
	c->act = v->act;
	if (json_is(given, JSON_MISSING) || json_is(given, JSON_NULL))
		return true;
	if (!config_act(root, path, v->act_key, &c->act, err))
		return false;
	if (v->gelu_is_tanh && c->act == MODEL_GELU)
		c->act = MODEL_GELU_TANH;
	return true;
}

static bool want_bool(
	json root, const char *path, const char *key, bool def, bool *ret, struct err *err)
{
	return json_want_bool(root, key, def, ret, err) || err_prefix(err, "%s", path);
}

static bool read_biases(json root, const char *path, const struct decoder_variant *v,
	struct decoder_config *own, struct err *err)
{
	bool attention = false, mlp = false;
	if (v->reads_attention_bias &&
		!want_bool(root, path, "attention_bias", false, &attention, err))
		return false;
	if (v->reads_mlp_bias && !want_bool(root, path, "mlp_bias", false, &mlp, err))
		return false;
	own->qkv_has_bias = v->qkv_has_bias || attention;
	own->out_has_bias = attention;
	own->mlp_has_bias = mlp;
	return true;
}

/* A cap that null switches off. */
static bool read_cap(
	json root, const char *path, const char *key, double def, double *ret, struct err *err)
{
	*ret = 0.0;
	if (def < 0.0 || json_is(json_get(root, key), JSON_NULL))
		return true;
	return config_real(root, path, (struct config_range){key, 0, 1e6, def}, ret, err);
}

static bool read_scores(json root, const char *path, struct model_config *c,
	const struct decoder_variant *v, struct decoder_config *own, struct err *err)
{
	double scalar = (double)c->head_dim;
	struct config_range range = {"query_pre_attn_scalar", 1e-3, 1e6, 256};
	if (v->has_query_scalar && !config_real(root, path, range, &scalar, err))
		return false;
	own->score_scale = 1.0 / sqrt(scalar);
	return read_cap(root, path, "attn_logit_softcapping", v->score_cap, &own->score_cap, err) &&
		read_cap(root, path, "final_logit_softcapping", v->logit_cap, &c->logit_soft_cap,
			err);
}

static bool read_scales(json root, const char *path, const struct model_config *c,
	const struct decoder_variant *v, struct decoder_config *own, struct err *err)
{
	struct config_range embedding = {"scale_emb", 1e-6, 1e6, 1},
			    depth = {"scale_depth", 1e-6, 1e6, 1};
	own->embedding_scale = v->is_gemma ? sqrt((double)c->hidden) : 1.0;
	own->depth_scale = 1.0;
	if (!v->has_depth_scale)
		return true;
	if (!config_real(root, path, embedding, &own->embedding_scale, err) ||
		!config_real(root, path, depth, &own->depth_scale, err))
		return false;
	own->depth_scale /= sqrt((double)c->n_layers);
	return true;
}

/* The number of sliding_window; 0: there is none. */
static bool read_window(json root, const char *path, const struct decoder_variant *v,
	struct decoder_config *own, struct err *err)
{
	bool is_used = true;
	json given = json_get(root, "sliding_window");
	own->window = 0;
	if (v->windows == WINDOWS_NONE || json_is(given, JSON_NULL))
		return true;
	if (v->windows == WINDOWS_UPPER &&
		!want_bool(root, path, "use_sliding_window", false, &is_used, err))
		return false;
	if (!is_used || (json_is(given, JSON_MISSING) && v->window == 0))
		return true;
	struct config_range range = {"sliding_window", 2, 1e9, (double)v->window};
	return config_int(root, path, range, &own->window, err);
}

/* Layers with a window where no layer_types says it. */
static bool default_layers(json root, const char *path, const struct model_config *c,
	const struct decoder_variant *v, bool *is_local, struct err *err)
{
	int64_t first = 0, every = 0;
	struct config_range upper = {"max_window_layers", 0, 1e6, 28},
			    pattern = {"sliding_window_pattern", 1, 1e6, (double)v->pattern};
	if (v->windows == WINDOWS_UPPER && !config_int(root, path, upper, &first, err))
		return false;
	if (v->windows == WINDOWS_PATTERN && !config_int(root, path, pattern, &every, err))
		return false;
	for (int64_t i = 0; i < c->n_layers; i++)
		is_local[i] = i >= first && (every == 0 || (i + 1) % every != 0);
	return true;
}

static bool read_layers(json root, const char *path, struct model_config *c,
	const struct decoder_variant *v, struct decoder_config *own, struct err *err)
{
	bool *is_local = arena_calloc(&c->arena, (size_t)c->n_layers, sizeof *is_local);
	own->is_local = is_local;
	if (!read_window(root, path, v, own, err))
		return false;
	if (v->windows == WINDOWS_NONE)
		return true;
	return default_layers(root, path, c, v, is_local, err) &&
		(v->windows == WINDOWS_ALL || config_layer_types(root, path, c, is_local, err));
}

static bool read_positions(json root, const char *path, struct model_config *c,
	const struct decoder_variant *v, struct decoder_config *own, struct err *err)
{
	struct config_range range = {"max_position_embeddings", 2, 1e9, (double)v->positions};
	bool differ = v->local_theta > 0.0;
	struct rope_keys all = {.layer = "full_attention", .theta_key = "rope_theta"},
			 local = {.layer = "sliding_attention",
				 .theta_key = differ ? "rope_local_base_freq" : "rope_theta",
				 .unscaled = differ};
	all.theta = v->theta;
	local.theta = differ ? v->local_theta : v->theta;
	if (!config_int(root, path, range, &c->n_positions, err) ||
		!rope_read(root, path, &all, c->head_dim, c->n_positions, &own->rope, err) ||
		!rope_read(root, path, &local, c->head_dim, c->n_positions, &own->local_rope, err))
		return false;
	c->default_length = c->n_positions;
	c->n_positions = rope_reach(&own->rope);
	return true;
}

/* Embedding models that are bidirectional by the code in their folder, with nothing in config.json
 * that says so: by a class that auto_map names, and by the name that the folder goes by. */
static const char *const bidirectional_classes[] = {
	"modeling_qwen.Qwen2Model", /* gte-Qwen2, stella */
	"Bidirectional", /* LlamaBidirectionalModel of nemoretriever and its kin */
	"EncoderModel", /* MistralEncoderModel ... of LLM2Vec */
	"modeling_gritlm",
	NULL,
};
static const char *const bidirectional_names[] = {
	"KaLM-embedding-multilingual-mini-instruct-v2",
	"KaLM-embedding-multilingual-mini-v2",
	"KaLM-Embedding-V2",
	"gte-Qwen2",
	"stella_en_1.5B",
	"GritLM",
	NULL,
};

static bool has_any(json name, const char *const *marks)
{
	struct text t = TEXT_NONE;
	if (!json_string(name, &t.s, &t.len))
		return false;
	for (; *marks; marks++)
		if (memmem(t.s, t.len, *marks, strlen(*marks)))
			return true;
	return false;
}

static bool is_known_bidirectional(json root, const struct model_config *c)
{
	for (size_t i = 0; bidirectional_names[i]; i++)
		if (strstr(fs_basename(c->dir), bidirectional_names[i]))
			return true;
	return has_any(json_get(root, "_name_or_path"), bidirectional_names) ||
		has_any(json_get(json_get(root, "auto_map"), "AutoModel"), bidirectional_classes);
}

static bool read_attention(json root, const char *path, struct model_config *c,
	const struct decoder_variant *v, struct decoder_config *own, struct err *err)
{
	bool is_causal, is_bidirectional;
	if (!want_bool(root, path, "is_causal", true, &is_causal, err) ||
		!want_bool(
			root, path, "use_bidirectional_attention", false, &is_bidirectional, err))
		return false;
	own->halves_window = v->halves_window && is_causal;
	c->attention = ATTENTION_BIDIRECTIONAL;
	if (is_bidirectional)
		c->attention_from = "use_bidirectional_attention";
	else if (!is_causal)
		c->attention_from = "is_causal";
	else if (is_known_bidirectional(root, c))
		c->attention_from = ATTENTION_ASSUMED;
	else
		c->attention = ATTENTION_CAUSAL;
	if (c->attention == ATTENTION_CAUSAL)
		c->attention_from = "the architecture";
	return true;
}

bool decoder_configure(json root, const char *path, struct model_config *c, struct err *err)
{
	const struct decoder_variant *v = c->arch->variant;
	struct decoder_config *own = arena_calloc(&c->arena, 1, sizeof *own);
	c->own = own;
	own->norm_shift = v->is_gemma ? 1.0 : 0.0;
	if (!read_sizes(root, path, c, err) || !read_heads(root, path, c, err) ||
		!read_act(root, path, c, err) || !read_biases(root, path, v, own, err) ||
		!read_scores(root, path, c, v, own, err) ||
		!read_layers(root, path, c, v, own, err) ||
		!read_positions(root, path, c, v, own, err))
		return false;
	return read_scales(root, path, c, v, own, err) &&
		want_bool(root, path, "tie_word_embeddings", v->is_tied, &c->is_tied, err) &&
		read_attention(root, path, c, v, own, err);
}
