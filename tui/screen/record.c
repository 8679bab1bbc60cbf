/* One row in full: every field, the text of the one at the cursor, and what was decided about it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tui/decide.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct record_view_state {
	struct list list; /* over the fields: query, prompt, then candidates */
	int scroll;
};

static void *record_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct record_view_state));
}

/* Fields before the candidates. */
enum { FIELD_QUERY, FIELD_PROMPT, FIELD_TYPE, N_FIELDS };

static struct text field(const struct row *r, size_t i)
{
	return i == FIELD_QUERY ? r->r.query : i == FIELD_PROMPT ? r->r.prompt : r->r.type;
}

static size_t n_lines(const struct row *r)
{
	return r && !r->is_broken ? N_FIELDS + r->r.n_pos + r->r.n_neg : 0;
}

static struct effect move_row(struct record_view_state *s, struct session *ses, int step)
{
	size_t n = rows_shown(ses->rows);
	if (step < 0 ? ses->row == 0 : ses->row + 1 >= n)
		return effect_message(step < 0 ? "the first row" : "the last row");
	ses->row = step < 0 ? ses->row - 1 : ses->row + 1;
	s->list = (struct list){0};
	s->scroll = 0;
	return NO_EFFECT;
}

static struct effect record_update(void *state, struct app *a, const struct input *in)
{
	struct record_view_state *s = state;
	const struct row *r = session_row(&a->session);
	if (list_move(&s->list, in, n_lines(r))) {
		s->scroll = 0;
		return NO_EFFECT;
	}
	switch ((int)in->command) {
	case CMD_NEXT:
		return move_row(s, &a->session, 1);
	case CMD_PREVIOUS:
		return move_row(s, &a->session, -1);
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	default:
		break;
	}
	const struct decision *d;
	struct effect e = decide_undo(a, in, &d);
	if (e.kind == EFFECT_UNHANDLED)
		e = decide_export(a, in);
	if (e.kind != EFFECT_UNHANDLED)
		return e;
	struct shown shown[SHOWN_MAX];
	size_t n = r && !r->is_broken ? candidates_of(&a->session, r, shown) : 0;
	bool is_candidate = s->list.cursor >= N_FIELDS && s->list.cursor - N_FIELDS < n, decided;
	e = decide(a, r, is_candidate ? &shown[s->list.cursor - N_FIELDS] : NULL, is_candidate, in,
		&decided);
	s->list.cursor += decided && s->list.cursor + 1 < n_lines(r);
	return e;
}

static void draw_fields(struct record_view_state *s, struct app *a, const struct row *r,
	const struct shown *c, struct grid *g, struct rect at)
{
	static const char *const names[] = {"query", "prompt", "type"};
	size_t n = n_lines(r), top = list_view(&s->list, n, at.rows);
	for (int i = 0; i < at.rows && top + (size_t)i < n; i++) {
		size_t k = top + (size_t)i;
		enum style style = k == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
		grid_fill(g, (struct rect){at.row + i, at.col, 1, at.cols}, style);
		if (k < N_FIELDS) {
			grid_printf(g, at, i, 0, style, "%-8s ", names[k]);
			grid_text(g, at, i, 9, style, field(r, k));
			continue;
		}
		const struct shown *x = &c[k - N_FIELDS];
		char t[16], sim[16];
		candidate_number(x->c->score, t);
		candidate_number(x->c->sim, sim);
		grid_printf(g, at, i, 0, style, "%s[%d] %s t%6s s%6s ", x->is_pos ? "pos" : "neg",
			x->number, verdict_sign(x->verdict), t, sim);
		grid_text(g, at, i, 26, style, session_text(&a->session, r, x->c->text));
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

static void record_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct record_view_state *s = state;
	const struct row *row = session_row(&a->session);
	if (!row || row->is_broken) {
		wrap_draw(g, r, 0, STYLE_BAD, text_of(row ? row->why : "no row: :open FILE.jsonl"));
		return;
	}
	struct shown c[SHOWN_MAX];
	size_t n = candidates_of(&a->session, row, c), at = s->list.cursor;
	struct rect history = panes_bottom(&r, r.rows >= 24 ? 6 : r.rows >= 14 ? 4 : 0);
	struct rect text =
		r.cols >= 100 ? panes_right(&r, r.cols / 2) : panes_bottom(&r, r.rows / 2);
	draw_fields(s, a, row, c, g, r);
	char title[120] = "text";
	struct text full = at < N_FIELDS ? field(row, at) : TEXT_NONE;
	if (at >= N_FIELDS && at - N_FIELDS < n) {
		const struct shown *x = &c[at - N_FIELDS];
		full = session_text(&a->session, row, x->c->text);
		snprintf(title, sizeof title, "%s[%d]  %zu bytes  rank t %d s %d  from %.*s",
			x->is_pos ? "pos" : "neg", x->number, full.len, x->t_rank, x->s_rank,
			(int)(x->c->from.len > 20 ? 20 : x->c->from.len),
			x->c->from.s ? x->c->from.s : "-");
	}
	struct rect in = grid_frame(g, text, title, true);
	wrap_draw(g, in, s->scroll, STYLE_PLAIN, full);
	if (history.rows)
		draw_history(a, row, g, history);
}

static void record_header(void *state, struct app *a, struct buf *out)
{
	(void)state;
	const struct row *r = session_row(&a->session);
	if (r)
		buf_addf(out, "%s  row %zu of %zu  %zu pos %zu neg", rows_name(a->session.rows),
			r->index + 1, rows_total(a->session.rows), r->r.n_pos, r->r.n_neg);
}

const struct screen_ops record_screen = {.id = SCREEN_RECORD,
	.title = "Record",
	.new = record_new,
	.update = record_update,
	.view = record_view,
	.header = record_header,
	.free = free};
