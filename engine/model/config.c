#include "model/config.h"

#include <math.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/text.h"
#include "model/adapter.h"
#include "model/architectures.h"
#include "model/classifier.h"

bool config_real(
	json root, const char *path, struct config_range range, double *ret, struct err *err)
{
	bool has_default = range.def >= range.low && range.def <= range.high;
	double v = 0.0;
	if (!json_want_real(root, range.key, NAN, &v, err))
		return err_prefix(err, "%s", path);
	if (isnan(v)) {
		if (!has_default)
			return err_set(err, ERR_DATA,
				"%s: %s is missing; the folder is no complete model", path,
				range.key);
		v = range.def;
	}
	if (!(v >= range.low && v <= range.high))
		return err_set(err, ERR_DATA, "%s: %s is %g, expected %g to %g", path, range.key, v,
			range.low, range.high);
	*ret = v;
	return true;
}

bool config_int(
	json root, const char *path, struct config_range range, int64_t *ret, struct err *err)
{
	double v = 0.0;
	if (!config_real(root, path, range, &v, err))
		return false;
	if (v != floor(v))
		return err_set(
			err, ERR_DATA, "%s: %s is %g, expected a whole number", path, range.key, v);
	*ret = (int64_t)v;
	return true;
}

bool config_ints(json root, const char *path, const struct config_field *fields, size_t n,
	struct model_config *c, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!config_int(
			    root, path, fields[i].range, (void *)((char *)c + fields[i].at), err))
			return false;
	return true;
}

bool config_reals(json root, const char *path, const struct config_field *fields, size_t n,
	struct model_config *c, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!config_real(
			    root, path, fields[i].range, (void *)((char *)c + fields[i].at), err))
			return false;
	return true;
}

bool config_head_dim(const char *path, struct model_config *c, struct err *err)
{
	if (c->hidden % c->n_heads != 0)
		return err_set(err, ERR_DATA,
			"%s: hidden_size is %lld, expected a multiple of num_attention_heads (%lld)",
			path, (long long)c->hidden, (long long)c->n_heads);
	c->head_dim = c->hidden / c->n_heads;
	c->n_kv_heads = c->n_heads;
	return true;
}

bool config_layer_types(
	json root, const char *path, const struct model_config *c, bool *is_local, struct err *err)
{
	json list = json_get(root, "layer_types");
	size_t i = 0;
	if (json_is(list, JSON_MISSING) || json_is(list, JSON_NULL))
		return true;
	if (json_count(list) != (size_t)c->n_layers)
		return err_set(err, ERR_DATA,
			"%s: layer_types has %zu entries, expected num_hidden_layers (%lld)", path,
			json_count(list), (long long)c->n_layers);
	for (struct json_iter it = json_each(list); json_next(&it); i++) {
		struct text name = TEXT("nothing");
		json_string(it.value, &name.s, &name.len);
		is_local[i] = text_is(name, "sliding_attention");
		if (!is_local[i] && !text_is(name, "full_attention"))
			return err_set(err, ERR_DATA,
				"%s: layer_types has \"%.*s\", expected full_attention or "
				"sliding_attention",
				path, TEXT_ARG(name));
	}
	return true;
}

bool config_act(json root, const char *path, const char *key, enum model_act *ret, struct err *err)
{
	static const struct {
		const char *name;
		enum model_act act;
	} acts[] = {
		{"gelu", MODEL_GELU},
		{"gelu_new", MODEL_GELU_TANH},
		{"gelu_pytorch_tanh", MODEL_GELU_TANH},
		{"relu", MODEL_RELU},
		{"silu", MODEL_SILU},
		{"swish", MODEL_SILU},
	};
	struct text name;
	if (!json_want_text(root, key, TEXT("gelu"), &name, err))
		return err_prefix(err, "%s", path);
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (text_is(name, acts[i].name)) {
			*ret = acts[i].act;
			return true;
		}
	return err_set(err, ERR_DATA,
		"%s: %s is \"%.*s\", expected gelu, gelu_new, gelu_pytorch_tanh, relu or silu",
		path, key, TEXT_ARG(name));
}

static bool starts_with(struct text t, const char *start)
{
	size_t n = strlen(start);
	return t.len >= n && memcmp(t.s, start, n) == 0;
}

/* The model's kind: model_type decides the backbone, architectures whether a head is on it. */
static bool read_kind(json root, const char *path, struct model_config *c, struct err *err)
{
	struct text type;
	if (!json_want_text(root, "model_type", TEXT_NONE, &type, err))
		return err_prefix(err, "%s", path);
	if (!type.s)
		return err_set(err, ERR_DATA, "%s: model_type is missing, expected one of: %s",
			path, architecture_list(&c->arena));
	c->arch = architecture_find(type);
	if (!c->arch)
		return err_set(err, ERR_DATA,
			"%s: model_type is \"%.*s\", an architecture that is not known here; known "
			"are: %s",
			path, TEXT_ARG(type), architecture_list(&c->arena));
	for (struct json_iter it = json_each(json_get(root, "architectures")); json_next(&it);) {
		struct text name = TEXT_NONE;
		if (!json_string(it.value, &name.s, &name.len))
			return err_set(err, ERR_DATA,
				"%s: architectures holds %s, expected names of classes", path,
				json_type_name(json_type(it.value)));
		if (c->arch->classifier_class && text_is(name, c->arch->classifier_class))
			c->is_classifier = true;
		else if (memmem(name.s, name.len, "SequenceClassification", 22))
			return err_set(err, ERR_DATA,
				"%s: architectures is \"%.*s\", a head that does not belong to "
				"model_type %s",
				path, TEXT_ARG(name), c->arch->model_type);
		else if (c->arch->causal_class && text_is(name, c->arch->causal_class))
			c->is_causal_lm = true;
		else if (memmem(name.s, name.len, "CausalLM", 8) || starts_with(name, "TF"))
			return err_set(err, ERR_DATA,
				"%s: architectures is \"%.*s\", a class that is not known here",
				path, TEXT_ARG(name));
	}
	return true;
}

/* A classification adapter brings the head that its base lacks. */
static bool read_task(struct model_config *c, struct err *err)
{
	if (!c->adapter || !adapter_classifies(c->adapter))
		return true;
	c->is_classifier = true;
	return c->arch->classifier_class ||
		err_set(err, ERR_DATA, "%s: task_type is SEQ_CLS, but %s has no such head here",
			c->dir, c->arch->model_type);
}

static bool hash_config(const char *path, struct model_config *c, struct err *err)
{
	struct fs_map m;
	if (!fs_map(path, &m, err))
		return false;
	struct hasher *h = hasher_new();
	hasher_add(h, m.data, m.len);
	c->hash = hasher_end(h);
	fs_unmap(&m);
	return true;
}

static bool read_body(struct model_config *c, struct err *err)
{
	const char *path = fs_join(&c->arena, c->body_dir, "config.json");
	struct json_file f = {0};
	bool ok = fs_exists(path) ||
		err_set(err, ERR_DATA,
			"cannot open %s: No such file or directory; expected a Hugging Face model folder",
			path);
	ok = ok && json_file_open(path, &f, err);
	if (ok && !json_is(f.root, JSON_OBJECT))
		ok = err_set(err, ERR_DATA, "%s holds %s, expected an object", path,
			json_type_name(json_type(f.root)));
	ok = ok && read_kind(f.root, path, c, err) && read_task(c, err) &&
		c->arch->configure(f.root, path, c, err) &&
		(!c->arch->classifier || classifier_configure(f.root, path, c, err));
	json_file_close(&f);
	return ok && hash_config(path, c, err);
}

/* The files that an adapter's folder may leave to its base. */
static bool find_folders(struct model_config *c, const char *base, struct err *err)
{
	static const char *const tokenizers[] = {
		"tokenizer.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model"};
	c->body_dir = c->modules_dir = c->prompts_dir = c->dir;
	if (!adapter_is(c->dir))
		return !base ||
			err_set(err, ERR_USAGE,
				"--base is for adapter folders; %s has no adapter_config.json, or a "
				"config.json beside it",
				c->dir);
	if (!adapter_read(c->dir, base, &c->arena, &c->adapter, &c->body_dir, err))
		return false;
	if (!fs_exists(fs_join(&c->arena, c->dir, "modules.json")))
		c->modules_dir = c->body_dir;
	if (!fs_exists(fs_join(&c->arena, c->dir, "config_sentence_transformers.json")))
		c->prompts_dir = c->body_dir;
	for (size_t i = 0; i < ARRAY_LEN(tokenizers); i++)
		if (fs_exists(fs_join(&c->arena, c->dir, tokenizers[i])))
			c->tokenizer_dir = c->dir;
	return true;
}

/* An adapter's scale and ranks decide vectors too. */
static bool hash_adapter(struct model_config *c, struct err *err)
{
	struct hash128 own;
	if (!c->adapter)
		return true;
	if (!hash_file(fs_join(&c->arena, c->dir, "adapter_config.json"), &own, err))
		return false;
	struct hasher *h = hasher_new();
	hasher_add(h, &c->hash, sizeof c->hash);
	hasher_add(h, &own, sizeof own);
	c->hash = hasher_end(h);
	return true;
}

bool model_config_read_on(
	const char *dir, const char *base, struct model_config *ret, struct err *err)
{
	*ret = (struct model_config){
		.poolings = {TN_POOL_MEAN},
		.n_poolings = 1,
		.pools_prompt = true,
	};
	ret->dir = arena_strdup(&ret->arena, dir);
	if (!fs_is_dir(dir))
		return err_set(err, ERR_USAGE,
			"%s is no folder, expected a Hugging Face model folder with config.json in "
			"it",
			dir);
	if (!find_folders(ret, base, err) || !model_folder_read(ret, err))
		return false;
	if (!ret->tokenizer_dir)
		ret->tokenizer_dir = ret->body_dir;
	return read_body(ret, err) && hash_adapter(ret, err) && model_modules_check(ret, err) &&
		model_length_read(ret, err);
}

bool model_config_read(const char *dir, struct model_config *ret, struct err *err)
{
	return model_config_read_on(dir, NULL, ret, err);
}

void model_config_release(struct model_config *c)
{
	arena_release(&c->arena);
}
