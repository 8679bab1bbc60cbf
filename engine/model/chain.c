#include "model/chain.h"

#include <stdlib.h>

#include "base/fs.h"
#include "model/heads.h"
#include "model/weights.h"

static bool add_files(struct safetensors *st, const struct model_config *c, const struct module *m,
	const char *prefix, struct err *err)
{
	const char *dir = fs_join(&st->arena, c->modules_dir, m->path);
	bool found;
	if (!weights_add_part(st, dir, "model", prefix, &found, err))
		return false;
	if (!found && !weights_add_part(st, dir, "pytorch_model", prefix, &found, err))
		return false;
	return found ||
		err_set(err, ERR_DATA, "%s holds neither model.safetensors nor pytorch_model.bin",
			dir);
}

/* In its folder's own file, outside the model's. */
static void declare(struct params *p, struct weight *w, enum weight_kind kind, int64_t rows,
	int64_t cols, const char *prefix, const char *name)
{
	params_one(p, w, kind, rows, cols, "%s%s", prefix, name);
	w->is_outside = w->is_beside = true;
}

static void declare_module(
	struct params *p, struct chain_weights *w, const struct module *m, const char *prefix)
{
	if (m->kind == MODULE_DENSE) {
		declare(p, &w->dense.w, WEIGHT_HEAD, m->out, m->in, prefix, "linear.weight");
		if (m->has_bias)
			declare(p, &w->dense.b, WEIGHT_BIAS, m->out, 0, prefix, "linear.bias");
		if (m->is_residual && m->in != m->out)
			declare(p, &w->residual, WEIGHT_HEAD, m->out, m->in, prefix,
				"residual.weight");
	} else if (m->kind == MODULE_LAYER_NORM) {
		declare(p, &w->norm.w, WEIGHT_NORM, m->out, 0, prefix, "norm.weight");
		declare(p, &w->norm.b, WEIGHT_NORM, m->out, 0, prefix, "norm.bias");
		w->norm.eps = 1e-5; /* torch's, which the module does not change */
	}
}

bool chain_declare(struct chain *ch, const struct model_config *c, struct params *p,
	struct safetensors *st, struct err *err)
{
	ch->c = c;
	ch->w = xcalloc(c->n_modules + 1, sizeof *ch->w);
	for (size_t i = 0; i < c->n_modules; i++) {
		const struct module *m = &c->modules[i];
		if (m->kind == MODULE_NORMALIZE)
			continue;
		const char *prefix = arena_printf(&p->arena, "%s/", m->path);
		if (!add_files(st, c, m, prefix, err))
			return false;
		declare_module(p, &ch->w[i], m, prefix);
	}
	return true;
}

void chain_release(struct chain *ch)
{
	free(ch->w);
	ch->w = NULL;
}

/* The poolings side by side. */
static tensor pool(
	tn_scope *s, const struct model_config *c, tensor x, const struct token_batch *batch)
{
	tensor y[POOLINGS];
	for (int i = 0; i < c->n_poolings; i++)
		y[i] = head_pool(s, x, batch, c->poolings[i]); /* [n,H] */
	return c->n_poolings == 1 ? y[0] : tn_cat(s, y, c->n_poolings, 1);
}

static tensor dense(tn_scope *s, const struct module *m, const struct chain_weights *w, tensor x)
{
	tensor y = tn_linear(s, x, w->dense.w.value, m->has_bias ? w->dense.b.value : TN_NONE);
	y = head_activate(s, y, m->act); /* [n,out] */
	if (!m->is_residual)
		return y;
	return tn_add(s, y, m->in == m->out ? x : tn_linear(s, x, w->residual.value, TN_NONE));
}

tensor chain_forward(
	tn_scope *out, const struct chain *ch, tensor x, const struct token_batch *batch)
{
	const struct model_config *c = ch->c;
	struct token_batch pooled = *batch;
	if (c->pools_prompt)
		pooled.prompt_tokens = NULL;
	tn_scope *s = tn_push(out);
	tensor y = pool(s, c, x, &pooled);
	for (size_t i = 0; i < c->n_modules; i++) {
		const struct module *m = &c->modules[i];
		const struct chain_weights *w = &ch->w[i];
		if (m->kind == MODULE_DENSE)
			y = dense(s, m, w, y);
		else if (m->kind == MODULE_NORMALIZE)
			y = tn_normalize(s, y);
		else
			y = tn_layer_norm(s, y, w->norm.w.value, w->norm.b.value, w->norm.eps);
	}
	y = tn_keep(out, y);
	tn_pop(s);
	return y;
}
