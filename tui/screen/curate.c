/* One candidate at a time beside its query and positive. One key decides, saves and goes on. */
#include "tui/screen/curate_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "tui/decide.h"

static void *curate_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct curate));
}

static void curate_free(void *state)
{
	struct curate *s = state;
	free(s->tasks);
	free(s);
}

/* Where the decision that was taken back stands: the session's row, and its item. */
static void jump(struct curate *s, struct app *a)
{
	struct session *ses = &a->session;
	struct shown c[SHOWN_MAX];
	size_t n;
	for (size_t i = 0; i < s->n_tasks; i++) {
		if (s->tasks[i].row != ses->row)
			continue;
		s->at = i;
		s->candidate = s->positive = -1;
		curate_present(s, a, c, &n);
		for (size_t k = 0; k < n; k++)
			if (candidate_is(&c[k], ses->item))
				s->candidate = (int)k;
		if (s->candidate < 0 || c[s->candidate].is_pos)
			curate_settle(s, a);
		return;
	}
}

static void curate_enter(void *state, struct app *a)
{
	struct curate *s = state;
	struct session *ses = &a->session;
	enum { FIRST_SLICE_MS = 20 };
	curate_refresh(s, a);
	if (!curate_read(s, a, FIRST_SLICE_MS)) {
		if (ses->has_item && ses->has_jumped)
			jump(s, a);
		else
			curate_settle(s, a);
	}
	ses->looked_ms = (int64_t)(wall_seconds() * 1000);
}

static bool curate_work(void *state, struct app *a, int budget_ms)
{
	struct curate *s = state;
	curate_refresh(s, a);
	if (s->n_read == s->n_of)
		return false;
	if (curate_read(s, a, budget_ms))
		return true;
	curate_settle(s, a);
	return false;
}

static struct effect pick(struct curate *s, struct app *a, int64_t number)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	curate_present(s, a, c, &n);
	for (size_t i = 0; i < n; i++)
		if (!c[i].is_pos && c[i].number + 1 == number) {
			s->candidate = (int)i;
			s->scroll = 0;
			return NO_EFFECT;
		}
	return effect_message("no candidate %lld", (long long)number);
}

/* To the next or previous row, at its first undecided candidate, else its first. */
static struct effect move_row(struct curate *s, struct app *a, enum command_id id)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	if (id == CMD_NEXT)
		s->at += s->at + 1 < s->n_tasks;
	else
		s->at -= s->at > 0;
	s->candidate = s->positive = -1;
	s->scroll = 0;
	curate_present(s, a, c, &n);
	for (size_t i = n; i > 0; i--) {
		bool is_open = c[i - 1].verdict == VERDICT_NONE;
		bool is_better = s->candidate < 0 || is_open || c[s->candidate].verdict;
		if (!c[i - 1].is_pos && is_better)
			s->candidate = (int)i - 1;
	}
	if (s->at < s->n_tasks)
		a->session.row = s->tasks[s->at].row;
	return NO_EFFECT;
}

/* Among the candidates, or where the positives' pane has the focus, among them. */
static struct effect move_candidate(struct curate *s, struct app *a, const struct input *in)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	curate_present(s, a, c, &n);
	int *at = s->on_positive ? &s->positive : &s->candidate;
	if (s->on_positive)
		s->positive = curate_positive(s, c, n);
	for (int64_t by = in->count > 0 ? in->count : 1; by > 0 && by < 1000; by--) {
		int next = *at + (in->command == CMD_DOWN ? 1 : -1);
		if (next >= 0 && next < (int)n && c[next].is_pos == s->on_positive)
			*at = next;
	}
	s->scroll = 0;
	return NO_EFFECT;
}

static struct effect set_order(struct curate *s, struct app *a, const struct input *in)
{
	s->order = s->order == ORDER_FILE ? ORDER_DISAGREEMENT : ORDER_FILE;
	if (in->args.len)
		s->order = in->args.s[0] == 'f' ? ORDER_FILE : ORDER_DISAGREEMENT;
	curate_arrange(s);
	curate_settle(s, a);
	return effect_message(s->order == ORDER_FILE
			? "in the order of the file"
			: "where teacher and label disagree most, first");
}

static struct effect decide_present(struct curate *s, struct app *a, const struct input *in)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	bool decided;
	const struct row *r = curate_present(s, a, c, &n);
	bool has = r && s->candidate >= 0 && s->candidate < (int)n;
	if (r)
		a->session.row = s->tasks[s->at].row;
	struct effect e = in->command == CMD_KEEP_REST
		? decide_rest(a, r, c, n, &decided)
		: decide(a, r, has ? &c[s->candidate] : NULL, has, in, &decided);
	if (decided && !curate_settle(s, a))
		e = effect_message(
			"the queue is done: %zu rows; u takes the last one back, :export writes the result",
			s->n_tasks);
	return e;
}

static struct effect curate_update(void *state, struct app *a, const struct input *in)
{
	struct curate *s = state;
	switch ((int)in->command) {
	case CMD_DOWN:
	case CMD_UP:
		return move_candidate(s, a, in);
	case CMD_NEXT:
	case CMD_PREVIOUS:
		return move_row(s, a, in->command);
	case CMD_PICK:
		return pick(s, a, in->args.len ? atoll(in->args.s) : in->count);
	case CMD_PANE:
	case CMD_PANE_BACK:
		s->on_positive = !s->on_positive;
		s->scroll = 0;
		return NO_EFFECT;
	case CMD_ZOOM:
		s->is_zoomed = !s->is_zoomed;
		return NO_EFFECT;
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	case CMD_ORDER:
		return set_order(s, a, in);
	case CMD_BLIND:
		s->is_blind = !s->is_blind;
		return NO_EFFECT;
	default:
		return decide_present(s, a, in);
	}
}

const struct screen_ops curate_screen = {.id = SCREEN_CURATE,
	.title = "Curate",
	.new = curate_new,
	.enter = curate_enter,
	.update = curate_update,
	.work = curate_work,
	.view = curate_view,
	.header = curate_header,
	.free = curate_free};
