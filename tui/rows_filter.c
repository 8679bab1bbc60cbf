#include "tui/rows_filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parallel.h"
#include "base/utf8.h"

enum compare { LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL };

struct term {
	bool is_word;
	bool is_inverse; /* -word */
	char word[200]; /* or the column's name */
	enum compare compare;
	double value;
};

enum { MAX_TERMS = 16 };

struct hit {
	size_t index;
	double value;
};

struct rows_scan {
	const struct dataset *d;
	struct row_reader *reader;
	char *expression, *column;
	struct term terms[MAX_TERMS];
	size_t n_terms;
	struct hit *hits;
	size_t n_hits, cap_hits, next;
	bool is_descending, is_sorted;
};

static const struct {
	const char *sign;
	enum compare compare;
} signs[] = {{"<=", LESS_EQUAL}, {">=", GREATER_EQUAL}, {"!=", NOT_EQUAL}, {"==", EQUAL},
	{"<", LESS}, {">", GREATER}, {"=", EQUAL}};

static bool compares(double a, enum compare c, double b)
{
	switch (c) {
	case LESS:
		return a < b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER:
		return a > b;
	case GREATER_EQUAL:
		return a >= b;
	case EQUAL:
		return a == b;
	case NOT_EQUAL:
		return a != b;
	}
	return false;
}

static bool is_column(const char *name)
{
	static const struct record nothing = {.n_pos = 0};
	double v;
	return row_value(&nothing, name, &v);
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* "margin < 0" at s: the column, a sign, a number. NULL: not a comparison. */
static const char *read_comparison(const char *s, struct term *t, struct err *err)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");
	if (!n || n >= sizeof t->word)
		return NULL;
	const char *at = skip_blanks(s + n);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		size_t len = strlen(signs[i].sign);
		if (strncmp(at, signs[i].sign, len) != 0)
			continue;
		snprintf(t->word, sizeof t->word, "%.*s", (int)n, s);
		t->compare = signs[i].compare;
		char *end;
		t->value = strtod(at + len, &end);
		if (!is_column(t->word))
			err_set(err, ERR_USAGE,
				"no column \"%s\"; there are pos_t pos_s neg_t neg_s margin margin_t n_pos n_neg len_q len_p",
				t->word);
		else if (end == at + len)
			err_set(err, ERR_USAGE, "%s %s needs a number behind it", t->word,
				signs[i].sign);
		return end;
	}
	return NULL;
}

static const char *read_word(const char *s, struct term *t)
{
	t->is_word = true;
	t->is_inverse = s[0] == '-' && s[1] && s[1] != ' ';
	s += t->is_inverse;
	size_t n = strcspn(s, " \t");
	snprintf(t->word, sizeof t->word, "%.*s",
		(int)(n < sizeof t->word ? n : sizeof t->word - 1), s);
	return s + n;
}

static bool parse(struct rows_scan *s, const char *text, struct err *err)
{
	for (const char *at = skip_blanks(text); *at; at = skip_blanks(at)) {
		if (s->n_terms == MAX_TERMS)
			return err_set(
				err, ERR_USAGE, "a filter takes at most %d conditions", MAX_TERMS);
		struct term *t = &s->terms[s->n_terms++];
		const char *end = read_comparison(at, t, err);
		if (err->code != ERR_NONE)
			return false;
		at = end ? end : read_word(at, t);
		at = skip_blanks(at);
		if (strncmp(at, "and ", 4) == 0)
			at += 4;
	}
	return true;
}

struct rows_scan *rows_scan_new(
	const struct dataset *d, const char *expression, const char *column, struct err *err)
{
	struct rows_scan *s = xcalloc(1, sizeof *s);
	s->d = d;
	s->expression = xstrdup(expression);
	s->column = xstrdup(column);
	s->is_descending = column[0] == '-';
	bool ok = parse(s, expression, err);
	if (ok && *column && !is_column(column + s->is_descending))
		ok = err_set(
			err, ERR_USAGE, "no column \"%s\" to sort by", column + s->is_descending);
	if (!ok) {
		rows_scan_free(s);
		return NULL;
	}
	s->reader = row_reader_new(d);
	return s;
}

void rows_scan_free(struct rows_scan *s)
{
	if (!s)
		return;
	row_reader_free(s->reader);
	free(s->expression);
	free(s->column);
	free(s->hits);
	free(s);
}

static bool holds(struct text t, const char *word, size_t n)
{
	for (size_t i = 0; n && i + n <= t.len; i++)
		if (strncasecmp(t.s + i, word, n) == 0)
			return true;
	return n == 0;
}

/* word is composed (NFC); a text that is not is composed for the comparison. */
static bool holds_composed(struct text t, const char *word, size_t n)
{
	if (utf8_is_nfc(t))
		return holds(t, word, n);
	struct buf b = BUF_INIT;
	utf8_nfc(&b, t);
	bool found = holds(buf_text(&b), word, n);
	buf_release(&b);
	return found;
}

bool record_holds(const struct record *r, const char *word)
{
	struct buf b = BUF_INIT;
	utf8_nfc(&b, text_of(word));
	const char *w = b.data ? b.data : "";
	bool found = holds_composed(r->query, w, b.len);
	for (size_t i = 0; !found && i < r->n_pos; i++)
		found = holds_composed(r->pos[i].text, w, b.len);
	for (size_t i = 0; !found && i < r->n_neg; i++)
		found = holds_composed(r->neg[i].text, w, b.len);
	buf_release(&b);
	return found;
}

static bool passes(const struct rows_scan *s, const struct record *r)
{
	for (size_t i = 0; i < s->n_terms; i++) {
		const struct term *t = &s->terms[i];
		double v;
		bool ok = t->is_word
			? record_holds(r, t->word) != t->is_inverse
			: row_value(r, t->word, &v) && compares(v, t->compare, t->value);
		if (!ok)
			return false;
	}
	return true;
}

/* A row without the value stands last, whichever way round. */
static double sort_value(const struct rows_scan *s, const struct record *r)
{
	double v = NAN;
	if (!*s->column)
		return 0;
	row_value(r, s->column + s->is_descending, &v);
	return isnan(v) ? INFINITY : s->is_descending ? -v : v;
}

static int by_value(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void add_hit(struct rows_scan *s, size_t index, double value)
{
	if (s->n_hits == s->cap_hits) {
		s->cap_hits = s->cap_hits ? s->cap_hits * 2 : 1024;
		s->hits = xreallocarray(s->hits, s->cap_hits, sizeof *s->hits);
	}
	s->hits[s->n_hits++] = (struct hit){index, value};
}

bool rows_scan_step(struct rows_scan *s, int budget_ms)
{
	double until = wall_seconds() + budget_ms / 1e3;
	size_t n = dataset_rows(s->d);
	for (; s->next < n; s->next++) {
		if (s->next % 16 == 0 && wall_seconds() > until)
			return true;
		struct record r;
		struct err ignored = ERR_INIT;
		if (row_reader_get(s->reader, s->next, &r, &ignored) && passes(s, &r))
			add_hit(s, s->next, sort_value(s, &r));
	}
	if (*s->column && !s->is_sorted && s->n_hits)
		qsort(s->hits, s->n_hits, sizeof *s->hits, by_value);
	s->is_sorted = true;
	return false;
}

int rows_scan_percent(const struct rows_scan *s)
{
	size_t n = dataset_rows(s->d);
	return n ? (int)(100 * s->next / n) : 100;
}

size_t rows_scan_count(const struct rows_scan *s)
{
	return *s->column && !s->is_sorted ? 0 : s->n_hits;
}

size_t rows_scan_index(const struct rows_scan *s, size_t at)
{
	return s->hits[at].index;
}

const char *rows_scan_expression(const struct rows_scan *s)
{
	return s->expression;
}

const char *rows_scan_column(const struct rows_scan *s)
{
	return s->column;
}
