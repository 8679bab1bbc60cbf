/* Before and after: evaluations with their differences to a baseline, and the queries that lost and won most. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app.h"
#include "tui/evals.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"

struct change {
	struct text id;
	double before, after;
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
		double before = eval_value(base, r->queries[i].id);
		if (!isnan(before) && !isnan(r->queries[i].value))
			s->changes[s->n_changes++] =
				(struct change){r->queries[i].id, before, r->queries[i].value};
	}
	qsort(s->changes, s->n_changes, sizeof *s->changes, by_loss);
	s->queries = (struct list){0};
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
	case CMD_OPEN:
		s->focus = 1;
		return in->args.len ? UNHANDLED : NO_EFFECT;
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
		if (!in->args.s)
			return effect_prompt(
				CMD_EVALUATE, "eval ", "--model DIR --data DIR --split test");
		return effect_start("eval --json %.*s", TEXT_ARG(in->args));
	default:
		return UNHANDLED;
	}
}

static void draw_results(struct eval_view_state *s, struct grid *g, struct rect r)
{
	struct rect head = panes_top(&r, 1);
	grid_printf(g, head, 0, 0, STYLE_DIM, " %-8s %-16s %8s %8s %10s %8s  %s", "job", "set",
		"ndcg@10", "change", "recall@100", "mrr@10", "model");
	size_t top = list_view(&s->list, s->evals.n, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < s->evals.n; i++) {
		const struct eval_result *e = s->evals.results[top + (size_t)i],
					 *base = baseline_for(s, e);
		enum style style = top + (size_t)i == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
		grid_fill(g, (struct rect){r.row + i, r.col, 1, r.cols}, style);
		int col = grid_printf(g, r, i, 0, style, " %-8s ", e->name);
		grid_field(g, r, i, col, 16, style, false, text_of(e->set));
		col += 17;
		col += grid_printf(g, r, i, col, style, "%8.4f ", e->metrics[0]);
		double d = base ? e->metrics[0] - base->metrics[0] : 0;
		const char *what = base == e ? "base" : NULL;
		if (what)
			grid_printf(g, r, i, col, style, "%8s ", what);
		else
			grid_printf(g, r, i, col,
				style == STYLE_CURSOR ? style
					: d < 0       ? STYLE_BAD
						      : STYLE_GOOD,
				"%+8.4f ", d);
		col += 9;
		col += grid_printf(
			g, r, i, col, style, "%10.4f %8.4f  ", e->metrics[1], e->metrics[2]);
		grid_put(g, r, i, col, style, e->model);
	}
}

static void draw_changes(struct eval_view_state *s, struct grid *g, struct rect r)
{
	char title[300];
	size_t lost = 0, won = 0;
	for (size_t i = 0; i < s->n_changes; i++) {
		lost += s->changes[i].after < s->changes[i].before;
		won += s->changes[i].after > s->changes[i].before;
	}
	snprintf(title, sizeof title, "queries: %zu lost, %zu won, %zu equal", lost, won,
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
		grid_printf(g, in, i, 0, style, "%+7.3f  %.3f -> %.3f  %.*s", d, c->before,
			c->after, TEXT_ARG(c->id));
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
		grid_put(g, r, 1, 1, STYLE_DIM,
			"No evaluation yet: R asks for the model and the data (a BEIR folder).");
		return;
	}
	compare(s);
	struct rect low = panes_bottom(&r, r.rows * 3 / 5);
	draw_results(s, g, r);
	draw_changes(s, g, low);
}

static void eval_header(void *state, struct app *a, struct buf *out)
{
	struct eval_view_state *s = state;
	(void)a;
	const struct eval_result *r = selected(s), *base = r ? baseline_for(s, r) : NULL;
	if (r && base && base != r)
		buf_addf(out, "%s against %s  nDCG@10 %.4f (%+.4f)", r->name, base->name,
			r->metrics[0], r->metrics[0] - base->metrics[0]);
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
