#include "job/figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KS 64

struct metric_spec *figures_specs(const struct opts *o, size_t *ret_n, struct err *err)
{
	const char *const *words;
	size_t ks[MOST_KS], n = opts_list(o, "k", &words);
	if (n == 0)
		return metric_specs(metric_ks, ARRAY_LEN(metric_ks), ret_n);
	if (n > MOST_KS) {
		err_set(err, ERR_USAGE, "--k lists %zu cut-offs, at most %d go", n, MOST_KS);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		char *end;
		errno = 0;
		unsigned long long k = strtoull(words[i], &end, 10);
		if (*end || errno || k == 0 || words[i][0] == '-') {
			err_set(err, ERR_USAGE,
				"--k holds \"%s\", expected numbers from 1 on, as 1,10,100",
				words[i]);
			return NULL;
		}
		ks[i] = (size_t)k;
	}
	return metric_specs(ks, n, ret_n);
}

static void put_value(struct table *t, const struct report *r, const char *name)
{
	double v = report_value(r, name);
	if (isnan(v))
		table_cell(t, "-");
	else
		table_cell(t, "%.4f", v);
}

static void put_interval(struct table *t, const struct report *r, const char *name)
{
	int at = report_metric(r, name);
	if (at < 0 || isnan(r->low[at]))
		table_cell(t, "-");
	else
		table_cell(t, "%.4f to %.4f", r->low[at], r->high[at]);
}

static bool is_sts(const struct report *r)
{
	return report_metric(r, "spearman_cosine") >= 0;
}

static void print_retrievals(const struct report *r, const int64_t *n_passages, size_t n)
{
	static const char *const heads[] = {"set", "queries", "passages", "ndcg@10",
		"95 % interval", "recall@10", "recall@100", "mrr@10", "map"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++) {
		if (is_sts(&r[i]))
			continue;
		table_text(t, text_of(r[i].set));
		table_cell(t, "%zu", r[i].n_queries);
		if (n_passages[i] < 0)
			table_cell(t, "-");
		else
			table_cell(t, "%lld", (long long)n_passages[i]);
		put_value(t, &r[i], "ndcg@10");
		put_interval(t, &r[i], "ndcg@10");
		put_value(t, &r[i], "recall@10");
		put_value(t, &r[i], "recall@100");
		put_value(t, &r[i], "mrr@10");
		put_value(t, &r[i], "map");
	}
	table_print(t, stdout);
}

static void print_sts(const struct report *r, size_t n)
{
	static const char *const heads[] = {
		"set", "pairs", "spearman_cosine", "95 % interval", "pearson_cosine"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++) {
		if (!is_sts(&r[i]))
			continue;
		table_text(t, text_of(r[i].set));
		table_cell(t, "%zu", r[i].n_queries);
		put_value(t, &r[i], "spearman_cosine");
		put_interval(t, &r[i], "spearman_cosine");
		put_value(t, &r[i], "pearson_cosine");
	}
	table_print(t, stdout);
}

void figures_print(const struct report *r, const int64_t *n_passages, size_t n)
{
	size_t n_sts = 0;
	for (size_t i = 0; i < n; i++)
		n_sts += is_sts(&r[i]);
	if (n_sts < n)
		print_retrievals(r, n_passages, n);
	if (n_sts)
		print_sts(r, n);
}
