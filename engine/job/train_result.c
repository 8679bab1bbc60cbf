#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "job/training.h"

static void put_str(struct buf *b, const char *key, const char *v)
{
	json_put_key(b, key);
	json_put_str(b, v);
}

static void put_int(struct buf *b, const char *key, int64_t v)
{
	json_put_key(b, key);
	json_put_int(b, v);
}

static void put_real(struct buf *b, const char *key, double v)
{
	json_put_key(b, key);
	json_put_real(b, v);
}

static void put_hash(struct buf *b, const char *key, struct hash128 h)
{
	char hex[HASH_HEX];
	hash_hex(h, hex);
	put_str(b, key, hex);
}

static bool put_files(struct training *t, struct buf *b, struct err *err)
{
	const char *const *paths;
	size_t n = opts_list(t->o, "data", &paths);
	json_put_key(b, "files");
	buf_adds(b, "[");
	for (size_t i = 0; i < n; i++) {
		struct hash128 h;
		buf_adds(b, i > 0 ? ",{" : "{");
		put_str(b, "path", paths[i]);
		if (!fs_is_dir(paths[i])) {
			if (!hash_file(paths[i], &h, err))
				return false;
			put_int(b, "bytes", fs_size(paths[i]));
			put_hash(b, "hash", h);
		}
		buf_adds(b, "}");
	}
	buf_adds(b, "]");
	return true;
}

static void put_machine(const struct training *t, struct buf *b)
{
	static const char *const dtypes[] = {
		[MODEL_F32] = "float32", [MODEL_BF16] = "bfloat16", [MODEL_F16] = "float16"};
	char host[65] = "", when[32];
	time_t now = time(NULL);
	struct tm utc;
	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = 0;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	put_str(b, "version", VECSMITH_VERSION);
	put_str(b, "torch", tn_torch_version());
	put_str(b, "started", when);
	put_str(b, "host", host);
	put_str(b, "device", tn_describe(t->root));
	put_str(b, "dtype", dtypes[model_dtype(t->model)]);
	put_int(b, "threads", job_threads(t->o));
}

static void put_model(const struct training *t, struct buf *b)
{
	json_put_key(b, "model");
	buf_adds(b, "{");
	put_str(b, "path", model_dir(t->model));
	put_hash(b, "hash", t->model_hash);
	put_str(b, "pooling", model_pooling(t->model));
	put_int(b, "parameters", model_n_params(t->model, false));
	put_int(b, "trained", model_n_params(t->model, true));
	json_put_key(b, "query_prompt");
	json_put_text(b, t->prompts.query);
	json_put_key(b, "passage_prompt");
	json_put_text(b, t->prompts.passage);
	put_int(b, "query_max_length", (int64_t)t->batching.query_max_length);
	put_int(b, "passage_max_length", (int64_t)t->batching.passage_max_length);
	buf_adds(b, "}");
}

static bool put_data(struct training *t, struct buf *b, struct err *err)
{
	const struct rows *r = &t->rows;
	json_put_key(b, "data");
	buf_adds(b, "{");
	if (!put_files(t, b, err))
		return false;
	put_hash(b, "content", r->content);
	put_int(b, "rows", (int64_t)r->n_rows);
	put_int(b, "used", (int64_t)r->n);
	put_int(b, "broken", (int64_t)r->n_broken);
	put_int(b, "blank_query", (int64_t)r->n_blank_query);
	put_int(b, "no_positive", (int64_t)r->n_no_pos);
	put_int(b, "no_negative", (int64_t)r->n_no_neg);
	buf_adds(b, "}");
	return true;
}

bool training_manifest(struct training *t, struct rundir *run, struct err *err)
{
	struct buf b = BUF_INIT;
	if (fs_exists(rundir_file(run, "manifest.json")))
		return true; /* a resumed run is the run that was begun */
	buf_adds(&b, "{\"format\":1,\"command\":\"train\"");
	put_machine(t, &b);
	json_put_key(&b, "options");
	opts_json(t->o, &b);
	put_int(&b, "steps", t->opt.total_steps);
	put_int(&b, "warmup_steps", t->opt.schedule.warmup);
	put_real(&b, "lr", t->opt.schedule.lr);
	put_model(t, &b);
	bool ok = put_data(t, &b, err);
	json_put_key(&b, "decisions");
	buf_adds(&b, "[]}\n");
	ok = ok && rundir_manifest(run, buf_text(&b), err);
	buf_release(&b);
	return ok;
}

static void put_eval(struct buf *b, const struct train_eval *e)
{
	json_put_key(b, "metrics");
	buf_adds(b, "{");
	for (size_t i = 0; i < e->n; i++)
		put_real(b, e->scalar[i].tag, e->scalar[i].value);
	buf_adds(b, "}");
}

static void print_json(const struct training *t, const struct trainer_result *r)
{
	struct buf b = BUF_INIT;
	const char *out = opts_str(t->o, "out");
	char *model = xasprintf("%s/model", out);
	buf_adds(&b, "{");
	put_str(&b, "out", out);
	put_str(&b, "model", model);
	put_int(&b, "rows", (int64_t)t->rows.n);
	put_int(&b, "steps", r->steps);
	put_int(&b, "resumed_at", r->first_step);
	put_real(&b, "epochs", r->epochs);
	put_real(&b, "loss", r->loss);
	put_int(&b, "tokens", r->n_tokens);
	put_real(&b, "seconds", r->seconds);
	put_real(&b, "tokens_per_s", (double)r->n_tokens / r->seconds);
	put_int(&b, "cut", r->n_cut);
	put_int(&b, "unscored", r->n_unscored);
	put_int(&b, "peak_memory", tn_memory(t->root).peak);
	put_str(&b, "device", tn_describe(t->root));
	if (r->eval.n > 0)
		put_eval(&b, &r->eval);
	buf_adds(&b, "}");
	puts(b.data);
	free(model);
	buf_release(&b);
}

static void print_table(const struct training *t, const struct trainer_result *r)
{
	static const char *const heads[] = {"what", "value"};
	struct table *out = table_new(heads, ARRAY_LEN(heads));
	table_cell(out, "model");
	table_cell(out, "%s/model", opts_str(t->o, "out"));
	table_cell(out, "steps, epochs");
	table_cell(out, "%lld, %.2f", (long long)r->steps, r->epochs);
	table_cell(out, "loss");
	table_cell(out, "%.4f", r->loss);
	table_cell(out, "tokens");
	table_cell(out, "%lld, %.0f a second", (long long)r->n_tokens,
		(double)r->n_tokens / r->seconds);
	table_cell(out, "seconds");
	table_cell(out, "%.1f", r->seconds);
	table_cell(out, "texts cut");
	table_cell(out, "%lld", (long long)r->n_cut);
	if (t->batching.draw.wants_scores) {
		table_cell(out, "queries without scores");
		table_cell(out, "%lld", (long long)r->n_unscored);
	}
	table_cell(out, "memory");
	table_cell(out, "%.2f GB at most", (double)tn_memory(t->root).peak / 1e9);
	for (size_t i = 0; i < r->eval.n; i++) {
		table_cell(out, "%s", r->eval.scalar[i].tag);
		table_cell(out, "%.4f", r->eval.scalar[i].value);
	}
	table_print(out, stdout);
}

void training_result(const struct training *t, const struct trainer_result *r)
{
	if (opts_flag(t->o, "json"))
		print_json(t, r);
	else
		print_table(t, r);
}

void training_complete(const struct training *t)
{
	const char *out = opts_str(t->o, "out");
	char *model = xasprintf("%s/model", out);
	struct buf b = BUF_INIT;
	log_info("the run in %s is complete: there is nothing to go on with", out);
	buf_adds(&b, "{");
	put_str(&b, "out", out);
	put_str(&b, "model", model);
	buf_adds(&b, "}");
	puts(opts_flag(t->o, "json") ? b.data : model);
	free(model);
	buf_release(&b);
}
