/* How the rows look: the list, the row under the cursor beside or below it, the header. */
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "tui/candidates.h"
#include "tui/screen/data_private.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

enum { NUMBER = 9, MARGIN = 9, COUNTS = 8, FLAG = 2 };

struct columns {
	int query;
	bool has_counts, has_teacher, has_student;
};

/* What a width leaves room for: from the right, margins and counts give way to the query. */
static struct columns fit(int cols)
{
	struct columns c = {
		.has_counts = cols >= 46, .has_teacher = cols >= 56, .has_student = cols >= 66};
	c.query = cols - NUMBER - 1 - FLAG - (c.has_counts ? COUNTS : 0) -
		(c.has_teacher ? MARGIN : 0) - (c.has_student ? MARGIN : 0);
	return c;
}

static int put_margin(struct grid *g, struct rect r, int line, int col, enum style style,
	const struct record *record, const char *column)
{
	double margin = NAN;
	char text[16];
	row_value(record, column, &margin);
	candidate_number(margin, text);
	grid_printf(g, r, line, col, style, "%*s", MARGIN, text);
	return col + MARGIN;
}

static void draw_row(const struct data *s, struct grid *g, struct rect r, int line,
	const struct row *row, bool is_cursor, bool is_tail)
{
	struct columns c = fit(r.cols);
	bool has_mark = !is_tail && data_is_marked(s, row->index);
	enum style style = is_cursor ? STYLE_CURSOR
		: row->is_broken     ? STYLE_BAD
		: has_mark           ? STYLE_MARK
				     : STYLE_PLAIN;
	grid_fill(g, (struct rect){r.row + line, r.col, 1, r.cols}, style);
	grid_put(g, r, line, 0, style, has_mark ? "*" : is_cursor ? ">" : " ");
	if (is_tail)
		grid_put(g, r, line, NUMBER - 2, style, "?");
	else
		grid_printf(g, r, line, 1, style, "%*zu", NUMBER - 2, row->index + 1);
	int col = NUMBER;
	if (row->is_broken) {
		grid_put(g, (struct rect){r.row, r.col, r.rows, r.cols - 1}, line, col, style,
			row->why);
		return;
	}
	grid_field(g, r, line, col, c.query, style, false, row->r.query);
	col += c.query + 1;
	if (c.has_counts) {
		grid_printf(g, r, line, col, style, "%3zu %3zu", row->r.n_pos, row->r.n_neg);
		col += COUNTS - 1;
	}
	if (c.has_teacher)
		col = put_margin(g, r, line, col, style, &row->r, "margin_t");
	if (c.has_student)
		col = put_margin(g, r, line, col, style, &row->r, "margin");
	bool by_teacher;
	grid_put(g, r, line, col + 1, style,
		row_disagreement(&row->r, &by_teacher) >= 0 ? "F" : " ");
}

static void draw_heads(struct grid *g, struct rect head)
{
	struct columns c = fit(head.cols);
	grid_printf(g, head, 0, 1, STYLE_DIM, "%*s", NUMBER - 2, "row");
	grid_put(g, head, 0, NUMBER, STYLE_DIM, "query");
	int col = NUMBER + c.query + 1;
	if (c.has_counts)
		col += grid_put(g, head, 0, col, STYLE_DIM, "pos neg");
	if (c.has_teacher)
		col += grid_put(g, head, 0, col, STYLE_DIM, " t margin");
	if (c.has_student)
		grid_put(g, head, 0, col, STYLE_DIM, " s margin");
}

static void draw_list(struct data *s, const struct app *a, struct grid *g, struct rect r)
{
	struct rows *rows = a->session.rows;
	draw_heads(g, panes_top(&r, 1));
	if (s->is_tail) {
		size_t n = rows_tail(rows, (size_t)(r.rows > 0 ? r.rows : 0) + s->tail_up);
		size_t top = n > s->tail_up + (size_t)r.rows ? n - s->tail_up - (size_t)r.rows : 0;
		for (size_t i = 0; i < (size_t)r.rows && top + i < n; i++)
			draw_row(s, g, r, (int)i, rows_tail_at(rows, top + i),
				top + i + s->tail_up + 1 == n, true);
		return;
	}
	size_t n = rows_shown(rows), top = list_view(&s->list, n, r.rows);
	if (!n)
		wrap_draw(g, r, 0, STYLE_DIM, text_of(session_no_row(&a->session)));
	for (int i = 0; i < r.rows && top + (size_t)i < n; i++)
		draw_row(s, g, r, i, rows_at(rows, top + (size_t)i),
			top + (size_t)i == s->list.cursor, false);
}

static void add_candidates(struct buf *out, const char *kind, const struct candidate *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char t[16], sim[16];
		candidate_number(c[i].score, t);
		candidate_number(c[i].sim, sim);
		buf_addf(out, "%s[%zu]%s%s%s%s\n  ", kind, i, t[0] ? " t " : "", t,
			sim[0] ? " s " : "", sim);
		buf_addtext(out, c[i].text);
		buf_addch(out, '\n');
	}
}

static void draw_preview(struct data *s, struct app *a, struct grid *g, struct rect r)
{
	struct rows *rows = a->session.rows;
	size_t n = rows_shown(rows);
	size_t n_tail = s->is_tail ? rows_tail(rows, s->tail_up + 1) : 0;
	const struct row *row = n_tail ? rows_tail_at(rows, n_tail - 1 - s->tail_up)
		: n && !s->is_tail     ? rows_at(rows, s->list.cursor < n ? s->list.cursor : n - 1)
				       : NULL;
	struct rect in = grid_frame(g, r, row ? "preview (J K scroll)" : "preview", false);
	if (!row)
		return;
	struct buf text = BUF_INIT;
	if (row->is_broken) {
		buf_adds(&text, row->why);
	} else {
		if (row->r.prompt.len)
			buf_addf(&text, "prompt %.*s\n", TEXT_ARG(row->r.prompt));
		buf_addf(&text, "query  %.*s\n", TEXT_ARG(row->r.query));
		add_candidates(&text, "pos", row->r.pos, row->r.n_pos);
		add_candidates(&text, "neg", row->r.neg, row->r.n_neg);
	}
	wrap_pane(g, in, &s->scroll, STYLE_PLAIN, buf_text(&text));
	buf_release(&text);
}

void data_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct data *s = state;
	struct rect all = r;
	if (r.cols >= 100 && !s->is_zoomed) {
		struct rect right = panes_right(&r, r.cols * 2 / 5);
		draw_preview(s, a, g, right);
	} else if (r.rows >= 14 && !s->is_zoomed) {
		struct rect low = panes_bottom(&r, 8);
		draw_preview(s, a, g, low);
	}
	draw_list(s, a, g, r);
	struct buf word = BUF_INIT; /* cells hold composed text */
	utf8_nfc(&word, text_of(s->search));
	grid_match(g, all, word.data ? word.data : "");
	buf_release(&word);
}

void data_header(void *state, struct app *a, struct buf *out)
{
	const struct data *s = state;
	struct rows *rows = a->session.rows;
	session_name(&a->session, out);
	size_t n = rows_shown(rows);
	if (rows_error(rows)[0])
		buf_addf(out, "  %s", rows_error(rows));
	else if (!rows_is_complete(rows))
		buf_addf(out, "  %d %% indexed", rows_percent(rows));
	else if (rows_name(rows)[0])
		buf_addf(out, "  row %zu of %zu", n ? s->list.cursor + 1 : 0, n);
	if (rows_filter_text(rows)[0])
		buf_addf(out, " (of %zu)  filter: %s", rows_total(rows), rows_filter_text(rows));
	if (rows_sort_text(rows)[0])
		buf_addf(out, "  by %s", rows_sort_text(rows));
	if (rows_work_percent(rows) < 100)
		buf_addf(out, "  %d %%", rows_work_percent(rows));
	if (s->n_marked)
		buf_addf(out, "  %zu marked", s->n_marked);
}
