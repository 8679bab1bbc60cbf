#include "mine/miner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/signals.h"

#define HITS_AT_ONCE ((size_t)1 << 23) /* 64 MB: how many queries are searched in one go */

/* What was decided for every row, in the order of the rows. */
struct decided {
	struct negative *negatives;
	size_t *start; /* [n_rows] */
	uint32_t *n; /* [n_rows] */
	float *sims; /* [n_refs] of positives and old negatives; NaN for blank ones */
};

struct miner {
	const struct mine_rows *x;
	const struct miner_options *opt;
	struct encoder *e;
	size_t dim;
	uint32_t *prefix_of; /* [n_kinds] number of the passage prefix */
	struct text *prefixes;
	size_t n_prefixes;
	float *queries, *passages; /* [n_queries, dim], [n_texts, dim] under one prefix */
	struct decided done;
	size_t n_negatives, cap_negatives;
	struct miner_report *report;
	struct arena arena;
};

static bool encode_queries(struct miner *m, struct err *err)
{
	const struct mine_rows *x = m->x;
	struct encode_item *items = xcalloc(x->n_queries, sizeof *items);
	for (size_t i = 0; i < x->n_queries; i++)
		items[i] = (struct encode_item){
			prompts_query(encoder_prompts(m->e), x->queries[i].instruction, &m->arena),
			x->queries[i].text};
	m->queries = try_malloc(x->n_queries, m->dim * sizeof(float), "query vectors", err);
	bool ok = m->queries &&
		encoder_encode(m->e, ENCODE_QUERY, items, x->n_queries, m->queries,
			&m->report->queries, err);
	if (ok)
		search_normalize(m->queries, x->n_queries, m->dim);
	free(items);
	return ok;
}

static bool encode_passages(struct miner *m, struct text prefix, struct err *err)
{
	size_t n = m->x->texts.n;
	struct encode_item *items = xcalloc(n, sizeof *items);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct encode_item){prefix, m->x->texts.t[i]};
	bool ok = encoder_encode(
		m->e, ENCODE_PASSAGE, items, n, m->passages, &m->report->passages, err);
	if (ok)
		search_normalize(m->passages, n, m->dim);
	free(items);
	return ok;
}

/* Distinct passage prefixes: nearly always one. */
static void number_prefixes(struct miner *m)
{
	const struct mine_rows *x = m->x;
	m->prefix_of = arena_calloc(&m->arena, x->n_kinds, sizeof *m->prefix_of);
	m->prefixes = arena_calloc(&m->arena, x->n_kinds, sizeof *m->prefixes);
	for (size_t k = 0; k < x->n_kinds; k++) {
		struct text prefix = prompts_passage(encoder_prompts(m->e), x->kinds[k].instruction,
			x->kinds[k].type, &m->arena);
		size_t at = 0;
		while (at < m->n_prefixes && !text_equal(m->prefixes[at], prefix))
			at++;
		if (at == m->n_prefixes)
			m->prefixes[m->n_prefixes++] = prefix;
		m->prefix_of[k] = (uint32_t)at;
	}
}

struct view { /* of one row's query on the texts */
	const struct miner *m;
	const float *query;
};

static float sim_of(void *ctx, uint32_t text)
{
	const struct view *v = ctx;
	return search_dot(v->query, v->m->passages + (size_t)text * v->m->dim, v->m->dim);
}

/* Similarities of the row's own texts; returns the lowest positive's. */
static double own_sims(const struct miner *m, const struct mine_row *row, struct view *v)
{
	double lowest = (double)NAN;
	for (size_t i = 0; i < row->n_pos + row->n_neg; i++) {
		uint32_t text = m->x->refs[row->refs + i];
		float sim = text == TEXT_BLANK ? NAN : sim_of(v, text);
		m->done.sims[row->refs + i] = sim;
		if (i < row->n_pos && !isnan(sim) && !(lowest <= (double)sim))
			lowest = (double)sim;
	}
	return lowest;
}

/* Fold numbers of the old negatives that stay, none when they go. A forbidden one does no harm
 * here: its duplicates are forbidden too. */
static size_t kept_folds(
	const struct miner *m, const struct mine_row *row, struct arena *a, uint32_t **ret)
{
	*ret = arena_calloc(a, row->n_neg, sizeof **ret);
	size_t n = 0;
	for (size_t i = 0; m->opt->keep_negatives && i < row->n_neg; i++) {
		uint32_t text = m->x->refs[row->refs + row->n_pos + i];
		if (text != TEXT_BLANK)
			(*ret)[n++] = m->x->texts.fold[text];
	}
	return n;
}

static struct negative_row view_row(
	const struct miner *m, const struct mine_row *row, struct view *v, struct arena *a)
{
	const struct mine_positive *p;
	size_t n = mine_rows_positives(m->x, row, &p);
	uint32_t *positives = arena_calloc(a, n, sizeof *positives), *kept;
	for (size_t i = 0; i < n; i++)
		positives[i] = p[i].text;
	size_t n_kept = kept_folds(m, row, a, &kept);
	return (struct negative_row){.positives = positives,
		.n_positives = n,
		.query_fold = m->x->queries[row->query].fold,
		.kept_folds = kept,
		.n_kept = n_kept,
		.stream = row->stream,
		.fold = m->x->texts.fold,
		.n_corpus = m->x->n_corpus,
		.sim = sim_of,
		.ctx = v};
}

static void decide_row(struct miner *m, size_t i, const struct hit *hits, size_t k)
{
	const struct mine_row *row = &m->x->rows[i];
	struct view v = {m, m->queries + (size_t)row->query * m->dim};
	struct arena_mark mark = arena_mark(&m->arena);
	struct negative_row view = view_row(m, row, &v, &m->arena);
	view.hits = hits;
	view.n_hits = k;
	view.lowest = own_sims(m, row, &v);
	size_t n = m->opt->rules.n;
	if (m->n_negatives + n > m->cap_negatives) {
		m->cap_negatives = 2 * m->cap_negatives + n;
		m->done.negatives = xreallocarray(
			m->done.negatives, m->cap_negatives, sizeof *m->done.negatives);
	}
	m->done.start[i] = m->n_negatives;
	m->done.n[i] = (uint32_t)negatives_choose(
		&m->opt->rules, &view, m->done.negatives + m->n_negatives, &m->report->counts);
	m->n_negatives += m->done.n[i];
	arena_rewind(&m->arena, mark);
}

/* Hits to look at for every row: the range, and with range_after all that could stand before it. */
static size_t hits_needed(const struct miner *m)
{
	const struct negative_rules *rules = &m->opt->rules;
	size_t most = 0, to = rules->to;
	if (rules->sampling == SAMPLING_CORPUS)
		return 0;
	if (rules->range_after) {
		uint32_t *texts_of_fold =
			xcalloc(map_size(&m->x->texts.by_fold) + 1, sizeof *texts_of_fold);
		for (size_t i = 0; i < m->x->n_corpus; i++)
			texts_of_fold[m->x->texts.fold[i]]++;
		for (size_t i = 0; i < m->x->n_rows; i++) {
			const struct mine_positive *p;
			size_t n = mine_rows_positives(m->x, &m->x->rows[i], &p);
			size_t out = texts_of_fold[m->x->queries[m->x->rows[i].query].fold];
			for (size_t j = 0; j < n; j++)
				out += texts_of_fold[m->x->texts.fold[p[j].text]];
			most = out > most ? out : most;
		}
		free(texts_of_fold);
	}
	size_t all = m->x->n_corpus;
	return to > all || most > all - to ? all : to + most;
}

/* Rows `which` [n], all under the prefix whose passages are in place. */
static bool search_rows(struct miner *m, const size_t *which, size_t n, size_t k, struct err *err)
{
	size_t at_once = HITS_AT_ONCE / (k + 1) + 1;
	at_once = at_once < n ? at_once : n;
	float *q = try_malloc(at_once, m->dim * sizeof *q, "query vectors", err);
	struct hit *hits = try_malloc(at_once * k + 1, sizeof *hits, "hits", err);
	bool ok = q && hits;
	for (size_t from = 0; ok && from < n; from += at_once) {
		size_t count = n - from < at_once ? n - from : at_once;
		for (size_t i = 0; i < count; i++)
			memcpy(q + i * m->dim,
				m->queries + (size_t)m->x->rows[which[from + i]].query * m->dim,
				m->dim * sizeof *q);
		ok = search_exact(q, count, m->passages, m->x->n_corpus, m->dim, k, &m->opt->search,
			hits, err);
		for (size_t i = 0; ok && i < count; i++)
			decide_row(m, which[from + i], hits + i * k, k);
		log_progress("mine", (int64_t)(from + count), (int64_t)n);
		ok = ok && stop_check(err);
	}
	free(hits);
	free(q);
	return ok;
}

static bool decide(struct miner *m, struct err *err)
{
	const struct mine_rows *x = m->x;
	size_t k = hits_needed(m);
	size_t *which = xcalloc(x->n_rows, sizeof *which);
	m->done.start = xcalloc(x->n_rows, sizeof *m->done.start);
	m->done.n = xcalloc(x->n_rows, sizeof *m->done.n);
	m->done.sims = xcalloc(x->n_refs + 1, sizeof *m->done.sims);
	m->passages = try_malloc(x->texts.n, m->dim * sizeof(float), "passage vectors", err);
	bool ok = m->passages != NULL;
	for (size_t prefix = 0; ok && prefix < m->n_prefixes; prefix++) {
		double began = wall_seconds();
		ok = encode_passages(m, m->prefixes[prefix], err);
		m->report->seconds_encoding += wall_seconds() - began;
		size_t n = 0;
		for (size_t i = 0; i < x->n_rows; i++)
			if (m->prefix_of[x->rows[i].kind] == prefix)
				which[n++] = i;
		began = wall_seconds();
		ok = ok && search_rows(m, which, n, k, err);
		m->report->seconds_searching += wall_seconds() - began;
	}
	log_progress_end();
	free(which);
	return ok;
}

/* Old negatives that stay, in their order. */
static size_t keep_old(struct miner *m, const struct mine_row *row, const struct record *r,
	struct candidate *out, struct arena *a)
{
	struct view v = {m, NULL};
	struct negative_row view = view_row(m, row, &v, a);
	size_t n = 0;
	for (size_t i = 0; i < r->n_neg; i++) {
		size_t ref = row->refs + row->n_pos + i;
		uint32_t text = m->x->refs[ref];
		if (text != TEXT_BLANK && negative_forbidden(&view, text) != DROP_KINDS) {
			m->report->n_kept_dropped++;
			continue;
		}
		out[n] = r->neg[i];
		if (isnan(out[n].sim))
			out[n].sim = search_shortest(m->done.sims[ref]);
		n++;
	}
	m->report->n_kept += n;
	return n;
}

static void write_row(
	struct miner *m, size_t i, struct record *r, struct json_parser *p, struct fs_out *out)
{
	const struct mine_row *row = &m->x->rows[i];
	struct arena_mark mark = arena_mark(&m->arena);
	struct candidate *neg =
		arena_calloc(&m->arena, r->n_neg + m->opt->rules.n + 1, sizeof *neg);
	size_t n = 0;
	if (m->opt->keep_negatives)
		n = keep_old(m, row, r, neg, &m->arena);
	else
		m->report->n_replaced += r->n_neg;
	for (size_t k = 0; k < m->done.n[i]; k++) {
		const struct negative *mined = &m->done.negatives[m->done.start[i] + k];
		neg[n] = candidate_of(m->x->texts.t[mined->text]);
		neg[n].sim = search_shortest(mined->sim);
		neg[n].rank = mined->rank;
		neg[n++].from = text_of(m->opt->from);
	}
	for (size_t k = 0; k < r->n_pos; k++)
		r->pos[k].sim = search_shortest(m->done.sims[row->refs + k]);
	r->neg = neg;
	r->n_neg = n;
	struct buf line = BUF_INIT;
	record_write(r, p, &line);
	buf_addch(&line, '\n');
	fs_out_text(out, buf_text(&line));
	buf_release(&line);
	arena_rewind(&m->arena, mark);
}

static bool write_rows(struct miner *m, const struct dataset *d, const char *path, struct err *err)
{
	struct fs_out *out = fs_out_open(path, err);
	if (!out)
		return false;
	struct row_reader *reader = row_reader_new(d);
	struct json_parser *p = json_parser_new();
	bool ok = true;
	for (size_t i = 0; ok && i < m->x->n_rows; i++) {
		struct record r;
		ok = row_reader_get(reader, m->x->rows[i].row, &r, err);
		if (ok)
			write_row(m, i, &r, p, out);
	}
	json_parser_free(p);
	row_reader_free(reader);
	if (!ok)
		fs_out_abort(out);
	return ok && fs_out_commit(out, err);
}

bool miner_run(const struct mine_rows *x, const struct dataset *d, struct encoder *e,
	const struct miner_options *opt, const char *out, struct miner_report *ret, struct err *err)
{
	*ret = (struct miner_report){.n_kept = 0};
	struct miner m = {.x = x,
		.opt = opt,
		.e = e,
		.dim = (size_t)encoder_dim(e),
		.report = ret,
		.arena = ARENA_INIT};
	double began = wall_seconds();
	number_prefixes(&m);
	bool ok = encode_queries(&m, err);
	ret->seconds_encoding = wall_seconds() - began;
	ok = ok && decide(&m, err) && write_rows(&m, d, out, err);
	free(m.queries);
	free(m.passages);
	free(m.done.negatives);
	free(m.done.start);
	free(m.done.n);
	free(m.done.sims);
	arena_release(&m.arena);
	return ok;
}
