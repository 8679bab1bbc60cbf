#include "job/common.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/parallel.h"

int job_threads(const struct opts *o)
{
	return opts_has(o, "threads") ? (int)opts_int(o, "threads") : cpu_count();
}

const char *job_device(const struct opts *o)
{
	const char *device = opts_str(o, "device");
	if (strcmp(device, "auto") == 0)
		return tn_cuda_present() ? "cuda:0" : "cpu";
	return strcmp(device, "cuda") == 0 ? "cuda:0" : device;
}

enum model_dtype job_dtype(const struct opts *o)
{
	static const struct {
		const char *name;
		enum model_dtype dtype;
	} names[] = {{"auto", MODEL_AUTO}, {"float32", MODEL_F32}, {"bfloat16", MODEL_BF16},
		{"float16", MODEL_F16}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(opts_str(o, "dtype"), names[i].name) == 0)
			return names[i].dtype;
	return MODEL_AUTO;
}

/* The .vecsmith folder that --workspace, the environment or the current folder names; NULL when
 * there is none. */
static char *find_workspace(const struct opts *o, struct arena *a)
{
	const char *dir = opts_str(o, "workspace");
	if (!dir)
		dir = getenv("VECSMITH_WORKSPACE");
	if (!dir || !*dir)
		dir = ".";
	char *inside = strcmp(fs_basename(dir), ".vecsmith") == 0 ? arena_strdup(a, dir)
								  : fs_join(a, dir, ".vecsmith");
	return fs_is_dir(inside) ? inside : NULL;
}

const char *job_cache_dir(const struct opts *o, struct arena *a)
{
	if (opts_flag(o, "no-cache"))
		return NULL;
	char *workspace = find_workspace(o, a);
	return workspace ? fs_join(a, workspace, "cache") : fs_cache_dir(a);
}

static int64_t int_or_zero(const struct opts *o, const char *name)
{
	return opts_has(o, name) ? opts_int(o, name) : 0;
}

void job_encoder_options(const struct opts *o, struct arena *a, struct encoder_options *ret)
{
	*ret = (struct encoder_options){
		.device = job_device(o),
		.dtype = job_dtype(o),
		.threads = job_threads(o),
		.pooling = opts_str(o, "pooling"),
		.prompts = opts_str(o, "prompts"),
		.base = opts_str(o, "base"),
		.attention = opts_str(o, "attention"),
		.max_length = int_or_zero(o, "max-length"),
		.query_max_length = int_or_zero(o, "query-max-length"),
		.passage_max_length = int_or_zero(o, "passage-max-length"),
		.no_truncation = opts_flag(o, "no-truncation"),
		.batch_tokens = int_or_zero(o, "batch-tokens"),
		.cache_dir = job_cache_dir(o, a),
	};
	if (opts_knows(o, "query-prompt")) {
		ret->query_prompt = opts_str(o, "query-prompt");
		ret->passage_prompt = opts_str(o, "passage-prompt");
	}
}

const char *job_leaf(struct arena *a, const char *path)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	return fs_basename(arena_text(a, (struct text){path, len}).s);
}

tn_scope *job_open_device(const struct opts *o, struct err *err)
{
	char why[300] = "";
	tn_scope *root = tn_open(job_device(o), job_threads(o), why, sizeof why);
	if (!root)
		err_set(err, ERR_FAILED, "cannot use the device %s: %s (try --device cpu)",
			job_device(o), why);
	return root;
}
