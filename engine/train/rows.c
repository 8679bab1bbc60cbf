#include "train/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/utf8.h"

#define SHOWN 8 /* findings of a kind that get a line of their own */

enum finding {
	FOUND_BROKEN = 1,
	FOUND_BLANK_QUERY = 2,
	FOUND_NO_POS = 4,
	FOUND_NO_NEG = 8,
	FOUND_STRING = 16, /* pos or neg is a string */
	FOUND_BAD_SCORES = 32,
	FOUND_UNUSABLE = FOUND_BROKEN | FOUND_BLANK_QUERY | FOUND_NO_POS,
};

struct known_list {
	struct known *k;
	size_t n, cap;
};

struct scan {
	const struct dataset *data;
	struct row_reader **reader; /* one a worker */
	struct known_list *known; /* likewise; NULL: not wanted */
	uint8_t *found; /* [rows] */
	struct hash128 *content; /* [rows] */
};

uint64_t rows_key(struct text t)
{
	return hash64(t.s, t.len);
}

bool rows_is_blank(struct text t)
{
	return utf8_is_blank(t);
}

static size_t count_texts(const struct candidate *c, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		k += !rows_is_blank(c[i].text);
	return k;
}

static void hash_candidates(struct hasher *h, const struct candidate *c, size_t n)
{
	hasher_int(h, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		hasher_text(h, c[i].text);
		hasher_add(h, &c[i].score, sizeof c[i].score);
	}
}

/* Everything of a row that training may read; the line brings other teachers' scores. */
static struct hash128 row_content(const struct record *r)
{
	struct hasher *h = hasher_new();
	hasher_text(h, r->query);
	hasher_text(h, r->prompt);
	hasher_text(h, r->type);
	hash_candidates(h, r->pos, r->n_pos);
	hash_candidates(h, r->neg, r->n_neg);
	hasher_text(h, r->line);
	return hasher_end(h);
}

static uint8_t look_at(const struct record *r)
{
	unsigned found = 0;
	if (rows_is_blank(r->query))
		found |= FOUND_BLANK_QUERY;
	if (count_texts(r->pos, r->n_pos) == 0)
		found |= FOUND_NO_POS;
	if (!(found & FOUND_UNUSABLE) && count_texts(r->neg, r->n_neg) == 0)
		found |= FOUND_NO_NEG;
	if (r->pos_was_string || r->neg_was_string)
		found |= FOUND_STRING;
	if (r->pos_scores_bad || r->neg_scores_bad)
		found |= FOUND_BAD_SCORES;
	return (uint8_t)found;
}

static void add_known(struct known_list *list, const struct record *r)
{
	for (size_t i = 0; i < r->n_pos; i++) {
		if (list->n == list->cap) {
			list->cap = list->cap ? 2 * list->cap : 256;
			list->k = xreallocarray(list->k, list->cap, sizeof *list->k);
		}
		list->k[list->n++] = (struct known){rows_key(r->query), rows_key(r->pos[i].text)};
	}
}

static void scan_rows(void *ctx, size_t begin, size_t end, int worker)
{
	struct scan *s = ctx;
	for (size_t i = begin; i < end; i++) {
		struct record r;
		struct err ignored = ERR_INIT; /* said again, in order, by the report */
		if (!row_reader_get(s->reader[worker], i, &r, &ignored)) {
			s->found[i] = FOUND_BROKEN;
			continue;
		}
		s->found[i] = look_at(&r);
		s->content[i] = row_content(&r);
		if (s->known && !(s->found[i] & FOUND_UNUSABLE))
			add_known(&s->known[worker], &r);
	}
}

static int by_query_then_text(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	return (x->text > y->text) - (x->text < y->text);
}

static void merge_known(struct rows *r, struct known_list *lists, int n_lists)
{
	for (int w = 0; w < n_lists; w++)
		r->n_known += lists[w].n;
	r->known = xcalloc(r->n_known, sizeof *r->known);
	size_t at = 0;
	for (int w = 0; w < n_lists; w++) {
		if (lists[w].n > 0)
			memcpy(r->known + at, lists[w].k, lists[w].n * sizeof *r->known);
		at += lists[w].n;
	}
	qsort(r->known, r->n_known, sizeof *r->known, by_query_then_text);
}

/* "rows.jsonl:7: " + what, for the first few rows of a kind; then how many there are. */
static size_t report(const struct dataset *d, const uint8_t *found, size_t n, enum finding kind,
	const char *what, const char *total)
{
	size_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		if (!(found[i] & kind) || seen++ >= SHOWN)
			continue;
		const char *path;
		size_t line;
		dataset_place(d, i, &path, &line);
		log_warn("%s:%zu: %s", path, line, what);
	}
	if (seen > SHOWN)
		log_warn("%zu rows in all: %s", seen, total);
	return seen;
}

static size_t report_broken(
	const struct scan *s, size_t n, bool strict, struct err *first, struct row_reader *reader)
{
	size_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		if (!(s->found[i] & FOUND_BROKEN))
			continue;
		struct record r;
		struct err err = ERR_INIT;
		if (seen++ < SHOWN && !row_reader_get(reader, i, &r, &err)) {
			log_warn("%s", err.text);
			if (strict)
				err_set(first, ERR_DATA, "%s", err.text);
		}
	}
	if (seen > SHOWN)
		log_warn("%zu rows in all are broken and left out", seen);
	return seen;
}

static bool report_all(
	struct rows *r, const struct scan *s, const struct rows_options *opt, struct err *err)
{
	struct err first = ERR_INIT;
	r->n_broken = report_broken(s, r->n_rows, opt->strict, &first, s->reader[0]);
	r->n_blank_query = report(s->data, s->found, r->n_rows, FOUND_BLANK_QUERY,
		"the query is blank: the row is left out", "the query is blank, left out");
	r->n_no_pos = report(s->data, s->found, r->n_rows, FOUND_NO_POS,
		"pos holds no text: the row is left out", "pos holds no text, left out");
	r->n_strings = report(s->data, s->found, r->n_rows, FOUND_STRING,
		"pos or neg is a string where a list belongs: taken as a list of one",
		"pos or neg is a string, taken as a list of one");
	r->n_bad_scores = report(s->data, s->found, r->n_rows, FOUND_BAD_SCORES,
		"pos_scores or neg_scores do not fit their texts: the scores are ignored",
		"pos_scores or neg_scores do not fit their texts, ignored");
	for (size_t i = 0; i < r->n_rows; i++)
		r->n_no_neg += (s->found[i] & FOUND_NO_NEG) != 0;
	if (opt->wants_negatives && r->n_no_neg > r->n / 2)
		log_warn("%zu of %zu rows have no negatives: they learn from the other rows of "
			 "their batch alone",
			r->n_no_neg, r->n);
	else if (opt->wants_negatives)
		report(s->data, s->found, r->n_rows, FOUND_NO_NEG,
			"neg holds no text: the row learns from its batch alone",
			"neg holds no text, they learn from their batch alone");
	if (first.code != ERR_NONE)
		return err_set(err, first.code, "%s (--strict)", first.text);
	if (r->n == 0)
		return err_set(err, ERR_DATA,
			"none of the %zu rows can be trained on: each needs a query and a positive; "
			"`inspect` lists what is wrong",
			r->n_rows);
	return true;
}

static void take_usable(struct rows *r, const struct scan *s)
{
	struct hasher *h = hasher_new();
	r->usable = xcalloc(r->n_rows, sizeof *r->usable);
	for (size_t i = 0; i < r->n_rows; i++) {
		if (s->found[i] & FOUND_UNUSABLE)
			continue;
		r->usable[r->n++] = (int64_t)i;
		hasher_add(h, &s->content[i], sizeof s->content[i]);
	}
	r->content = hasher_end(h);
}

bool rows_open(const struct dataset *data, const struct rows_options *opt, struct rows *ret,
	struct err *err)
{
	int threads = opt->threads > 0 ? opt->threads : cpu_count();
	struct rows r = {.data = data, .n_rows = dataset_rows(data)};
	struct scan s = {
		.data = data,
		.reader = xcalloc((size_t)threads, sizeof *s.reader),
		.known = opt->wants_known ? xcalloc((size_t)threads, sizeof *s.known) : NULL,
		.found = try_malloc(r.n_rows, sizeof *s.found, "notes about rows", err),
		.content = try_malloc(r.n_rows, sizeof *s.content, "hashes of rows", err),
	};
	for (int w = 0; w < threads; w++)
		s.reader[w] = row_reader_new(data);
	bool ok = s.found && s.content;
	if (ok) {
		parallel_for(r.n_rows, 256, threads, scan_rows, &s);
		take_usable(&r, &s);
		if (s.known)
			merge_known(&r, s.known, threads);
		ok = report_all(&r, &s, opt, err);
	}
	for (int w = 0; w < threads; w++) {
		row_reader_free(s.reader[w]);
		if (s.known)
			free(s.known[w].k);
	}
	free(s.reader);
	free(s.known);
	free(s.found);
	free(s.content);
	if (ok)
		*ret = r;
	else
		rows_close(&r);
	return ok;
}

void rows_close(struct rows *r)
{
	free(r->usable);
	free(r->known);
	memset(r, 0, sizeof *r);
}

void rows_order(const struct rows *r, uint64_t seed, int64_t epoch, bool shuffle, int64_t *order)
{
	memcpy(order, r->usable, r->n * sizeof *order);
	if (!shuffle)
		return;
	struct rng rng = rng_new(seed, (uint64_t)epoch);
	rng_shuffle(&rng, order, r->n);
}

size_t rows_known(const struct rows *r, uint64_t query, const struct known **ret)
{
	size_t low = 0, high = r->n_known;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->known[mid].query < query)
			low = mid + 1;
		else
			high = mid;
	}
	size_t end = low;
	while (end < r->n_known && r->known[end].query == query)
		end++;
	*ret = r->known + low;
	return end - low;
}
