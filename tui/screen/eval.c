/* Before and after: evaluations with their differences to a baseline, and the queries that lost and won most. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "tui/app.h"
#include "tui/evals.h"
#include "tui/jobline.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct change {
	struct text id;
	double before, after;
	int rank_before, rank_after;
};

struct eval_view_state {
	struct evals evals;
	struct list list, queries;
	int focus; /* 0 = evaluations, 1 = queries */
	char baseline[200];
	struct change *changes;
	size_t n_changes;
	const struct eval_result *of, *against; /* what changes were computed for */
	bool by_gain;
	bool is_zoomed; /* the focused pane alone */
	char typed[3000]; /* what a prompt begins with */
};

static void *eval_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct eval_view_state));
}

static void eval_free(void *state)
{
	struct eval_view_state *s = state;
	evals_release(&s->evals);
	free(s->changes);
	free(s);
}

static void eval_enter(void *state, struct app *a)
{
	struct eval_view_state *s = state;
	evals_read(&s->evals, &a->session);
}

static void eval_tick(void *state, struct app *a)
{
	eval_enter(state, a);
}

static const struct eval_result *selected(const struct eval_view_state *s)
{
	return s->list.cursor < s->evals.n ? s->evals.results[s->list.cursor] : NULL;
}

/* The named baseline, else the oldest evaluation of the same set. */
static const struct eval_result *baseline_for(
	const struct eval_view_state *s, const struct eval_result *r)
{
	for (size_t i = 0; s->baseline[0] && i < s->evals.n; i++)
		if (strcmp(s->evals.results[i]->name, s->baseline) == 0 &&
			strcmp(s->evals.results[i]->set, r->set) == 0)
			return s->evals.results[i];
	for (size_t i = s->evals.n; i > 0; i--)
		if (strcmp(s->evals.results[i - 1]->set, r->set) == 0)
			return s->evals.results[i - 1];
	return NULL;
}

static int by_loss(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	double p = x->after - x->before, q = y->after - y->before;
	return p < q ? -1 : p > q;
}

static void compare(struct eval_view_state *s)
{
	const struct eval_result *r = selected(s), *base = r ? baseline_for(s, r) : NULL;
	if (r == s->of && base == s->against)
		return;
	s->of = r;
	s->against = base;
	s->n_changes = 0;
	s->changes = xreallocarray(s->changes, (r ? r->n_queries : 0) + 1, sizeof *s->changes);
	for (size_t i = 0; r && base && i < r->n_queries; i++) {
		const struct eval_query *now = &r->queries[i], *was = eval_query(base, now->id);
		if (was && !isnan(was->value) && !isnan(now->value))
			s->changes[s->n_changes++] = (struct change){
				now->id, was->value, now->value, was->rank, now->rank};
	}
	qsort(s->changes, s->n_changes, sizeof *s->changes, by_loss);
	s->queries = (struct list){0};
}

/* The model trained last, else the one at hand; the folder of the opened rows when it is a BEIR folder. */
static struct effect ask(struct eval_view_state *s, const struct app *a)
{
	const struct session *ses = &a->session;
	char *model = NULL, *data = NULL;
	for (size_t i = 0; i < ses->n_jobs && !model; i++)
		if (strncmp(ses->jobs[i].name, "train", 5) == 0 && ses->jobs[i].status.run[0])
			model = xasprintf("%s/model", ses->jobs[i].status.run);
	if (model && !fs_exists(model)) {
		free(model);
		model = NULL;
	}
	model = model ? model : jobline_model(ses);
	size_t n;
	const char *const *paths = rows_paths(ses->rows, &n);
	if (n) {
		const char *leaf = fs_basename(paths[0]);
		char *folder = fs_is_dir(paths[0]) ? xstrdup(paths[0])
			: leaf == paths[0]
			? xstrdup(".")
			: xasprintf("%.*s", (int)(leaf - paths[0]) - 1, paths[0]);
		char *qrels = xasprintf("%s/qrels/test.tsv", folder);
		data = fs_exists(qrels) ? xstrdup(folder) : NULL;
		free(qrels);
		free(folder);
	}
	/* what was evaluated last is what one compares with */
	if (!data && s->evals.n && s->evals.results[0]->data[0])
		data = xstrdup(s->evals.results[0]->data);
	struct buf line = BUF_INIT;
	buf_adds(&line, "--model ");
	jobline_quote(&line, text_of(model ? model : "DIR"));
	buf_adds(&line, " --data ");
	jobline_quote(&line, text_of(data ? data : "DIR"));
	buf_adds(&line, " --split test");
	snprintf(s->typed, sizeof s->typed, "%s", line.data);
	buf_release(&line);
	free(model);
	free(data);
	return effect_prompt(CMD_EVALUATE, "eval ", text_of(s->typed));
}

static struct effect eval_update(void *state, struct app *a, const struct input *in)
{
	struct eval_view_state *s = state;
	evals_read(&s->evals, &a->session);
	compare(s);
	if (list_move(
		    s->focus ? &s->queries : &s->list, in, s->focus ? s->n_changes : s->evals.n)) {
		compare(s);
		return NO_EFFECT;
	}
	const struct eval_result *r = selected(s);
	switch ((int)in->command) {
	case CMD_PANE:
	case CMD_PANE_BACK:
		s->focus = !s->focus;
		return NO_EFFECT;
	case CMD_ZOOM:
		s->is_zoomed = !s->is_zoomed;
		return NO_EFFECT;
	case CMD_ENTER:
		s->focus = 1;
		return NO_EFFECT;
	case CMD_BASELINE:
		snprintf(s->baseline, sizeof s->baseline, "%.*s",
			in->args.len ? (int)in->args.len
				: r  ? (int)strlen(r->name)
				     : 0,
			in->args.len ? in->args.s
				: r  ? r->name
				     : "");
		s->of = NULL;
		compare(s);
		return effect_message("compared with %s", s->baseline);
	case CMD_SORT:
		s->by_gain = !s->by_gain;
		return effect_message(s->by_gain ? "biggest gain first" : "biggest loss first");
	case CMD_EVALUATE:
		return in->args.s ? UNHANDLED : ask(s, a);
	default:
		return UNHANDLED;
	}
}

/* The end of a path says more than its beginning. */
static void put_model(
	struct grid *g, struct rect r, int line, int col, enum style style, const char *model)
{
	size_t n = strlen(model), room = r.cols > col ? (size_t)(r.cols - col) : 0;
	grid_put(g, r, line, col, style, n > room ? model + (n - room) : model);
}

static void draw_result(const struct eval_view_state *s, const struct eval_result *e,
	enum style style, struct grid *g, struct rect r, int line)
{
	const struct eval_result *base = baseline_for(s, e);
	bool has_recall = r.cols >= 100;
	grid_fill(g, (struct rect){r.row + line, r.col, 1, r.cols}, style);
	int col = grid_printf(g, r, line, 0, style, " %-8s ", e->name);
	grid_field(g, r, line, col, 16, style, false, text_of(e->set));
	col += 17;
	col += grid_printf(g, r, line, col, style, "%8.4f ", e->metrics[0]);
	double d = base ? e->metrics[0] - base->metrics[0] : 0;
	enum style change = style == STYLE_CURSOR ? style : d < 0 ? STYLE_BAD : STYLE_GOOD;
	if (base == e)
		grid_printf(g, r, line, col, style, "%8s ", "base");
	else
		grid_printf(g, r, line, col, change, "%+8.4f ", d);
	col += 9;
	col += grid_printf(g, r, line, col, style, "%10.4f ", e->metrics[1]);
	if (has_recall)
		col += grid_printf(g, r, line, col, style, "%8.4f ", e->metrics[2]);
	put_model(g, r, line, col + 1, style, e->model);
}

static void draw_results(struct eval_view_state *s, struct grid *g, struct rect r)
{
	struct rect head = panes_top(&r, 1);
	grid_printf(g, head, 0, 0, STYLE_DIM, " %-8s %-16s %8s %8s %10s%s  %s", "job", "set",
		"ndcg@10", "change", "recall@100", r.cols >= 100 ? "   mrr@10" : "", "model");
	size_t top = list_view(&s->list, s->evals.n, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < s->evals.n; i++) {
		enum style style = top + (size_t)i == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
		draw_result(s, s->evals.results[top + (size_t)i], style, g, r, i);
	}
}

/* The place of the first answer; ">10" where it is not among the first ten. */
static const char *rank_name(int rank, char out[16])
{
	snprintf(out, 16, rank ? "#%d" : ">10", rank);
	return out;
}

static void draw_changes(struct eval_view_state *s, struct grid *g, struct rect r)
{
	char title[300];
	size_t lost = 0, won = 0;
	for (size_t i = 0; i < s->n_changes; i++) {
		lost += s->changes[i].after < s->changes[i].before;
		won += s->changes[i].after > s->changes[i].before;
	}
	snprintf(title, sizeof title,
		"queries: %zu lost, %zu won, %zu equal   ndcg@10   first answer", lost, won,
		s->n_changes - lost - won);
	struct rect in = grid_frame(g, r, title, s->focus == 1);
	size_t top = list_view(&s->queries, s->n_changes, in.rows);
	for (int i = 0; i < in.rows && top + (size_t)i < s->n_changes; i++) {
		size_t k = top + (size_t)i;
		const struct change *c = &s->changes[s->by_gain ? s->n_changes - 1 - k : k];
		double d = c->after - c->before;
		enum style style = s->focus == 1 && k == s->queries.cursor ? STYLE_CURSOR
			: d < 0                                            ? STYLE_BAD
			: d > 0                                            ? STYLE_GOOD
									   : STYLE_DIM;
		struct text query = eval_query_text(s->of, c->id);
		char was[16], now[16];
		int col = grid_printf(g, in, i, 0, style, "%+7.3f  %.3f -> %.3f  %3s -> %-3s  ", d,
			c->before, c->after, rank_name(c->rank_before, was),
			rank_name(c->rank_after, now));
		grid_text(g, in, i, col, style, query.len ? query : c->id);
	}
	if (!s->n_changes)
		grid_put(g, in, 0, 0, STYLE_DIM,
			"evaluate a second model on the same set to see which queries changed");
}

static void eval_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct eval_view_state *s = state;
	(void)a;
	if (!s->evals.n) {
		wrap_draw(g, (struct rect){r.row + 1, r.col + 1, r.rows - 1, r.cols - 2}, 0,
			STYLE_DIM,
			text_of("No evaluation yet: R asks for the model and the data (a BEIR folder). Evaluate the model before and after training to see which queries changed."));
		return;
	}
	compare(s);
	bool is_single = s->is_zoomed || r.rows < 12;
	struct rect low = panes_bottom(&r, !is_single ? r.rows * 3 / 5 : s->focus ? r.rows : 0);
	if (r.rows)
		draw_results(s, g, r);
	if (low.rows)
		draw_changes(s, g, low);
}

static void eval_header(void *state, struct app *a, struct buf *out)
{
	struct eval_view_state *s = state;
	const struct eval_result *r = selected(s), *base = r ? baseline_for(s, r) : NULL;
	if (!r)
		session_name(&a->session, out);
	else if (base && base != r)
		buf_addf(out, "%s %s against %s  nDCG@10 %.4f (%+.4f)", r->set, r->name, base->name,
			r->metrics[0], r->metrics[0] - base->metrics[0]);
	else
		buf_addf(out, "%s %s  nDCG@10 %.4f", r->set, r->name, r->metrics[0]);
}

const struct screen_ops eval_screen = {.id = SCREEN_EVAL,
	.title = "Evaluate",
	.new = eval_new,
	.enter = eval_enter,
	.update = eval_update,
	.tick = eval_tick,
	.view = eval_view,
	.header = eval_header,
	.free = eval_free};
