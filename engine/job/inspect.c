#include "base/fs.h"
#include "base/jsonfile.h"
#include "curate/inspect.h"
#include "job/common.h"
#include "job/inspect_report.h"

/* The tokens a model reads: sentence_bert_config.json says; 0 when it does not. */
static bool model_limit(const char *dir, int64_t *ret, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *path = fs_join(&a, dir, "sentence_bert_config.json");
	*ret = 0;
	bool ok = true;
	if (fs_exists(path)) {
		struct json_file f;
		ok = json_file_open(path, &f, err) &&
			json_want_int(f.root, "max_seq_length", 0, ret, err);
		json_file_close(&f);
	}
	arena_release(&a);
	return ok;
}

static bool report(
	const struct opts *o, const struct dataset *d, const struct tokenizer *t, struct err *err)
{
	struct inspect_options how = {.threads = job_threads(o),
		.tokenizer = t,
		.n_examples = (size_t)opts_int(o, "examples")};
	int64_t limit = 0;
	if (opts_has(o, "max-length"))
		limit = opts_int(o, "max-length");
	else if (t && !model_limit(opts_str(o, "model"), &limit, err))
		return false;
	how.max_length = limit > 0 ? (size_t)limit : 0;
	struct inspect_report r;
	if (!inspect(d, &how, &r, err))
		return false;
	(opts_flag(o, "json") ? inspect_print_json : inspect_print)(d, &r);
	bool ok = r.n_broken == 0 || !opts_flag(o, "strict");
	if (!ok)
		err_set(err, ERR_DATA, "%zu of %zu rows are broken, and --strict allows none: %s",
			r.n_broken, r.n_rows, r.broken[0].why);
	inspect_release(&r);
	return ok;
}

bool inspect_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *const *paths;
	size_t n = opts_list(o, "data", &paths);
	struct dataset_options how = {
		.split = opts_str(o, "split"), .cache_dir = job_cache_dir(o, &a)};
	struct tokenizer *t = NULL;
	struct dataset *d = dataset_open(paths, n, &how, err);
	bool ok = d != NULL;
	if (ok && opts_flag(o, "index-only")) {
		(opts_flag(o, "json") ? inspect_print_json : inspect_print)(d, NULL);
	} else if (ok) {
		const char *model = opts_str(o, "model");
		t = model ? tokenizer_open(model, err) : NULL;
		ok = (t || !model) && report(o, d, t, err);
	}
	if (t)
		tokenizer_close(t);
	dataset_close(d);
	arena_release(&a);
	return ok;
}
