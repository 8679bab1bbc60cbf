#include "model/encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "model/encoder_impl.h"
#include "model/model_impl.h"

bool encoder_on_cpu(const struct encoder *e)
{
	return strncmp(tn_describe(e->root), "cuda", 4) != 0;
}

static void settle_options(struct encoder *e, const struct encoder_options *opt)
{
	e->opt = *opt;
	if (e->opt.threads <= 0)
		e->opt.threads = cpu_count();
	if (e->opt.batch_tokens <= 0)
		e->opt.batch_tokens = encoder_on_cpu(e) ? 2048 : 16384;
	/* Strings belong to the caller and may go; what we need later was taken. */
	e->opt.device = e->opt.pooling = e->opt.attention = NULL;
	e->opt.query_prompt = e->opt.passage_prompt = NULL;
	e->opt.prompts = e->opt.base = NULL;
	e->opt.cache_dir = NULL;
}

static const char *device_name(const struct encoder_options *opt)
{
	if (!opt->device || strcmp(opt->device, "auto") == 0)
		return tn_cuda_present() ? "cuda:0" : "cpu";
	return opt->device;
}

static bool open_root(struct encoder *e, const struct encoder_options *opt, struct err *err)
{
	char why[300] = "";
	int threads = opt->threads > 0 ? opt->threads : cpu_count();
	e->root = tn_open(device_name(opt), threads, why, sizeof why);
	return e->root ||
		err_set(err, ERR_FAILED, "cannot use the device %s: %s (try --device cpu)",
			device_name(opt), why);
}

/* The table must have a row for each id that the tokenizer gives. */
static bool check_vocabulary(const struct encoder *e, struct err *err)
{
	size_t ids = tokenizer_vocab_size(e->tokenizer);
	int64_t rows = e->model->config.n_vocab;
	if (ids <= (size_t)rows)
		return true;
	return err_set(err, ERR_DATA,
		"%s: the tokenizer has %zu ids, config.json's vocab_size is %lld: they are of "
		"different models",
		model_dir(e->model), ids, (long long)rows);
}

bool encoder_need_tokenizer(struct encoder *e, struct err *err)
{
	if (e->tokenizer)
		return true;
	e->tokenizer = tokenizer_open(e->model->config.tokenizer_dir, err);
	return e->tokenizer && check_vocabulary(e, err) &&
		(!e->owns || prompts_close_texts(e->prompts, e->tokenizer, err));
}

/* With a cache the tokenizer may never be needed: its hash is, to find what is there. */
static bool open_tokenizer(struct encoder *e, struct err *err)
{
	if (!e->cache_dir)
		return encoder_need_tokenizer(e, err);
	e->model_hash = model_hash(e->model);
	return tokenizer_dir_hash(e->model->config.tokenizer_dir, &e->tokenizer_hash, err);
}

/* What the user asks for must be possible: there is a row of the position table for each token. */
static bool check_lengths(const struct encoder *e, const char *dir, struct err *err)
{
	const struct {
		const char *option;
		int64_t length;
	} asked[] = {
		{"max-length", e->opt.max_length},
		{"query-max-length", e->opt.query_max_length},
		{"passage-max-length", e->opt.passage_max_length},
	};
	int64_t positions = e->model->config.n_positions;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		if (asked[i].length > positions)
			return err_set(err, ERR_USAGE,
				"--%s is %lld, but %s has positions for %lld tokens",
				asked[i].option, (long long)asked[i].length, dir,
				(long long)positions);
	return true;
}

struct encoder *encoder_open(const char *dir, const struct encoder_options *opt, struct err *err)
{
	struct encoder *e = xcalloc(1, sizeof *e);
	struct model_options how = {.use = MODEL_ENCODE,
		.dtype = opt->dtype,
		.pooling = opt->pooling,
		.prompts = opt->prompts,
		.base = opt->base,
		.attention = opt->attention};
	e->owns = true;
	e->prompts = &e->own_prompts;
	bool ok = open_root(e, opt, err);
	if (ok) {
		settle_options(e, opt);
		e->model = model_open(dir, e->root, &how, err);
	}
	if (opt->cache_dir)
		e->cache_dir = xstrdup(opt->cache_dir);
	struct prompts_options prompts = {opt->query_prompt, opt->passage_prompt, opt->prompts};
	ok = ok && e->model &&
		prompts_open_as(e->model->config.prompts_dir, &prompts, e->prompts, err) &&
		open_tokenizer(e, err) && check_lengths(e, dir, err);
	if (!ok) {
		encoder_close(e);
		return NULL;
	}
	return e;
}

struct encoder *encoder_around(struct model *m, struct tokenizer *t, struct prompts *p,
	tn_scope *root, const struct encoder_options *opt)
{
	struct encoder *e = xcalloc(1, sizeof *e);
	e->model = m;
	e->tokenizer = t;
	e->prompts = p;
	e->root = root;
	settle_options(e, opt);
	return e;
}

void encoder_close(struct encoder *e)
{
	if (!e)
		return;
	if (e->owns) {
		prompts_close(&e->own_prompts);
		tokenizer_close(e->tokenizer);
		model_close(e->model);
		if (e->root)
			tn_close(e->root);
	}
	free(e->cache_dir);
	free(e);
}

struct model *encoder_model(struct encoder *e)
{
	return e->model;
}

const struct prompts *encoder_prompts(const struct encoder *e)
{
	return e->prompts;
}

int64_t encoder_dim(const struct encoder *e)
{
	return model_dim(e->model);
}

const char *encoder_describe(struct encoder *e)
{
	static const char *const names[] = {
		[MODEL_F32] = "float32", [MODEL_BF16] = "bfloat16", [MODEL_F16] = "float16"};
	snprintf(e->describe, sizeof e->describe, "%s on %s", names[model_dtype(e->model)],
		tn_describe(e->root));
	return e->describe;
}

size_t encoder_limit(const struct encoder *e, enum encode_role role)
{
	int64_t own = role == ENCODE_QUERY ? e->opt.query_max_length
		: role == ENCODE_PASSAGE   ? e->opt.passage_max_length
					   : 0;
	int64_t asked = own > 0 ? own : e->opt.max_length;
	int64_t most = model_max_length(e->model), positions = e->model->config.n_positions;
	if (asked > 0)
		most = asked < positions ? asked : positions;
	return (size_t)most;
}
