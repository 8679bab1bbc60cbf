#include "mine/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "data/beir.h"
#include "data/texts.h"

#define SHOWN_ROWS 20 /* so many unusable rows are named; the others are counted */

void mine_rows_release(struct mine_rows *x)
{
	mine_texts_release(&x->texts);
	map_release(&x->by_query);
	map_release(&x->by_kind);
	free(x->queries);
	free(x->kinds);
	free(x->rows);
	free(x->refs);
	free(x->positives);
	*x = (struct mine_rows){.n_rows = 0};
}

static void *grown(void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 256;
	return xreallocarray(items, *cap, size);
}

static void add_ref(struct mine_rows *x, uint32_t text)
{
	x->refs = grown(x->refs, x->n_refs, &x->cap_refs, sizeof *x->refs);
	x->refs[x->n_refs++] = text;
}

/* Two texts as one key: the length of the first keeps them apart. */
static int64_t intern_pair(struct map *m, struct text a, struct text b, size_t next)
{
	struct buf key = BUF_INIT;
	buf_addf(&key, "%zu:", a.len);
	buf_addtext(&key, a);
	buf_addtext(&key, b);
	int64_t at = map_intern(m, buf_text(&key), (int64_t)next);
	buf_release(&key);
	return at;
}

static struct text keep(struct mine_rows *x, struct text t)
{
	return t.s ? arena_text(&x->texts.arena, t) : TEXT_NONE;
}

static uint32_t add_query(struct mine_rows *x, const struct record *r)
{
	int64_t at = intern_pair(&x->by_query, r->prompt, r->query, x->n_queries);
	if ((size_t)at < x->n_queries)
		return (uint32_t)at;
	x->queries = grown(x->queries, x->n_queries, &x->cap_queries, sizeof *x->queries);
	x->queries[x->n_queries++] = (struct mine_query){
		keep(x, r->query), keep(x, r->prompt), mine_texts_fold(&x->texts, r->query)};
	return (uint32_t)at;
}

static uint32_t add_kind(struct mine_rows *x, const struct record *r)
{
	int64_t at = intern_pair(&x->by_kind, r->prompt, r->type, x->n_kinds);
	if ((size_t)at < x->n_kinds)
		return (uint32_t)at;
	x->kinds = grown(x->kinds, x->n_kinds, &x->cap_kinds, sizeof *x->kinds);
	x->kinds[x->n_kinds++] = (struct mine_kind){keep(x, r->prompt), keep(x, r->type)};
	return (uint32_t)at;
}

static void add_row(struct mine_rows *x, size_t i, const struct record *r)
{
	struct mine_row row = {(uint32_t)i, add_query(x, r), add_kind(x, r), (uint32_t)r->n_pos,
		(uint32_t)r->n_neg, x->n_refs, record_id(r).lo};
	for (size_t p = 0; p < r->n_pos; p++) {
		uint32_t text = mine_texts_add(&x->texts, r->pos[p].text);
		add_ref(x, text);
		if (text == TEXT_BLANK)
			continue;
		x->positives = grown(
			x->positives, x->n_positives, &x->cap_positives, sizeof *x->positives);
		x->positives[x->n_positives++] =
			(struct mine_positive){x->queries[row.query].fold, text};
	}
	for (size_t k = 0; k < r->n_neg; k++)
		add_ref(x, mine_texts_add(&x->texts, r->neg[k].text));
	x->rows = grown(x->rows, x->n_rows, &x->cap_rows, sizeof *x->rows);
	x->rows[x->n_rows++] = row;
}

static bool has_positive(const struct record *r)
{
	for (size_t p = 0; p < r->n_pos; p++)
		if (!utf8_is_blank(r->pos[p].text))
			return true;
	return false;
}

/* Counts and names a row that cannot be mined for. */
static void leave_out(
	struct mine_rows *x, const struct dataset *d, size_t i, size_t *count, const char *why)
{
	const char *path;
	size_t line;
	(*count)++;
	if (x->n_no_query + x->n_no_positive > SHOWN_ROWS)
		return;
	dataset_place(d, i, &path, &line);
	log_warn("%s:%zu: %s; the row is left out", path, line, why);
}

static bool read_rows(struct mine_rows *x, const struct dataset *d, bool is_strict, struct err *err)
{
	struct row_reader *reader = row_reader_new(d);
	bool ok = true;
	for (size_t i = 0; ok && i < dataset_rows(d); i++) {
		struct record r;
		struct err broken = ERR_INIT;
		if (i % 1024 == 0 && !stop_check(err))
			ok = false;
		else if (!row_reader_get(reader, i, &r, &broken)) {
			if (is_strict)
				ok = err_set(err, ERR_DATA, "%s", broken.text);
			else if (x->n_broken++ < SHOWN_ROWS)
				log_warn("%s; the row is left out", broken.text);
		} else if (utf8_is_blank(r.query)) {
			leave_out(x, d, i, &x->n_no_query, "the query is blank");
		} else if (!has_positive(&r)) {
			leave_out(x, d, i, &x->n_no_positive,
				"no positive that is not blank, mining needs one to compare with");
		} else {
			add_row(x, i, &r);
		}
	}
	row_reader_free(reader);
	return ok;
}

static bool read_pool(struct mine_rows *x, const char *path, struct err *err)
{
	struct texts pool;
	char *corpus = beir_is(path) ? xasprintf("%s/corpus.jsonl", path) : xstrdup(path);
	bool ok = texts_open(corpus, &pool, err);
	if (ok) {
		for (size_t i = 0; i < pool.n; i++)
			mine_texts_add(&x->texts, pool.t[i]);
		texts_close(&pool);
	}
	free(corpus);
	return ok;
}

/* A folder's corpus is what its queries will be asked against: all of it can be a negative. */
static bool read_corpora(struct mine_rows *x, const struct dataset *d, struct err *err)
{
	struct dataset_file file;
	for (size_t k = 0; k < dataset_files(d); k++) {
		dataset_file(d, k, &file);
		if (file.is_beir && !read_pool(x, file.path, err))
			return false;
	}
	return true;
}

static int by_fold_and_text(const void *a, const void *b)
{
	const struct mine_positive *x = a, *y = b;
	if (x->fold != y->fold)
		return x->fold < y->fold ? -1 : 1;
	return x->text < y->text ? -1 : x->text > y->text;
}

static void sort_positives(struct mine_rows *x)
{
	if (x->n_positives == 0)
		return;
	qsort(x->positives, x->n_positives, sizeof *x->positives, by_fold_and_text);
	size_t n = 1;
	for (size_t i = 1; i < x->n_positives; i++)
		if (by_fold_and_text(&x->positives[n - 1], &x->positives[i]) != 0)
			x->positives[n++] = x->positives[i];
	x->n_positives = n;
}

bool mine_rows_read(struct mine_rows *ret, const struct dataset *d, const char *pool,
	bool is_strict, struct err *err)
{
	*ret = (struct mine_rows){
		.texts = MINE_TEXTS_INIT, .by_query = MAP_INIT, .by_kind = MAP_INIT};
	if (dataset_rows(d) >= UINT32_MAX)
		return err_set(err, ERR_DATA, "%zu rows are too many for one run; split them",
			dataset_rows(d));
	if (!(pool ? read_pool(ret, pool, err) : read_corpora(ret, d, err)))
		return false;
	ret->n_corpus = ret->texts.n;
	if (!read_rows(ret, d, is_strict, err))
		return false;
	if (!pool)
		ret->n_corpus = ret->texts.n;
	sort_positives(ret);
	if (ret->n_rows == 0)
		return err_set(err, ERR_DATA,
			"no row to mine for: %zu broken, %zu without a query, %zu without a positive",
			ret->n_broken, ret->n_no_query, ret->n_no_positive);
	return true;
}

size_t mine_rows_positives(
	const struct mine_rows *x, const struct mine_row *row, const struct mine_positive **ret)
{
	uint32_t fold = x->queries[row->query].fold;
	size_t low = 0, high = x->n_positives, end;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (x->positives[mid].fold < fold)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < x->n_positives && x->positives[end].fold == fold;)
		end++;
	*ret = x->positives + low;
	return end - low;
}
