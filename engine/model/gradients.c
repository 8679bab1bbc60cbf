/* gradients.c - the gradients of a step, under the names that PyTorch and PEFT have for them. */
#include <stdlib.h>

#include "model/model_impl.h"

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
	size_t cap = WEIGHT_PARTS * (m->params.n + 2 * m->parts.n_linears) + 1;
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
