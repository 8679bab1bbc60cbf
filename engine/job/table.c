#include "job/common.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

struct table {
	const char *const *heads;
	size_t n_columns;
	char **cells; /* row by row */
	size_t n, cap;
};

struct table *table_new(const char *const *heads, size_t n_columns)
{
	struct table *t = xcalloc(1, sizeof *t);
	t->heads = heads;
	t->n_columns = n_columns;
	return t;
}

static void add(struct table *t, char *cell)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->cells = xreallocarray(t->cells, t->cap, sizeof *t->cells);
	}
	t->cells[t->n++] = cell;
}

void table_text(struct table *t, struct text cell)
{
	struct buf clean = BUF_INIT;
	utf8_sanitize(&clean, cell);
	add(t, buf_take(&clean));
}

void table_cell(struct table *t, const char *fmt, ...)
{
	struct buf cell = BUF_INIT;
	va_list args;
	va_start(args, fmt);
	buf_vaddf(&cell, fmt, args);
	va_end(args);
	table_text(t, buf_text(&cell));
	buf_release(&cell);
}

/* A column of numbers (and dashes) stands to the right. */
static bool is_number(const char *s)
{
	return s[0] == '\0' || strcmp(s, "-") == 0 || strspn(s, "+-0123456789.,%eE ") == strlen(s);
}

static const char *cell_at(const struct table *t, size_t row, size_t column)
{
	size_t i = row * t->n_columns + column;
	return i < t->n ? t->cells[i] : "";
}

struct column {
	size_t width;
	bool is_right;
};

static struct column measure(const struct table *t, size_t n_rows, size_t column)
{
	struct column c = {utf8_width(text_of(t->heads[column])), n_rows > 0};
	for (size_t row = 0; row < n_rows; row++) {
		const char *s = cell_at(t, row, column);
		size_t width = utf8_width(text_of(s));
		c.width = width > c.width ? width : c.width;
		c.is_right = c.is_right && is_number(s);
	}
	return c;
}

static void put_cell(FILE *out, const char *s, struct column c, bool is_last)
{
	size_t width = utf8_width(text_of(s));
	int pad = (int)(c.width > width ? c.width - width : 0);
	if (c.is_right)
		fprintf(out, "%*s%s", pad, "", s);
	else
		fprintf(out, "%s%*s", s, is_last ? 0 : pad, "");
	fputs(is_last ? "\n" : "  ", out);
}

void table_print(struct table *t, FILE *out)
{
	size_t n_rows = (t->n + t->n_columns - 1) / t->n_columns;
	struct column *columns = xcalloc(t->n_columns, sizeof *columns);
	for (size_t c = 0; c < t->n_columns; c++)
		columns[c] = measure(t, n_rows, c);
	for (size_t c = 0; c < t->n_columns; c++)
		put_cell(out, t->heads[c], columns[c], c + 1 == t->n_columns);
	for (size_t row = 0; row < n_rows; row++)
		for (size_t c = 0; c < t->n_columns; c++)
			put_cell(out, cell_at(t, row, c), columns[c], c + 1 == t->n_columns);
	free(columns);
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
