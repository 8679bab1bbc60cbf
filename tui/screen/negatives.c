/* The candidates of a row side by side: deciding about one, or about those that are marked. */
#include "tui/screen/negatives_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/decide.h"

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

size_t negatives_load(
	const struct negatives *s, struct app *a, const struct row *r, struct shown c[SHOWN_MAX])
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
	size_t n = negatives_load(s, a, session_row(ses), c);
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
	size_t n = negatives_load(s, a, r, c);
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
	case CMD_ENTER:
		return effect_goto(SCREEN_RECORD);
	case CMD_KEEP_REST:
		return keep_rest(s, a, r, c, n);
	default:
		return decide_here(s, a, r, c, n, in);
	}
}

const struct screen_ops negatives_screen = {.id = SCREEN_NEGATIVES,
	.title = "Negatives",
	.new = negatives_new,
	.enter = negatives_enter,
	.update = negatives_update,
	.view = negatives_view,
	.header = negatives_header,
	.free = free};
