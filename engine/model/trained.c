/* trained.c - the half of a model that learns: leaves, adapters, computing copies, gradients. */
#include <stdlib.h>
#include <string.h>

#include "model/model_impl.h"

static bool has_adapter(const struct model *m, size_t i)
{
	const struct lora *l = &m->loras[i];
	return l->has[0] || l->has[1] || l->has[2];
}

static void add_trained(struct model *m, tensor param, bool decays, int64_t numel)
{
	m->trained[m->n_trained++] = (struct trained){param, decays, numel};
}

static bool add_lora_param(void *ctx, const struct named *what, struct err *err)
{
	(void)err;
	const struct lora *l = what->lora;
	int64_t side = what->is_b ? what->w->part[what->part].n_rows : what->w->cols;
	add_trained(ctx, what->is_b ? l->b[what->part] : l->a[what->part], true, l->r * side);
	return true;
}

void model_settle(struct model *m)
{
	if (m->is_settled)
		return;
	m->is_settled = true;
	if (m->use != MODEL_TRAIN)
		return;
	params_train(&m->params, m->scope, m->loras == NULL);
	params_refresh(&m->params, m->scope, model_compute_dtype(m), true);
	size_t cap = m->params.n + 2 * WEIGHT_PARTS * m->n_linears;
	m->trained = xcalloc(cap, sizeof *m->trained);
	for (size_t i = 0; i < m->params.n; i++) {
		const struct weight *w = m->params.w[i];
		if (w->is_trained)
			add_trained(m, w->value, weight_decays(w), weight_numel(w));
	}
	struct err none = ERR_INIT;
	if (!model_each_lora(m, add_lora_param, m, &none))
		m->n_trained = 0;
}

size_t model_trained(struct model *m, const struct trained **ret)
{
	model_settle(m);
	*ret = m->trained;
	return m->n_trained;
}

int64_t model_n_params(const struct model *m, bool only_trained)
{
	int64_t n = 0;
	bool is_lora = m->loras != NULL;
	for (size_t i = 0; i < m->params.n; i++) {
		const struct weight *w = m->params.w[i];
		if (!only_trained || (m->use == MODEL_TRAIN && (!is_lora || w->is_outside)))
			n += weight_numel(w);
	}
	for (size_t i = 0; is_lora && i < m->n_linears; i++) {
		const struct weight *w = &m->linears[i]->w;
		for (int k = 0; k < w->n_parts; k++)
			if (m->loras[i].has[k])
				n += m->loras[i].r * (w->cols + w->part[k].n_rows);
	}
	return n;
}

void model_refresh(struct model *m)
{
	model_settle(m);
	if (m->use == MODEL_TRAIN)
		params_refresh(&m->params, m->scope, model_compute_dtype(m), false);
}

const char *module_name(const struct weight *w, int part, struct arena *a)
{
	const char *name = w->part[part].name;
	return arena_printf(a, "%.*s", (int)(strlen(name) - strlen(".weight")), name);
}

const char *lora_name(const struct model *m, const struct named *what, struct arena *a)
{
	return arena_printf(a, "base_model.model.%s%s.lora_%c.weight", m->params.prefix,
		module_name(what->w, what->part, a), what->is_b ? 'B' : 'A');
}

bool model_each_lora(struct model *m, named_fn fn, void *ctx, struct err *err)
{
	for (size_t i = 0; m->loras && i < m->n_linears; i++)
		for (int k = 0; k < m->linears[i]->w.n_parts; k++) {
			struct named what = {&m->linears[i]->w, &m->loras[i], k, false};
			if (!m->loras[i].has[k])
				continue;
			if (!fn(ctx, &what, err))
				return false;
			what.is_b = true;
			if (!fn(ctx, &what, err))
				return false;
		}
	return true;
}

/* Marks which parts of linear i the targets name; counts for each target what it matched. */
static void match_targets(struct model *m, size_t i, const char *const *targets, size_t n,
	size_t *n_matched, bool has[WEIGHT_PARTS])
{
	struct arena a = ARENA_INIT;
	const struct weight *w = &m->linears[i]->w;
	for (int k = 0; k < w->n_parts; k++)
		for (size_t t = 0; t < n; t++)
			if (lora_target_matches(module_name(w, k, &a), targets[t])) {
				has[k] = true;
				n_matched[t]++;
			}
	arena_release(&a);
}

static bool check_lora(const struct model *m, const struct lora_options *opt, struct err *err)
{
	if (m->use != MODEL_TRAIN || m->is_settled || m->loras)
		return err_set(err, ERR_FAILED,
			"adapters are added once, to a model opened for training, before its first "
			"forward");
	if (opt->r < 1 || opt->r > 65536 || opt->alpha < 1)
		return err_set(err, ERR_USAGE,
			"LoRA with r %lld and alpha %lld, expected both to be at least 1",
			(long long)opt->r, (long long)opt->alpha);
	if (!(opt->dropout >= 0.0 && opt->dropout < 1.0))
		return err_set(
			err, ERR_USAGE, "LoRA with dropout %g, expected [0, 1)", opt->dropout);
	return true;
}

bool model_add_lora(struct model *m, const struct lora_options *opt, struct err *err)
{
	if (!check_lora(m, opt, err))
		return false;
	const char *const *targets = opt->targets;
	size_t n = opt->n_targets;
	if (n == 0)
		for (targets = m->config.arch->lora_targets; targets[n]; n++)
			;
	size_t *n_matched = xcalloc(n, sizeof *n_matched);
	m->loras = xcalloc(m->n_linears + 1, sizeof *m->loras);
	for (size_t i = 0; i < m->n_linears; i++) {
		bool has[WEIGHT_PARTS] = {false};
		match_targets(m, i, targets, n, n_matched, has);
		lora_init(&m->loras[i], m->scope, &m->linears[i]->w, opt->r, opt->alpha, has,
			opt->seed);
		if (has_adapter(m, i))
			m->linears[i]->lora = &m->loras[i];
	}
	bool ok = true;
	for (size_t t = 0; ok && t < n; t++)
		if (n_matched[t] == 0)
			ok = err_set(err, ERR_USAGE,
				"LoRA target \"%s\" is the name of no linear of %s; known are "
				"query, key, value, attention.output.dense, intermediate.dense, "
				"output.dense, dense",
				targets[t], m->config.dir);
	free(n_matched);
	m->lora_alpha = opt->alpha;
	m->lora_dropout = opt->dropout;
	if (ok && tn_status(m->scope) != TN_OK)
		ok = err_set(err, ERR_FAILED, "LoRA: %s", tn_message(m->scope));
	return ok;
}

bool model_put_tensor(
	tn_scope *s, tensor t, int64_t rows, int64_t row_size, struct st_sink *out, struct err *err)
{
	int64_t step = row_size > 0 ? (int64_t)(4 << 20) / row_size + 1 : rows;
	float *block = try_malloc((size_t)step, (size_t)row_size * sizeof *block, "a tensor", err);
	if (!block)
		return false;
	bool ok = true;
	for (int64_t at = 0; ok && at < rows; at += step) {
		int64_t n = rows - at < step ? rows - at : step;
		tn_scope *b = tn_push_no_grad(s);
		ok = tn_read_f32(b, tn_narrow(b, t, 0, at, n), block, (size_t)(n * row_size));
		if (ok)
			st_sink_add(out, block, (size_t)(n * row_size) * sizeof *block);
		tn_pop(b);
	}
	if (!ok)
		err_set(err, ERR_FAILED, "%s", tn_message(s));
	free(block);
	return ok;
}

/* The gradients that exist, as entries of a file. */
struct gradients {
	struct model *m;
	struct st_entry *entry;
	struct named *what;
	size_t n;
	struct arena arena;
};

static tensor gradient(tn_scope *s, const struct named *what)
{
	if (what->lora)
		return tn_grad(
			s, what->is_b ? what->lora->b[what->part] : what->lora->a[what->part]);
	tensor g = tn_grad(s, what->w->value);
	return g.gen == 0 ? g : weight_slice(s, what->w, g, what->part);
}

static bool add_gradient(void *ctx, const struct named *what, struct err *err)
{
	struct gradients *g = ctx;
	(void)err;
	tn_scope *s = tn_push_no_grad(g->m->scope);
	tensor t = gradient(s, what);
	if (t.gen != 0) {
		struct st_entry *e = &g->entry[g->n];
		e->name = what->lora ? lora_name(g->m, what, &g->arena)
				     : weight_name(&g->m->params, what->w, what->part, &g->arena);
		e->dtype = ST_F32;
		e->ndim = tn_ndim(s, t);
		for (int d = 0; d < e->ndim; d++)
			e->shape[d] = tn_dim(s, t, d);
		g->what[g->n++] = *what;
	}
	tn_pop(s);
	return true;
}

static bool put_gradient(void *ctx, size_t i, struct st_sink *out, struct err *err)
{
	struct gradients *g = ctx;
	const struct st_entry *e = &g->entry[i];
	tn_scope *s = tn_push_no_grad(g->m->scope);
	bool ok = model_put_tensor(
		s, gradient(s, &g->what[i]), e->shape[0], e->ndim > 1 ? e->shape[1] : 1, out, err);
	tn_pop(s);
	return ok;
}

bool model_write_gradients(struct model *m, const char *path, struct err *err)
{
	model_settle(m);
	size_t cap = WEIGHT_PARTS * (m->params.n + 2 * m->n_linears) + 1;
	struct gradients g = {
		.m = m,
		.entry = xcalloc(cap, sizeof(struct st_entry)),
		.what = xcalloc(cap, sizeof(struct named)),
	};
	bool ok = true;
	for (size_t i = 0; ok && i < m->params.n; i++)
		for (int k = 0; ok && m->params.w[i]->is_trained && k < m->params.w[i]->n_parts;
			k++)
			ok = add_gradient(&g, &(struct named){m->params.w[i], NULL, k, false}, err);
	ok = ok && model_each_lora(m, add_gradient, &g, err);
	if (ok && g.n == 0)
		ok = err_set(err, ERR_FAILED, "there are no gradients yet to write to %s", path);
	ok = ok && safetensors_write(path, g.entry, g.n, put_gradient, &g, err);
	free(g.entry);
	free(g.what);
	arena_release(&g.arena);
	return ok;
}
