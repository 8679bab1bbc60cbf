/* folder.c - the sentence-transformers files of a model folder: which modules, how to pool, where
 * to cut. */
#include "model/config.h"

#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/text.h"

/* One row a pooling: our name, sentence-transformers' flag (all versions), and its name since 5.4.
 */
static const struct {
	const char *name, *flag, *mode;
	enum tn_pool pool;
} poolings[] = {
	{"cls", "pooling_mode_cls_token", "cls", TN_POOL_CLS},
	{"mean", "pooling_mode_mean_tokens", "mean", TN_POOL_MEAN},
	{"max", "pooling_mode_max_tokens", "max", TN_POOL_MAX},
	{"mean_sqrt_len", "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens",
		TN_POOL_MEAN_SQRT},
	{"weighted", "pooling_mode_weightedmean_tokens", "weightedmean", TN_POOL_WEIGHTED},
	{"last", "pooling_mode_lasttoken", "lasttoken", TN_POOL_LAST},
};

bool pooling_parse(const char *name, enum tn_pool *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++)
		if (strcmp(name, poolings[i].name) == 0) {
			*ret = poolings[i].pool;
			return true;
		}
	return false;
}

static size_t pooling_row(enum tn_pool p)
{
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(poolings) && poolings[i].pool != p)
		i++;
	return i;
}

const char *pooling_name(enum tn_pool p)
{
	return poolings[pooling_row(p)].name;
}

const char *pooling_flag(enum tn_pool p)
{
	return poolings[pooling_row(p)].flag;
}

/* pooling_mode is a name, or a list of names whose vectors would be put side by side. */
static bool pooling_of_mode(json mode, const char *path, enum tn_pool *ret, struct err *err)
{
	if (json_is(mode, JSON_ARRAY) && json_count(mode) == 1) {
		struct json_iter it = json_each(mode);
		if (json_next(&it))
			mode = it.value;
	}
	struct text name = TEXT_NONE;
	if (!json_string(mode, &name.s, &name.len))
		return err_set(err, ERR_DATA,
			"%s: pooling_mode is %s, expected the name of one pooling", path,
			json_type_name(json_type(mode)));
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++)
		if (text_is(name, poolings[i].mode)) {
			*ret = poolings[i].pool;
			return true;
		}
	return err_set(err, ERR_DATA,
		"%s: pooling_mode is \"%.*s\", expected cls, mean, max, mean_sqrt_len_tokens, "
		"weightedmean or lasttoken",
		path, TEXT_ARG(name));
}

static bool pooling_of_flags(json root, const char *path, enum tn_pool *ret, struct err *err)
{
	const char *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++) {
		bool on;
		if (!json_want_bool(root, poolings[i].flag, false, &on, err))
			return err_prefix(err, "%s", path);
		if (on && found)
			return err_set(err, ERR_DATA,
				"%s: %s and %s are both true; vectors of several poolings side by "
				"side are not known here",
				path, found, poolings[i].flag);
		if (on) {
			found = poolings[i].flag;
			*ret = poolings[i].pool;
		}
	}
	if (!found)
		return err_set(err, ERR_DATA,
			"%s: no pooling_mode_... is true, expected exactly one", path);
	return true;
}

static bool read_pooling(struct model_config *c, const char *module, struct err *err)
{
	const char *path = fs_join(&c->arena, fs_join(&c->arena, c->dir, module), "config.json");
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	if (ok) {
		json mode = json_get(f.root, "pooling_mode");
		ok = (json_is(mode, JSON_MISSING)
				     ? pooling_of_flags(f.root, path, &c->pooling, err)
				     : pooling_of_mode(mode, path, &c->pooling, err)) &&
			(json_want_bool(f.root, "include_prompt", true, &c->pools_prompt, err) ||
				err_prefix(err, "%s", path));
	}
	json_file_close(&f);
	return ok;
}

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
	if (text_is(kind, "Transformer") && index == 0) {
		if (path.len > 0)
			c->body_dir = fs_join(&c->arena, c->dir, folder);
		return true;
	}
	if (text_is(kind, "Pooling") && index > 0)
		return read_pooling(c, folder, err);
	if (text_is(kind, "Normalize") && index > 1) {
		c->normalizes = true;
		return true;
	}
	if (text_is(kind, "Dropout"))
		return true;
	return err_set(err, ERR_DATA,
		"%s: module %zu is of type %.*s; known are Transformer, Pooling and Normalize, in "
		"this order",
		list, index, TEXT_ARG(type));
}

bool model_folder_read(struct model_config *c, struct err *err)
{
	const char *path = fs_join(&c->arena, c->dir, "modules.json");
	if (!fs_exists(path))
		return true;
	struct json_file f;
	size_t n = 0;
	bool ok = json_file_open(path, &f, err);
	if (ok && !json_is(f.root, JSON_ARRAY))
		ok = err_set(err, ERR_DATA, "%s holds %s, expected a list of modules", path,
			json_type_name(json_type(f.root)));
	if (ok)
		for (struct json_iter it = json_each(f.root); ok && json_next(&it);)
			ok = read_module(c, path, it.value, n++, err);
	if (ok && n == 0)
		ok = err_set(err, ERR_DATA, "%s lists no module, expected a Transformer", path);
	json_file_close(&f);
	c->has_modules = ok;
	return ok;
}

/* A positive number under key of a file that may be missing; 0 when it says nothing. */
static bool read_length(const char *path, const char *key, int64_t *ret, struct err *err)
{
	*ret = 0;
	if (!fs_exists(path))
		return true;
	struct json_file f;
	double v = 0.0;
	bool ok = json_file_open(path, &f, err);
	if (ok)
		ok = json_want_real(f.root, key, 0.0, &v, err) || err_prefix(err, "%s", path);
	json_file_close(&f);
	if (!ok)
		return false;
	if (v < 0.0 || (v > 0.0 && v < 2.0))
		return err_set(
			err, ERR_DATA, "%s: %s is %g, expected at least 2 tokens", path, key, v);
	/* transformers writes 1e30 for "no limit". */
	*ret = v > 1e9 ? 0 : (int64_t)v;
	return true;
}

/* sentence-transformers: max_seq_length of its own file, else the tokenizer's model_max_length,
 * and never more than the positions. */
bool model_length_read(struct model_config *c, struct err *err)
{
	static const char *const files[] = {"sentence_bert_config.json",
		"sentence_roberta_config.json", "sentence_distilbert_config.json",
		"sentence_camembert_config.json", "sentence_albert_config.json",
		"sentence_xlm-roberta_config.json", "sentence_xlnet_config.json"};
	int64_t length = 0;
	for (size_t i = 0; i < ARRAY_LEN(files) && length == 0; i++)
		if (!read_length(fs_join(&c->arena, c->body_dir, files[i]), "max_seq_length",
			    &length, err))
			return false;
	if (length > c->n_positions)
		log_warn("%s: max_seq_length is %lld, more than the %lld positions; texts are cut "
			 "at the latter",
			c->dir, (long long)length, (long long)c->n_positions);
	bool is_said = length > 0;
	if (!is_said &&
		!read_length(fs_join(&c->arena, c->body_dir, "tokenizer_config.json"),
			"model_max_length", &length, err))
		return false;
	int64_t most = !is_said && c->default_length > 0 ? c->default_length : c->n_positions;
	c->max_length = length > 0 && length < most ? length : most;
	return true;
}
