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
	if (!model_family_apply(c, opt->prompts, err))
		return false;
	if (opt->pooling && strcmp(opt->pooling, "auto") != 0) {
		c->n_poolings = 1;
		if (!pooling_parse(opt->pooling, &c->poolings[0]))
			return err_set(err, ERR_USAGE,
				"pooling is \"%s\", expected cls, mean, max, last, mean_sqrt_len or "
				"weighted",
				opt->pooling);
	}
	if (!model_modules_check(c, err))
		return false;
	if (!c->has_modules && !c->is_classifier && !opt->wants_answers && !c->family)
		log_warn("%s has no modules.json: %s pooling, vectors are not normalised", c->dir,
			pooling_name(c->poolings[0]));
	m->pooling = pooling_names(c, &c->arena);
	return true;
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

/* Inference in half precision: a linear's f32 exists only until it is packed as oneDNN likes it
 * (bf16) or cast. */
static void load_halves(struct model *m, uint64_t seed)
{
	params_load_lean(&m->params, m->scope, seed);
	for (size_t i = 0; i < m->parts.n_linears; i++) {
		struct linear *l = m->parts.linears[i];
		weight_load(&l->w, m->scope, seed);
		tensor whole = l->w.value;
		if (m->dtype == MODEL_BF16) {
			linear_pack(m->scope, l);
			tn_drop(m->scope, l->b.value);
			l->w.compute = l->b.value = l->b.compute = TN_NONE;
		} else {
			l->w.compute = tn_cast(m->scope, whole, model_compute_dtype(m));
		}
		tn_drop(m->scope, whole);
		l->w.value = TN_NONE;
	}
	safetensors_rest(&m->weights);
}

static bool load(struct model *m, const struct model_options *opt, struct err *err)
{
	if (m->use == MODEL_ENCODE && m->dtype != MODEL_F32)
		load_halves(m, opt->seed);
	else
		params_load(&m->params, m->scope, opt->seed);
	if (tn_status(m->scope) != TN_OK)
		return err_set(err, ERR_FAILED, "%s: %s", m->config.dir, tn_message(m->scope));
	return true;
}

struct model *model_open(
	const char *dir, tn_scope *root, const struct model_options *opt, struct err *err)
{
	struct model *m = xcalloc(1, sizeof *m);
	m->use = opt->use;
	struct parts_options parts = {
		.wants_lm = opt->wants_answers, .may_invent = opt->use == MODEL_TRAIN};
	m->scope = tn_push(root);
	m->params = (struct params)PARAMS_INIT;
	m->weights.by_name = (struct map)MAP_INIT;
	if (model_config_read_on(dir, opt->base, &m->config, err) && choose_pooling(m, opt, err) &&
		model_attention_choose(&m->config, opt->attention, err) &&
		choose_dtype(m, opt, err) && parts_open(&m->config, &m->weights, err) &&
		parts_bind(&m->parts, &m->config, &m->params, &m->weights, &parts, err) &&
		load(m, opt, err))
		return m;
	model_close(m);
	return NULL;
}

void model_close(struct model *m)
{
	if (!m)
		return;
	parts_release(&m->parts, &m->config);
	tn_pop(m->scope);
	free(m->loras);
	free(m->trained);
	params_release(&m->params);
	safetensors_close(&m->weights);
	model_config_release(&m->config);
	free(m);
}

int64_t model_dim(const struct model *m)
{
	return m->parts.head ? 0 : m->config.dim;
}

int64_t model_n_labels(const struct model *m)
{
	return m->parts.head ? m->config.n_labels : 0;
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

const char *model_tokenizer_dir(const struct model *m)
{
	return m->config.tokenizer_dir;
}

const char *model_prompts_dir(const struct model *m)
{
	return m->config.prompts_dir;
}

const char *model_dir(const struct model *m)
{
	return m->config.dir;
}

const char *model_pooling(const struct model *m)
{
	return m->pooling;
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
	return tn_cast(
		s, m->config.arch->forward(m->parts.backbone, s, b, &pass), TN_F32); /* [T,H] */
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
	m->config.arch->forward(m->parts.backbone, s, b, &pass);
	for (size_t i = 0; i < n; i++)
		ret[i] = tn_keep(out, tn_cast(s, ret[i], TN_F32));
	tn_pop(s);
	return n;
}

tensor model_embed(
	struct model *m, tn_scope *out, const struct token_batch *b, const struct forward *how)
{
	tn_scope *s = push(m, out);
	tensor y = chain_forward(s, &m->parts.chain, hidden(m, s, b, how), b); /* [n,dim] */
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

unsigned model_views(const struct model *m)
{
	return (m->parts.head ? 0 : VIEW_DENSE) | (m->parts.m3.has_sparse ? VIEW_SPARSE : 0) |
		(m->parts.m3.has_multi ? VIEW_MULTI : 0);
}

int64_t model_multi_dim(const struct model *m)
{
	return m->parts.m3.multi_dim;
}

struct views model_view(struct model *m, tn_scope *out, const struct token_batch *b,
	const struct forward *how, unsigned which)
{
	tn_scope *s = push(m, out);
	struct views v = {TN_NONE, TN_NONE, TN_NONE};
	tensor x = hidden(m, s, b, how); /* [T,H] */
	which &= model_views(m);
	if (which & VIEW_DENSE)
		v.dense = tn_keep(out, chain_forward(s, &m->parts.chain, x, b));
	if (which & VIEW_SPARSE)
		v.sparse = tn_keep(out, m3_sparse(s, &m->parts.m3, x));
	if (which & VIEW_MULTI)
		v.multi = tn_keep(out, m3_multi(s, &m->parts.m3, x, b->seqs));
	tn_pop(s);
	return v;
}

tensor model_answers(struct model *m, tn_scope *out, const struct token_batch *b,
	const struct forward *how, const struct answers *what)
{
	if (!m->parts.answers)
		return TN_NONE;
	tn_scope *s = push(m, out);
	struct pass pass = pass_of(m, how);
	pass.n_layers = what->n_layers;
	tensor x = m->config.arch->forward(m->parts.backbone, s, b, &pass); /* [T,H] */
	x = tn_pool(s, tn_cast(s, x, TN_F32), b->seqs, TN_POOL_LAST); /* [n,H] */
	tensor words = tn_index_select(s, m->parts.answers->value, 0, what->ids, what->n_ids);
	tensor y = tn_linear(s, x, tn_cast(s, words, TN_F32), TN_NONE); /* [n,n_ids] */
	double cap = m->config.logit_soft_cap;
	if (cap > 0.0)
		y = tn_scale(s, tn_tanh(s, tn_scale(s, y, 1.0 / cap)), cap);
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}

tensor model_classify(
	struct model *m, tn_scope *out, const struct token_batch *b, const struct forward *how)
{
	if (!m->parts.head)
		return TN_NONE;
	tn_scope *s = push(m, out);
	double p = !how->train ? 0.0 : how->dropout >= 0.0 ? how->dropout : m->parts.head->dropout;
	tensor x = hidden(m, s, b, how); /* [T,H] */
	uint64_t seed = pass_seed(&(struct pass){.seed = how->seed}, m->config.n_layers, 0);
	tensor y = tn_keep(out, classifier_forward(s, m->parts.head, x, b, p, seed));
	tn_pop(s);
	return y;
}
