#include "mine/miner.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parallel.h"
#include "job/common.h"

/* "A-B": two whole numbers, A < B. */
static bool parse_range(const char *s, struct negative_rules *rules, struct err *err)
{
	char *dash = NULL, *end = NULL;
	errno = 0;
	unsigned long long from = strtoull(s, &dash, 10);
	unsigned long long to = *dash == '-' ? strtoull(dash + 1, &end, 10) : 0;
	if (!isdigit((unsigned char)s[0]) || !end || !isdigit((unsigned char)dash[1]) || *end ||
		errno || from >= to)
		return err_set(err, ERR_USAGE,
			"--range is \"%s\", expected A-B with A < B, as 10-210 for ranks 10 to 209",
			s);
	rules->from = (size_t)from;
	rules->to = (size_t)to;
	return true;
}

/* --range-after may bring a slice of its own. */
static const char *range_text(const struct opts *o)
{
	const char *after = opts_str(o, "range-after");
	return after && *after ? after : opts_str(o, "range");
}

static double real_or_nan(const struct opts *o, const char *name)
{
	return opts_has(o, name) ? opts_real(o, name) : (double)NAN;
}

static bool read_options(
	const struct opts *o, struct arena *a, struct miner_options *ret, struct err *err)
{
	const char *model = opts_str(o, "model");
	*ret = (struct miner_options){
		.rules = NEGATIVE_RULES_INIT,
		.search = {job_threads(o), opts_has(o, "tile") ? (size_t)opts_int(o, "tile") : 0},
		.keep_negatives = opts_flag(o, "keep-negatives"),
		.from = opts_str(o, "from"),
	};
	if (!ret->from)
		ret->from = arena_printf(a, "mine:%s", job_leaf(a, model));
	struct negative_rules *rules = &ret->rules;
	rules->range_after = opts_has(o, "range-after");
	rules->margin_abs = real_or_nan(o, "margin-abs");
	rules->margin_rel = real_or_nan(o, "margin-rel");
	rules->max_score = real_or_nan(o, "max-score");
	rules->min_score = real_or_nan(o, "min-score");
	rules->n = (size_t)opts_int(o, "negatives");
	rules->simans_a = opts_real(o, "simans-a");
	rules->simans_b = opts_real(o, "simans-b");
	rules->fill = strcmp(opts_str(o, "fill"), "random") == 0;
	rules->seed = (uint64_t)opts_int(o, "seed");
	negative_sampling_parse(opts_str(o, "sampling"), &rules->sampling);
	return parse_range(range_text(o), rules, err);
}

/* One thing that the result says: a key for scripts, words for people. */
struct fact {
	const char *key, *words;
	int64_t n;
};

static void put_table(const struct fact *f, size_t n, const struct miner_report *r, double seconds,
	const char *encoder)
{
	static const char *const heads[] = {"mined", ""};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%s", f[i].words);
		table_cell(t, "%lld", (long long)f[i].n);
	}
	for (enum drop d = 0; d < DROP_KINDS; d++) {
		table_cell(t, "dropped: %s", drop_name(d));
		table_cell(t, "%zu", r->counts.dropped[d]);
	}
	table_cell(t, "seconds (encoding, searching)");
	table_cell(t, "%.2f (%.2f, %.2f)", seconds, r->seconds_encoding, r->seconds_searching);
	table_cell(t, "encoder");
	table_cell(t, "%s", encoder);
	table_print(t, stdout);
}

static void put_json(const struct fact *f, size_t n, const struct miner_report *r, double seconds,
	const char *encoder, const char *out)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	for (size_t i = 0; i < n; i++) {
		json_put_key(&b, f[i].key);
		json_put_int(&b, f[i].n);
	}
	json_put_key(&b, "dropped");
	buf_addch(&b, '{');
	for (enum drop d = 0; d < DROP_KINDS; d++) {
		json_put_key(&b, drop_name(d));
		json_put_int(&b, (int64_t)r->counts.dropped[d]);
	}
	buf_addch(&b, '}');
	json_put_key(&b, "seconds");
	json_put_real(&b, seconds);
	json_put_key(&b, "seconds_encoding");
	json_put_real(&b, r->seconds_encoding);
	json_put_key(&b, "seconds_searching");
	json_put_real(&b, r->seconds_searching);
	json_put_key(&b, "encoder");
	json_put_str(&b, encoder);
	json_put_key(&b, "out");
	json_put_str(&b, out);
	buf_addch(&b, '}');
	puts(b.data);
	buf_release(&b);
}

static void put_result(const struct opts *o, const struct mine_rows *x,
	const struct miner_report *r, double seconds, const char *encoder)
{
	const struct encode_stats *p = &r->passages, *q = &r->queries;
	const struct fact facts[] = {
		{"rows", "rows written", (int64_t)x->n_rows},
		{"broken", "broken rows, left out", (int64_t)x->n_broken},
		{"no_query", "rows without a query, left out", (int64_t)x->n_no_query},
		{"no_positive", "rows without a positive, left out", (int64_t)x->n_no_positive},
		{"corpus", "passages to mine from", (int64_t)x->n_corpus},
		{"negatives", "negatives mined", (int64_t)r->counts.n_chosen},
		{"filled", "of them random fill", (int64_t)r->counts.n_filled},
		{"kept", "old negatives kept", (int64_t)r->n_kept},
		{"kept_dropped", "old negatives that no negative may be",
			(int64_t)r->n_kept_dropped},
		{"replaced", "old negatives replaced", (int64_t)r->n_replaced},
		{"short", "rows with fewer than asked", (int64_t)r->counts.n_short},
		{"none", "rows without any", (int64_t)r->counts.n_none},
		{"cached", "vectors from the cache", (int64_t)(p->n_cached + q->n_cached)},
		{"cut", "new texts cut to the model's length", (int64_t)(p->n_cut + q->n_cut)},
	};
	if (opts_flag(o, "json"))
		put_json(facts, ARRAY_LEN(facts), r, seconds, encoder, opts_str(o, "out"));
	else
		put_table(facts, ARRAY_LEN(facts), r, seconds, encoder);
}

static struct dataset *open_rows(const struct opts *o, struct arena *a, struct err *err)
{
	const char *const *paths;
	size_t n = opts_list(o, "in", &paths);
	struct dataset_options opt = {
		.split = opts_str(o, "split"), .cache_dir = job_cache_dir(o, a)};
	return dataset_open(paths, n, &opt, err);
}

bool mine_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct miner_options opt;
	struct mine_rows rows = {.n_rows = 0};
	struct miner_report report;
	struct encoder_options how;
	struct encoder *e = NULL;
	double began = wall_seconds();
	bool ok = read_options(o, &a, &opt, err);
	struct dataset *d = ok ? open_rows(o, &a, err) : NULL;
	/* What cannot be used is said before the model is touched. */
	ok = d && mine_rows_read(&rows, d, opts_str(o, "pool"), opts_flag(o, "strict"), err);
	if (ok && opt.rules.from >= rows.n_corpus && opt.rules.sampling != SAMPLING_CORPUS)
		log_warn("the corpus has %zu passages, none of rank %zu: --range %s finds nothing",
			rows.n_corpus, opt.rules.from, range_text(o));
	if (ok) {
		job_encoder_options(o, &a, &how);
		e = encoder_open(opts_str(o, "model"), &how, err);
	}
	ok = e && miner_run(&rows, d, e, &opt, opts_str(o, "out"), &report, err);
	if (ok)
		put_result(o, &rows, &report, wall_seconds() - began, encoder_describe(e));
	encoder_close(e);
	mine_rows_release(&rows);
	dataset_close(d);
	arena_release(&a);
	return ok;
}
