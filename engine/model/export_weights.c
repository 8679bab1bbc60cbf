#include <stdlib.h>

#include "model/export.h"

/* What is written: each part of each weight, then what is carried over. */
struct out_tensor {
	struct weight *w; /* NULL: carried over */
	const struct lora *lora;
	int part;
	const struct st_tensor *from; /* the file's own bytes, when they are right as they stand */
};
struct writing {
	struct model *m;
	struct st_entry *entry;
	struct out_tensor *what;
	size_t n;
	struct arena arena;
};

static const struct lora *adapter_of(const struct model *m, const struct weight *w)
{
	for (size_t i = 0; m->loras && i < m->parts.n_linears; i++)
		if (&m->parts.linears[i]->w == w)
			return m->parts.linears[i]->lora;
	return NULL;
}

static void add_part(struct writing *x, struct weight *w, int part)
{
	struct st_entry *e = &x->entry[x->n];
	const struct lora *lora = adapter_of(x->m, w);
	bool is_changed = w->is_trained || (lora && lora->has[part]);
	*e = (struct st_entry){
		.name = weight_name(&x->m->params, w, part, &x->arena),
		.dtype = ST_F32,
		.shape = {w->part[part].n_rows, w->cols},
		.ndim = w->cols ? 2 : 1,
	};
	x->what[x->n++] = (struct out_tensor){w, lora, part, is_changed ? NULL : w->part[part].in};
}

static void add_carried(struct writing *x, const struct st_tensor *t)
{
	struct st_entry *e = &x->entry[x->n];
	if (!params_is_float(t->dtype))
		return;
	const char *name = params_bare_name(x->m->config.arch->prefix, t->name);
	*e = (struct st_entry){
		.name = arena_printf(&x->arena, "%s%s", x->m->params.prefix, name),
		.dtype = ST_F32,
		.ndim = t->ndim,
	};
	for (int d = 0; d < t->ndim; d++)
		e->shape[d] = t->shape[d];
	x->what[x->n++] = (struct out_tensor){.from = t};
}

static int64_t row_size(const struct st_entry *e)
{
	int64_t n = 1;
	for (int d = 1; d < e->ndim; d++)
		n *= e->shape[d];
	return n;
}

/* f32 of entry i, [rows, ...], in scope s. */
static tensor current(tn_scope *s, const struct writing *x, size_t i)
{
	const struct out_tensor *what = &x->what[i];
	if (what->from && what->w)
		return tn_cast(s, weight_part_load(s, what->w, what->part, 0), TN_F32);
	if (what->from)
		return tn_cast(s, params_tensor(s, what->from), TN_F32);
	if (what->lora)
		return lora_merged(s, what->lora, what->w, what->part);
	return weight_slice(s, what->w, what->w->value, what->part);
}

static bool put(void *ctx, size_t i, struct st_sink *out, struct err *err)
{
	struct writing *x = ctx;
	const struct st_entry *e = &x->entry[i];
	const struct st_tensor *from = x->what[i].from;
	bool is_merged = x->what[i].w && x->what[i].w->part[x->what[i].part].adapter;
	if (from && from->dtype == ST_F32 && !is_merged) {
		st_sink_add(out, from->data, from->bytes);
		return true;
	}
	tn_scope *s = tn_push_no_grad(x->m->scope);
	bool ok = model_put_tensor(
		s, current(s, x, i), e->ndim ? e->shape[0] : 1, row_size(e), out, err);
	tn_pop(s);
	return ok || err_prefix(err, "%s", e->name);
}

bool export_weights(struct model *m, const char *dir, struct err *err)
{
	size_t cap = WEIGHT_PARTS * m->params.n + m->params.n_extra + 1;
	struct writing x = {
		.m = m,
		.entry = xcalloc(cap, sizeof(struct st_entry)),
		.what = xcalloc(cap, sizeof(struct out_tensor)),
	};
	for (size_t i = 0; i < m->params.n; i++)
		for (int k = 0; k < m->params.w[i]->n_parts && !m->params.w[i]->is_beside; k++)
			add_part(&x, m->params.w[i], k);
	for (size_t i = 0; i < m->params.n_extra; i++)
		add_carried(&x, m->params.extra[i]);
	bool ok = safetensors_write(
		fs_join(&x.arena, dir, "model.safetensors"), x.entry, x.n, put, &x, err);
	free(x.entry);
	free(x.what);
	arena_release(&x.arena);
	return ok;
}
