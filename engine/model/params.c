#include "model/params.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "model/adapter.h"

void params_release(struct params *p)
{
	free(p->w);
	free(p->extra);
	arena_release(&p->arena);
	*p = (struct params)PARAMS_INIT;
}

void params_add(
	struct params *p, struct weight *w, enum weight_kind kind, int64_t rows, int64_t cols)
{
	*w = (struct weight){.kind = kind, .rows = rows, .cols = cols, .init_std = -1.0};
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->w = xreallocarray(p->w, p->cap, sizeof *p->w);
	}
	p->w[p->n++] = w;
}

static void add_part(struct params *p, struct weight *w, int64_t n_rows, const char *name)
{
	int64_t row = 0;
	if (w->n_parts > 0)
		row = w->part[w->n_parts - 1].row + w->part[w->n_parts - 1].n_rows;
	w->part[w->n_parts++] =
		(struct weight_part){arena_strdup(&p->arena, name), row, n_rows, NULL, NULL};
}

void params_part(struct params *p, struct weight *w, int64_t n_rows, const char *fmt, ...)
{
	char name[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(name, sizeof name, fmt, args);
	va_end(args);
	add_part(p, w, n_rows, name);
}

void params_one(struct params *p, struct weight *w, enum weight_kind kind, int64_t rows,
	int64_t cols, const char *fmt, ...)
{
	char name[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(name, sizeof name, fmt, args);
	va_end(args);
	params_add(p, w, kind, rows, cols);
	add_part(p, w, rows, name);
}

struct binding {
	struct params *p;
	const struct safetensors *st;
	const struct params_rules *rules;
	bool *is_used; /* by place in st->t */
	char missing[400];
	size_t n_missing;
	struct arena scratch;
};

/* Checkpoints from before 2019 call a norm's weight gamma and its bias beta. */
static const char *old_norm_name(struct arena *a, const char *name)
{
	size_t len = strlen(name);
	if (len > 17 && strcmp(name + len - 17, ".LayerNorm.weight") == 0)
		return arena_printf(a, "%.*sgamma", (int)(len - 6), name);
	if (len > 15 && strcmp(name + len - 15, ".LayerNorm.bias") == 0)
		return arena_printf(a, "%.*sbeta", (int)(len - 4), name);
	return NULL;
}

static const struct st_tensor *find_part(struct binding *b, const struct weight *w, int i)
{
	const char *names[2] = {w->part[i].name,
		w->kind == WEIGHT_NORM ? old_norm_name(&b->scratch, w->part[i].name) : NULL};
	for (size_t k = 0; k < ARRAY_LEN(names) && names[k]; k++) {
		const struct st_tensor *t = safetensors_find(b->st, text_of(names[k]));
		if (!t && !w->is_outside)
			t = safetensors_find(b->st,
				text_of(arena_printf(
					&b->scratch, "%s%s", b->rules->prefix, names[k])));
		if (t)
			return t;
	}
	/* A head that an adapter brings with it. */
	return w->is_outside && !w->is_beside
		? adapter_saved(b->st, b->rules->prefix, w->part[i].name)
		: NULL;
}

static bool check_part(const struct weight *w, int i, struct arena *a, struct err *err)
{
	const struct st_tensor *t = w->part[i].in;
	int64_t want[2] = {w->part[i].n_rows, w->cols};
	int ndim = w->cols ? 2 : 1;
	if (t->ndim != ndim || memcmp(t->shape, want, (size_t)ndim * sizeof *want) != 0)
		return err_set(err, ERR_DATA, "%s: tensor %s has shape %s, config.json asks for %s",
			t->file, t->name, shape_text(a, t->shape, t->ndim),
			shape_text(a, want, ndim));
	if (!params_is_float(t->dtype))
		return err_set(err, ERR_DATA,
			"%s: tensor %s is of dtype %s, expected F32, BF16, F16, F64 or F8", t->file,
			t->name, st_dtype_name(t->dtype));
	return true;
}

/* "a, b, c", the first `most` of them; n stand there already. */
static void append_name(char *list, size_t size, const char *name, size_t n, size_t most)
{
	size_t at = strlen(list);
	if (n < most)
		snprintf(list + at, size - at, "%s%s", at ? ", " : "", name);
}

static bool bind_weight(struct binding *b, struct weight *w, struct err *err)
{
	for (int i = 0; i < w->n_parts; i++) {
		const struct st_tensor *t = w->part[i].in = find_part(b, w, i);
		if (t) {
			if (!check_part(w, i, &b->scratch, err))
				return false;
			b->is_used[t - b->st->t] = true;
		} else if (w->init_std >= 0.0 && b->rules->may_invent) {
			log_warn("%s is not in the model's files and starts at random",
				w->part[i].name);
		} else {
			append_name(
				b->missing, sizeof b->missing, w->part[i].name, b->n_missing++, 3);
		}
	}
	return true;
}

const char *params_bare_name(const char *prefix, const char *name)
{
	size_t skip = strlen(prefix);
	return strncmp(name, prefix, skip) == 0 ? name + skip : name;
}

/* patterns: the start of a name, or with a leading '*' its end. */
static bool matches_any(const char *const *patterns, const char *name)
{
	size_t len = strlen(name);
	for (const char *const *p = patterns; *p; p++) {
		size_t n = strlen(*p);
		if (**p == '*' ? len >= n - 1 && strcmp(name + len - (n - 1), *p + 1) == 0
			       : strncmp(name, *p, n) == 0)
			return true;
	}
	return false;
}

static void name_extras(struct binding *b)
{
	struct params *p = b->p;
	char names[400] = "";
	size_t n = 0;
	p->extra = xcalloc(b->st->n + 1, sizeof *p->extra);
	for (size_t i = 0; i < b->st->n; i++) {
		const struct st_tensor *t = &b->st->t[i];
		const char *name = params_bare_name(b->rules->prefix, t->name);
		if (b->is_used[i] || strncmp(t->name, "adapter/", 8) == 0)
			continue;
		if (matches_any(b->rules->carried, name))
			p->extra[p->n_extra++] = t;
		else if (!matches_any(b->rules->harmless, name))
			append_name(names, sizeof names, t->name, n++, 4);
	}
	if (n > 0)
		log_warn("%s holds %zu tensors that this architecture does not use: %s%s",
			b->st->t[0].file, n, names, n > 4 ? " ..." : "");
}

bool params_bind(struct params *p, const struct safetensors *st, const struct params_rules *rules,
	struct err *err)
{
	struct binding b = {
		.p = p,
		.st = st,
		.rules = rules,
		.is_used = xcalloc(st->n + 1, sizeof(bool)),
	};
	bool ok = true;
	p->prefix = rules->has_head ? rules->prefix : "";
	for (size_t i = 0; ok && i < p->n; i++)
		ok = bind_weight(&b, p->w[i], err);
	if (ok && b.n_missing > 0)
		ok = err_set(err, ERR_DATA, "%s lacks %zu tensors that config.json asks for: %s%s",
			st->n ? st->t[0].file : "the model's file", b.n_missing, b.missing,
			b.n_missing > 3 ? " ..." : "");
	if (ok)
		name_extras(&b);
	free(b.is_used);
	arena_release(&b.scratch);
	return ok;
}

bool params_is_float(enum st_dtype d)
{
	return d == ST_F32 || d == ST_BF16 || d == ST_F16 || d == ST_F64 || d == ST_F8_E4M3 ||
		d == ST_F8_E5M2;
}

/* Sign, exponent, mantissa; the exponent is biased. Source: Micikevicius et al. 2022, FP8 formats
 * for deep learning: E5M2 has infinities as IEEE 754 has them, E4M3 only one NaN. */
static float of_f8(unsigned char byte, bool is_e4m3)
{
	int n_mantissa = is_e4m3 ? 3 : 2, bias = is_e4m3 ? 7 : 15;
	int exponent = (byte & 0x7f) >> n_mantissa, mantissa = byte & ((1 << n_mantissa) - 1);
	float sign = byte & 0x80 ? -1.0f : 1.0f;
	if (is_e4m3 && (byte & 0x7f) == 0x7f)
		return NAN;
	if (!is_e4m3 && exponent == 31)
		return mantissa ? NAN : sign * INFINITY;
	if (exponent == 0)
		return sign * ldexpf((float)mantissa, 1 - bias - n_mantissa);
	return sign * ldexpf((float)(mantissa | 1 << n_mantissa), exponent - bias - n_mantissa);
}

static tensor from_f8(tn_scope *s, const struct st_tensor *t)
{
	float table[256];
	for (int i = 0; i < 256; i++)
		table[i] = of_f8((unsigned char)i, t->dtype == ST_F8_E4M3);
	float *out = xreallocarray(NULL, t->bytes + 1, sizeof *out);
	const unsigned char *in = t->data;
	for (size_t i = 0; i < t->bytes; i++)
		out[i] = table[in[i]];
	tensor y = tn_from_f32(s, out, t->shape, t->ndim);
	free(out);
	return y;
}

tensor params_tensor(tn_scope *s, const struct st_tensor *t)
{
	enum tn_dtype dtype = TN_F32;
	switch (t->dtype) {
	case ST_F8_E4M3:
	case ST_F8_E5M2:
		return from_f8(s, t);
	case ST_BF16:
		dtype = TN_BF16;
		break;
	case ST_F16:
		dtype = TN_F16;
		break;
	case ST_F64:
		dtype = TN_F64;
		break;
	default:
		break;
	}
	return tn_borrow(s, t->data, dtype, t->shape, t->ndim);
}

/* The part as the file has it, or made anew. */
tensor weight_part_load(tn_scope *s, const struct weight *w, int i, uint64_t seed)
{
	const struct weight_part *part = &w->part[i];
	int64_t shape[2] = {part->n_rows, w->cols};
	int ndim = w->cols ? 2 : 1;
	if (part->in && part->adapter)
		return adapter_merged(s, part->adapter, params_tensor(s, part->in));
	if (part->in)
		return params_tensor(s, part->in);
	if (w->kind == WEIGHT_BIAS)
		return tn_zeros(s, TN_F32, shape, ndim);
	uint64_t mixed = seed ^ hash64(part->name, strlen(part->name));
	return tn_normal(s, w->init_std, mixed, shape, ndim);
}

void weight_load(struct weight *w, tn_scope *s, uint64_t seed)
{
	tn_scope *t = tn_push_no_grad(s);
	if (w->n_parts == 1) {
		w->value = tn_keep(s, tn_cast(t, weight_part_load(t, w, 0, seed), TN_F32));
	} else {
		int64_t shape[2] = {w->rows, w->cols};
		/* [rows, cols] */
		w->value = tn_keep(s, tn_zeros(t, TN_F32, shape, w->cols ? 2 : 1));
		for (int k = 0; k < w->n_parts; k++)
			tn_copy_(t, weight_slice(t, w, w->value, k),
				weight_part_load(t, w, k, seed));
	}
	w->compute = w->value;
	tn_pop(t);
}

void params_load(struct params *p, tn_scope *s, uint64_t seed)
{
	for (size_t i = 0; i < p->n; i++)
		weight_load(p->w[i], s, seed);
}

void params_load_lean(struct params *p, tn_scope *s, uint64_t seed)
{
	for (size_t i = 0; i < p->n; i++) {
		struct weight *w = p->w[i];
		if (w->kind == WEIGHT_LINEAR)
			continue;
		if (w->is_cast && w->n_parts == 1)
			w->value = w->compute = weight_part_load(s, w, 0, seed);
		else
			weight_load(w, s, seed);
	}
}

void params_train(struct params *p, tn_scope *s, bool all)
{
	for (size_t i = 0; i < p->n; i++) {
		struct weight *w = p->w[i];
		if (!all && (!w->is_outside || w->is_beside))
			continue;
		tensor leaf = tn_param(s, w->value);
		tn_drop(s, w->value);
		w->value = w->compute = leaf;
		w->is_trained = true;
	}
}

void params_refresh(struct params *p, tn_scope *s, enum tn_dtype dtype, bool all)
{
	if (dtype == TN_F32)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct weight *w = p->w[i];
		if (w->kind != WEIGHT_LINEAR || !(w->is_trained || all))
			continue;
		if (w->compute.slot != w->value.slot || w->compute.gen != w->value.gen)
			tn_drop(s, w->compute);
		/* Differentiable: backward casts the gradient into the f32 leaf, and the cast keeps
		 * nothing, so one copy serves every forward of a step. */
		w->compute = tn_cast(s, w->value, dtype);
	}
}

tensor weight_slice(tn_scope *s, const struct weight *w, tensor whole, int i)
{
	return tn_narrow(s, whole, 0, w->part[i].row, w->part[i].n_rows);
}

const char *weight_name(const struct params *p, const struct weight *w, int i, struct arena *a)
{
	return arena_printf(a, "%s%s", w->is_outside ? "" : p->prefix, w->part[i].name);
}

int64_t weight_numel(const struct weight *w)
{
	return w->rows * (w->cols ? w->cols : 1);
}
