/* One row in full: every field, the text of the one at the cursor, and what was decided about it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "tui/decide.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct record_view_state {
	struct list list; /* over the fields: query, prompt, then candidates */
	int scroll;
	bool is_zoomed; /* the text alone */
	size_t row_shown; /* what the cursor is about */
	const struct rows *of;
};

static void *record_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct record_view_state));
}

enum { HEADS_MAX = 5 };
struct head {
	const char *name;
	struct text text;
};

/* The row's own texts, before its candidates: the query always, the others where the row has them. */
static size_t heads_of(const struct record *r, struct head out[HEADS_MAX])
{
	const struct head all[HEADS_MAX] = {{"query", r->query}, {"prompt", r->prompt},
		{"type", r->type}, {"category", r->category}, {"id", r->id}};
	size_t n = 0;
	for (size_t i = 0; i < HEADS_MAX; i++)
		if (i == 0 || all[i].text.len)
			out[n++] = all[i];
	return n;
}

/* What the lines of the list are about: heads, candidates, and the row as it stands in the file, unknown fields included. */
struct lines {
	struct head head[HEADS_MAX];
	size_t n_heads;
	struct shown shown[SHOWN_MAX];
	size_t n_shown;
	size_t n; /* of all */
};

static void lines_of(const struct app *a, const struct row *r, struct lines *ret)
{
	ret->n_heads = ret->n_shown = ret->n = 0;
	if (!r || r->is_broken)
		return;
	ret->n_heads = heads_of(&r->r, ret->head);
	ret->n_shown = candidates_of(&a->session, r, ret->shown);
	ret->n = ret->n_heads + ret->n_shown + (r->r.line.len > 0);
}

/* NULL: no candidate stands there. */
static const struct shown *candidate_at(const struct lines *l, size_t k)
{
	return k >= l->n_heads && k - l->n_heads < l->n_shown ? &l->shown[k - l->n_heads] : NULL;
}

static void record_enter(void *state, struct app *a)
{
	struct record_view_state *s = state;
	struct session *ses = &a->session;
	struct lines l;
	lines_of(a, session_row(ses), &l);
	if (s->row_shown != ses->row || s->of != ses->rows) {
		s->list = (struct list){0};
		s->scroll = 0;
	}
	s->row_shown = ses->row;
	s->of = ses->rows;
	for (size_t i = 0; ses->has_item && i < l.n_shown; i++)
		if (candidate_is(&l.shown[i], ses->item))
			s->list.cursor = l.n_heads + i;
	ses->has_item = false;
}

static struct effect move_row(struct record_view_state *s, struct app *a, int step)
{
	struct session *ses = &a->session;
	size_t n = rows_shown(ses->rows);
	if (step < 0 ? ses->row == 0 : ses->row + 1 >= n)
		return effect_message(step < 0 ? "the first row" : "the last row");
	ses->row = step < 0 ? ses->row - 1 : ses->row + 1;
	record_enter(s, a);
	return NO_EFFECT;
}

static struct effect decide_here(struct record_view_state *s, struct app *a, const struct row *r,
	const struct lines *l, const struct input *in)
{
	const struct shown *x = candidate_at(l, s->list.cursor);
	bool decided;
	struct effect e = decide(a, r, x, x != NULL, in, &decided);
	if (decided && s->list.cursor + 1 < l->n)
		s->list.cursor++;
	return e;
}

static struct effect record_update(void *state, struct app *a, const struct input *in)
{
	struct record_view_state *s = state;
	const struct row *r = session_row(&a->session);
	struct lines l;
	lines_of(a, r, &l);
	if (list_move(&s->list, in, l.n)) {
		s->scroll = 0;
		return NO_EFFECT;
	}
	switch ((int)in->command) {
	case CMD_NEXT:
		return move_row(s, a, 1);
	case CMD_PREVIOUS:
		return move_row(s, a, -1);
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	case CMD_PANE:
	case CMD_PANE_BACK:
	case CMD_ZOOM:
	case CMD_ENTER:
		s->is_zoomed = !s->is_zoomed;
		return NO_EFFECT;
	default:
		return decide_here(s, a, r, &l, in);
	}
}

static void draw_candidate(const struct app *a, const struct row *r, const struct shown *x,
	enum style style, struct grid *g, struct rect at, int line)
{
	char t[16], sim[16];
	candidate_number(x->c->score, t);
	candidate_number(x->c->sim, sim);
	int col = 1 +
		grid_printf(g, at, line, 1, style, "%s[%d]", x->is_pos ? "pos" : "neg", x->number);
	grid_put(g, at, line, col < 9 ? 9 : col + 1, style, verdict_sign(x->verdict));
	col = 11;
	if (t[0])
		col += grid_printf(g, at, line, col, style, "t %s  ", t);
	if (sim[0])
		col += grid_printf(g, at, line, col, style, "s %s  ", sim);
	grid_text(g, at, line, col, style, session_text(&a->session, r, x->c->text));
}

static void draw_fields(struct record_view_state *s, struct app *a, const struct row *r,
	const struct lines *l, struct grid *g, struct rect at)
{
	size_t top = list_view(&s->list, l->n, at.rows);
	for (int i = 0; i < at.rows && top + (size_t)i < l->n; i++) {
		size_t k = top + (size_t)i;
		enum style style = k == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
		grid_fill(g, (struct rect){at.row + i, at.col, 1, at.cols}, style);
		const struct shown *x = candidate_at(l, k);
		const struct head *h = k < l->n_heads ? &l->head[k] : NULL;
		if (x)
			draw_candidate(a, r, x, style, g, at, i);
		else
			grid_put(g, at, i, 1, style, h ? h->name : "in file");
		if (!x)
			grid_text(g, at, i, 11, style, h ? h->text : r->r.line);
	}
}

static void draw_history(struct app *a, const struct row *r, struct grid *g, struct rect at)
{
	struct rect in = grid_frame(g, at, "history of this row", false);
	const struct workspace *w = a->session.workspace;
	int line = 0;
	for (size_t i = workspace_count(w); i > 0 && line < in.rows; i--) {
		bool is_active;
		const struct decision *d = workspace_at(w, i - 1, &is_active);
		if (memcmp(&d->row, &r->id, sizeof r->id) != 0)
			continue;
		time_t when = (time_t)(d->at_ms / 1000);
		struct tm tm;
		char clock[16];
		strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&when, &tm));
		int col = grid_printf(g, in, line, 0, is_active ? STYLE_PLAIN : STYLE_DIM,
			"%s  %.*s  %s%s  ", a->is_script ? "--:--:--" : clock, TEXT_ARG(d->user),
			verdict_name(d->verdict), is_active ? "" : " (undone)");
		grid_text(g, in, line++, col, STYLE_DIM, d->text.len ? d->text : d->reason);
	}
	if (!line)
		grid_put(g, in, 0, 0, STYLE_DIM, "nothing was decided yet");
}

/* "neg[2]  61 characters  t rank 3  s rank 1  mined 4th  from mine:me5-small  bge 0.71" */
static void describe(const struct row *r, const struct shown *x, struct text full, struct buf *out)
{
	buf_addf(out, "%s[%d]  %zu characters", x->is_pos ? "pos" : "neg", x->number,
		utf8_count(full));
	if (x->t_rank)
		buf_addf(out, "  t rank %d", x->t_rank);
	if (x->s_rank)
		buf_addf(out, "  s rank %d", x->s_rank);
	if (x->c->from.len)
		buf_addf(out, "  from %.*s", TEXT_ARG(x->c->from));
	if (x->c->rank >= 0)
		buf_addf(out, " at rank %lld", (long long)x->c->rank);
	for (size_t i = 0; x->c->by_teacher && i < r->r.n_teachers; i++)
		if (!isnan(x->c->by_teacher[i]))
			buf_addf(out, "  %.*s %.4g", TEXT_ARG(r->r.teachers[i].name),
				x->c->by_teacher[i]);
}

static void draw_text(struct record_view_state *s, struct app *a, const struct row *row,
	const struct lines *l, struct grid *g, struct rect r)
{
	size_t at = s->list.cursor;
	const struct shown *x = candidate_at(l, at);
	struct buf title = BUF_INIT;
	struct text full = x      ? session_text(&a->session, row, x->c->text)
		: at < l->n_heads ? l->head[at].text
				  : row->r.line;
	if (x)
		describe(row, x, full, &title);
	else
		buf_addf(&title, "%s  %zu characters",
			at < l->n_heads ? l->head[at].name : "the line as it stands in the file",
			utf8_count(full));
	struct rect in = grid_frame(g, r, title.data, true);
	wrap_pane(g, in, &s->scroll, STYLE_PLAIN, full);
	buf_release(&title);
}

static void record_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct record_view_state *s = state;
	const struct row *row = session_row(&a->session);
	if (!row || row->is_broken) {
		wrap_draw(
			g, r, 0, STYLE_BAD, text_of(row ? row->why : session_no_row(&a->session)));
		return;
	}
	struct lines l;
	lines_of(a, row, &l);
	if (s->is_zoomed) {
		draw_text(s, a, row, &l, g, r);
		return;
	}
	struct rect history = panes_bottom(&r, r.rows >= 24 ? 6 : r.rows >= 18 ? 4 : 0);
	int n_fields = (int)l.n, most = r.rows / 2;
	if (r.cols >= 100) {
		draw_text(s, a, row, &l, g, panes_right(&r, r.cols / 2));
		draw_fields(s, a, row, &l, g, r);
	} else {
		struct rect top = panes_top(&r, n_fields < most ? n_fields : most);
		draw_fields(s, a, row, &l, g, top);
		draw_text(s, a, row, &l, g, r);
	}
	if (history.rows)
		draw_history(a, row, g, history);
}

static void record_header(void *state, struct app *a, struct buf *out)
{
	(void)state;
	const struct row *r = session_row(&a->session);
	session_name(&a->session, out);
	if (r)
		buf_addf(out, "  row %zu of %zu  %zu pos %zu neg", r->index + 1,
			rows_total(a->session.rows), r->r.n_pos, r->r.n_neg);
}

const struct screen_ops record_screen = {.id = SCREEN_RECORD,
	.title = "Record",
	.new = record_new,
	.enter = record_enter,
	.update = record_update,
	.view = record_view,
	.header = record_header,
	.free = free};
