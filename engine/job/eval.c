#include "eval/retrieve.h"
#include "eval/sts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/parallel.h"
#include "job/figures.h"

struct evaluation {
	const struct opts *o;
	struct encoder *e;
	struct metric_spec *specs;
	size_t n_specs;
	const char *const *paths;
	size_t n_sets, n_done;
	struct report *reports; /* [n_sets] */
	int64_t *n_passages; /* [n_sets]; -1 for STS */
	struct encode_stats stats;
	struct arena arena;
};

/* --run for this set. */
static const char *run_path(struct evaluation *v, const char *set)
{
	const char *run = opts_str(v->o, "run");
	return run && v->n_sets > 1 ? arena_printf(&v->arena, "%s/%s.run", run, set) : run;
}

static bool eval_folder(struct evaluation *v, size_t i, const char *set, struct err *err)
{
	struct beir data;
	const char *split = opts_str(v->o, "split");
	struct retrieve_options opt = {.search = {.threads = job_threads(v->o)},
		.specs = v->specs,
		.n_specs = v->n_specs,
		.top = (size_t)opts_int(v->o, "top"),
		.run_path = run_path(v, set),
		.seed = (uint64_t)opts_int(v->o, "seed")};
	if (!beir_open(v->paths[i], split, &data, err))
		return false;
	if (data.n_missing)
		log_warn(
			"%s: %zu judgements name a passage or a query that does not exist; left out",
			data.qrels_path, data.n_missing);
	bool ok = data.n_queries > 0 ||
		err_set(err, ERR_DATA, "%s: no judged query that exists", data.qrels_path);
	ok = ok && retrieve(v->e, &data, set, &opt, &v->reports[i], &v->stats, err);
	v->n_passages[i] = (int64_t)data.n_docs;
	beir_close(&data);
	return ok;
}

static bool eval_sts(struct evaluation *v, size_t i, const char *set, struct err *err)
{
	struct sts data;
	if (!sts_open(v->paths[i], &data, err))
		return false;
	bool ok = sts_measure(
		v->e, &data, set, (uint64_t)opts_int(v->o, "seed"), &v->reports[i], &v->stats, err);
	v->n_passages[i] = -1;
	sts_close(&data);
	return ok;
}

/* What is wrong with the sets is said before the model is loaded. */
static bool check_sets(struct evaluation *v, struct err *err)
{
	const char *run = opts_str(v->o, "run");
	for (size_t i = 0; i < v->n_sets; i++) {
		const char *path = v->paths[i];
		if (!fs_exists(path))
			return err_set(err, ERR_USAGE, "--data %s: no such file or folder", path);
		if (fs_is_dir(path) && !beir_is(path))
			return err_set(err, ERR_DATA,
				"%s: no BEIR folder, expected corpus.jsonl, queries.jsonl and qrels/",
				path);
		for (size_t k = 0; run && k < i; k++)
			if (strcmp(job_leaf(&v->arena, path), job_leaf(&v->arena, v->paths[k])) ==
				0)
				return err_set(err, ERR_USAGE,
					"two sets are called %s, --run cannot hold both",
					job_leaf(&v->arena, path));
	}
	return !run || v->n_sets == 1 || fs_mkdirs(run, err);
}

static bool eval_all(struct evaluation *v, struct err *err)
{
	for (size_t i = 0; i < v->n_sets; i++) {
		const char *set = job_leaf(&v->arena, v->paths[i]);
		bool ok = fs_is_dir(v->paths[i]) ? eval_folder(v, i, set, err)
						 : eval_sts(v, i, set, err);
		if (!ok)
			return false;
		v->n_done++;
	}
	return true;
}

static void put_set(const struct evaluation *v, size_t i, struct buf *b)
{
	json_put_key(b, "data");
	json_put_str(b, v->paths[i]);
	if (v->n_passages[i] >= 0) {
		json_put_key(b, "split");
		json_put_str(b, opts_str(v->o, "split"));
		json_put_key(b, "passages");
		json_put_int(b, v->n_passages[i]);
	}
	report_put_json(&v->reports[i], b);
}

/* Each figure's mean over the sets that have it. */
static void put_means(const struct evaluation *v, struct buf *b)
{
	json_put_key(b, "metrics");
	buf_addch(b, '{');
	for (size_t i = 0; i < v->n_sets; i++)
		for (size_t m = 0; m < v->reports[i].n_metrics; m++) {
			const char *name = v->reports[i].names[m];
			double sum = 0.0;
			size_t n = 0, first = v->n_sets;
			for (size_t k = 0; k < v->n_sets; k++) {
				double x = report_value(&v->reports[k], name);
				if (isnan(x))
					continue;
				first = n ? first : k;
				sum += x;
				n++;
			}
			if (first != i)
				continue;
			json_put_key(b, name);
			json_put_real(b, sum / (double)n);
		}
	buf_addch(b, '}');
}

static void put_json(const struct evaluation *v, double seconds, struct buf *b)
{
	buf_addch(b, '{');
	json_put_key(b, "format");
	json_put_int(b, 1);
	json_put_key(b, "model");
	json_put_str(b, opts_str(v->o, "model"));
	json_put_key(b, "encoder");
	json_put_str(b, encoder_describe(v->e));
	json_put_key(b, "seconds");
	json_put_real(b, seconds);
	json_put_key(b, "cut");
	json_put_int(b, (int64_t)v->stats.n_cut);
	if (v->n_sets == 1) {
		put_set(v, 0, b);
	} else {
		put_means(v, b);
		json_put_key(b, "sets");
		buf_addch(b, '[');
		for (size_t i = 0; i < v->n_sets; i++) {
			buf_adds(b, i ? ",{" : "{");
			put_set(v, i, b);
			buf_addch(b, '}');
		}
		buf_addch(b, ']');
	}
	buf_addch(b, '}');
}

static bool put_result(const struct evaluation *v, double seconds, struct err *err)
{
	struct buf b = BUF_INIT;
	const char *out = opts_str(v->o, "out");
	bool ok = true;
	if (out || opts_flag(v->o, "json"))
		put_json(v, seconds, &b);
	if (opts_flag(v->o, "json")) {
		puts(b.data);
	} else {
		figures_print(v->reports, v->n_passages, v->n_sets);
		log_info("%s; %zu vectors made, %zu from the cache, %zu texts cut; %.1f s",
			encoder_describe(v->e), v->stats.n_unique - v->stats.n_cached,
			v->stats.n_cached, v->stats.n_cut, seconds);
	}
	if (out) {
		buf_addch(&b, '\n');
		ok = fs_write_atomic(out, b.data, b.len, err);
	}
	buf_release(&b);
	return ok;
}

bool eval_run(const struct opts *o, struct err *err)
{
	struct evaluation v = {.o = o, .arena = ARENA_INIT};
	struct encoder_options how;
	double began = wall_seconds();
	v.n_sets = opts_list(o, "data", &v.paths);
	v.reports = xcalloc(v.n_sets + 1, sizeof *v.reports);
	v.n_passages = xcalloc(v.n_sets + 1, sizeof *v.n_passages);
	v.specs = figures_specs(o, &v.n_specs, err);
	bool ok = v.specs && check_sets(&v, err);
	if (ok) {
		job_encoder_options(o, &v.arena, &how);
		v.e = encoder_open(opts_str(o, "model"), &how, err);
	}
	ok = v.e && eval_all(&v, err) && put_result(&v, wall_seconds() - began, err);
	for (size_t i = 0; i < v.n_done; i++)
		report_release(&v.reports[i]);
	encoder_close(v.e);
	free(v.specs);
	free(v.n_passages);
	free(v.reports);
	arena_release(&v.arena);
	return ok;
}
