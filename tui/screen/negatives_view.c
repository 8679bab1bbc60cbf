/* Teacher, student, both ranks, share of the positive, label, origin and suggestion, with the text of one below. */
#include <math.h>
#include <stdio.h>

#include "tui/screen/negatives_private.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

/* Columns give way from the right as the screen narrows: origin, ranks, then the share. */
struct columns {
	int text;
	bool ranks, share, from;
};

static struct columns fit(int cols)
{
	struct columns k = {.ranks = cols >= 90, .share = cols >= 64, .from = cols >= 110};
	k.text = cols - 6 - 16 - 10 - (k.ranks ? 8 : 0) - (k.share ? 7 : 0) - (k.from ? 14 : 0);
	return k;
}

static void draw_line(const struct negatives *s, struct app *a, const struct row *r,
	const struct shown *x, struct grid *g, struct rect at, int line, enum style style,
	bool is_marked)
{
	struct columns k = fit(at.cols);
	char t[16] = "", sim[16] = "";
	if (!s->is_blind) {
		candidate_number(x->c->score, t);
		candidate_number(x->c->sim, sim);
	}
	grid_fill(g, (struct rect){at.row + line, at.col, 1, at.cols}, style);
	grid_printf(g, at, line, 0, style, "%s%s%-3d", is_marked ? "*" : " ", x->is_pos ? "P" : "N",
		x->number);
	grid_field(g, at, line, 6, k.text, style, false, session_text(&a->session, r, x->c->text));
	int col = 6 + k.text;
	col += grid_printf(g, at, line, col, style, " %7s %7s", t, sim);
	if (k.ranks)
		col += s->is_blind ? 8
				   : grid_printf(g, at, line, col, style, " %3.0d %3.0d", x->t_rank,
					     x->s_rank);
	if (k.share) {
		if (!isnan(x->share) && !s->is_blind)
			grid_printf(g, at, line, col, style, " %5.1f%%", x->share);
		col += 7;
	}
	if (k.from) {
		grid_field(g, at, line, col + 1, 12, style, false, x->c->from);
		col += 14;
	}
	const char *label = x->verdict ? verdict_name(x->verdict) : x->is_pos ? "positive" : "";
	if (label[0])
		grid_printf(g, at, line, col + 1, style, "%s", label);
	else if (x->suggestion && !s->is_blind)
		grid_printf(g, at, line, col + 1, style, "%s?", verdict_name(x->suggestion));
}

static void draw_table(struct negatives *s, struct app *a, const struct row *r,
	const struct shown *c, size_t n, struct grid *g, struct rect at)
{
	struct columns k = fit(at.cols);
	struct rect head = panes_top(&at, 1);
	int col = 6 + k.text;
	grid_put(g, head, 0, 1, STYLE_DIM, "#");
	grid_put(g, head, 0, 6, STYLE_DIM, "text");
	col += grid_printf(g, head, 0, col, STYLE_DIM, " %7s %7s", "teacher", "student");
	if (k.ranks)
		col += grid_printf(g, head, 0, col, STYLE_DIM, " %3s %3s", "t#", "s#");
	if (k.share)
		col += grid_printf(g, head, 0, col, STYLE_DIM, " %6s", "of pos");
	if (k.from)
		col += grid_printf(g, head, 0, col, STYLE_DIM, " %-13s", "from");
	grid_put(g, head, 0, col + 1, STYLE_DIM, "label");
	size_t top = list_view(&s->list, n, at.rows);
	for (int i = 0; i < at.rows && top + (size_t)i < n; i++) {
		size_t j = top + (size_t)i;
		enum style style = j == s->list.cursor ? STYLE_CURSOR
			: s->marks[j]                  ? STYLE_MARK
			: c[j].is_pos                  ? STYLE_GOOD
			: c[j].suggestion == VERDICT_PROMOTE && !s->is_blind && !c[j].verdict
			? STYLE_WARN
			: STYLE_PLAIN;
		draw_line(s, a, r, &c[j], g, at, i, style, s->marks[j]);
	}
	if (!n)
		grid_put(g, at, 0, 1, STYLE_DIM, "no candidates: :mine --model DIR finds some");
}

/* What the table had no column for, and why something is suggested: "N0  t# 2  s# 1  mine:small  clearly below the positive". */
static void describe(
	const struct negatives *s, const struct shown *x, struct columns in_table, struct buf *out)
{
	buf_addf(out, "%s%d", x->is_pos ? "P" : "N", x->number);
	if (s->is_blind)
		return;
	if (!in_table.ranks && x->t_rank)
		buf_addf(out, "  t# %d", x->t_rank);
	if (!in_table.ranks && x->s_rank)
		buf_addf(out, "  s# %d", x->s_rank);
	if (!in_table.from && x->c->from.len)
		buf_addf(out, "  %.*s", TEXT_ARG(x->c->from));
	if (x->reason[0])
		buf_addf(out, "  %s", x->reason);
}

/* The candidate's text, where there is room beside the positive's. */
static void draw_texts(struct negatives *s, struct app *a, const struct row *row,
	const struct shown *x, struct grid *g, struct rect low)
{
	bool is_wide = row->r.n_pos && low.cols >= 100;
	int width = low.cols;
	struct rect left = panes_left(&low, is_wide ? low.cols / 2 : low.cols);
	struct buf title = BUF_INIT;
	describe(s, x, fit(width), &title);
	wrap_pane(g, grid_frame(g, left, title.data, true), &s->scroll, STYLE_PLAIN,
		session_text(&a->session, row, x->c->text));
	buf_release(&title);
	if (low.cols)
		wrap_draw(g, grid_frame(g, low, "P0", false), 0, STYLE_PLAIN, row->r.pos[0].text);
}

void negatives_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct negatives *s = state;
	const struct row *row = session_row(&a->session);
	struct shown c[SHOWN_MAX];
	size_t n = negatives_load(s, a, row, c);
	if (!row || row->is_broken) {
		wrap_draw(
			g, r, 0, STYLE_BAD, text_of(row ? row->why : session_no_row(&a->session)));
		return;
	}
	struct rect query = panes_top(&r, 1);
	int col = grid_put(g, query, 0, 1, STYLE_BOLD, "query ");
	grid_text(g, query, 0, 1 + col, STYLE_BOLD, row->r.query);
	int texts = r.rows >= 12 ? r.rows * 2 / 5 : 0;
	struct rect low = panes_bottom(&r, s->is_zoomed ? r.rows : texts);
	if (r.rows > 0)
		draw_table(s, a, row, c, n, g, r);
	if (low.rows && s->list.cursor < n)
		draw_texts(s, a, row, &c[s->list.cursor], g, low);
}

void negatives_header(void *state, struct app *a, struct buf *out)
{
	const struct negatives *s = state;
	const struct row *r = session_row(&a->session);
	session_name(&a->session, out);
	if (r)
		buf_addf(out, "  row %zu of %zu  %zu pos %zu neg%s", r->index + 1,
			rows_total(a->session.rows), r->r.n_pos, r->r.n_neg,
			s->is_blind ? "  blind" : "");
}
