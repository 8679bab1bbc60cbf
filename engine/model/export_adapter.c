/* export_adapter.c - adapter_config.json and adapter_model.safetensors, as PEFT reads them. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "model/export.h"

/* The adapter's file: A and B of each part, and the head that was trained beside them. */
struct adapter {
	struct model *m;
	struct st_entry *entry;
	tensor *value;
	size_t n;
	struct arena arena;
};

static void add_tensor(
	struct adapter *x, const char *name, tensor value, int64_t rows, int64_t cols)
{
	x->entry[x->n] = (struct st_entry){
		.name = name,
		.dtype = ST_F32,
		.shape = {rows, cols},
		.ndim = cols ? 2 : 1,
	};
	x->value[x->n++] = value;
}

static bool add_lora_tensor(void *ctx, const struct named *what, struct err *err)
{
	struct adapter *x = ctx;
	const struct lora *l = what->lora;
	(void)err;
	int64_t rows = what->is_b ? what->w->part[what->part].n_rows : l->r;
	add_tensor(x, lora_name(x->m, what, &x->arena),
		what->is_b ? l->b[what->part] : l->a[what->part], rows,
		what->is_b ? l->r : what->w->cols);
	return true;
}

static bool put_adapter(void *ctx, size_t i, struct st_sink *out, struct err *err)
{
	struct adapter *x = ctx;
	const struct st_entry *e = &x->entry[i];
	return model_put_tensor(
		x->m->scope, x->value[i], e->shape[0], e->ndim > 1 ? e->shape[1] : 1, out, err);
}

static bool write_adapter_weights(struct model *m, const char *dir, struct err *err)
{
	size_t cap = 2 * WEIGHT_PARTS * m->parts.n_linears + m->params.n + 1;
	struct adapter x = {
		.m = m,
		.entry = xcalloc(cap, sizeof(struct st_entry)),
		.value = xcalloc(cap, sizeof(tensor)),
	};
	bool ok = model_each_lora(m, add_lora_tensor, &x, err);
	for (size_t i = 0; i < m->params.n; i++) {
		const struct weight *w = m->params.w[i];
		if (w->is_trained)
			add_tensor(&x,
				arena_printf(&x.arena, "base_model.model.%s",
					weight_name(&m->params, w, 0, &x.arena)),
				w->value, w->rows, w->cols);
	}
	ok = ok &&
		safetensors_write(fs_join(&x.arena, dir, "adapter_model.safetensors"), x.entry, x.n,
			put_adapter, &x, err);
	free(x.entry);
	free(x.value);
	arena_release(&x.arena);
	return ok;
}

/* Do these suffixes, as PEFT reads them, name exactly the modules that have adapters? */
static bool suffixes_are_exact(struct model *m, char *const *names, size_t n, struct arena *a)
{
	for (size_t i = 0; i < m->parts.n_linears; i++)
		for (int k = 0; k < m->parts.linears[i]->w.n_parts; k++) {
			const char *module = module_name(&m->parts.linears[i]->w, k, a);
			bool named = false;
			for (size_t j = 0; j < n; j++)
				named = named || lora_target_matches(module, names[j]);
			if (named != m->loras[i].has[k])
				return false;
		}
	for (size_t j = 0; j < n; j++)
		if (lora_target_matches("pooler.dense", names[j]))
			return false;
	return true;
}

/* Distinct names, short where short ones say the same. */
static size_t adapted_modules(struct model *m, bool is_short, char **names, struct arena *a)
{
	size_t n = 0;
	for (size_t i = 0; i < m->parts.n_linears; i++)
		for (int k = 0; k < m->parts.linears[i]->w.n_parts; k++) {
			const char *module = module_name(&m->parts.linears[i]->w, k, a);
			const char *name = is_short ? module_in_layer(module) : module;
			bool is_known = !m->loras[i].has[k];
			for (size_t j = 0; !is_known && j < n; j++)
				is_known = strcmp(names[j], name) == 0;
			if (!is_known)
				names[n++] = arena_strdup(a, name);
		}
	return n;
}

static void put_targets(struct model *m, struct buf *b)
{
	struct arena a = ARENA_INIT;
	char **names = arena_calloc(&a, WEIGHT_PARTS * m->parts.n_linears + 1, sizeof *names);
	size_t n = adapted_modules(m, true, names, &a);
	if (!suffixes_are_exact(m, names, n, &a))
		n = adapted_modules(m, false, names, &a);
	for (size_t i = 0; i < n; i++) {
		buf_adds(b, i ? ", " : "[");
		json_put_str(b, names[i]);
	}
	buf_addch(b, ']');
	arena_release(&a);
}

static bool write_adapter_config(struct model *m, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	buf_adds(&b,
		"{\n  \"alpha_pattern\": {},\n  \"auto_mapping\": null,\n"
		"  \"base_model_name_or_path\": ");
	json_put_str(&b, m->config.body_dir);
	buf_adds(&b,
		",\n  \"bias\": \"none\",\n  \"fan_in_fan_out\": false,\n"
		"  \"inference_mode\": true,\n  \"init_lora_weights\": true,\n"
		"  \"layers_pattern\": null,\n  \"layers_to_transform\": null,\n");
	buf_addf(&b, "  \"lora_alpha\": %lld,\n  \"lora_dropout\": ", (long long)m->lora_alpha);
	json_put_real(&b, m->lora_dropout);
	buf_addf(&b,
		",\n  \"modules_to_save\": %s,\n  \"peft_type\": \"LORA\",\n  \"r\": %lld,\n"
		"  \"rank_pattern\": {},\n  \"revision\": null,\n  \"target_modules\": ",
		m->parts.head ? "[\"classifier\"]" : "null", (long long)m->loras[0].r);
	put_targets(m, &b);
	buf_addf(&b,
		",\n  \"task_type\": \"%s\",\n  \"use_dora\": false,\n  \"use_rslora\": false\n}\n",
		m->parts.head ? "SEQ_CLS" : "FEATURE_EXTRACTION");
	bool ok = fs_write_atomic(fs_join(&a, dir, "adapter_config.json"), b.data, b.len, err);
	buf_release(&b);
	arena_release(&a);
	return ok;
}

bool model_write_adapter(struct model *m, const char *dir, struct err *err)
{
	if (!m->loras)
		return err_set(err, ERR_FAILED,
			"%s was trained without LoRA: there is no adapter to write", m->config.dir);
	return fs_mkdirs(dir, err) && write_adapter_weights(m, dir, err) &&
		write_adapter_config(m, dir, err);
}
