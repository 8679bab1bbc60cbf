/* The queue: one candidate at a time beside its query and positive. One key decides, saves and goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "tui/decide.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

enum order { ORDER_DISAGREEMENT, ORDER_FILE };

struct task {
	size_t row; /* shown order */
	double score; /* disagreement */
};

struct curate {
	struct task *tasks;
	size_t n_tasks, cap_tasks, at;
	int candidate; /* among the row's candidates; -1 = the first that is undecided */
	enum order order;
	int scroll, focus; /* focus 0: candidate, 1: positive */
	bool is_blind;
	struct rows *of; /* the rows the queue was made of */
	size_t n_of, n_queue;
};

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

static int by_disagreement(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	double p = isnan(x->score) ? -INFINITY : x->score,
	       q = isnan(y->score) ? -INFINITY : y->score;
	if (p != q)
		return p > q ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int by_row(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void arrange(struct curate *s)
{
	if (s->n_tasks)
		qsort(s->tasks, s->n_tasks, sizeof *s->tasks,
			s->order == ORDER_FILE ? by_row : by_disagreement);
	s->at = 0;
	s->candidate = -1;
}

static size_t n_undecided(const struct shown *c, size_t n)
{
	size_t open = 0;
	for (size_t i = 0; i < n; i++)
		open += !c[i].is_pos && c[i].verdict == VERDICT_NONE;
	return open;
}

/* The queue is what the person marked, else every shown row with negatives. A large file is looked at up to MAX_QUEUE rows. */
enum { MAX_QUEUE = 20000 };
static void fill(struct curate *s, struct app *a)
{
	struct session *ses = &a->session;
	size_t n = rows_shown(ses->rows);
	if (s->of == ses->rows && s->n_of == n && s->n_queue == ses->n_queue)
		return;
	s->of = ses->rows;
	s->n_of = n;
	s->n_queue = ses->n_queue;
	s->n_tasks = 0;
	for (size_t i = 0; i < n && s->n_tasks < MAX_QUEUE; i++) {
		const struct row *r = rows_at(ses->rows, i);
		if (r->is_broken || !r->r.n_neg || (ses->n_queue && !ses->queue[r->index]))
			continue;
		if (s->n_tasks == s->cap_tasks) {
			s->cap_tasks = s->cap_tasks ? s->cap_tasks * 2 : 256;
			s->tasks = xreallocarray(s->tasks, s->cap_tasks, sizeof *s->tasks);
		}
		s->tasks[s->n_tasks++] = (struct task){i, row_disagreement(&r->r)};
	}
	arrange(s);
}

static const struct row *present(struct curate *s, struct app *a, struct shown *c, size_t *ret_n)
{
	*ret_n = 0;
	if (s->at >= s->n_tasks)
		return NULL;
	const struct row *r = rows_at(a->session.rows, s->tasks[s->at].row);
	*ret_n = candidates_of(&a->session, r, c);
	return r;
}

/* To the first undecided candidate from here on, over rows that are done. False: the queue is done. */
static bool settle(struct curate *s, struct app *a)
{
	struct shown c[SHOWN_MAX];
	for (; s->at < s->n_tasks; s->at++, s->candidate = -1) {
		size_t n;
		present(s, a, c, &n);
		for (int i = s->candidate < 0 ? 0 : s->candidate; i < (int)n; i++)
			if (!c[i].is_pos && c[i].verdict == VERDICT_NONE) {
				s->candidate = i;
				s->scroll = 0;
				return true;
			}
		if (n_undecided(c, n)) { /* one before the cursor is open still */
			s->candidate = -1;
			return settle(s, a);
		}
	}
	return false;
}

static void curate_enter(void *state, struct app *a)
{
	struct curate *s = state;
	fill(s, a);
	settle(s, a);
	a->session.looked_ms = (int64_t)(wall_seconds() * 1000);
}

/* Where the decision that was taken back stands. */
static void jump_to(struct curate *s, struct app *a, const struct decision *d)
{
	struct shown c[SHOWN_MAX];
	for (size_t i = 0; i < s->n_tasks; i++) {
		const struct row *r = rows_at(a->session.rows, s->tasks[i].row);
		if (memcmp(&r->id, &d->row, sizeof r->id) != 0)
			continue;
		s->at = i;
		size_t n = candidates_of(&a->session, r, c);
		for (size_t k = 0; k < n; k++) {
			struct hash128 item = hash128(c[k].c->text.s, c[k].c->text.len);
			if (memcmp(&item, &d->item, sizeof item) == 0)
				s->candidate = (int)k;
		}
		return;
	}
}

static struct effect pick(struct curate *s, struct app *a, int64_t number)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	const struct row *r = present(s, a, c, &n);
	for (size_t i = 0; r && i < n; i++)
		if (!c[i].is_pos && c[i].number + 1 == number) {
			s->candidate = (int)i;
			s->scroll = 0;
			return NO_EFFECT;
		}
	return effect_message("no candidate %lld", (long long)number);
}

static struct effect move(struct curate *s, struct app *a, const struct input *in)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	present(s, a, c, &n);
	int64_t by = in->count > 0 ? in->count : 1;
	switch ((int)in->command) {
	case CMD_NEXT:
		s->at += s->at + 1 < s->n_tasks;
		s->candidate = -1;
		break;
	case CMD_PREVIOUS:
		s->at -= s->at > 0;
		s->candidate = -1;
		break;
	default:
		for (; by > 0; by--) {
			int next = s->candidate + (in->command == CMD_DOWN ? 1 : -1);
			if (next >= 0 && next < (int)n && !c[next].is_pos)
				s->candidate = next;
		}
		s->scroll = 0;
		return NO_EFFECT;
	}
	s->scroll = 0;
	present(s, a, c, &n);
	for (size_t i = 0; i < n && s->candidate < 0; i++)
		if (!c[i].is_pos)
			s->candidate = (int)i;
	return NO_EFFECT;
}

static struct effect set_order(struct curate *s, const struct input *in)
{
	s->order = s->order == ORDER_FILE ? ORDER_DISAGREEMENT : ORDER_FILE;
	if (in->args.len)
		s->order = in->args.s[0] == 'f' ? ORDER_FILE : ORDER_DISAGREEMENT;
	arrange(s);
	return effect_message(s->order == ORDER_FILE
			? "in the order of the file"
			: "where teacher and label disagree most, first");
}

static struct effect decide_present(struct curate *s, struct app *a, const struct input *in)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	bool decided;
	const struct row *r = present(s, a, c, &n);
	bool has = r && s->candidate >= 0 && s->candidate < (int)n;
	if (r)
		a->session.row = s->tasks[s->at].row;
	struct effect e = in->command == CMD_KEEP_REST
		? decide_rest(a, r, c, n, &decided)
		: decide(a, r, has ? &c[s->candidate] : NULL, has, in, &decided);
	if (decided && !settle(s, a))
		e = effect_message(
			"the queue is done: %zu rows; u takes the last one back, :export FILE writes the result",
			s->n_tasks);
	return e;
}

static struct effect curate_update(void *state, struct app *a, const struct input *in)
{
	struct curate *s = state;
	const struct decision *d;
	fill(s, a);
	if (in->count > 0 && in->command != CMD_DOWN && in->command != CMD_UP)
		pick(s, a, in->count);
	struct effect e = decide_undo(a, in, &d);
	if (e.kind != EFFECT_UNHANDLED) {
		if (d)
			jump_to(s, a, d);
		if (in->command == CMD_REDO)
			settle(s, a);
		return e;
	}
	switch ((int)in->command) {
	case CMD_DOWN:
	case CMD_UP:
	case CMD_NEXT:
	case CMD_PREVIOUS:
		return move(s, a, in);
	case CMD_PICK:
		return pick(s, a, in->args.len ? atoll(in->args.s) : 0);
	case CMD_PANE:
	case CMD_PANE_BACK:
		s->focus = !s->focus;
		s->scroll = 0;
		return NO_EFFECT;
	case CMD_SCROLL_DOWN:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	case CMD_ORDER:
		return set_order(s, in);
	case CMD_BLIND:
		s->is_blind = !s->is_blind;
		return NO_EFFECT;
	case CMD_OPEN:
		return in->args.len ? UNHANDLED
				    : effect_message("Enter decides nothing; a x p s e w do");
	default:
		e = decide_export(a, in);
		return e.kind == EFFECT_UNHANDLED ? decide_present(s, a, in) : e;
	}
}

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

static void draw_strip(const struct shown *c, size_t n, int at, struct grid *g, struct rect r)
{
	int col = 0;
	for (size_t i = 0; i < n; i++)
		if (!c[i].is_pos)
			col += grid_printf(g, r, 0, col,
				(int)i == at           ? STYLE_CURSOR
					: c[i].verdict ? STYLE_DIM
						       : STYLE_PLAIN,
				" %d %s ", c[i].number + 1,
				c[i].verdict ? verdict_sign(c[i].verdict) : "?");
}

static void draw_pane(struct curate *s, struct app *a, const struct row *r, const struct shown *x,
	bool has_focus, struct grid *g, struct rect at)
{
	struct buf title = BUF_INIT;
	buf_addf(&title, x->is_pos ? "positive %d" : "candidate %d", x->number + 1);
	scores(s, x, &title);
	struct rect in = grid_frame(g, at, title.data, has_focus);
	wrap_draw(g, in, has_focus ? s->scroll : 0, STYLE_PLAIN,
		session_text(&a->session, r, x->c->text));
	buf_release(&title);
}

static void curate_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct curate *s = state;
	struct shown c[SHOWN_MAX];
	size_t n;
	const struct row *row = present(s, a, c, &n);
	if (!row) {
		grid_put(g, r, 1, 1, STYLE_DIM,
			s->n_tasks
				? "The queue is done. u takes the last decision back; :export FILE writes the rows with all decisions applied."
				: "Nothing to decide: no shown row has negatives. :mine --model DIR finds some; g d goes to the rows.");
		return;
	}
	struct rect query = panes_top(&r, 2);
	grid_put(g, query, 0, 1, STYLE_BOLD, "query");
	wrap_draw(g, (struct rect){query.row, query.col + 7, 2, query.cols - 8}, 0, STYLE_BOLD,
		row->r.query);
	struct rect strip = panes_bottom(&r, 1), why = panes_bottom(&r, 1);
	draw_strip(c, n, s->candidate, g, strip);
	const struct shown *x =
		s->candidate >= 0 && s->candidate < (int)n ? &c[s->candidate] : NULL;
	struct rect pos =
		r.cols >= 100 ? panes_left(&r, r.cols / 2) : panes_top(&r, r.rows * 2 / 5);
	if (row->r.n_pos)
		draw_pane(s, a, row, &c[0], s->focus == 1, g, pos);
	if (!x)
		return;
	draw_pane(s, a, row, x, s->focus == 0, g, r);
	const struct decision *note = workspace_note(
		a->session.workspace, row->id, hash128(x->c->text.s, x->c->text.len));
	if (x->verdict)
		grid_printf(g, why, 0, 1, STYLE_GOOD, "decided: %s", verdict_name(x->verdict));
	else if (x->suggestion && !s->is_blind)
		grid_printf(g, why, 0, 1, x->suggestion == VERDICT_KEEP ? STYLE_DIM : STYLE_WARN,
			"w = %s: %s", verdict_name(x->suggestion), x->reason);
	if (note)
		grid_printf(g, why, 0, r.cols / 2, STYLE_DIM, "note: %.*s", TEXT_ARG(note->text));
}

static void curate_header(void *state, struct app *a, struct buf *out)
{
	struct curate *s = state;
	size_t tally[VERDICT_NOTE + 1];
	workspace_tally(a->session.workspace, tally);
	fill(s, a);
	buf_addf(out, "%s  row %zu of %zu  keep %zu reject %zu promote %zu skip %zu%s",
		s->order == ORDER_FILE ? "file order" : "disagreement",
		s->at < s->n_tasks ? s->at + 1 : s->n_tasks, s->n_tasks, tally[VERDICT_KEEP],
		tally[VERDICT_REJECT], tally[VERDICT_PROMOTE], tally[VERDICT_SKIP],
		s->is_blind ? "  blind" : "");
}

const struct screen_ops curate_screen = {.id = SCREEN_CURATE,
	.title = "Curate",
	.new = curate_new,
	.enter = curate_enter,
	.update = curate_update,
	.view = curate_view,
	.header = curate_header,
	.free = curate_free};
