#include "tui/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"

static void blank(struct cell *c, enum style style)
{
	c->text[0] = ' ';
	c->text[1] = '\0';
	c->style = (uint8_t)style;
}

void grid_init(struct grid *g, int rows, int cols, bool is_ascii)
{
	*g = (struct grid){.cursor_row = -1, .is_ascii = is_ascii};
	grid_resize(g, rows, cols);
}

void grid_resize(struct grid *g, int rows, int cols)
{
	g->rows = rows < 1 ? 1 : rows;
	g->cols = cols < 1 ? 1 : cols;
	g->cells = xreallocarray(g->cells, (size_t)g->rows * (size_t)g->cols, sizeof *g->cells);
	grid_clear(g);
}

void grid_release(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
}

void grid_clear(struct grid *g)
{
	for (int i = 0; i < g->rows * g->cols; i++)
		blank(&g->cells[i], STYLE_PLAIN);
	g->cursor_row = -1;
}

static struct cell *at(struct grid *g, int row, int col)
{
	return &g->cells[row * g->cols + col];
}

const struct cell *grid_at(const struct grid *g, int row, int col)
{
	return &g->cells[row * g->cols + col];
}

/* Overwriting half of a wide character leaves a space in the place of the other half. */
static void clear_halves(struct grid *g, int row, int col)
{
	struct cell *c = at(g, row, col);
	if (c->text[0] == '\0' && col > 0)
		blank(at(g, row, col - 1), at(g, row, col - 1)->style);
	if (col + 1 < g->cols && at(g, row, col + 1)->text[0] == '\0')
		blank(at(g, row, col + 1), at(g, row, col + 1)->style);
}

static void put_cluster(
	struct grid *g, int row, int col, enum style style, struct text cluster, int width)
{
	for (int i = 0; i < width; i++)
		clear_halves(g, row, col + i);
	struct cell *c = at(g, row, col);
	c->style = (uint8_t)style;
	bool fits = cluster.len < sizeof c->text;
	if (g->is_ascii && (unsigned char)cluster.s[0] >= 0x80) {
		memset(c->text, 0, sizeof c->text);
		c->text[0] = '?';
	} else {
		/* A base with a dozen combining marks keeps as many whole code points as fit. */
		size_t len = fits ? cluster.len : 0;
		for (size_t n = 0, step; !fits && n < cluster.len; n += step) {
			utf8_decode(cluster.s + n, cluster.len - n, &step);
			if (n + step >= sizeof c->text)
				break;
			len = n + step;
		}
		memcpy(c->text, cluster.s, len);
		c->text[len] = '\0';
	}
	if (width == 2) {
		at(g, row, col + 1)->text[0] = '\0';
		at(g, row, col + 1)->style = (uint8_t)style;
		if (g->is_ascii && c->text[0] == '?')
			blank(at(g, row, col + 1), style);
	}
}

static struct rect clip(const struct grid *g, struct rect r)
{
	int bottom = r.row + r.rows, right = r.col + r.cols;
	struct rect c = {r.row < 0 ? 0 : r.row, r.col < 0 ? 0 : r.col, 0, 0};
	bottom = bottom > g->rows ? g->rows : bottom;
	right = right > g->cols ? g->cols : right;
	c.rows = bottom > c.row ? bottom - c.row : 0;
	c.cols = right > c.col ? right - c.col : 0;
	return c;
}

/* Clean text, already sanitised and composed. */
static int draw(struct grid *g, struct rect r, int row, int col, enum style style, struct text t)
{
	r = clip(g, r);
	int start = col;
	if (row < 0 || row >= r.rows || col < 0)
		return 0;
	for (size_t i = 0; i < t.len && col < r.cols;) {
		struct text rest = {t.s + i, t.len - i};
		/* the next cluster: what fits into 2 columns is one or two clusters, what fits into
		 * 1 is at most one */
		size_t len = utf8_cut(rest, 1);
		int width = len ? (int)utf8_width((struct text){rest.s, len}) : 2;
		if (!len) {
			len = utf8_cut(rest, 2);
			if (!len)
				break;
		}
		if (width == 0 && col == start) {
			i += len; /* a mark with nothing to stand on */
			continue;
		}
		if (col + width > r.cols) {
			clear_halves(g, r.row + row, r.col + col);
			blank(at(g, r.row + row, r.col + col), style);
			col++;
			break;
		}
		put_cluster(g, r.row + row, r.col + col, style, (struct text){rest.s, len}, width);
		col += width;
		i += len;
	}
	return col - start;
}

int grid_text(struct grid *g, struct rect r, int row, int col, enum style style, struct text t)
{
	/* Only what can be seen is cleaned: a cluster takes at most a few dozen bytes a column. */
	struct text seen = {t.s, t.len > 4096 ? 4096 : t.len};
	struct buf composed = BUF_INIT, clean = BUF_INIT;
	utf8_nfc(&composed, seen);
	utf8_sanitize(&clean, buf_text(&composed));
	int used = draw(g, r, row, col, style, buf_text(&clean));
	buf_release(&composed);
	buf_release(&clean);
	return used;
}

int grid_put(struct grid *g, struct rect r, int row, int col, enum style style, const char *s)
{
	return grid_text(g, r, row, col, style, text_of(s));
}

int grid_printf(
	struct grid *g, struct rect r, int row, int col, enum style style, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list args;
	va_start(args, fmt);
	buf_vaddf(&b, fmt, args);
	va_end(args);
	int used = grid_text(g, r, row, col, style, buf_text(&b));
	buf_release(&b);
	return used;
}

void grid_field(struct grid *g, struct rect r, int row, int col, int width, enum style style,
	bool is_right, struct text t)
{
	if (row < 0 || row >= r.rows || width <= 0)
		return;
	struct rect field = {r.row + row, r.col + col, 1, width};
	if (col + width > r.cols)
		field.cols = r.cols - col;
	grid_fill(g, field, style);
	int need = is_right ? (int)utf8_width(t) : width;
	grid_text(g, field, 0, need < width ? width - need : 0, style, t);
}

void grid_fill(struct grid *g, struct rect r, enum style style)
{
	r = clip(g, r);
	for (int row = 0; row < r.rows; row++)
		for (int col = 0; col < r.cols; col++) {
			clear_halves(g, r.row + row, r.col + col);
			blank(at(g, r.row + row, r.col + col), style);
		}
}

void grid_style(struct grid *g, struct rect r, enum style style)
{
	r = clip(g, r);
	for (int row = 0; row < r.rows; row++)
		for (int col = 0; col < r.cols; col++)
			at(g, r.row + row, r.col + col)->style = (uint8_t)style;
}

/* Bytes of word that the cells from col on spell, up to *ret_end; 0: they do not. */
static bool spells(
	const struct grid *g, int row, int col, int right, const char *word, int *ret_end)
{
	while (*word && col < right) {
		const char *cell = grid_at(g, row, col++)->text;
		size_t n = strlen(cell);
		if (n && strncasecmp(cell, word, n) != 0)
			return false;
		word += n;
	}
	while (col < right && grid_at(g, row, col)->text[0] == '\0')
		col++;
	*ret_end = col;
	return *word == '\0';
}

void grid_match(struct grid *g, struct rect r, const char *word)
{
	r = clip(g, r);
	for (int row = r.row; *word && row < r.row + r.rows; row++)
		for (int col = r.col, end; col < r.col + r.cols; col++) {
			if (!grid_at(g, row, col)->text[0] ||
				!spells(g, row, col, r.col + r.cols, word, &end))
				continue;
			grid_style(g, (struct rect){row, col, 1, end - col}, STYLE_MATCH);
			col = end - 1;
		}
}

struct rect grid_frame(struct grid *g, struct rect r, const char *title, bool has_focus)
{
	struct rect inside = {r.row + 1, r.col + 1, r.rows - 2, r.cols - 2};
	if (r.rows < 2 || r.cols < 4)
		return (struct rect){r.row, r.col, 0, 0};
	for (int col = 0; col < r.cols; col++) {
		bool is_edge = col == 0 || col == r.cols - 1;
		grid_put(g, r, 0, col, STYLE_FRAME, is_edge ? "+" : "-");
		grid_put(g, r, r.rows - 1, col, STYLE_FRAME, is_edge ? "+" : "-");
	}
	for (int row = 1; row < r.rows - 1; row++) {
		grid_put(g, r, row, 0, STYLE_FRAME, "|");
		grid_put(g, r, row, r.cols - 1, STYLE_FRAME, "|");
	}
	struct rect edge = {r.row, r.col + 2, 1, r.cols - 4};
	grid_printf(g, edge, 0, 0, has_focus ? STYLE_TITLE : STYLE_FRAME,
		has_focus ? "[%s]" : " %s ", title);
	return inside;
}

void grid_dump(const struct grid *g, struct buf *out)
{
	for (int row = 0; row < g->rows; row++) {
		size_t start = out->len;
		for (int col = 0; col < g->cols; col++)
			buf_adds(out, grid_at(g, row, col)->text);
		while (out->len > start && out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		buf_addch(out, '\n');
	}
}
