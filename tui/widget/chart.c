#include "tui/widget/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { LABEL = 8 }; /* columns of the y axis */

struct range {
	double low, high;
};

static double on_scale(const struct chart *c, double y)
{
	return c->is_log ? (y > 0 ? log10(y) : NAN) : y;
}

static void widen(struct range *r, double v)
{
	if (!isfinite(v))
		return;
	r->low = v < r->low ? v : r->low;
	r->high = v > r->high ? v : r->high;
}

static void find_ranges(const struct chart *c, struct range *x, struct range *y)
{
	*x = *y = (struct range){INFINITY, -INFINITY};
	for (size_t s = 0; s < c->n_series; s++)
		for (size_t i = 0; i < c->series[s].n; i++) {
			widen(y, on_scale(c, c->series[s].y[i]));
			widen(x, c->series[s].x[i]);
		}
	widen(y, on_scale(c, c->base));
	if (y->high - y->low < 1e-12) {
		double pad = fabs(y->low) > 1e-9 ? fabs(y->low) / 10 : 0.5;
		y->low -= pad;
		y->high += pad;
	}
	if (x->high - x->low < 1e-12)
		x->high = x->low + 1;
}

static int row_of(struct range y, double v, int rows)
{
	double t = (y.high - v) / (y.high - y.low);
	int row = (int)(t * (rows - 1) + 0.5);
	return row < 0 ? 0 : row >= rows ? rows - 1 : row;
}

static void draw_axes(
	struct grid *g, struct rect r, const struct chart *c, struct range x, struct range y)
{
	int rows = r.rows - 1;
	static const double places[] = {0, 0.5, 1};
	for (int i = 0; i < 3; i++) {
		double v = y.high - places[i] * (y.high - y.low);
		grid_printf(g, r, row_of(y, v, rows), 0, STYLE_DIM, "%*.4g", LABEL - 1,
			c->is_log ? pow(10, v) : v);
	}
	for (int row = 0; row < rows; row++)
		grid_put(g, r, row, LABEL - 1, STYLE_FRAME, "|");
	grid_printf(g, r, rows, LABEL, STYLE_DIM, "%.6g", x.low);
	char end[64];
	int n = snprintf(end, sizeof end, "%.6g %s", x.high, c->unit);
	grid_put(g, r, rows, r.cols - n, STYLE_DIM, end);
	double base = on_scale(c, c->base);
	if (isfinite(base))
		for (int col = LABEL; col < r.cols; col += 2)
			grid_put(g, r, row_of(y, base, rows), col, STYLE_DIM, "-");
}

/* What one column shows of its points, as rows. */
struct column {
	int top, bottom, last; /* top > bottom: no point */
};

static size_t gather(const struct chart *c, const struct series *s, struct range x, struct range y,
	struct column *columns, int cols, int rows)
{
	size_t n_gaps = 0;
	for (int i = 0; i < cols; i++)
		columns[i] = (struct column){rows, -1, 0};
	for (size_t i = 0; i < s->n; i++) {
		double v = on_scale(c, s->y[i]);
		if (!isfinite(v)) {
			n_gaps++;
			continue;
		}
		int col = (int)((s->x[i] - x.low) / (x.high - x.low) * (cols - 1) + 0.5);
		int row = row_of(y, v, rows);
		struct column *at = &columns[col < 0 ? 0 : col >= cols ? cols - 1 : col];
		at->top = row < at->top ? row : at->top;
		at->bottom = row > at->bottom ? row : at->bottom;
		at->last = row;
	}
	return n_gaps;
}

static size_t draw_series(struct grid *g, struct rect r, const struct chart *c,
	const struct series *s, struct range x, struct range y)
{
	int rows = r.rows - 1, cols = r.cols - LABEL;
	char mark[2] = {s->mark, '\0'};
	struct column *columns = xcalloc((size_t)cols, sizeof *columns);
	size_t n_gaps = gather(c, s, x, y, columns, cols, rows);
	for (int col = 0; col < cols; col++) {
		const struct column *at = &columns[col];
		const int shown[] = {at->top, at->bottom, at->last};
		for (size_t i = 0; at->top <= at->bottom && i < ARRAY_LEN(shown); i++)
			grid_put(g, r, shown[i], LABEL + col, s->style, mark);
	}
	free(columns);
	return n_gaps;
}

size_t chart_draw(struct grid *g, struct rect r, const struct chart *c)
{
	if (r.rows < 3 || r.cols < LABEL + 8)
		return 0;
	struct range x, y;
	find_ranges(c, &x, &y);
	if (!isfinite(x.low) || !isfinite(y.low)) {
		grid_put(g, r, 0, 0, STYLE_DIM, "no points yet");
		return 0;
	}
	draw_axes(g, r, c, x, y);
	size_t n_gaps = 0;
	for (size_t i = 0; i < c->n_series; i++)
		n_gaps += draw_series(g, r, c, &c->series[i], x, y);
	return n_gaps;
}

void chart_smooth(const double *y, size_t n, double weight, double *ret)
{
	double sum = 0, norm = 0;
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(y[i])) {
			ret[i] = NAN;
			continue;
		}
		sum = weight * sum + (1 - weight) * y[i];
		norm = weight * norm + (1 - weight);
		ret[i] = sum / norm;
	}
}
