#include "eval/retrieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/signals.h"
#include "eval/trec.h"

#define DEFAULT_TOP 1000
#define QUERIES_AT_ONCE ((size_t)4096)

struct retrieval {
	const struct beir *data;
	const struct retrieve_options *opt;
	size_t dim, top;
	float *queries, *passages; /* [n_queries, dim], [n_docs, dim] */
	struct fs_out *run; /* NULL: none */
	struct report *report;
};

static bool encode(
	struct retrieval *r, struct encoder *e, struct encode_stats *stats, struct err *err)
{
	const struct beir *d = r->data;
	r->queries = try_malloc(d->n_queries + 1, r->dim * sizeof(float), "query vectors", err);
	r->passages = try_malloc(d->n_docs + 1, r->dim * sizeof(float), "passage vectors", err);
	bool ok = r->queries && r->passages &&
		encoder_encode_texts(
			e, ENCODE_QUERY, d->queries, d->n_queries, r->queries, stats, err) &&
		encoder_encode_texts(
			e, ENCODE_PASSAGE, d->docs, d->n_docs, r->passages, stats, err);
	if (ok) {
		search_normalize(r->queries, d->n_queries, r->dim);
		search_normalize(r->passages, d->n_docs, r->dim);
	}
	return ok;
}

static int by_trec(const void *a, const void *b, void *ids)
{
	const struct hit *x = a, *y = b;
	const struct text *id = ids;
	if (trec_before((double)x->score, id[x->id], (double)y->score, id[y->id]))
		return -1;
	return trec_before((double)y->score, id[y->id], (double)x->score, id[x->id]);
}

/* First qrel of each query: they stand sorted by query. */
static size_t *starts_of(const struct beir *d)
{
	size_t *start = xcalloc(d->n_queries + 1, sizeof *start);
	for (size_t i = 0; i < d->n_qrels; i++)
		start[d->qrels[i].query + 1]++;
	for (size_t q = 0; q < d->n_queries; q++)
		start[q + 1] += start[q];
	return start;
}

static void measure(struct retrieval *r, size_t query, struct hit *hits, const struct qrel *qrels,
	size_t n_qrels)
{
	const struct retrieve_options *opt = r->opt;
	size_t n = 0;
	while (n < r->top && hits[n].id >= 0)
		n++;
	qsort_r(hits, n, sizeof *hits, by_trec, r->data->doc_ids);
	uint32_t *ranked = xcalloc(n + 1, sizeof *ranked);
	struct judged *judged = xcalloc(n_qrels + 1, sizeof *judged);
	for (size_t i = 0; i < n; i++)
		ranked[i] = (uint32_t)hits[i].id;
	for (size_t i = 0; i < n_qrels; i++)
		judged[i] = (struct judged){qrels[i].doc, qrels[i].grade};
	struct graded g = graded_new(ranked, n, judged, n_qrels);
	for (size_t m = 0; m < opt->n_specs; m++)
		r->report->cells[query * opt->n_specs + m] =
			metric_graded(opt->specs[m].metric, opt->specs[m].k, 1, &g);
	for (size_t i = 0; r->run && i < n; i++)
		trec_put_line(r->run, r->data->query_ids[query], r->data->doc_ids[hits[i].id],
			i + 1, hits[i].score, opt->tag ? opt->tag : "vecsmith");
	graded_release(&g);
	free(judged);
	free(ranked);
}

static bool rank(struct retrieval *r, struct err *err)
{
	const struct beir *d = r->data;
	size_t at_once = d->n_queries < QUERIES_AT_ONCE ? d->n_queries : QUERIES_AT_ONCE;
	struct hit *hits = try_malloc(at_once * r->top + 1, sizeof *hits, "hits", err);
	size_t *start = starts_of(d);
	bool ok = hits != NULL;
	for (size_t from = 0; ok && from < d->n_queries; from += at_once) {
		size_t n = d->n_queries - from < at_once ? d->n_queries - from : at_once;
		ok = search_exact(r->queries + from * r->dim, n, r->passages, d->n_docs, r->dim,
			r->top, &r->opt->search, hits, err);
		for (size_t i = 0; ok && i < n; i++)
			measure(r, from + i, hits + i * r->top, d->qrels + start[from + i],
				start[from + i + 1] - start[from + i]);
		ok = ok && stop_check(err);
	}
	free(start);
	free(hits);
	return ok;
}

bool retrieve(struct encoder *e, const struct beir *data, const char *set,
	const struct retrieve_options *opt, struct report *ret, struct encode_stats *stats,
	struct err *err)
{
	struct retrieval r = {.data = data,
		.opt = opt,
		.dim = (size_t)encoder_dim(e),
		.top = opt->top ? opt->top : DEFAULT_TOP,
		.report = ret};
	const char **names = xcalloc(opt->n_specs + 1, sizeof *names);
	for (size_t m = 0; m < opt->n_specs; m++)
		names[m] = opt->specs[m].name;
	if (r.top > data->n_docs)
		r.top = data->n_docs;
	report_init(ret, set, names, opt->n_specs, names, opt->n_specs, data->n_queries);
	for (size_t q = 0; q < data->n_queries; q++)
		ret->ids[q] = arena_text(&ret->arena, data->query_ids[q]);
	bool ok = encode(&r, e, stats, err);
	if (ok && opt->run_path)
		ok = (r.run = fs_out_open(opt->run_path, err)) != NULL;
	ok = ok && rank(&r, err);
	if (ok && r.run)
		ok = fs_out_commit(r.run, err);
	else
		fs_out_abort(r.run);
	if (ok)
		report_average(ret, opt->seed);
	else
		report_release(ret);
	free(names);
	free(r.queries);
	free(r.passages);
	return ok;
}
