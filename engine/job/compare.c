#include "eval/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "job/common.h"

static bool is_shown(const struct opts *o, const char *name)
{
	static const char *const main_ones[] = {"ndcg@10", "recall@10", "recall@100", "mrr@10",
		"map", "spearman_cosine", "pearson_cosine"};
	const char *const *asked;
	size_t n = opts_list(o, "metrics", &asked);
	for (size_t i = 0; i < n; i++)
		if (strcmp(asked[i], name) == 0)
			return true;
	for (size_t i = 0; n == 0 && i < ARRAY_LEN(main_ones); i++)
		if (strcmp(main_ones[i], name) == 0)
			return true;
	return false;
}

static size_t n_worst(const struct opts *o, const struct comparison *c)
{
	size_t n = 0, most = (size_t)opts_int(o, "worst");
	while (c->judged_by && n < c->n_common && n < most &&
		c->queries[n].after < c->queries[n].before)
		n++;
	return n;
}

static void put_metric_row(
	struct table *t, const struct comparison *c, const struct compared_metric *m)
{
	table_text(t, text_of(c->set));
	table_cell(t, "%s", m->name);
	table_cell(t, "%.4f", m->before);
	table_cell(t, "%.4f", m->after);
	table_cell(t, "%+.4f", m->after - m->before);
	if (m->is_paired)
		table_cell(t, "%+.4f to %+.4f", m->difference.low, m->difference.high);
	else
		table_cell(t, "-");
	if (isnan(m->p))
		table_cell(t, "-");
	else
		table_cell(t, "%.4f", m->p);
	if (m->won + m->lost + m->tied)
		table_cell(t, "%zu / %zu / %zu", m->won, m->lost, m->tied);
	else
		table_cell(t, "-");
}

static void print_table(const struct opts *o, const struct comparison *c, size_t n)
{
	static const char *const heads[] = {"set", "metric", "before", "after", "difference",
		"95 % interval", "p", "won / lost / tied"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < c[i].n_metrics; m++)
			if (is_shown(o, c[i].metrics[m].name))
				put_metric_row(t, &c[i], &c[i].metrics[m]);
	table_print(t, stdout);
	for (size_t i = 0; i < n; i++) {
		if (c[i].n_only_before || c[i].n_only_after)
			printf("%s: %zu queries only before, %zu only after: left out\n", c[i].set,
				c[i].n_only_before, c[i].n_only_after);
		size_t worst = n_worst(o, &c[i]);
		if (!worst)
			continue;
		static const char *const lost[] = {"lost most", "before", "after", "difference"};
		printf("\n%s, by %s\n", c[i].set, c[i].judged_by);
		t = table_new(lost, ARRAY_LEN(lost));
		for (size_t q = 0; q < worst; q++) {
			const struct compared_query *x = &c[i].queries[q];
			table_text(t, x->id);
			table_cell(t, "%.4f", x->before);
			table_cell(t, "%.4f", x->after);
			table_cell(t, "%+.4f", x->after - x->before);
		}
		table_print(t, stdout);
	}
}

static void put_real(struct buf *b, const char *key, double v)
{
	json_put_key(b, key);
	json_put_real(b, v);
}

static void put_count(struct buf *b, const char *key, size_t n)
{
	json_put_key(b, key);
	json_put_int(b, (int64_t)n);
}

static void put_metric(struct buf *b, const struct compared_metric *m)
{
	json_put_key(b, m->name);
	buf_addch(b, '{');
	put_real(b, "before", m->before);
	put_real(b, "after", m->after);
	put_real(b, "difference", m->after - m->before);
	if (m->is_paired) {
		json_put_key(b, "ci");
		buf_addch(b, '[');
		json_put_real(b, m->difference.low);
		buf_addch(b, ',');
		json_put_real(b, m->difference.high);
		buf_addch(b, ']');
	}
	if (!isnan(m->p)) {
		put_real(b, "p", m->p);
		put_count(b, "won", m->won);
		put_count(b, "lost", m->lost);
		put_count(b, "tied", m->tied);
	}
	buf_addch(b, '}');
}

static void put_comparison(struct buf *b, const struct opts *o, const struct comparison *c)
{
	buf_addch(b, '{');
	json_put_key(b, "set");
	json_put_str(b, c->set);
	put_count(b, "queries", c->n_common);
	put_count(b, "only_before", c->n_only_before);
	put_count(b, "only_after", c->n_only_after);
	json_put_key(b, "metrics");
	buf_addch(b, '{');
	for (size_t m = 0; m < c->n_metrics; m++)
		put_metric(b, &c->metrics[m]);
	buf_adds(b, "}");
	json_put_key(b, "worst");
	buf_addch(b, '[');
	for (size_t q = 0, n = n_worst(o, c); q < n; q++) {
		buf_adds(b, q ? ",{" : "{");
		json_put_key(b, "query");
		json_put_text(b, c->queries[q].id);
		put_real(b, "before", c->queries[q].before);
		put_real(b, "after", c->queries[q].after);
		put_real(b, "difference", c->queries[q].after - c->queries[q].before);
		buf_addch(b, '}');
	}
	buf_adds(b, "]}");
}

static void print_json(
	const struct opts *o, const char *const *paths, const struct comparison *c, size_t n)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	json_put_key(&b, "before");
	json_put_str(&b, paths[0]);
	json_put_key(&b, "after");
	json_put_str(&b, paths[1]);
	json_put_key(&b, "by");
	json_put_str(&b, opts_str(o, "by"));
	json_put_key(&b, "sets");
	buf_addch(&b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(&b, ',');
		put_comparison(&b, o, &c[i]);
	}
	buf_adds(&b, "]}");
	puts(b.data);
	buf_release(&b);
}

bool compare_run(const struct opts *o, struct err *err)
{
	const char *const *paths;
	struct report_set before = {NULL, 0}, after = {NULL, 0};
	if (opts_list(o, "reports", &paths) != 2)
		return err_set(
			err, ERR_USAGE, "compare takes two evaluations: compare BEFORE AFTER");
	bool ok = report_set_open(paths[0], &before, err) && report_set_open(paths[1], &after, err);
	struct comparison *c = xcalloc(after.n + 1, sizeof *c);
	size_t n = 0;
	for (size_t i = 0; ok && i < after.n; i++) {
		const struct report *old = report_set_find(&before, after.r[i].set);
		if (old)
			compare_reports(old, &after.r[i], opts_str(o, "by"),
				(uint64_t)opts_int(o, "seed"), &c[n++]);
	}
	if (ok && n == 0)
		ok = err_set(err, ERR_DATA, "%s and %s have no set in common (%s there, %s here)",
			paths[0], paths[1], before.r[0].set, after.r[0].set);
	if (ok && opts_flag(o, "json"))
		print_json(o, paths, c, n);
	else if (ok)
		print_table(o, c, n);
	for (size_t i = 0; i < n; i++)
		comparison_release(&c[i]);
	free(c);
	report_set_close(&before);
	report_set_close(&after);
	return ok;
}
