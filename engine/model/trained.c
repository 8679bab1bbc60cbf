/* trained.c - the half of a model that learns: leaves, adapters, computing copies. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
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
	safetensors_rest(&m->weights);
	size_t cap = m->params.n + 2 * WEIGHT_PARTS * m->parts.n_linears;
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
		if (!only_trained ||
			(m->use == MODEL_TRAIN && (!is_lora || (w->is_outside && !w->is_beside))))
			n += weight_numel(w);
	}
	for (size_t i = 0; is_lora && i < m->parts.n_linears; i++) {
		const struct weight *w = &m->parts.linears[i]->w;
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

const char *module_in_layer(const char *module)
{
	const char *digits = strpbrk(module, "0123456789");
	const char *dot = digits ? strchr(digits, '.') : NULL;
	return dot ? dot + 1 : module;
}

const char *lora_name(const struct model *m, const struct named *what, struct arena *a)
{
	return arena_printf(a, "base_model.model.%s%s.lora_%c.weight", m->params.prefix,
		module_name(what->w, what->part, a), what->is_b ? 'B' : 'A');
}

bool model_each_lora(struct model *m, named_fn fn, void *ctx, struct err *err)
{
	for (size_t i = 0; m->loras && i < m->parts.n_linears; i++)
		for (int k = 0; k < m->parts.linears[i]->w.n_parts; k++) {
			struct named what = {&m->parts.linears[i]->w, &m->loras[i], k, false};
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
	const struct weight *w = &m->parts.linears[i]->w;
	for (int k = 0; k < w->n_parts; k++)
		for (size_t t = 0; t < n; t++)
			if (strcmp(targets[t], "all-linear") == 0 ||
				lora_target_matches(module_name(w, k, &a), targets[t])) {
				has[k] = true;
				n_matched[t]++;
			}
	arena_release(&a);
}

/* "query, key, attention.output.dense": what a target can name. */
static const char *module_list(const struct model *m, struct arena *a)
{
	const char *list = "all-linear";
	struct map seen = MAP_INIT;
	for (size_t i = 0; i < m->parts.n_linears; i++)
		for (int k = 0; k < m->parts.linears[i]->w.n_parts; k++) {
			const char *name =
				module_in_layer(module_name(&m->parts.linears[i]->w, k, a));
			if (map_put(&seen, text_of(name), 0))
				list = arena_printf(a, "%s, %s", list, name);
		}
	map_release(&seen);
	return list;
}

static bool check_targets(const struct model *m, const char *const *targets,
	const size_t *n_matched, size_t n, struct err *err)
{
	struct arena a = ARENA_INIT;
	bool ok = true;
	for (size_t t = 0; ok && t < n; t++)
		if (n_matched[t] == 0)
			ok = err_set(err, ERR_USAGE,
				"LoRA target \"%s\" is the name of no linear of %s; known are %s",
				targets[t], m->config.dir, module_list(m, &a));
	arena_release(&a);
	return ok;
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
	if (m->config.adapter)
		return err_set(err, ERR_USAGE,
			"%s is an adapter: a second one would have no base on disk; train without "
			"--lora, or merge it into its base first",
			m->config.dir);
	if (!check_lora(m, opt, err))
		return false;
	const char *const *targets = opt->targets;
	size_t n = opt->n_targets;
	if (n == 0)
		for (targets = m->config.arch->lora_targets; targets[n]; n++)
			;
	size_t *n_matched = xcalloc(n, sizeof *n_matched);
	m->loras = xcalloc(m->parts.n_linears + 1, sizeof *m->loras);
	for (size_t i = 0; i < m->parts.n_linears; i++) {
		bool has[WEIGHT_PARTS] = {false};
		match_targets(m, i, targets, n, n_matched, has);
		lora_init(&m->loras[i], m->scope, &m->parts.linears[i]->w, opt->r, opt->alpha, has,
			opt->seed);
		if (has_adapter(m, i))
			m->parts.linears[i]->lora = &m->loras[i];
	}
	bool ok = opt->n_targets == 0 || check_targets(m, targets, n_matched, n, err);
	free(n_matched);
	m->lora_alpha = opt->alpha;
	m->lora_dropout = opt->dropout;
	if (ok && tn_status(m->scope) != TN_OK)
		ok = err_set(err, ERR_FAILED, "LoRA: %s", tn_message(m->scope));
	return ok;
}
