#include "tui/widget/panes.h"

static int within(int want, int have)
{
	return want < 0 ? 0 : want > have ? have : want;
}

struct rect panes_top(struct rect *r, int rows)
{
	rows = within(rows, r->rows);
	struct rect cut = {r->row, r->col, rows, r->cols};
	r->row += rows;
	r->rows -= rows;
	return cut;
}

struct rect panes_bottom(struct rect *r, int rows)
{
	rows = within(rows, r->rows);
	r->rows -= rows;
	return (struct rect){r->row + r->rows, r->col, rows, r->cols};
}

struct rect panes_left(struct rect *r, int cols)
{
	cols = within(cols, r->cols);
	struct rect cut = {r->row, r->col, r->rows, cols};
	r->col += cols;
	r->cols -= cols;
	return cut;
}

struct rect panes_right(struct rect *r, int cols)
{
	cols = within(cols, r->cols);
	r->cols -= cols;
	return (struct rect){r->row, r->col + r->cols, r->rows, cols};
}
