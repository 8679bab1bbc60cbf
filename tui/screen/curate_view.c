/* How the present candidate looks: query, positive and candidate in panes, the suggestion, the strip of the row's candidates. */
#include <math.h>
#include <stdio.h>

#include "tui/screen/curate_private.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

static void scores(const struct curate *s, const struct shown *x, struct buf *out)
{
	char t[16] = "", sim[16] = "";
	if (s->is_blind)
		return;
	candidate_number(x->c->score, t);
	candidate_number(x->c->sim, sim);
	buf_addf(out, "%s%s%s%s", t[0] ? "  t " : "", t, sim[0] ? "  s " : "", sim);
	if (x->t_rank)
		buf_addf(out, "  t rank %d", x->t_rank);
	if (x->s_rank)
		buf_addf(out, "  s rank %d", x->s_rank);
	if (!x->is_pos && !isnan(x->share))
		buf_addf(out, "  %.1f%% of pos", x->share);
}

/* " 3 a ": six columns each; where not all fit, those around the present one. */
static void draw_strip(const struct shown *c, size_t n, int at, struct grid *g, struct rect r)
{
	enum { EACH = 6 };
	int fit = r.cols / EACH, first = at - fit / 2, last = (int)n - fit;
	first = first > last ? last : first;
	int col = 0;
	for (int i = first < 0 ? 0 : first; i < (int)n && col + EACH <= r.cols; i++) {
		if (c[i].is_pos)
			continue;
		enum style style = i == at ? STYLE_CURSOR : c[i].verdict ? STYLE_DIM : STYLE_PLAIN;
		grid_printf(g, r, 0, col, style, " %d %s ", c[i].number + 1,
			c[i].verdict ? verdict_sign(c[i].verdict) : "?");
		col += EACH;
	}
}

static void draw_pane(struct curate *s, struct app *a, const struct row *r, const struct shown *x,
	bool has_focus, struct grid *g, struct rect at)
{
	struct buf title = BUF_INIT;
	if (x->is_pos && r->r.n_pos > 1)
		buf_addf(&title, "positive %d of %zu", x->number + 1, r->r.n_pos);
	else
		buf_addf(&title, x->is_pos ? "positive %d" : "candidate %d", x->number + 1);
	scores(s, x, &title);
	struct rect in = grid_frame(g, at, title.data, has_focus);
	int top = 0;
	wrap_pane(g, in, has_focus ? &s->scroll : &top, STYLE_PLAIN,
		session_text(&a->session, r, x->c->text));
	buf_release(&title);
}

static void draw_nothing(const struct curate *s, const struct app *a, struct grid *g, struct rect r)
{
	static const char done[] =
		"The queue is done. u takes the last decision back; :export writes the rows with all decisions applied.";
	static const char empty[] =
		"Nothing to decide: no shown row has negatives. :mine finds some; g d goes to the rows.";
	r.row++;
	r.rows--;
	r.col++;
	r.cols -= 2;
	if (s->n_read < s->n_of || !rows_is_complete(a->session.rows))
		grid_printf(g, r, 0, 0, STYLE_DIM, "ordering the queue: row %zu of %zu", s->n_read,
			s->n_of);
	else
		wrap_draw(g, r, 0, STYLE_DIM,
			text_of(s->n_tasks ? done
					: rows_shown(a->session.rows)
					? empty
					: session_no_row(&a->session)));
}

/* One line: what was decided, or what is suggested and why; a note at its right. */
static void draw_why(const struct curate *s, const struct app *a, const struct row *row,
	const struct shown *x, struct grid *g, struct rect r)
{
	const struct decision *note = workspace_note(
		a->session.workspace, row->id, hash128(x->c->text.s, x->c->text.len));
	if (x->verdict)
		grid_printf(g, r, 0, 1, STYLE_GOOD, "decided: %s", verdict_name(x->verdict));
	else if (x->suggestion && !s->is_blind)
		grid_printf(g, r, 0, 1, x->suggestion == VERDICT_KEEP ? STYLE_DIM : STYLE_WARN,
			"w = %s  (%s)", verdict_name(x->suggestion), x->reason);
	if (note)
		grid_printf(g, r, 0, r.cols / 2, STYLE_DIM, "note: %.*s", TEXT_ARG(note->text));
}

static void draw_panes(struct curate *s, struct app *a, const struct row *row,
	const struct shown *pos, const struct shown *x, struct grid *g, struct rect r)
{
	bool is_single = s->is_zoomed || r.rows < 10;
	if (is_single) {
		draw_pane(s, a, row, s->on_positive && pos ? pos : x, true, g, r);
		return;
	}
	struct rect at = r.cols >= 100 ? panes_left(&r, r.cols / 2) : panes_top(&r, r.rows * 2 / 5);
	if (pos)
		draw_pane(s, a, row, pos, s->on_positive, g, at);
	draw_pane(s, a, row, x, !s->on_positive, g, r);
}

void curate_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct curate *s = state;
	struct shown c[SHOWN_MAX];
	size_t n;
	const struct row *row = curate_present(s, a, c, &n);
	if (!row || s->candidate >= (int)n || s->candidate < 0) {
		draw_nothing(s, a, g, r);
		return;
	}
	struct rect query = panes_top(&r, r.rows >= 16 ? 2 : 1);
	grid_put(g, query, 0, 1, STYLE_BOLD, "query");
	wrap_draw(g, (struct rect){query.row, query.col + 7, query.rows, query.cols - 8}, 0,
		STYLE_BOLD, row->r.query);
	struct rect strip = panes_bottom(&r, 1), why = panes_bottom(&r, 1);
	draw_strip(c, n, s->candidate, g, strip);
	draw_why(s, a, row, &c[s->candidate], g, why);
	int pos = curate_positive(s, c, n);
	draw_panes(s, a, row, pos >= 0 ? &c[pos] : NULL, &c[s->candidate], g, r);
}

void curate_header(void *state, struct app *a, struct buf *out)
{
	const struct curate *s = state;
	size_t tally[VERDICT_NOTE + 1];
	workspace_tally(a->session.workspace, tally);
	session_name(&a->session, out);
	buf_addf(out, "  %zu/%zu  a %zu x %zu p %zu s %zu%s  %s",
		s->at < s->n_tasks ? s->at + 1 : s->n_tasks, s->n_tasks, tally[VERDICT_KEEP],
		tally[VERDICT_REJECT], tally[VERDICT_PROMOTE], tally[VERDICT_SKIP],
		s->is_blind ? "  blind" : "",
		s->order == ORDER_FILE ? "in file order" : "by disagreement");
}
