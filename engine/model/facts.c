#include "model/facts.h"

#include <stdlib.h>
#include <string.h>

#include "model/classifier.h"
#include "model/heads.h"
#include "model/model_impl.h"
#include "model/weights.h"

static void count_weights(struct model_facts *f, const struct params *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct weight *w = p->w[i];
		int64_t n = weight_numel(w);
		f->n_params += n;
		f->n_table += w->kind == WEIGHT_TABLE ? n : 0;
		f->n_linear += w->kind == WEIGHT_LINEAR ? n : 0;
		f->n_fused += w->n_parts > 1 ? n : 0;
	}
}

static void name_lora_modules(
	struct model_facts *f, struct linear *const *linears, size_t n_linears)
{
	struct arena *a = &f->config.arena;
	f->lora_modules = arena_calloc(a, WEIGHT_PARTS * n_linears + 1, sizeof(char *));
	for (size_t i = 0; i < n_linears; i++) {
		const struct weight *w = &linears[i]->w;
		for (int k = 0; k < w->n_parts; k++) {
			const char *name = module_in_layer(module_name(w, k, a));
			bool is_known = false;
			for (size_t j = 0; !is_known && j < f->n_lora_modules; j++)
				is_known = strcmp(f->lora_modules[j], name) == 0;
			if (!is_known)
				f->lora_modules[f->n_lora_modules++] = name;
			f->lora_side += w->cols + w->part[k].n_rows;
		}
	}
}

static void look_at_files(struct model_facts *f, const struct safetensors *st)
{
	f->n_files = st->n_files;
	for (size_t i = 0; i < st->n_files; i++)
		f->file_bytes += (int64_t)st->files[i].len;
	for (size_t i = 0; i < st->n; i++) {
		const char *name = st_dtype_name(st->t[i].dtype);
		if (st->t[i].dtype == ST_I64)
			continue;
		if (f->dtype && strcmp(f->dtype, name) != 0)
			name = "mixed";
		f->dtype = name;
	}
}

static bool check_weights(struct model_facts *f, struct err *err)
{
	struct params p = PARAMS_INIT;
	struct parts x = {0};
	struct safetensors st;
	bool ok = parts_open(&f->config, &st, err) &&
		parts_bind(&x, &f->config, &p, &st, &(struct parts_options){0}, err);
	if (ok) {
		count_weights(f, &p);
		name_lora_modules(f, x.linears, x.n_linears);
		look_at_files(f, &st);
		f->multi_dim = x.m3.multi_dim;
		f->views = (x.head ? 0 : VIEW_DENSE) | (x.m3.has_sparse ? VIEW_SPARSE : 0) |
			(x.m3.has_multi ? VIEW_MULTI : 0);
	}
	parts_release(&x, &f->config);
	params_release(&p);
	safetensors_close(&st);
	return ok;
}

bool model_facts_read(const char *dir, const char *base, struct model_facts *ret, struct err *err)
{
	*ret = (struct model_facts){0};
	if (!model_config_read_on(dir, base, &ret->config, err) ||
		!model_family_apply(&ret->config, NULL, err) ||
		!model_modules_check(&ret->config, err))
		return false;
	ret->class_name = ret->config.is_classifier ? ret->config.arch->classifier_class
						    : ret->config.arch->encoder_class;
	ret->pooling = pooling_names(&ret->config, &ret->config.arena);
	return check_weights(ret, err);
}

void model_facts_release(struct model_facts *f)
{
	model_config_release(&f->config);
}

/* A layer at work holds qkv, the mixed values, and the wide half; the layers before it are gone. */
int64_t model_bytes_to_encode(const struct model_facts *f, bool bf16, int64_t n_tokens)
{
	int64_t width = 6 * f->config.hidden + 2 * f->config.ff;
	int64_t activations = n_tokens * (width * (bf16 ? 2 : 4) + 8 * f->config.hidden);
	int64_t weights = 4 * (f->n_params - f->n_linear) + (bf16 ? 2 : 4) * f->n_linear;
	return weights + (bf16 ? 0 : 4 * f->n_fused) + activations;
}

/* A layer keeps for backward: its input, qkv, the mixed values, what goes into both norms, and the
 * wide half before and behind the activation. AdamW keeps master, gradient and two moments. */
int64_t model_bytes_to_train(
	const struct model_facts *f, bool bf16, int64_t lora_r, int64_t n_tokens)
{
	int64_t kept = (8 * f->config.hidden + 2 * f->config.ff) * f->config.n_layers;
	int64_t trained = lora_r > 0 ? lora_r * f->lora_side : f->n_params;
	int64_t frozen = lora_r > 0 ? 4 * f->n_params : 0;
	return frozen + 16 * trained + (bf16 ? 2 * f->n_linear : 0) +
		n_tokens * kept * (bf16 ? 2 : 4);
}
