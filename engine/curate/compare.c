#include "curate/compare.h"

#include <stdlib.h>

struct compare {
	const struct pass *p;
	struct dataset_file *files;
	size_t n_files;
	struct events events;
};

static size_t file_of(const struct compare *c, size_t row)
{
	size_t low = 0, high = c->n_files;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (c->files[mid].first <= row)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static void add(struct compare *c, struct event e)
{
	struct events *v = &c->events;
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->e = xreallocarray(v->e, v->cap, sizeof *v->e);
	}
	v->e[v->n++] = e;
}

/* The rows of group g that stand in one file: [run.begin, run.end). A group's rows are in order, so
 * its files are too. */
static bool run_next(
	const struct compare *c, const struct stand *s, const struct group *g, struct group *run)
{
	run->begin = run->end;
	if (run->begin == g->end)
		return false;
	const struct dataset_file *f = &c->files[file_of(c, s[run->begin].row)];
	run->end = run->begin + 1;
	while (run->end < g->end && s[run->end].row < f->first + f->n_rows)
		run->end++;
	return true;
}

/* Each row of a run with each later run of its group. */
static void add_leaks(
	struct compare *c, const struct stand *s, const struct group *g, enum finding_kind kind)
{
	struct group a = {g->begin, g->begin};
	while (run_next(c, s, g, &a)) {
		size_t file_a = file_of(c, s[a.begin].row);
		struct group b = {a.end, a.end};
		while (run_next(c, s, g, &b)) {
			size_t file_b = file_of(c, s[b.begin].row);
			for (size_t i = a.begin; i < a.end; i++)
				add(c,
					(struct event){
						kind, file_a, file_b, {s[i].row, s[b.begin].row}});
		}
	}
}

static struct stand *stands_of(
	const struct pass *p, const uint64_t *hash, size_t *ret_n, struct err *err)
{
	struct stand *s = try_malloc(p->n_rows, sizeof *s, "the search for equal rows", err);
	if (!s)
		return NULL;
	size_t n = 0;
	for (size_t row = 0; row < p->n_rows; row++)
		if (!p->is_broken[row])
			s[n++] = (struct stand){hash[row], row};
	if (!stands_sort(s, n, err)) {
		free(s);
		return NULL;
	}
	*ret_n = n;
	return s;
}

/* Rows that equal an earlier one of their file; is_copy marks them. */
static bool find_copies(struct compare *c, uint8_t *is_copy, struct err *err)
{
	size_t n;
	struct stand *s = stands_of(c->p, c->p->row, &n, err);
	if (!s)
		return false;
	for (struct group g = {0, 0}; group_next(s, n, &g);)
		for (struct group run = {g.begin, g.begin}; run_next(c, s, &g, &run);)
			for (size_t i = run.begin + 1; i < run.end; i++) {
				is_copy[s[i].row] = 1;
				add(c,
					(struct event){FINDING_DUPLICATE_ROW, 0, 0,
						{s[i].row, s[run.begin].row}});
			}
	free(s);
	return true;
}

static bool find_equal_queries(struct compare *c, const uint8_t *is_copy,
	struct inspect_file *files, size_t *ret_queries, struct err *err)
{
	size_t n;
	struct stand *s = stands_of(c->p, c->p->query, &n, err);
	if (!s)
		return false;
	*ret_queries = 0;
	for (struct group g = {0, 0}; group_next(s, n, &g);) {
		++*ret_queries;
		for (struct group run = {g.begin, g.begin}; run_next(c, s, &g, &run);) {
			size_t file = file_of(c, s[run.begin].row);
			files[file].n_queries++;
			if (c->files[file].is_beir) /* one row a judgement: no duplicates */
				continue;
			for (size_t i = run.begin + 1; i < run.end; i++)
				if (!is_copy[s[i].row])
					add(c,
						(struct event){FINDING_DUPLICATE_QUERY, 0, 0,
							{s[i].row, s[run.begin].row}});
		}
		add_leaks(c, s, &g, FINDING_LEAKED_QUERY);
	}
	free(s);
	return true;
}

/* Rows of one file whose positive is also that of a row with another query. */
static void add_shared(struct compare *c, const struct stand *s, const struct group *run)
{
	const uint64_t *query = c->p->query;
	size_t first = s[run->begin].row, other = NO_ROW;
	for (size_t i = run->begin; i < run->end && other == NO_ROW; i++)
		if (query[s[i].row] != query[first])
			other = s[i].row;
	if (other == NO_ROW)
		return;
	for (size_t i = run->begin; i < run->end; i++) {
		size_t row = s[i].row;
		add(c,
			(struct event){FINDING_SHARED_POSITIVE, 0, 0,
				{row, query[row] == query[first] ? other : first}});
	}
}

static bool find_equal_positives(struct compare *c, struct err *err)
{
	const struct pass *p = c->p;
	size_t n = 0;
	for (size_t i = 0; i < p->n_chunks; i++)
		n += p->chunks[i].n_pos;
	struct stand *s = try_malloc(n, sizeof *s, "the search for equal positives", err);
	if (!s)
		return false;
	n = 0;
	for (size_t i = 0; i < p->n_chunks; i++) {
		const struct chunk *k = &p->chunks[i];
		if (k->n_pos > 0)
			memcpy(s + n, k->pos, k->n_pos * sizeof *s);
		n += k->n_pos;
	}
	bool ok = stands_sort(s, n, err);
	for (struct group g = {0, 0}; ok && group_next(s, n, &g);) {
		for (struct group run = {g.begin, g.begin}; run_next(c, s, &g, &run);)
			add_shared(c, s, &run);
		add_leaks(c, s, &g, FINDING_LEAKED_POSITIVE);
	}
	free(s);
	return ok;
}

static int order_of(size_t x, size_t y)
{
	return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = order_of(x->kind, y->kind);
	order = order ? order : order_of(x->file_a, y->file_a);
	order = order ? order : order_of(x->file_b, y->file_b);
	order = order ? order : order_of(x->at.row, y->at.row);
	return order ? order : order_of(x->at.other, y->at.other);
}

/* A row with two leaked positives is one row. */
static void unite(struct events *v)
{
	if (v->n == 0)
		return;
	qsort(v->e, v->n, sizeof *v->e, by_place);
	size_t n = 1;
	for (size_t i = 1; i < v->n; i++) {
		const struct event *last = &v->e[n - 1], *e = &v->e[i];
		if (e->kind != last->kind || e->file_a != last->file_a ||
			e->file_b != last->file_b || e->at.row != last->at.row)
			v->e[n++] = *e;
	}
	v->n = n;
}

bool compare_rows(const struct pass *p, struct inspect_file *files, size_t *ret_queries,
	struct events *ret, struct err *err)
{
	struct compare c = {.p = p, .n_files = dataset_files(p->d)};
	c.files = xcalloc(c.n_files + 1, sizeof *c.files);
	for (size_t i = 0; i < c.n_files; i++)
		dataset_file(p->d, i, &c.files[i]);
	uint8_t *is_copy = try_malloc(p->n_rows, 1, "marks of equal rows", err);
	bool ok = is_copy != NULL;
	if (ok) {
		memset(is_copy, 0, p->n_rows);
		ok = find_copies(&c, is_copy, err) &&
			find_equal_queries(&c, is_copy, files, ret_queries, err) &&
			find_equal_positives(&c, err);
	}
	free(is_copy);
	free(c.files);
	unite(&c.events);
	*ret = c.events;
	return ok;
}
