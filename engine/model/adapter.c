#include "model/adapter.h"

#include <math.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/map.h"
#include "model/weights.h"

#define MARK "adapter/" /* before an adapter's tensors in the container */
#define WRAP "base_model.model."

/* A key of rank_pattern or alpha_pattern. */
struct pattern {
	const char *key;
	double value;
};
struct adapter_config {
	const char *dir, *path; /* of adapter_config.json */
	double r, alpha;
	struct pattern *ranks, *alphas;
	size_t n_ranks, n_alphas;
	bool is_rs, is_dora, is_turned, classifies;
};

bool adapter_is(const char *dir)
{
	struct arena a = ARENA_INIT;
	bool is = fs_exists(fs_join(&a, dir, "adapter_config.json")) &&
		!fs_exists(fs_join(&a, dir, "config.json"));
	arena_release(&a);
	return is;
}

/* Keys of patterns are regular expressions. What is read of them: characters, '.', '\\' before a
 * character, '*' and '+' behind one of these, '^' and '$' at the ends. check_key() refuses the rest;
 * the C library's own regcomp() would be another library's once libonig is linked. */
#define MOST_STARS 4

static bool check_key(const char *path, const char *key, struct err *err)
{
	int n_stars = 0;
	for (const char *p = key; *p; p++) {
		n_stars += *p == '*' || *p == '+';
		if (strchr("()[]{}|?", *p) || n_stars > MOST_STARS || (*p == '\\' && !p[1]))
			return err_set(err, ERR_DATA,
				"%s: the pattern \"%s\" is more of a regular expression than is read "
				"here; write the modules' names one by one",
				path, key);
		p += *p == '\\';
	}
	return true;
}

static bool read_patterns(json root, const char *path, const char *key, struct arena *a,
	struct pattern **ret, size_t *ret_n, struct err *err)
{
	json v = json_get(root, key);
	*ret_n = 0;
	*ret = arena_calloc(a, json_count(v), sizeof **ret);
	if (!json_is(v, JSON_MISSING) && !json_is(v, JSON_NULL) && !json_is(v, JSON_OBJECT))
		return err_set(err, ERR_DATA, "%s: %s is %s, expected an object", path, key,
			json_type_name(json_type(v)));
	for (struct json_iter it = json_each(v); json_next(&it);) {
		struct pattern *p = &(*ret)[(*ret_n)++];
		p->key = arena_text(a, (struct text){it.key, it.key_len}).s;
		if (!check_key(path, p->key, err))
			return false;
		if (!json_real(it.value, &p->value) || !(p->value > 0.0))
			return err_set(err, ERR_DATA, "%s: %s: %s is no positive number", path, key,
				p->key);
	}
	return true;
}

static bool read_config(json root, struct adapter_config *c, struct arena *a, struct err *err)
{
	struct text type, task, bias;
	if (!json_want_text(root, "peft_type", TEXT_NONE, &type, err) ||
		!json_want_text(root, "task_type", TEXT(""), &task, err) ||
		!json_want_text(root, "bias", TEXT("none"), &bias, err) ||
		!json_want_real(root, "r", 8, &c->r, err) ||
		!json_want_real(root, "lora_alpha", 8, &c->alpha, err) ||
		!json_want_bool(root, "use_rslora", false, &c->is_rs, err) ||
		!json_want_bool(root, "use_dora", false, &c->is_dora, err) ||
		!json_want_bool(root, "fan_in_fan_out", false, &c->is_turned, err))
		return err_prefix(err, "%s", c->path);
	if (!text_is(type, "LORA"))
		return err_set(err, ERR_DATA, "%s: peft_type is \"%.*s\", expected LORA", c->path,
			TEXT_ARG(type));
	if (!(c->r >= 1.0 && c->r <= 65536.0))
		return err_set(err, ERR_DATA, "%s: r is %g, expected 1 to 65536", c->path, c->r);
	if (c->is_turned) /* of GPT-2's transposed layers, which no architecture here has */
		return err_set(
			err, ERR_DATA, "%s: fan_in_fan_out is true, expected false", c->path);
	c->classifies = text_is(task, "SEQ_CLS");
	return read_patterns(root, c->path, "rank_pattern", a, &c->ranks, &c->n_ranks, err) &&
		read_patterns(root, c->path, "alpha_pattern", a, &c->alphas, &c->n_alphas, err);
}

static bool find_base(json root, const struct adapter_config *c, const char *asked, struct arena *a,
	const char **ret, struct err *err)
{
	struct text name;
	if (asked) {
		*ret = arena_strdup(a, asked);
		return fs_is_dir(asked) || err_set(err, ERR_USAGE, "--base %s is no folder", asked);
	}
	if (!json_want_text(root, "base_model_name_or_path", TEXT(""), &name, err))
		return err_prefix(err, "%s", c->path);
	const char *path = arena_text(a, name).s, *beside = fs_join(a, c->dir, path);
	*ret = path[0] && path[0] != '/' && fs_is_dir(beside) ? beside : path;
	return (path[0] && fs_is_dir(*ret)) ||
		err_set(err, ERR_DATA,
			"%s: base_model_name_or_path is \"%s\", which is no folder here; say where "
			"the base lies with --base DIR",
			c->path, path);
}

bool adapter_read(const char *dir, const char *asked, struct arena *a,
	const struct adapter_config **ret, const char **ret_base, struct err *err)
{
	struct adapter_config *c = arena_calloc(a, 1, sizeof *c);
	struct json_file f;
	c->dir = arena_strdup(a, dir);
	c->path = fs_join(a, dir, "adapter_config.json");
	bool ok = json_file_open(c->path, &f, err) && read_config(f.root, c, a, err) &&
		find_base(f.root, c, asked, a, ret_base, err);
	json_file_close(&f);
	*ret = c;
	return ok;
}

bool adapter_classifies(const struct adapter_config *c)
{
	return c->classifies;
}

bool adapter_add_weights(const struct adapter_config *c, struct safetensors *st, struct err *err)
{
	bool found;
	if (!weights_add_part(st, c->dir, "adapter_model", MARK, &found, err))
		return false;
	return found ||
		err_set(err, ERR_DATA, "%s holds neither adapter_model.safetensors nor .bin",
			c->dir);
}

/* "encoder.layer.0.attention.self.query.lora_A" of whatever spelling; "" of no adapter's tensor. */
static struct text bare(const char *name, const char *prefix, struct arena *a)
{
	static const char *const marks[] = {".lora_A", ".lora_B", ".lora_embedding_A",
		".lora_embedding_B", ".lora_magnitude_vector"};
	size_t skip = strlen(MARK), n = strlen(prefix);
	if (strncmp(name, MARK, skip) != 0)
		return TEXT("");
	name += skip;
	if (strncmp(name, WRAP, strlen(WRAP)) == 0)
		name += strlen(WRAP);
	if (n > 0 && strncmp(name, prefix, n) == 0)
		name += n;
	else if (strncmp(name, "model.", 6) == 0)
		name += 6;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = strstr(name, marks[i]);
		size_t len = strlen(marks[i]);
		if (!at || (at[len] != '\0' && at[len] != '.'))
			continue;
		size_t rest = strlen(at);
		bool is_bias = rest > 5 && strcmp(at + rest - 5, ".bias") == 0;
		return text_of(arena_printf(
			a, "%.*s%s", (int)(at - name + (long)len), name, is_bias ? ".bias" : ""));
	}
	/* classifier.modules_to_save.default.weight, query.base_layer.bias */
	const char *inner = strstr(name, ".modules_to_save.");
	inner = inner ? inner : strstr(name, ".base_layer.");
	if (inner)
		return text_of(
			arena_printf(a, "%.*s%s", (int)(inner - name), name, strrchr(name, '.')));
	return text_of(arena_strdup(a, name));
}

const struct st_tensor *adapter_saved(
	const struct safetensors *st, const char *prefix, const char *name)
{
	struct arena a = ARENA_INIT;
	const struct st_tensor *found = NULL;
	for (size_t i = 0; !found && i < st->n; i++)
		if (text_is(bare(st->t[i].name, prefix, &a), name))
			found = &st->t[i];
	arena_release(&a);
	return found;
}

/* Length of the atom at re; *ret whether it matches c. */
static size_t atom(const char *re, char c, bool *ret)
{
	if (re[0] == '\\') {
		*ret = re[1] == 'd' ? c >= '0' && c <= '9' : re[1] == 'w' ? c != '.' : re[1] == c;
		return 2;
	}
	*ret = re[0] == '.' || re[0] == c;
	return 1;
}

/* Does all of s match all of re? */
static bool matches(const char *re, const char *s)
{
	if (re[0] == '\0' || (re[0] == '$' && re[1] == '\0'))
		return *s == '\0';
	bool fits = false;
	size_t len = atom(re, *s, &fits);
	char times = re[len];
	if (times != '*' && times != '+')
		return *s && fits && matches(re + len, s + 1);
	if (times == '*' && matches(re + len + 1, s))
		return true;
	for (; *s; s++) {
		atom(re, *s, &fits);
		if (!fits)
			return false;
		if (matches(re + len + 1, s + 1))
			return true;
	}
	return false;
}

/* The value of the first pattern that names the module, as PEFT matches: (.*\.)?(KEY)$ */
static double patterned(const struct pattern *p, size_t n, const char *module, double usual)
{
	for (size_t i = 0; i < n; i++) {
		const char *key = p[i].key[0] == '^' ? p[i].key + 1 : p[i].key;
		for (const char *at = module; at; at = strchr(at, '.')) {
			at += at > module;
			if (matches(key, at))
				return p[i].value;
			if (key != p[i].key)
				break;
		}
	}
	return usual;
}

struct binding {
	const struct adapter_config *c;
	const struct safetensors *st;
	struct map names; /* bare name -> place in st */
	bool *is_used;
	struct arena a;
};

static const struct st_tensor *take(struct binding *b, const char *module, const char *end)
{
	int64_t at;
	const char *name = arena_printf(&b->a, "%s%s", module, end);
	if (!map_get(&b->names, text_of(name), &at))
		return NULL;
	b->is_used[at] = true;
	return &b->st->t[at];
}

static bool is_matrix(const struct st_tensor *t, int64_t rows, int64_t cols)
{
	return t && t->ndim == 2 && t->shape[0] == rows && t->shape[1] == cols &&
		params_is_float(t->dtype);
}

static bool wrong(const struct binding *b, const char *module, struct err *err)
{
	return err_set(err, ERR_DATA,
		"%s: the adapter of %s lacks a half, or its shapes do not fit the base and each "
		"other",
		b->c->dir, module);
}

/* A and B of one part of a linear or a table. */
static bool bind_matrix(struct binding *b, const struct weight *w, int i, const char *module,
	struct adapter_part *x, struct err *err)
{
	bool is_table = w->kind == WEIGHT_TABLE;
	x->a = take(b, module, is_table ? ".lora_embedding_A" : ".lora_A");
	x->b = take(b, module, is_table ? ".lora_embedding_B" : ".lora_B");
	x->magnitude = take(b, module, ".lora_magnitude_vector");
	if (!x->a && !x->b && !x->magnitude)
		return true;
	int64_t rows = w->part[i].n_rows, cols = w->cols;
	int64_t r = x->a && x->a->ndim == 2 ? x->a->shape[0] : 0;
	bool fits = is_table ? is_matrix(x->a, r, rows) && is_matrix(x->b, cols, r)
			     : is_matrix(x->a, r, cols) && is_matrix(x->b, rows, r);
	if (!fits || r == 0 ||
		(x->magnitude &&
			(is_table ||
				x->magnitude->bytes !=
					st_dtype_size(x->magnitude->dtype) * (size_t)rows)))
		return wrong(b, module, err);
	double rank = patterned(b->c->ranks, b->c->n_ranks, module, b->c->r);
	double alpha = patterned(b->c->alphas, b->c->n_alphas, module, b->c->alpha);
	if (rank != (double)r)
		return err_set(err, ERR_DATA,
			"%s: the adapter of %s has rank %lld, adapter_config.json says %g",
			b->c->dir, module, (long long)r, rank);
	x->scale = b->c->is_rs ? alpha / sqrt(rank) : alpha / rank;
	x->is_table = is_table;
	if (b->c->is_dora && !x->magnitude)
		return wrong(b, module, err);
	return true;
}

static bool bind_part(struct binding *b, struct params *p, struct weight *w, int i, struct err *err)
{
	const char *name = w->part[i].name, *dot = strrchr(name, '.');
	const char *module = dot ? arena_printf(&b->a, "%.*s", (int)(dot - name), name) : name;
	const struct st_tensor *whole = take(b, name, "");
	struct adapter_part x = {0};
	if (whole) { /* modules_to_save, and biases that were trained */
		int64_t want[2] = {w->part[i].n_rows, w->cols};
		int ndim = w->cols ? 2 : 1;
		if (whole->ndim != ndim ||
			memcmp(whole->shape, want, (size_t)ndim * sizeof *want) != 0)
			return wrong(b, name, err);
		w->part[i].in = whole;
	}
	if (w->kind == WEIGHT_BIAS) {
		x.bias = take(b, module, ".lora_B.bias");
		double rank = patterned(b->c->ranks, b->c->n_ranks, module, b->c->r);
		double alpha = patterned(b->c->alphas, b->c->n_alphas, module, b->c->alpha);
		x.scale = b->c->is_rs ? alpha / sqrt(rank) : alpha / rank;
		if (x.bias && (x.bias->ndim != 1 || x.bias->shape[0] != w->part[i].n_rows))
			return wrong(b, module, err);
	} else if (w->cols && !bind_matrix(b, w, i, module, &x, err)) {
		return false;
	}
	if (!x.a && !x.bias)
		return true;
	struct adapter_part *kept = arena_alloc(&p->arena, sizeof *kept);
	*kept = x;
	w->part[i].adapter = kept;
	return true;
}

bool adapter_bind(const struct adapter_config *c, struct params *p, const struct safetensors *st,
	const char *prefix, struct err *err)
{
	struct binding b = {.c = c, .st = st, .names = MAP_INIT};
	bool ok = true;
	b.is_used = arena_calloc(&b.a, st->n + 1, sizeof *b.is_used);
	for (size_t i = 0; i < st->n; i++) {
		struct text name = bare(st->t[i].name, prefix, &b.a);
		if (name.len > 0)
			map_put(&b.names, name, (int64_t)i);
	}
	for (size_t i = 0; ok && i < p->n; i++)
		for (int k = 0; ok && k < p->w[i]->n_parts; k++)
			ok = bind_part(&b, p, p->w[i], k, err);
	for (size_t i = 0; ok && i < st->n; i++)
		if (!b.is_used[i] && strncmp(st->t[i].name, MARK, strlen(MARK)) == 0 &&
			!strstr(st->t[i].name, "pooler."))
			ok = err_set(err, ERR_DATA,
				"%s: tensor %s belongs to no module of the base that is used here",
				st->t[i].file, st->t[i].name + strlen(MARK));
	map_release(&b.names);
	arena_release(&b.a);
	return ok;
}

tensor adapter_merged(tn_scope *out, const struct adapter_part *x, tensor base)
{
	tn_scope *s = tn_push(out);
	tensor w = tn_cast(s, base, TN_F32);
	if (x->bias) {
		tensor b = tn_cast(s, params_tensor(s, x->bias), TN_F32);
		w = tn_add(s, w, tn_scale(s, b, x->scale));
	} else {
		tensor a = tn_cast(s, params_tensor(s, x->a), TN_F32);
		tensor b = tn_cast(s, params_tensor(s, x->b), TN_F32);
		tensor delta = tn_scale(s, tn_matmul(s, b, a), x->scale); /* [O,I] */
		if (x->is_table)
			delta = tn_transpose(s, delta, 0, 1);
		w = tn_add(s, w, delta);
	}
	if (x->magnitude) {
		tensor m = tn_cast(s, params_tensor(s, x->magnitude), TN_F32);
		m = tn_view(s, tn_contiguous(s, m), SHAPE(-1, 1)); /* [O,1] */
		w = tn_mul(s, w, tn_div(s, m, tn_norm_axis(s, w, 1, true)));
	}
	w = tn_keep(out, w);
	tn_pop(s);
	return w;
}
