#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "data/beir.h"
#include "eval/metrics.h"
#include "eval/report.h"
#include "eval/trec.h"
#include "job/training.h"
#include "mine/search.h"

#define DEPTH ((size_t)1000)

struct training_eval {
	struct training *t;
	struct rundir *run;
	struct beir beir;
	struct encoder *encoder;
	struct metric_spec *specs;
	size_t n_specs;
};

struct training_eval *training_eval_open(struct training *t, struct rundir *run, struct err *err)
{
	static const size_t ks[] = {10, 100};
	struct training_eval *e = xcalloc(1, sizeof *e);
	e->t = t;
	e->run = run;
	if (!fs_mkdirs(rundir_file(run, "eval"), err) ||
		!beir_open(
			opts_str(t->o, "eval-data"), opts_str(t->o, "eval-split"), &e->beir, err)) {
		free(e);
		return NULL;
	}
	e->encoder = encoder_around(t->model, t->tokenizer, &t->prompts, t->root, &t->encoding);
	e->specs = metric_specs(ks, ARRAY_LEN(ks), &e->n_specs);
	return e;
}

void training_eval_close(struct training_eval *e)
{
	if (!e)
		return;
	encoder_close(e->encoder);
	beir_close(&e->beir);
	free(e->specs);
	free(e);
}

/* Vectors of one side, scaled to length 1; the caller's to free(). */
static float *encode(struct training_eval *e, enum encode_role role, const struct text *texts,
	size_t n, struct err *err)
{
	size_t dim = (size_t)encoder_dim(e->encoder);
	float *out = try_malloc(n, dim * sizeof *out, "the vectors of an evaluation", err);
	if (out && !encoder_encode_texts(e->encoder, role, texts, n, out, NULL, err)) {
		free(out);
		return NULL;
	}
	if (out)
		search_normalize(out, n, dim);
	return out;
}

static int in_trec_order(const void *a, const void *b, void *ids)
{
	const struct hit *x = a, *y = b;
	const struct text *id = ids;
	if (x->id < 0 || y->id < 0)
		return (x->id < 0) - (y->id < 0);
	return trec_before((double)x->score, id[x->id], (double)y->score, id[y->id]) ? -1 : 1;
}

/* The figures of query q into its row of the report. */
static void measure(struct training_eval *e, size_t q, const struct qrel *qrels, size_t n_qrels,
	struct hit *hits, size_t depth, struct report *r)
{
	uint32_t *ranked = xcalloc(depth + 1, sizeof *ranked);
	struct judged *judged = xcalloc(n_qrels + 1, sizeof *judged);
	size_t n = 0;
	qsort_r(hits, depth, sizeof *hits, in_trec_order, e->beir.doc_ids);
	while (n < depth && hits[n].id >= 0) {
		ranked[n] = (uint32_t)hits[n].id;
		n++;
	}
	for (size_t i = 0; i < n_qrels; i++)
		judged[i] = (struct judged){qrels[i].doc, qrels[i].grade};
	struct graded graded = graded_new(ranked, n, judged, n_qrels);
	r->ids[q] = arena_text(&r->arena, e->beir.query_ids[q]);
	for (size_t m = 0; m < e->n_specs; m++)
		r->cells[q * r->n_columns + m] =
			metric_graded(e->specs[m].metric, e->specs[m].k, 1, &graded);
	graded_release(&graded);
	free(ranked);
	free(judged);
}

static void measure_all(struct training_eval *e, struct hit *hits, size_t depth, struct report *r)
{
	const struct beir *b = &e->beir;
	const char **names = xcalloc(e->n_specs, sizeof *names);
	for (size_t m = 0; m < e->n_specs; m++)
		names[m] = e->specs[m].name;
	report_init(r, opts_str(e->t->o, "eval-data"), names, e->n_specs, names, e->n_specs,
		b->n_queries);
	for (size_t q = 0, at = 0; q < b->n_queries; q++) {
		size_t end = at;
		while (end < b->n_qrels && b->qrels[end].query == q)
			end++;
		measure(e, q, b->qrels + at, end - at, hits + q * depth, depth, r);
		at = end;
	}
	report_average(r, e->t->opt.seed);
	free(names);
}

static bool search(struct training_eval *e, struct report *ret, struct err *err)
{
	const struct beir *b = &e->beir;
	size_t depth = b->n_docs < DEPTH ? b->n_docs : DEPTH;
	const struct search_options how = {.threads = job_threads(e->t->o)};
	struct hit *hits = try_malloc(b->n_queries, depth * sizeof *hits, "rankings", err);
	float *docs = hits ? encode(e, ENCODE_PASSAGE, b->docs, b->n_docs, err) : NULL;
	float *queries = docs ? encode(e, ENCODE_QUERY, b->queries, b->n_queries, err) : NULL;
	bool ok = queries &&
		search_exact(queries, b->n_queries, docs, b->n_docs,
			(size_t)encoder_dim(e->encoder), depth, &how, hits, err);
	if (ok)
		measure_all(e, hits, depth, ret);
	free(hits);
	free(docs);
	free(queries);
	return ok;
}

/* eval/step-N.json, as `eval --json` writes it for one set. */
static bool keep(struct training_eval *e, int64_t step, const struct report *r, struct err *err)
{
	struct buf b = BUF_INIT;
	char name[64];
	snprintf(name, sizeof name, "eval/step-%lld.json", (long long)step);
	buf_adds(&b, "{");
	report_put_json(r, &b);
	buf_adds(&b, "}\n");
	bool ok = fs_write_atomic(rundir_file(e->run, name), b.data, b.len, err);
	buf_release(&b);
	return ok;
}

bool training_eval_run(void *ctx, int64_t step, struct train_eval *ret, struct err *err)
{
	struct training_eval *e = ctx;
	struct report r;
	if (!search(e, &r, err))
		return false;
	ret->n = 0;
	for (size_t m = 0; m < e->n_specs && ret->n < EVAL_SCALARS; m++)
		ret->scalar[ret->n++] = (struct tf_scalar){e->specs[m].name, r.values[m]};
	bool ok = keep(e, step, &r, err);
	log_info("step %lld: ndcg@10 %.4f, recall@100 %.4f on %s", (long long)step,
		report_value(&r, "ndcg@10"), report_value(&r, "recall@100"),
		opts_str(e->t->o, "eval-data"));
	report_release(&r);
	return ok;
}
