#include "data/beir.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "data/entry.h"

/* A file of entries on its way into a beir: its texts by index, and its ids. */
struct entries {
	struct text *text, *id;
	uint32_t *line; /* of the file, from 1: for saying where a double id stands */
	size_t n, cap;
	struct map by_id;
};

static void entries_release(struct entries *e)
{
	free(e->text);
	free(e->id);
	free(e->line);
	map_release(&e->by_id);
}

static void add(struct entries *e, struct text text, struct text id, size_t line)
{
	if (e->n == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 1024;
		e->text = xreallocarray(e->text, e->cap, sizeof *e->text);
		e->id = xreallocarray(e->id, e->cap, sizeof *e->id);
		e->line = xreallocarray(e->line, e->cap, sizeof *e->line);
	}
	e->text[e->n] = text;
	e->id[e->n] = id;
	e->line[e->n++] = (uint32_t)line;
}

static bool read_entries(
	const char *path, bool is_corpus, struct entries *e, struct arena *a, struct err *err)
{
	struct fs_map file;
	if (!lines_map(path, &file, err))
		return false;
	struct json_parser *p = json_parser_new();
	bool ok = true;
	for (struct line_walk w = line_walk(&file); ok && line_next(&w);) {
		struct entry x;
		if (line_is_blank(w.line))
			continue;
		ok = entry_parse(p, path, &file, &w, a, &x, err);
		if (!ok)
			break;
		if (!x.id.s)
			ok = entry_error(err, path, &w, "no _id, expected a string");
		else if (map_intern(&e->by_id, x.id, (int64_t)e->n) != (int64_t)e->n)
			ok = entry_error(err, path, &w,
				"_id %.*s stands in line %zu already, expected each once",
				(int)(x.id.len < 100 ? x.id.len : 100), x.id.s,
				(size_t)e->line[map_intern(&e->by_id, x.id, 0)]);
		else if (e->n == UINT32_MAX - 1)
			ok = entry_error(err, path, &w, "more than 4294967294 entries");
		else
			add(e, is_corpus ? entry_passage(&x, a) : x.text, x.id, w.number);
	}
	json_parser_free(p);
	fs_unmap(&file);
	return ok;
}

/* One line of a qrels file: query-id, corpus-id, grade between tabs; also TREC's four columns
 * (query, ignored, document, grade), between tabs or blanks. */
struct judgement {
	struct text query, doc, grade;
};

static bool split_judgement(struct text line, struct judgement *ret)
{
	const char *stops = memchr(line.s, '\t', line.len) ? "\t" : " ";
	struct text part[5];
	size_t n = 0, at = 0;
	while (at <= line.len && n < ARRAY_LEN(part)) {
		size_t end = at;
		while (end < line.len && line.s[end] != *stops)
			end++;
		if (end > at || *stops == '\t') /* blanks may be repeated */
			part[n++] = (struct text){line.s + at, end - at};
		at = end + 1;
	}
	if (n != 3 && n != 4)
		return false;
	*ret = (struct judgement){part[0], part[n - 2], part[n - 1]};
	return true;
}

static bool parse_grade(struct text t, int32_t *ret)
{
	char digits[32], *end;
	if (t.len == 0 || t.len >= sizeof digits)
		return false;
	memcpy(digits, t.s, t.len);
	digits[t.len] = '\0';
	errno = 0;
	double x = strtod(digits, &end);
	if (*end != '\0' || end == digits || errno != 0 || !(x >= INT32_MIN && x <= INT32_MAX) ||
		x != (double)(int32_t)x)
		return false;
	*ret = (int32_t)x;
	return true;
}

struct qrels {
	struct qrel *q;
	size_t n, cap, n_missing;
};

static void add_qrel(struct qrels *all, struct qrel q)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 1024;
		all->q = xreallocarray(all->q, all->cap, sizeof *all->q);
	}
	all->q[all->n++] = q;
}

static bool read_qrels(const char *path, const struct entries *docs, const struct entries *queries,
	struct qrels *all, struct err *err)
{
	struct fs_map file;
	if (!lines_map(path, &file, err))
		return false;
	bool ok = true, is_first = true;
	for (struct line_walk w = line_walk(&file); ok && line_next(&w); is_first = false) {
		struct judgement j;
		struct qrel q = {.line = (uint32_t)w.number};
		int64_t query, doc;
		if (line_is_blank(w.line))
			continue;
		if (!split_judgement(w.line, &j)) {
			ok = entry_error(err, path, &w,
				"expected query-id, corpus-id and score between tabs");
		} else if (!parse_grade(j.grade, &q.grade)) {
			ok = is_first ||
				entry_error(err, path, &w,
					"score is \"%.*s\", expected a whole number",
					(int)(j.grade.len < 60 ? j.grade.len : 60), j.grade.s);
		} else if (map_get(&queries->by_id, j.query, &query) &&
			map_get(&docs->by_id, j.doc, &doc)) {
			q.query = (uint32_t)query;
			q.doc = (uint32_t)doc;
			add_qrel(all, q);
		} else {
			all->n_missing++;
		}
	}
	fs_unmap(&file);
	return ok;
}

static int by_pair(const void *a, const void *b)
{
	const struct qrel *x = a, *y = b;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	if (x->doc != y->doc)
		return x->doc < y->doc ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static int by_line(const void *a, const void *b)
{
	const struct qrel *x = a, *y = b;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* Sorted by query, in file order within one. A judgement that stands twice counts once; two that
 * differ are refused. */
static bool sort_qrels(
	const char *path, const struct entries *docs, struct qrels *all, struct err *err)
{
	size_t n = 0;
	if (all->n > 0)
		qsort(all->q, all->n, sizeof *all->q, by_pair);
	for (size_t i = 0; i < all->n; i++) {
		const struct qrel *q = &all->q[i], *last = n > 0 ? &all->q[n - 1] : NULL;
		if (!last || last->query != q->query || last->doc != q->doc) {
			all->q[n++] = *q;
			continue;
		}
		if (last->grade != q->grade)
			return err_set(err, ERR_DATA,
				"%s:%u: passage %.*s has score %d here and %d in line %u for the "
				"same query, expected one score",
				path, q->line,
				(int)(docs->id[q->doc].len < 100 ? docs->id[q->doc].len : 100),
				docs->id[q->doc].s, q->grade, last->grade, last->line);
	}
	if (n < all->n)
		log_warn("%s: %zu judgements stand there twice and count once", path, all->n - n);
	all->n = n;
	if (n > 0)
		qsort(all->q, n, sizeof *all->q, by_line);
	return true;
}

static void *kept(struct arena *a, const void *data, size_t bytes)
{
	void *copy = arena_alloc(a, bytes);
	return bytes > 0 ? memcpy(copy, data, bytes) : copy;
}

/* Moves everything into ret; queries without a judgement are left out and the rest renumbered. */
static void assemble(struct beir *ret, const struct entries *docs, const struct entries *queries,
	struct qrels *all)
{
	struct arena *a = &ret->arena;
	ret->docs = kept(a, docs->text, docs->n * sizeof *docs->text);
	ret->doc_ids = kept(a, docs->id, docs->n * sizeof *docs->id);
	ret->n_docs = docs->n;
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		n += i == 0 || all->q[i].query != all->q[i - 1].query;
	ret->queries = arena_alloc(a, n * sizeof *ret->queries);
	ret->query_ids = arena_alloc(a, n * sizeof *ret->query_ids);
	uint32_t last = UINT32_MAX;
	for (size_t i = 0; i < all->n; i++) {
		uint32_t query = all->q[i].query;
		if (query != last) {
			ret->queries[ret->n_queries] = queries->text[query];
			ret->query_ids[ret->n_queries++] = queries->id[query];
			last = query;
		}
		all->q[i].query = (uint32_t)ret->n_queries - 1;
	}
	ret->qrels = kept(a, all->q, all->n * sizeof *all->q);
	ret->n_qrels = all->n;
	ret->n_missing = all->n_missing;
}

bool beir_is(const char *dir)
{
	struct arena a = ARENA_INIT;
	bool is = fs_exists(fs_join(&a, dir, "corpus.jsonl")) &&
		fs_exists(fs_join(&a, dir, "queries.jsonl")) &&
		fs_is_dir(fs_join(&a, dir, "qrels"));
	arena_release(&a);
	return is;
}

/* Says which splits there are. */
static bool no_split(const char *dir, const char *split, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf have = BUF_INIT;
	char **names;
	size_t n = 0;
	if (fs_list(fs_join(&a, dir, "qrels"), &a, &names, &n, NULL))
		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(names[i]);
			if (len > 4 && strcmp(names[i] + len - 4, ".tsv") == 0)
				buf_addf(&have, "%s%.*s", have.len ? ", " : "", (int)len - 4,
					names[i]);
		}
	err_set(err, ERR_USAGE, "%s has no qrels/%s.tsv: it has %s; choose one with --split NAME",
		dir, split, have.len ? have.data : "no .tsv file there");
	buf_release(&have);
	arena_release(&a);
	return false;
}

bool beir_open(const char *dir, const char *split, struct beir *ret, struct err *err)
{
	if (!beir_is(dir))
		return err_set(err, ERR_DATA,
			"%s is a folder but no BEIR folder, expected corpus.jsonl, queries.jsonl "
			"and qrels/ in it",
			dir);
	struct beir b = {.arena = ARENA_INIT};
	struct entries docs = {.by_id = MAP_INIT}, queries = {.by_id = MAP_INIT};
	struct qrels all = {NULL, 0, 0, 0};
	char *name = arena_printf(&b.arena, "%s.tsv", split);
	b.qrels_path = fs_join(&b.arena, fs_join(&b.arena, dir, "qrels"), name);
	bool ok = fs_exists(b.qrels_path) || no_split(dir, split, err);
	ok = ok && read_entries(fs_join(&b.arena, dir, "corpus.jsonl"), true, &docs, &b.arena, err);
	ok = ok &&
		read_entries(
			fs_join(&b.arena, dir, "queries.jsonl"), false, &queries, &b.arena, err);
	ok = ok && read_qrels(b.qrels_path, &docs, &queries, &all, err) &&
		sort_qrels(b.qrels_path, &docs, &all, err);
	if (ok) {
		assemble(&b, &docs, &queries, &all);
		*ret = b;
	} else {
		arena_release(&b.arena);
	}
	entries_release(&docs);
	entries_release(&queries);
	free(all.q);
	return ok;
}

void beir_close(struct beir *b)
{
	arena_release(&b->arena);
	*b = (struct beir){.arena = ARENA_INIT};
}
