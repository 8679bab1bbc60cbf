/* modules.c - modules.json: what stands behind the backbone, in which order. */
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/text.h"
#include "model/config.h"
#include "model/families.h"
#include "model/heads.h"

static struct text last_word(struct text t)
{
	const char *dot = memrchr(t.s, '.', t.len);
	return dot ? (struct text){dot + 1, t.len - (size_t)(dot + 1 - t.s)} : t;
}

/* A module's folder lies inside the model's: a name, nothing that climbs out. */
static bool is_inside(struct text path)
{
	return path.len == 0 ||
		(path.s[0] != '/' && !memmem(path.s, path.len, "..", 2) &&
			!memchr(path.s, '\0', path.len));
}

static bool want_size(json root, const char *path, const char *key, int64_t *ret, struct err *err)
{
	return config_int(root, path, (struct config_range){key, 1, 1e6, -1}, ret, err);
}

static bool read_dense(
	json root, const char *path, struct module *m, struct arena *a, struct err *err)
{
	struct text act, input;
	if (!want_size(root, path, "in_features", &m->in, err) ||
		!want_size(root, path, "out_features", &m->out, err))
		return false;
	if (!json_want_bool(root, "bias", true, &m->has_bias, err) ||
		!json_want_bool(root, "use_residual", false, &m->is_residual, err) ||
		!json_want_text(
			root, "module_input_name", TEXT("sentence_embedding"), &input, err) ||
		!json_want_text(root, "activation_function",
			TEXT("torch.nn.modules.activation.Tanh"), &act, err))
		return err_prefix(err, "%s", path);
	if (!text_is(input, "sentence_embedding"))
		return err_set(err, ERR_DATA,
			"%s: module_input_name is \"%.*s\", expected sentence_embedding", path,
			TEXT_ARG(input));
	if (act.len < 6 || memcmp(act.s, "torch.", 6) != 0 || !head_act_parse(act, &m->act))
		return err_set(err, ERR_DATA,
			"%s: activation_function is \"%.*s\", expected a class of torch: %s", path,
			TEXT_ARG(act), head_act_list);
	m->act_class = arena_text(a, act).s;
	return true;
}

/* A module behind the pooling; *ret_known false: none of ours. */
static bool take_module(struct model_config *c, struct text kind, const char *folder,
	bool *ret_known, struct err *err)
{
	struct module m = {.path = folder};
	if (text_is(kind, "Dropout"))
		return true;
	if (text_is(kind, "Dense"))
		m.kind = MODULE_DENSE;
	else if (text_is(kind, "LayerNorm"))
		m.kind = MODULE_LAYER_NORM;
	else if (text_is(kind, "Normalize"))
		m.kind = MODULE_NORMALIZE;
	else
		return *ret_known = false;
	if (m.kind != MODULE_NORMALIZE) {
		const char *path = fs_join(
			&c->arena, fs_join(&c->arena, c->modules_dir, folder), "config.json");
		struct json_file f;
		bool ok = json_file_open(path, &f, err) &&
			(m.kind == MODULE_DENSE
					? read_dense(f.root, path, &m, &c->arena, err)
					: want_size(f.root, path, "dimension", &m.out, err));
		json_file_close(&f);
		if (!ok)
			return false;
	}
	c->modules[c->n_modules++] = m;
	c->normalizes = m.kind == MODULE_NORMALIZE;
	return true;
}

static bool read_module(
	struct model_config *c, const char *list, json module, size_t index, struct err *err)
{
	struct text type, path;
	if (!json_want_text(module, "type", TEXT_NONE, &type, err) ||
		!json_want_text(module, "path", TEXT(""), &path, err))
		return err_prefix(err, "%s: module %zu", list, index);
	if (!type.s)
		return err_set(err, ERR_DATA, "%s: module %zu has no type", list, index);
	if (!is_inside(path))
		return err_set(err, ERR_DATA,
			"%s: path of module %zu is \"%.*s\", expected a folder inside the model's",
			list, index, TEXT_ARG(path));
	const char *folder = arena_text(&c->arena, path).s;
	struct text kind = last_word(type);
	bool is_known = true;
	if (text_is(kind, "Transformer") && index == 0) {
		if (path.len > 0)
			c->body_dir = fs_join(&c->arena, c->body_dir, folder);
		return true;
	}
	if (text_is(kind, "Pooling") && index > 0)
		return model_pooling_read(c, folder, err);
	if (index > 1 && take_module(c, kind, folder, &is_known, err))
		return true;
	if (is_known)
		return false;
	return err_set(err, ERR_DATA,
		"%s: module %zu is of type %.*s; known are Transformer, Pooling, then Dense, LayerNorm, "
		"Normalize and Dropout",
		list, index, TEXT_ARG(type));
}

bool model_folder_read(struct model_config *c, struct err *err)
{
	const char *path = fs_join(&c->arena, c->modules_dir, "modules.json");
	if (!fs_exists(path))
		return true;
	struct json_file f;
	size_t n = 0;
	bool ok = json_file_open(path, &f, err);
	if (ok && !json_is(f.root, JSON_ARRAY))
		ok = err_set(err, ERR_DATA, "%s holds %s, expected a list of modules", path,
			json_type_name(json_type(f.root)));
	if (ok)
		c->modules = arena_calloc(&c->arena, json_count(f.root), sizeof *c->modules);
	if (ok)
		for (struct json_iter it = json_each(f.root); ok && json_next(&it);)
			ok = read_module(c, path, it.value, n++, err);
	if (ok && n == 0)
		ok = err_set(err, ERR_DATA, "%s lists no module, expected a Transformer", path);
	json_file_close(&f);
	c->has_modules = ok;
	return ok;
}

bool model_modules_check(struct model_config *c, struct err *err)
{
	int64_t width = c->hidden * c->n_poolings;
	for (size_t i = 0; i < c->n_modules; i++) {
		const struct module *m = &c->modules[i];
		int64_t in = m->kind == MODULE_DENSE ? m->in : m->out;
		if (m->kind == MODULE_NORMALIZE)
			continue;
		if (in != width)
			return err_set(err, ERR_DATA,
				"%s/%s/config.json: %s is %lld, but what comes in has %lld numbers",
				c->dir, m->path,
				m->kind == MODULE_DENSE ? "in_features" : "dimension",
				(long long)in, (long long)width);
		width = m->out;
	}
	c->dim = width;
	return true;
}

bool model_family_apply(struct model_config *c, const char *prompts, struct err *err)
{
	struct family f = {0};
	if (c->has_modules || c->is_classifier || (prompts && strcmp(prompts, "none") == 0))
		return true;
	bool is_named = prompts && strcmp(prompts, "auto") != 0;
	if (!(is_named ? family_named(prompts, &c->arena, &f, err)
		       : family_of(c->adapter ? c->body_dir : c->dir, &c->arena, &f, err)))
		return false;
	if (!f.has_pooling)
		return true;
	c->family = f.name;
	c->poolings[0] = f.pooling;
	c->n_poolings = 1;
	if (f.normalizes && c->n_modules == 0) {
		c->modules = arena_calloc(&c->arena, 1, sizeof *c->modules);
		c->modules[c->n_modules++] =
			(struct module){.kind = MODULE_NORMALIZE, .path = "2_Normalize"};
		c->normalizes = true;
	}
	return true;
}
