#include "mine/score.h"

#include <stdio.h>

#include "base/log.h"
#include "base/parallel.h"
#include "job/common.h"

struct scored { /* what the result says beside the report */
	const char *kind, *name, *form;
	const char *family; /* of a reranker */
	int64_t max_length;
	char encoder[300];
	double seconds;
};

static void put_json(const struct score_report *r, const struct scored *s, const struct opts *o)
{
	struct buf b = BUF_INIT;
	const struct {
		const char *key;
		int64_t n;
	} counts[] = {
		{"rows", (int64_t)r->n_rows},
		{"broken", (int64_t)r->n_broken},
		{"pairs", (int64_t)r->n_pairs},
		{"scored", (int64_t)r->n_scored},
		{"resumed", (int64_t)r->n_resumed},
		{"cut", (int64_t)r->n_cut},
		{"tokens", r->n_tokens},
	};
	const struct {
		const char *key, *value;
	} words[] = {{"judge", s->kind}, {"name", s->name}, {"form", s->form},
		{"encoder", s->encoder}, {"out", opts_str(o, "out")}};
	buf_addch(&b, '{');
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		json_put_key(&b, counts[i].key);
		json_put_int(&b, counts[i].n);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		json_put_key(&b, words[i].key);
		json_put_str(&b, words[i].value);
	}
	if (s->family) {
		json_put_key(&b, "family");
		json_put_str(&b, s->family);
		json_put_key(&b, "max_length");
		json_put_int(&b, s->max_length);
	}
	json_put_key(&b, "seconds");
	json_put_real(&b, s->seconds);
	buf_addch(&b, '}');
	puts(b.data);
	buf_release(&b);
}

static void put_table(const struct score_report *r, const struct scored *s)
{
	static const char *const heads[] = {"scored", ""};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	const struct {
		const char *words;
		int64_t n;
	} counts[] = {
		{"rows written", (int64_t)r->n_rows},
		{"broken rows, left out", (int64_t)r->n_broken},
		{"pairs in them", (int64_t)r->n_pairs},
		{"scored by the model", (int64_t)r->n_scored},
		{"known from before", (int64_t)r->n_resumed},
		{"longer than the limit, cut", (int64_t)r->n_cut},
	};
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		table_cell(t, "%s", counts[i].words);
		table_cell(t, "%lld", (long long)counts[i].n);
	}
	table_cell(t, "judge");
	table_cell(t, "%s %s, %s%s%s", s->kind, s->name, s->form, s->family ? ", " : "",
		s->family ? s->family : "");
	table_cell(t, "seconds");
	table_cell(t, "%.2f", s->seconds);
	table_cell(t, "encoder");
	table_cell(t, "%s", s->encoder);
	table_print(t, stdout);
}

static bool by_judge(const struct opts *o, const struct dataset *d, const struct score_options *opt,
	struct score_report *ret, struct scored *said, struct err *err)
{
	struct judge_options how = {.dtype = job_dtype(o),
		.attention = opts_str(o, "attention"),
		.label = opts_int(o, "label")};
	if (opts_has(o, "max-length"))
		how.max_length = opts_int(o, "max-length");
	if (opts_has(o, "query-max-length"))
		how.query_max_length = opts_int(o, "query-max-length");
	if (opts_has(o, "batch-tokens"))
		how.batch_tokens = opts_int(o, "batch-tokens");
	if (opts_has(o, "layers"))
		how.layers = opts_int(o, "layers");
	how.family = opts_str(o, "family");
	how.threads = job_threads(o);
	how.query_prefix = text_of(opts_str(o, "query-prompt"));
	how.passage_prefix = text_of(opts_str(o, "passage-prompt"));
	how.instruction = text_of(opts_str(o, "instruction"));
	tn_scope *root = job_open_device(o, err);
	struct judge *j = root ? judge_open(opts_str(o, "model"), root, &how, err) : NULL;
	bool ok = j && score_by_judge(j, d, opt, opts_str(o, "out"), ret, err);
	if (ok) {
		said->kind = "reranker";
		said->form = opt->sigmoid ? "sigmoid" : "raw";
		said->family = judge_family(j);
		said->max_length = judge_max_length(j);
		snprintf(said->encoder, sizeof said->encoder, "%s on %s", judge_dtype(j),
			tn_describe(root));
	}
	judge_close(j);
	if (root)
		tn_close(root);
	return ok;
}

static bool by_encoder(const struct opts *o, struct arena *a, const struct dataset *d,
	const struct score_options *opt, struct score_report *ret, struct scored *said,
	struct err *err)
{
	struct encoder_options how;
	if (opt->sigmoid || opts_given(o, "label") || opts_given(o, "family") ||
		opts_given(o, "layers") || opts_given(o, "instruction"))
		return err_set(err, ERR_USAGE,
			"%s is an embedder, its scores are cosines: --sigmoid, --label, --family, "
			"--layers and --instruction are for rerankers",
			opts_str(o, "model"));
	job_encoder_options(o, a, &how);
	struct encoder *e = encoder_open(opts_str(o, "model"), &how, err);
	bool ok = e && score_by_encoder(e, d, opt, opts_str(o, "out"), ret, err);
	if (ok) {
		said->kind = "embedder";
		said->form = "cosine";
		snprintf(said->encoder, sizeof said->encoder, "%s", encoder_describe(e));
	}
	encoder_close(e);
	return ok;
}

bool score_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *model = opts_str(o, "model"), *name = opts_str(o, "name");
	const char *leaf = job_leaf(&a, model), *const * paths;
	struct score_options opt = {
		name ? name : leaf, leaf, opts_flag(o, "sigmoid"), opts_flag(o, "strict")};
	struct scored said = {.name = opt.name};
	struct score_report report;
	struct dataset_options data = {
		.split = opts_str(o, "split"), .cache_dir = job_cache_dir(o, &a)};
	double began = wall_seconds();
	bool is_judge = false;
	bool ok = !(opts_flag(o, "raw") && opt.sigmoid) ||
		err_set(err, ERR_USAGE, "--raw and --sigmoid exclude each other");
	ok = ok && judge_is(model, &is_judge, err);
	size_t n = opts_list(o, "in", &paths);
	struct dataset *d = ok ? dataset_open(paths, n, &data, err) : NULL;
	ok = d &&
		(is_judge ? by_judge(o, d, &opt, &report, &said, err)
			  : by_encoder(o, &a, d, &opt, &report, &said, err));
	said.seconds = wall_seconds() - began;
	if (ok && opts_flag(o, "json"))
		put_json(&report, &said, o);
	else if (ok)
		put_table(&report, &said);
	dataset_close(d);
	arena_release(&a);
	return ok;
}
