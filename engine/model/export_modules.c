/* export_modules.c - the sentence-transformers modules of a written model, and BGE-M3's heads. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "model/export.h"
#include "model/torchfile.h"

/* The file that a weight lies beside the model in, from its name: "2_Dense/linear.weight". */
static bool is_in(const struct weight *w, const char *folder)
{
	size_t n = strlen(folder);
	return w->is_beside && strncmp(w->part[0].name, folder, n) == 0 &&
		w->part[0].name[n] == '/';
}

/* The f32 weights of one file, in host memory. */
struct beside {
	struct st_entry entry[4];
	float *data[4];
	size_t n;
};

static void release(struct beside *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->data[i]);
}

static bool collect(struct model *m, const char *folder, struct beside *b, struct err *err)
{
	for (size_t i = 0; i < m->params.n; i++) {
		const struct weight *w = m->params.w[i];
		if (!is_in(w, folder) || b->n == ARRAY_LEN(b->data))
			continue;
		int64_t n = weight_numel(w);
		b->entry[b->n] = (struct st_entry){
			.name = w->part[0].name + strlen(folder) + 1,
			.dtype = ST_F32,
			.shape = {w->rows, w->cols},
			.ndim = w->cols ? 2 : 1,
		};
		b->data[b->n] = try_malloc((size_t)n, sizeof(float), folder, err);
		if (!b->data[b->n])
			return false;
		tn_scope *s = tn_push_no_grad(m->scope);
		bool ok = tn_read_f32(s, w->value, b->data[b->n++], (size_t)n);
		if (!ok)
			err_set(err, ERR_FAILED, "%s: %s", folder, tn_message(s));
		tn_pop(s);
		if (!ok)
			return false;
	}
	return true;
}

static bool put(void *ctx, size_t i, struct st_sink *out, struct err *err)
{
	const struct beside *b = ctx;
	const struct st_entry *e = &b->entry[i];
	int64_t n = e->shape[0] * (e->ndim > 1 ? e->shape[1] : 1);
	(void)err;
	st_sink_add(out, b->data[i], (size_t)n * sizeof(float));
	return true;
}

static bool write_dense_config(
	struct arena *a, const struct module *mod, const char *path, struct err *err)
{
	struct buf b = BUF_INIT;
	if (mod->kind == MODULE_LAYER_NORM) {
		buf_addf(&b, "{\n  \"dimension\": %lld\n}\n", (long long)mod->out);
	} else {
		buf_addf(&b, "{\n  \"in_features\": %lld,\n  \"out_features\": %lld,\n",
			(long long)mod->in, (long long)mod->out);
		buf_addf(&b, "  \"bias\": %s,\n%s  \"activation_function\": ",
			mod->has_bias ? "true" : "false",
			mod->is_residual ? "  \"use_residual\": true,\n" : "");
		json_put_str(&b, mod->act_class);
		buf_adds(&b, "\n}\n");
	}
	bool ok = fs_write_atomic(fs_join(a, path, "config.json"), b.data, b.len, err);
	buf_release(&b);
	return ok;
}

static bool write_module(struct model *m, struct arena *a, const struct module *mod,
	const char *path, struct err *err)
{
	if (!fs_mkdirs(path, err))
		return false;
	if (mod->kind == MODULE_NORMALIZE)
		return true;
	struct beside b = {.n = 0};
	bool ok = write_dense_config(a, mod, path, err) && collect(m, mod->path, &b, err) &&
		safetensors_write(
			fs_join(a, path, "model.safetensors"), b.entry, b.n, put, &b, err);
	release(&b);
	return ok;
}

static const char *type_of(const struct module *mod)
{
	return mod->kind == MODULE_DENSE         ? "Dense"
		: mod->kind == MODULE_LAYER_NORM ? "LayerNorm"
						 : "Normalize";
}

static void put_module(struct buf *b, size_t index, const char *path, const char *type)
{
	buf_addf(b,
		"%s  {\"idx\": %zu, \"name\": \"%zu\", \"path\": \"%s\", \"type\": "
		"\"sentence_transformers.models.%s\"}",
		index ? ",\n" : "[\n", index, index, path, type);
}

/* The flags of all versions say which poolings there are, not in which order. */
static bool in_usual_order(const struct model_config *c)
{
	static const enum tn_pool usual[] = {TN_POOL_CLS, TN_POOL_MAX, TN_POOL_MEAN,
		TN_POOL_MEAN_SQRT, TN_POOL_WEIGHTED, TN_POOL_LAST};
	int at = 0;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		at += at < c->n_poolings && c->poolings[at] == usual[i];
	return at == c->n_poolings;
}

static void put_flags(struct buf *b, const struct model_config *c)
{
	static const enum tn_pool all[] = {TN_POOL_CLS, TN_POOL_MEAN, TN_POOL_MAX,
		TN_POOL_MEAN_SQRT, TN_POOL_WEIGHTED, TN_POOL_LAST};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool is_on = false;
		for (int k = 0; k < c->n_poolings; k++)
			is_on = is_on || c->poolings[k] == all[i];
		buf_addf(b, "  \"%s\": %s,\n", pooling_flag(all[i]), is_on ? "true" : "false");
	}
}

static bool write_pooling(const struct model *m, struct arena *a, const char *dir, struct err *err)
{
	const struct model_config *c = &m->config;
	struct buf b = BUF_INIT;
	buf_addf(&b, "{\n  \"word_embedding_dimension\": %lld,\n", (long long)c->hidden);
	if (in_usual_order(c)) {
		put_flags(&b, c);
	} else {
		for (int i = 0; i < c->n_poolings; i++)
			buf_addf(&b, "%s\"%s\"", i ? ", " : "  \"pooling_mode\": [",
				pooling_mode(c->poolings[i]));
		buf_adds(&b, "],\n");
	}
	buf_addf(&b, "  \"include_prompt\": %s\n}\n", c->pools_prompt ? "true" : "false");
	bool ok = fs_mkdirs(fs_join(a, dir, "1_Pooling"), err) &&
		fs_write_atomic(fs_join(a, dir, "1_Pooling/config.json"), b.data, b.len, err);
	buf_release(&b);
	return ok;
}

/* The layout from before 5.4, which every version reads; newer servers too. */
bool export_modules(struct model *m, const char *dir, struct err *err)
{
	const struct model_config *c = &m->config;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	put_module(&b, 0, "", "Transformer");
	put_module(&b, 1, "1_Pooling", "Pooling");
	bool ok = write_pooling(m, &a, dir, err);
	for (size_t i = 0; ok && i < c->n_modules; i++) {
		const struct module *mod = &c->modules[i];
		const char *name = arena_printf(&a, "%zu_%s", i + 2, type_of(mod));
		put_module(&b, i + 2, name, type_of(mod));
		ok = write_module(m, &a, mod, fs_join(&a, dir, name), err);
	}
	buf_adds(&b, "\n]\n");
	ok = ok && fs_write_atomic(fs_join(&a, dir, "modules.json"), b.data, b.len, err);
	buf_release(&b);
	arena_release(&a);
	return ok;
}

static bool write_m3_head(
	struct model *m, struct arena *a, const char *dir, const char *name, struct err *err)
{
	struct beside b = {.n = 0};
	bool ok = collect(m, name, &b, err) &&
		torchfile_write(fs_join(a, dir, arena_printf(a, "%s.pt", name)), b.entry,
			(const float *const *)b.data, b.n, err);
	release(&b);
	return ok;
}

bool export_m3(struct model *m, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	bool ok = (!m->parts.m3.has_sparse || write_m3_head(m, &a, dir, "sparse_linear", err)) &&
		(!m->parts.m3.has_multi || write_m3_head(m, &a, dir, "colbert_linear", err));
	arena_release(&a);
	return ok;
}
