/* The candidates of a row side by side: teacher, student, both ranks, share of the positive, label, origin, suggestion. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/decide.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct negatives {
	struct list list;
	bool marks[SHOWN_MAX];
	int order; /* 0 file, 1 teacher, 2 student */
	int scroll;
	size_t range_from; /* 1 + where a range begins; 0 = none begun */
	bool is_blind, is_zoomed; /* zoomed: the candidate's text alone */
};

static void *negatives_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct negatives));
}

static void forget(struct negatives *s)
{
	*s = (struct negatives){
		.is_blind = s->is_blind, .is_zoomed = s->is_zoomed, .order = s->order};
}

static double sort_key(const struct shown *x, int order)
{
	double v = order == 1 ? x->c->score : x->c->sim;
	return isnan(v) ? -INFINITY : v;
}

/* Stable: equal keys stay in file order. */
static void sort_shown(struct shown *c, size_t n, int order)
{
	for (size_t i = 1; order && i < n; i++)
		for (size_t j = i; j > 0 && sort_key(&c[j], order) > sort_key(&c[j - 1], order);
			j--) {
			struct shown t = c[j];
			c[j] = c[j - 1];
			c[j - 1] = t;
		}
}

static size_t load(const struct negatives *s, struct app *a, const struct row *r, struct shown *c)
{
	size_t n = r && !r->is_broken ? candidates_of(&a->session, r, c) : 0;
	sort_shown(c, n, s->order);
	return n;
}

/* The cursor on the first negative, or on what an undo was about. */
static void negatives_enter(void *state, struct app *a)
{
	struct negatives *s = state;
	struct session *ses = &a->session;
	struct shown c[SHOWN_MAX];
	size_t n = load(s, a, session_row(ses), c);
	forget(s);
	bool is_found = false;
	for (size_t i = n; i > 0; i--) {
		bool is_it = ses->has_item && candidate_is(&c[i - 1], ses->item);
		if (is_it || (!is_found && !c[i - 1].is_pos))
			s->list.cursor = i - 1;
		is_found = is_found || is_it;
	}
	ses->has_item = false;
}

static struct effect move_row(struct negatives *s, struct app *a, int step)
{
	struct session *ses = &a->session;
	size_t n = rows_shown(ses->rows);
	if (step < 0 ? ses->row == 0 : ses->row + 1 >= n)
		return effect_message(step < 0 ? "the first row" : "the last row");
	ses->row = step < 0 ? ses->row - 1 : ses->row + 1;
	negatives_enter(s, a);
	return NO_EFFECT;
}

static struct effect sort(struct negatives *s, const struct input *in)
{
	static const char *const names[] = {"file", "teacher", "student"};
	s->order = (s->order + 1) % 3;
	for (int i = 0; i < 3 && in->args.len; i++)
		if (strncmp(names[i], in->args.s, in->args.len) == 0)
			s->order = i;
	return effect_message("by %s", names[s->order]);
}

/* The marked candidates, else the one at the cursor. */
static struct effect decide_here(struct negatives *s, struct app *a, const struct row *r,
	const struct shown *c, size_t n, const struct input *in)
{
	struct shown picked[SHOWN_MAX];
	size_t n_picked = 0;
	bool decided;
	for (size_t i = 0; i < n; i++)
		if (s->marks[i])
			picked[n_picked++] = c[i];
	if (!n_picked && s->list.cursor < n)
		picked[n_picked++] = c[s->list.cursor];
	struct effect e = decide(a, r, picked, n_picked, in, &decided);
	if (decided) {
		s->list.cursor += n_picked == 1 && s->list.cursor + 1 < n;
		memset(s->marks, 0, sizeof s->marks);
	}
	return e;
}

static struct effect mark(struct negatives *s, const struct shown *c, size_t n, enum command_id id)
{
	switch ((int)id) {
	case CMD_MARK:
		if (s->list.cursor < n)
			s->marks[s->list.cursor] = !s->marks[s->list.cursor];
		s->list.cursor += s->list.cursor + 1 < n;
		return NO_EFFECT;
	case CMD_MARK_RANGE:
		if (s->range_from) {
			size_t from = s->range_from - 1, to = s->list.cursor;
			for (size_t i = from < to ? from : to;
				i <= (from < to ? to : from) && i < n; i++)
				s->marks[i] = true;
			s->range_from = 0;
			return NO_EFFECT;
		}
		s->range_from = s->list.cursor + 1;
		return effect_message("range begins here; v again ends it");
	case CMD_MARK_ALL:
		for (size_t i = 0; i < n; i++)
			s->marks[i] = !c[i].is_pos;
		return NO_EFFECT;
	default:
		memset(s->marks, 0, sizeof s->marks);
		s->range_from = 0;
		return NO_EFFECT;
	}
}

static struct effect pick(struct negatives *s, const struct shown *c, size_t n, int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (!c[i].is_pos && c[i].number == number - 1) {
			s->list.cursor = i;
			s->scroll = 0;
			return NO_EFFECT;
		}
	return effect_message("no candidate %lld", (long long)number);
}

static struct effect keep_rest(
	struct negatives *s, struct app *a, const struct row *r, const struct shown *c, size_t n)
{
	bool decided;
	struct effect e = decide_rest(a, r, c, n, &decided);
	if (decided && e.kind != EFFECT_ERROR)
		move_row(s, a, 1);
	return e;
}

static struct effect queue(struct app *a, const struct row *r)
{
	struct session *ses = &a->session;
	if (!r || !rows_is_complete(ses->rows))
		return effect_message("no row to queue yet");
	if (!ses->queue)
		ses->queue = xcalloc(rows_total(ses->rows) + 1, 1);
	ses->n_queue += !ses->queue[r->index];
	ses->queue[r->index] = 1;
	return effect_message(
		"row %zu is in the queue, %zu in all: g c", r->index + 1, ses->n_queue);
}

static struct effect negatives_update(void *state, struct app *a, const struct input *in)
{
	struct negatives *s = state;
	const struct row *r = session_row(&a->session);
	struct shown c[SHOWN_MAX];
	size_t n = load(s, a, r, c);
	if (list_move(&s->list, in, n)) {
		s->scroll = 0;
		return NO_EFFECT;
	}
	switch ((int)in->command) {
	case CMD_NEXT:
	case CMD_PREVIOUS:
		return move_row(s, a, in->command == CMD_NEXT ? 1 : -1);
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	case CMD_SORT:
		return sort(s, in);
	case CMD_BLIND:
		s->is_blind = !s->is_blind;
		return effect_message(
			s->is_blind ? "scores and labels hidden" : "scores and labels shown");
	case CMD_MARK:
	case CMD_MARK_RANGE:
	case CMD_MARK_ALL:
	case CMD_MARK_CLEAR:
		return mark(s, c, n, in->command);
	case CMD_PICK:
		return pick(s, c, n, in->args.len ? atoll(in->args.s) : in->count);
	case CMD_QUEUE:
		return queue(a, r);
	case CMD_PANE:
	case CMD_PANE_BACK:
	case CMD_ZOOM:
		s->is_zoomed = !s->is_zoomed;
		return NO_EFFECT;
	case CMD_OPEN:
		return in->args.len ? UNHANDLED : effect_goto(SCREEN_RECORD);
	case CMD_KEEP_REST:
		return keep_rest(s, a, r, c, n);
	default:
		return decide_here(s, a, r, c, n, in);
	}
}

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

/* The candidate's text, where there is room beside the positive's. */
static void draw_texts(struct negatives *s, struct app *a, const struct row *row,
	const struct shown *x, struct grid *g, struct rect low)
{
	bool is_wide = row->r.n_pos && low.cols >= 100;
	struct rect left = panes_left(&low, is_wide ? low.cols / 2 : low.cols);
	char title[200];
	snprintf(title, sizeof title, "%s%d%s%s", x->is_pos ? "P" : "N", x->number,
		x->reason[0] && !s->is_blind ? "  " : "", s->is_blind ? "" : x->reason);
	wrap_pane(g, grid_frame(g, left, title, true), &s->scroll, STYLE_PLAIN,
		session_text(&a->session, row, x->c->text));
	if (low.cols)
		wrap_draw(g, grid_frame(g, low, "P0", false), 0, STYLE_PLAIN, row->r.pos[0].text);
}

static void negatives_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct negatives *s = state;
	const struct row *row = session_row(&a->session);
	struct shown c[SHOWN_MAX];
	size_t n = load(s, a, row, c);
	if (!row || row->is_broken) {
		wrap_draw(g, r, 0, STYLE_BAD, text_of(row ? row->why : "no row: :open FILE.jsonl"));
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

static void negatives_header(void *state, struct app *a, struct buf *out)
{
	const struct negatives *s = state;
	const struct row *r = session_row(&a->session);
	session_name(&a->session, out);
	if (r)
		buf_addf(out, "  row %zu of %zu  %zu pos %zu neg%s", r->index + 1,
			rows_total(a->session.rows), r->r.n_pos, r->r.n_neg,
			s->is_blind ? "  blind" : "");
}

const struct screen_ops negatives_screen = {.id = SCREEN_NEGATIVES,
	.title = "Negatives",
	.new = negatives_new,
	.enter = negatives_enter,
	.update = negatives_update,
	.view = negatives_view,
	.header = negatives_header,
	.free = free};
