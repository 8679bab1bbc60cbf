#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parallel.h"
#include "model/model_impl.h"
#include "model/weights.h"

static bool on_gpu(const tn_scope *s)
{
	return strncmp(tn_describe(s), "cuda", 4) == 0;
}

static bool choose_dtype(struct model *m, const struct model_options *opt, struct err *err)
{
	bool gpu = on_gpu(m->scope);
	m->dtype = opt->dtype;
	if (opt->dtype == MODEL_AUTO)
		m->dtype = gpu || cpu_has_amx_bf16() ? MODEL_BF16 : MODEL_F32;
	if (m->dtype == MODEL_F16 && m->use == MODEL_TRAIN)
		return err_set(err, ERR_USAGE,
			"training in float16 needs loss scaling, which is not there; use "
			"--dtype bfloat16 or float32");
	if (m->dtype == MODEL_F16 && !gpu)
		return err_set(err, ERR_USAGE,
			"float16 is for GPUs; on a CPU use --dtype float32 or bfloat16");
	return true;
}

static bool choose_pooling(struct model *m, const struct model_options *opt, struct err *err)
{
	struct model_config *c = &m->config;
	if (opt->pooling && !pooling_parse(opt->pooling, &c->pooling))
		return err_set(err, ERR_USAGE,
			"pooling is \"%s\", expected cls, mean, max, last, mean_sqrt_len or "
			"weighted",
			opt->pooling);
	if (!c->has_modules && !c->is_classifier)
		log_warn("%s has no modules.json: %s pooling, vectors are not normalised", c->dir,
			pooling_name(c->pooling));
	return true;
}

static bool bind(struct model *m, struct err *err)
{
	const struct architecture *arch = m->config.arch;
	struct params_rules rules = {
		.prefix = arch->prefix,
		.has_head = m->config.is_classifier,
		.harmless = arch->harmless,
		.carried = arch->carried,
		.may_invent = m->use == MODEL_TRAIN,
	};
	m->backbone = arch->declare(&m->config, &m->params);
	if (m->config.is_classifier) {
		m->head = xcalloc(1, sizeof *m->head);
		classifier_declare(&m->params, m->head, &m->config);
	}
	m->n_linears = arch->linears(m->backbone, NULL, 0);
	m->linears = xcalloc(m->n_linears + 1, sizeof(struct linear *));
	arch->linears(m->backbone, m->linears, m->n_linears);
	return params_bind(&m->params, &m->weights, &rules, err);
}

enum tn_dtype model_compute_dtype(const struct model *m)
{
	switch (m->dtype) {
	case MODEL_BF16:
		return TN_BF16;
	case MODEL_F16:
		return TN_F16;
	default:
		return TN_F32;
	}
}

/* Inference: bf16 linears as oneDNN likes them; what was stacked for that in f32 goes again. */
static void prepare_inference(struct model *m)
{
	if (m->dtype != MODEL_BF16) {
		params_refresh(&m->params, m->scope, model_compute_dtype(m), true);
		return;
	}
	for (size_t i = 0; i < m->n_linears; i++) {
		struct linear *l = m->linears[i];
		linear_pack(m->scope, l);
		tn_drop(m->scope, l->w.value);
		tn_drop(m->scope, l->b.value);
		l->w.value = l->w.compute = l->b.value = l->b.compute = TN_NONE;
	}
	safetensors_rest(&m->weights);
}

static bool load(struct model *m, const struct model_options *opt, struct err *err)
{
	params_load(&m->params, m->scope, opt->seed);
	if (m->use == MODEL_ENCODE)
		prepare_inference(m);
	if (tn_status(m->scope) != TN_OK)
		return err_set(err, ERR_FAILED, "%s: %s", m->config.dir, tn_message(m->scope));
	return true;
}

struct model *model_open(
	const char *dir, tn_scope *root, const struct model_options *opt, struct err *err)
{
	struct model *m = xcalloc(1, sizeof *m);
	m->use = opt->use;
	m->scope = tn_push(root);
	m->params = (struct params)PARAMS_INIT;
	m->weights.by_name = (struct map)MAP_INIT;
	if (model_config_read(dir, &m->config, err) && choose_pooling(m, opt, err) &&
		model_attention_choose(&m->config, opt->attention, err) &&
		choose_dtype(m, opt, err) &&
		weights_open_dir(m->config.body_dir, &m->weights, err) && bind(m, err) &&
		load(m, opt, err))
		return m;
	model_close(m);
	return NULL;
}

void model_close(struct model *m)
{
	if (!m)
		return;
	if (m->backbone)
		m->config.arch->free(m->backbone);
	tn_pop(m->scope);
	free(m->head);
	free(m->linears);
	free(m->loras);
	free(m->trained);
	params_release(&m->params);
	safetensors_close(&m->weights);
	model_config_release(&m->config);
	free(m);
}

int64_t model_dim(const struct model *m)
{
	return m->head ? 0 : m->config.hidden;
}

int64_t model_n_labels(const struct model *m)
{
	return m->head ? m->config.n_labels : 0;
}

int64_t model_max_length(const struct model *m)
{
	return m->config.max_length;
}

int64_t model_positions(const struct model *m)
{
	return m->config.n_positions;
}

enum model_dtype model_dtype(const struct model *m)
{
	return m->dtype;
}

struct hash128 model_hash(const struct model *m)
{
	const struct model_config *c = &m->config;
	struct hash128 weights = safetensors_hash(&m->weights, cpu_count());
	struct hasher *h = hasher_new();
	hasher_text(h, text_of(c->arch->model_type));
	hasher_add(h, &weights, sizeof weights);
	hasher_add(h, &c->hash, sizeof c->hash);
	hasher_int(h, c->attention);
	hasher_int(h, c->normalizes);
	hasher_int(h, c->pools_prompt);
	return hasher_end(h);
}

const char *model_dir(const struct model *m)
{
	return m->config.dir;
}

const char *model_pooling(const struct model *m)
{
	return pooling_name(m->config.pooling);
}

bool model_normalizes(const struct model *m)
{
	return m->config.normalizes;
}

void model_set_prompts(struct model *m, const char *query, const char *passage)
{
	struct arena *a = &m->config.arena;
	m->query_prompt = query ? arena_strdup(a, query) : NULL;
	m->passage_prompt = passage ? arena_strdup(a, passage) : NULL;
}

/* The forward passes. */

static struct pass pass_of(const struct model *m, const struct forward *how)
{
	struct pass p = {.dtype = model_compute_dtype(m), .seed = how->seed};
	if (!how->train)
		return p;
	bool given = how->dropout >= 0.0;
	p.hidden_dropout = given ? how->dropout : m->config.hidden_dropout;
	p.attention_dropout = given ? how->dropout : m->config.attention_dropout;
	p.lora_dropout = m->lora_dropout;
	return p;
}

/* Inference records no gradient, whatever scope it is called in. */
static tn_scope *push(struct model *m, tn_scope *s)
{
	model_settle(m);
	return m->use == MODEL_ENCODE ? tn_push_no_grad(s) : tn_push(s);
}

static tensor hidden(
	struct model *m, tn_scope *s, const struct token_batch *b, const struct forward *how)
{
	struct pass pass = pass_of(m, how);
	return tn_cast(s, m->config.arch->forward(m->backbone, s, b, &pass), TN_F32); /* [T,H] */
}

tensor model_hidden(
	struct model *m, tn_scope *out, const struct token_batch *b, const struct forward *how)
{
	tn_scope *s = push(m, out);
	tensor x = tn_keep(out, hidden(m, s, b, how)); /* [T,H] */
	tn_pop(s);
	return x;
}

size_t model_states(struct model *m, tn_scope *out, const struct token_batch *b,
	const struct forward *how, tensor *ret)
{
	tn_scope *s = push(m, out);
	struct pass pass = pass_of(m, how);
	pass.states = ret;
	size_t n = (size_t)m->config.n_layers + 1;
	m->config.arch->forward(m->backbone, s, b, &pass);
	for (size_t i = 0; i < n; i++)
		ret[i] = tn_keep(out, tn_cast(s, ret[i], TN_F32));
	tn_pop(s);
	return n;
}

tensor model_embed(
	struct model *m, tn_scope *out, const struct token_batch *b, const struct forward *how)
{
	tn_scope *s = push(m, out);
	struct token_batch pooled = *b;
	if (m->config.pools_prompt)
		pooled.prompt_tokens = NULL;
	tensor y = head_pool(s, hidden(m, s, b, how), &pooled, m->config.pooling); /* [n,H] */
	if (m->config.normalizes)
		y = tn_normalize(s, y);
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

tensor model_classify(
	struct model *m, tn_scope *out, const struct token_batch *b, const struct forward *how)
{
	if (!m->head)
		return TN_NONE;
	tn_scope *s = push(m, out);
	double p = !how->train ? 0.0 : how->dropout >= 0.0 ? how->dropout : m->head->dropout;
	tensor x = hidden(m, s, b, how); /* [T,H] */
	uint64_t seed = pass_seed(&(struct pass){.seed = how->seed}, m->config.n_layers, 0);
	tensor y = tn_keep(out, classifier_forward(s, m->head, x, b, p, seed));
	tn_pop(s);
	return y;
}
