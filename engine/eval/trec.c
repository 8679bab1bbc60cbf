#include "eval/trec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 6 };

void trec_release(struct trec *t)
{
	map_release(&t->queries.map);
	map_release(&t->docs.map);
	free(t->queries.t);
	free(t->docs.t);
	free(t->qrels);
	free(t->run);
	arena_release(&t->arena);
	*t = (struct trec)TREC_INIT;
}

static uint32_t intern(struct trec *t, struct trec_ids *ids, struct text name)
{
	int64_t at = map_intern(&ids->map, name, (int64_t)ids->n);
	if ((size_t)at < ids->n)
		return (uint32_t)at;
	if (ids->n == ids->cap) {
		ids->cap = ids->cap ? 2 * ids->cap : 1024;
		ids->t = xreallocarray(ids->t, ids->cap, sizeof *ids->t);
	}
	ids->t[ids->n++] = arena_text(&t->arena, name);
	return (uint32_t)at;
}

/* Splits at blanks and tabs; at tabs alone when only_tabs (ids of a TSV may hold blanks). */
static size_t split(struct text line, bool only_tabs, struct text *fields)
{
	size_t n = 0, i = 0;
	while (n < MAX_FIELDS) {
		while (i < line.len && (line.s[i] == '\t' || (!only_tabs && line.s[i] == ' ')))
			i++;
		if (i == line.len)
			break;
		size_t from = i;
		while (i < line.len && line.s[i] != '\t' && (only_tabs || line.s[i] != ' '))
			i++;
		fields[n++] = (struct text){line.s + from, i - from};
	}
	return n;
}

static bool number(struct text t, double *ret)
{
	char digits[64], *end;
	if (t.len == 0 || t.len >= sizeof digits)
		return false;
	memcpy(digits, t.s, t.len);
	digits[t.len] = '\0';
	*ret = strtod(digits, &end);
	return *end == '\0' && !isnan(*ret);
}

/* One file being read: what differs between the kinds. */
struct kind {
	size_t n_fields; /* at least */
	size_t doc, value; /* fields of the document and of the number */
	bool only_tabs, whole; /* whole: the number is an integer */
	const char *expected;
};
static const struct kind qrels_kind = {4, 2, 3, false, true, "query, iteration, document, grade"};
static const struct kind beir_kind = {3, 1, 2, true, true, "query-id, corpus-id, score"};
static const struct kind run_kind = {
	5, 2, 4, false, false, "query, Q0, document, rank, score, tag"};

static bool next_line(struct text *rest, struct text *ret)
{
	if (rest->len == 0)
		return false;
	const char *feed = memchr(rest->s, '\n', rest->len);
	size_t len = feed ? (size_t)(feed - rest->s) : rest->len, used = feed ? len + 1 : len;
	*ret = (struct text){rest->s, len && rest->s[len - 1] == '\r' ? len - 1 : len};
	*rest = (struct text){rest->s + used, rest->len - used};
	return true;
}

struct entries {
	struct trec_entry *e;
	size_t n, cap;
};

static bool add_line(struct trec *t, const struct kind *kind, struct text line, size_t line_no,
	struct entries *to, struct err *err)
{
	struct text f[MAX_FIELDS];
	double value = 0.0;
	size_t n = split(line, kind->only_tabs, f);
	if (n == 0 || f[0].s[0] == '#')
		return true;
	if (n < kind->n_fields)
		return err_set(err, ERR_DATA, "%zu field%s, expected %s", n, n == 1 ? "" : "s",
			kind->expected);
	struct text v = f[kind->value];
	if (!number(v, &value) || (kind->whole && value != rint(value))) {
		bool is_head = kind == &beir_kind && line_no == 1;
		return is_head ||
			err_set(err, ERR_DATA, "\"%.*s\" is no %s", (int)(v.len < 40 ? v.len : 40),
				v.s, kind->whole ? "whole number" : "number");
	}
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 4096;
		to->e = xreallocarray(to->e, to->cap, sizeof *to->e);
	}
	to->e[to->n++] = (struct trec_entry){intern(t, &t->queries, f[0]),
		intern(t, &t->docs, f[kind->doc]), value, (uint32_t)line_no};
	return true;
}

static int by_query_and_doc(const void *a, const void *b)
{
	const struct trec_entry *x = a, *y = b;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	if (x->doc != y->doc)
		return x->doc < y->doc ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static bool no_duplicates(
	const struct trec *t, const struct entries *list, const char *path, struct err *err)
{
	for (size_t i = 1; i < list->n; i++) {
		const struct trec_entry *a = &list->e[i - 1], *b = &list->e[i];
		if (a->query != b->query || a->doc != b->doc)
			continue;
		return err_set(err, ERR_DATA,
			"%s:%u: document %.*s stands under query %.*s already, in line %u", path,
			b->line, TEXT_ARG(t->docs.t[b->doc]), TEXT_ARG(t->queries.t[b->query]),
			a->line);
	}
	return true;
}

/* All entries of the file, sorted by query and document. */
static bool read_entries(struct trec *t, const char *path, const struct kind *kind,
	struct entries *ret, struct err *err)
{
	struct fs_map file;
	if (!fs_map(path, &file, err))
		return false;
	struct text rest = {file.data, file.len}, line;
	bool ok = true, is_first = true;
	for (size_t line_no = 1; ok && next_line(&rest, &line); line_no++) {
		struct text f[MAX_FIELDS];
		if (is_first && kind == &qrels_kind && line.len && line.s[0] != '#') {
			is_first = false;
			if (split(line, false, f) == 3 && split(line, true, f) == 3)
				kind = &beir_kind;
		}
		ok = add_line(t, kind, line, line_no, ret, err) ||
			err_prefix(err, "%s:%zu", path, line_no);
	}
	fs_unmap(&file);
	if (ok && ret->n == 0)
		ok = err_set(err, ERR_DATA, "%s: no lines of %s", path, kind->expected);
	if (ok) {
		qsort(ret->e, ret->n, sizeof *ret->e, by_query_and_doc);
		ok = no_duplicates(t, ret, path, err);
	}
	return ok;
}

bool trec_read_qrels(struct trec *t, const char *path, struct err *err)
{
	struct entries list = {NULL, 0, 0};
	if (!read_entries(t, path, &qrels_kind, &list, err)) {
		free(list.e);
		return false;
	}
	free(t->qrels);
	t->qrels = list.e;
	t->n_qrels = list.n;
	return true;
}

bool trec_before(double score_a, struct text id_a, double score_b, struct text id_b)
{
	if (score_a != score_b)
		return score_a > score_b;
	size_t common = id_a.len < id_b.len ? id_a.len : id_b.len;
	int order = common ? memcmp(id_a.s, id_b.s, common) : 0;
	return order ? order > 0 : id_a.len > id_b.len;
}

static int by_rank(const void *a, const void *b, void *docs)
{
	const struct trec_entry *x = a, *y = b;
	const struct text *id = docs;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	if (trec_before(x->value, id[x->doc], y->value, id[y->doc]))
		return -1;
	return trec_before(y->value, id[y->doc], x->value, id[x->doc]);
}

bool trec_read_run(struct trec *t, const char *path, struct err *err)
{
	struct entries list = {NULL, 0, 0};
	if (!read_entries(t, path, &run_kind, &list, err)) {
		free(list.e);
		return false;
	}
	qsort_r(list.e, list.n, sizeof *list.e, by_rank, t->docs.t);
	free(t->run);
	t->run = list.e;
	t->n_run = list.n;
	return true;
}

/* Where each query's entries begin: [n_queries + 1]. */
static size_t *starts_of(const struct trec_entry *e, size_t n, size_t n_queries)
{
	size_t *start = xcalloc(n_queries + 1, sizeof *start);
	for (size_t i = 0; i < n; i++)
		start[e[i].query + 1]++;
	for (size_t q = 0; q < n_queries; q++)
		start[q + 1] += start[q];
	return start;
}

static void measure_query(const struct trec_entry *run, size_t n_run,
	const struct trec_entry *qrels, size_t n_qrels, const struct metric_spec *specs,
	size_t n_specs, int32_t level, double *ret)
{
	uint32_t *ranked = xcalloc(n_run + 1, sizeof *ranked);
	struct judged *judged = xcalloc(n_qrels + 1, sizeof *judged);
	for (size_t i = 0; i < n_run; i++)
		ranked[i] = run[i].doc;
	for (size_t i = 0; i < n_qrels; i++)
		judged[i] = (struct judged){qrels[i].doc, (int32_t)qrels[i].value};
	struct graded g = graded_new(ranked, n_run, judged, n_qrels);
	for (size_t m = 0; m < n_specs; m++)
		ret[m] = metric_graded(specs[m].metric, specs[m].k, level, &g);
	graded_release(&g);
	free(judged);
	free(ranked);
}

void trec_measure(const struct trec *t, const char *set, const struct metric_spec *specs,
	size_t n_specs, const struct trec_options *opt, struct report *ret)
{
	size_t nq = t->queries.n, n = 0;
	size_t *judged = starts_of(t->qrels, t->n_qrels, nq);
	size_t *ranked = starts_of(t->run, t->n_run, nq);
	const char **names = xcalloc(n_specs + 1, sizeof *names);
	for (size_t m = 0; m < n_specs; m++)
		names[m] = specs[m].name;
	report_init(ret, set, names, n_specs, names, n_specs, nq);
	for (size_t q = 0; q < nq; q++) {
		size_t n_judged = judged[q + 1] - judged[q], depth = ranked[q + 1] - ranked[q];
		if (n_judged == 0 || (depth == 0 && !opt->complete))
			continue;
		if (opt->max_docs && depth > opt->max_docs)
			depth = opt->max_docs;
		ret->ids[n] = arena_text(&ret->arena, t->queries.t[q]);
		measure_query(t->run + ranked[q], depth, t->qrels + judged[q], n_judged, specs,
			n_specs, opt->level ? opt->level : 1, ret->cells + n * n_specs);
		n++;
	}
	ret->n_queries = n;
	report_average(ret, opt->seed);
	free(names);
	free(ranked);
	free(judged);
}

void trec_put_line(struct fs_out *f, struct text query, struct text doc, size_t rank, float score,
	const char *tag)
{
	struct buf line = BUF_INIT;
	buf_addtext(&line, query);
	buf_adds(&line, " Q0 ");
	buf_addtext(&line, doc);
	buf_addf(&line, " %zu %.9g %s\n", rank, (double)score, tag);
	fs_out_text(f, buf_text(&line));
	buf_release(&line);
}
