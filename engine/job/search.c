#include "mine/search.h"

#include <stdlib.h>

#include "base/parallel.h"
#include "base/utf8.h"
#include "data/beir.h"
#include "data/texts.h"
#include "job/common.h"

#define SHOWN_COLUMNS 100 /* of a passage, on a table */

struct searching {
	const struct opts *o;
	struct encoder *e;
	struct texts corpus;
	const struct text *queries;
	size_t n_queries, dim, top;
	struct hit *hits; /* [n_queries, top] */
	struct arena arena;
};

static float *encode(
	struct searching *s, enum encode_role role, const struct text *t, size_t n, struct err *err)
{
	float *out = try_malloc(n + 1, s->dim * sizeof *out, "vectors", err);
	if (!out || !encoder_encode_texts(s->e, role, t, n, out, NULL, err)) {
		free(out);
		return NULL;
	}
	search_normalize(out, n, s->dim);
	return out;
}

static bool search_index(struct searching *s, const float *q, struct err *err)
{
	const char *path = opts_str(s->o, "index"), *tune = opts_str(s->o, "index-options");
	struct index *x = index_open(path, err);
	bool ok = x && (!tune || index_tune(x, tune, err));
	if (ok && index_dim(x) != s->dim)
		ok = err_set(err, ERR_USAGE,
			"%s holds vectors of %zu numbers, the model makes %zu: another model built it",
			path, index_dim(x), s->dim);
	if (ok && index_count(x) != s->corpus.n)
		ok = err_set(err, ERR_USAGE,
			"%s holds %zu vectors, --corpus has %zu passages: another corpus it was built "
			"from",
			path, index_count(x), s->corpus.n);
	ok = ok && index_find(x, q, s->n_queries, s->top, s->hits, err);
	index_close(x);
	return ok;
}

static bool search_corpus(struct searching *s, const float *q, struct err *err)
{
	const char *save = opts_str(s->o, "save-index");
	struct search_options opt = {
		job_threads(s->o), opts_has(s->o, "tile") ? (size_t)opts_int(s->o, "tile") : 0};
	float *p = encode(s, ENCODE_PASSAGE, s->corpus.t, s->corpus.n, err);
	bool ok = p != NULL;
	if (ok && save)
		ok = index_build(opts_str(s->o, "index-type"), p, s->corpus.n, s->dim, save, err);
	ok = ok &&
		search_exact(q, s->n_queries, p, s->corpus.n, s->dim, s->top, &opt, s->hits, err);
	free(p);
	return ok;
}

/* One line, without what would break a table, as wide as a terminal bears. */
static struct text shown(struct arena *a, struct text t)
{
	struct buf clean = BUF_INIT;
	utf8_sanitize(&clean, t);
	struct text line = buf_text(&clean);
	line.len = utf8_cut(line, SHOWN_COLUMNS);
	line = arena_text(a, line);
	buf_release(&clean);
	return line;
}

static void print_table(struct searching *s)
{
	static const char *const heads[] = {"rank", "score", "id", "passage"};
	for (size_t q = 0; q < s->n_queries; q++) {
		struct table *t = table_new(heads, ARRAY_LEN(heads));
		if (s->n_queries > 1)
			printf("%s%s\n", q ? "\n" : "", shown(&s->arena, s->queries[q]).s);
		for (size_t i = 0; i < s->top && s->hits[q * s->top + i].id >= 0; i++) {
			struct hit h = s->hits[q * s->top + i];
			struct text id = s->corpus.id[h.id];
			table_cell(t, "%zu", i + 1);
			table_cell(t, "%.4f", (double)h.score);
			if (id.s)
				table_text(t, id);
			else
				table_cell(t, "%d", h.id);
			table_text(t, shown(&s->arena, s->corpus.t[h.id]));
		}
		table_print(t, stdout);
	}
}

static void put_hits(const struct searching *s, size_t q, struct buf *b)
{
	json_put_key(b, "hits");
	buf_addch(b, '[');
	for (size_t i = 0; i < s->top && s->hits[q * s->top + i].id >= 0; i++) {
		struct hit h = s->hits[q * s->top + i];
		buf_adds(b, i ? ",{" : "{");
		json_put_key(b, "rank");
		json_put_int(b, (int64_t)i + 1);
		json_put_key(b, "score");
		json_put_float(b, h.score);
		json_put_key(b, "index");
		json_put_int(b, h.id);
		if (s->corpus.id[h.id].s) {
			json_put_key(b, "id");
			json_put_text(b, s->corpus.id[h.id]);
		}
		json_put_key(b, "text");
		json_put_text(b, s->corpus.t[h.id]);
		buf_addch(b, '}');
	}
	buf_addch(b, ']');
}

static void print_json(struct searching *s)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	json_put_key(&b, "encoder");
	json_put_str(&b, encoder_describe(s->e));
	json_put_key(&b, "passages");
	json_put_int(&b, (int64_t)s->corpus.n);
	json_put_key(&b, "queries");
	buf_addch(&b, '[');
	for (size_t q = 0; q < s->n_queries; q++) {
		buf_adds(&b, q ? ",{" : "{");
		json_put_key(&b, "query");
		json_put_text(&b, s->queries[q]);
		put_hits(s, q, &b);
		buf_addch(&b, '}');
	}
	buf_adds(&b, "]}");
	puts(b.data);
	buf_release(&b);
}

static bool open_corpus(struct searching *s, struct err *err)
{
	const char *path = opts_str(s->o, "corpus");
	if (beir_is(path))
		path = arena_printf(&s->arena, "%s/corpus.jsonl", path);
	return texts_open(path, &s->corpus, err) &&
		(s->corpus.n > 0 || err_set(err, ERR_DATA, "%s: no passages", path));
}

static bool find_all(struct searching *s, struct err *err)
{
	struct encoder_options how;
	job_encoder_options(s->o, &s->arena, &how);
	s->e = encoder_open(opts_str(s->o, "model"), &how, err);
	if (!s->e)
		return false;
	s->dim = (size_t)encoder_dim(s->e);
	s->top = (size_t)opts_int(s->o, "top");
	s->top = s->top < s->corpus.n ? s->top : s->corpus.n;
	s->hits = try_malloc(s->n_queries * s->top + 1, sizeof *s->hits, "hits", err);
	float *q = encode(s, ENCODE_QUERY, s->queries, s->n_queries, err);
	bool ok = q && s->hits &&
		(opts_has(s->o, "index") ? search_index(s, q, err) : search_corpus(s, q, err));
	free(q);
	return ok;
}

bool search_run(const struct opts *o, struct err *err)
{
	struct searching s = {.o = o, .arena = ARENA_INIT};
	struct texts many = {.arena = ARENA_INIT};
	struct text one = text_of(opts_str(o, "query"));
	bool ok = opts_has(o, "query") != opts_has(o, "queries") ||
		err_set(err, ERR_USAGE, "give either --query TEXT or --queries FILE");
	if (ok && opts_has(o, "index") && opts_has(o, "save-index"))
		ok = err_set(err, ERR_USAGE, "--index and --save-index exclude each other");
	s.queries = &one;
	s.n_queries = 1;
	if (ok && opts_has(o, "queries")) {
		ok = texts_open(opts_str(o, "queries"), &many, err);
		s.queries = many.t;
		s.n_queries = many.n;
	}
	ok = ok && open_corpus(&s, err) && find_all(&s, err);
	if (ok && opts_flag(o, "json"))
		print_json(&s);
	else if (ok)
		print_table(&s);
	encoder_close(s.e);
	free(s.hits);
	texts_close(&s.corpus);
	texts_close(&many);
	arena_release(&s.arena);
	return ok;
}
