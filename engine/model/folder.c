/* folder.c - sentence-transformers' files of a model folder that say how to pool and where to cut. */
#include "model/config.h"

#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/text.h"

/* One row a pooling, in the order in which several stand side by side: our name, sentence-transformers' flag (all versions), and its name since 5.4.
 */
static const struct {
	const char *name, *flag, *mode;
	enum tn_pool pool;
} poolings[] = {
	{"cls", "pooling_mode_cls_token", "cls", TN_POOL_CLS},
	{"max", "pooling_mode_max_tokens", "max", TN_POOL_MAX},
	{"mean", "pooling_mode_mean_tokens", "mean", TN_POOL_MEAN},
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

const char *pooling_names(const struct model_config *c, struct arena *a)
{
	const char *list = pooling_name(c->poolings[0]);
	for (int i = 1; i < c->n_poolings; i++)
		list = arena_printf(a, "%s+%s", list, pooling_name(c->poolings[i]));
	return list;
}

const char *pooling_mode(enum tn_pool p)
{
	return poolings[pooling_row(p)].mode;
}

const char *pooling_flag(enum tn_pool p)
{
	return poolings[pooling_row(p)].flag;
}

static bool pooling_of_name(struct model_config *c, json v, const char *path, struct err *err)
{
	struct text name = TEXT_NONE;
	if (!json_string(v, &name.s, &name.len))
		return err_set(err, ERR_DATA,
			"%s: pooling_mode is %s, expected the name of a pooling", path,
			json_type_name(json_type(v)));
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++)
		if (text_is(name, poolings[i].mode) && c->n_poolings < POOLINGS) {
			c->poolings[c->n_poolings++] = poolings[i].pool;
			return true;
		}
	return err_set(err, ERR_DATA,
		"%s: pooling_mode is \"%.*s\", expected cls, mean, max, mean_sqrt_len_tokens, "
		"weightedmean or lasttoken",
		path, TEXT_ARG(name));
}

/* pooling_mode is a name, or a list of names whose vectors stand side by side. */
static bool pooling_of_mode(struct model_config *c, json mode, const char *path, struct err *err)
{
	if (!json_is(mode, JSON_ARRAY))
		return pooling_of_name(c, mode, path, err);
	for (struct json_iter it = json_each(mode); json_next(&it);)
		if (!pooling_of_name(c, it.value, path, err))
			return false;
	return c->n_poolings > 0 || err_set(err, ERR_DATA, "%s: pooling_mode is empty", path);
}

static bool pooling_of_flags(struct model_config *c, json root, const char *path, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(poolings); i++) {
		bool on;
		if (!json_want_bool(root, poolings[i].flag, false, &on, err))
			return err_prefix(err, "%s", path);
		if (on)
			c->poolings[c->n_poolings++] = poolings[i].pool;
	}
	return c->n_poolings > 0 ||
		err_set(err, ERR_DATA, "%s: no pooling_mode_... is true, expected one", path);
}

bool model_pooling_read(struct model_config *c, const char *module, struct err *err)
{
	const char *path =
		fs_join(&c->arena, fs_join(&c->arena, c->modules_dir, module), "config.json");
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	if (ok) {
		json mode = json_get(f.root, "pooling_mode");
		c->n_poolings = 0;
		ok = (json_is(mode, JSON_MISSING) ? pooling_of_flags(c, f.root, path, err)
						  : pooling_of_mode(c, mode, path, err)) &&
			(json_want_bool(f.root, "include_prompt", true, &c->pools_prompt, err) ||
				err_prefix(err, "%s", path));
	}
	json_file_close(&f);
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
