/* Launch and watch: a form made from train's option table until a run is there, then the run as it goes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/jobs.h"
#include "tui/app.h"
#include "tui/log_tail.h"
#include "tui/metrics_tail.h"
#include "tui/widget/chart.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"

enum { MAX_FIELDS = 96 };

struct train {
	struct list list;
	const struct option *fields[MAX_FIELDS];
	char *values[MAX_FIELDS]; /* NULL = the default */
	size_t n_fields;
	bool shows_form;
	char watching[200]; /* the job's name; "" = none */
	struct metrics_tail metrics;
	double smoothing;
	bool is_log, follows;
	int scroll;
};

static void *train_new(struct app *a)
{
	(void)a;
	struct train *s = xcalloc(1, sizeof *s);
	for (const struct option *o = train_job.options; o->name && s->n_fields < MAX_FIELDS; o++)
		s->fields[s->n_fields++] = o;
	s->smoothing = 0.9;
	s->follows = true;
	return s;
}

static void train_free(void *state)
{
	struct train *s = state;
	for (size_t i = 0; i < s->n_fields; i++)
		free(s->values[i]);
	metrics_tail_close(&s->metrics);
	free(s);
}

static void set_value(struct train *s, const char *name, const char *value)
{
	for (size_t i = 0; i < s->n_fields; i++)
		if (strcmp(s->fields[i]->name, name) == 0) {
			free(s->values[i]);
			s->values[i] = value && *value ? xstrdup(value) : NULL;
		}
}

static const struct job_entry *find_job(const struct session *ses, const char *name)
{
	for (size_t i = 0; i < ses->n_jobs; i++)
		if (strcmp(ses->jobs[i].name, name) == 0)
			return &ses->jobs[i];
	return NULL;
}

static void watch(struct train *s, const struct job_entry *j)
{
	snprintf(s->watching, sizeof s->watching, "%s", j->name);
	metrics_tail_close(&s->metrics);
	char *path = xasprintf("%s/metrics.jsonl", j->status.run);
	metrics_tail_open(&s->metrics, path);
	free(path);
	metrics_tail_read(&s->metrics);
	s->shows_form = false;
}

static void train_enter(void *state, struct app *a)
{
	struct train *s = state;
	size_t n;
	const char *const *paths = rows_paths(a->session.rows, &n);
	if (n && !find_job(&a->session, s->watching)) {
		for (size_t i = 0; i < s->n_fields; i++)
			if (strcmp(s->fields[i]->name, "data") == 0 && !s->values[i])
				set_value(s, "data", paths[0]);
	}
	/* The newest training, unless one is being watched. */
	for (size_t i = 0; i < a->session.n_jobs && !s->watching[0]; i++)
		if (strncmp(a->session.jobs[i].name, "train", 5) == 0)
			watch(s, &a->session.jobs[i]);
	s->shows_form = s->shows_form || !s->watching[0];
}

static void train_tick(void *state, struct app *a)
{
	struct train *s = state;
	(void)a;
	if (s->watching[0])
		metrics_tail_read(&s->metrics);
}

/* "train --model m --lr 1e-4 ...": what the form says, as it would be typed. */
static void command_line(const struct train *s, struct buf *out)
{
	buf_adds(out, "train");
	for (size_t i = 0; i < s->n_fields; i++) {
		if (!s->values[i])
			continue;
		if (s->fields[i]->type == OPT_FLAG)
			buf_addf(out, " --%s=%s", s->fields[i]->name, s->values[i]);
		else
			buf_addf(out, strchr(s->values[i], ' ') ? " --%s '%s'" : " --%s %s",
				s->fields[i]->name, s->values[i]);
	}
}

/* The parser of the command itself judges the form. */
static bool is_valid(const struct train *s, struct err *err)
{
	char *argv[2 + 2 * MAX_FIELDS];
	struct arena a = ARENA_INIT;
	int argc = 0;
	argv[argc++] = arena_strdup(&a, "train");
	for (size_t i = 0; i < s->n_fields; i++)
		if (s->values[i])
			argv[argc++] =
				arena_printf(&a, "--%s=%s", s->fields[i]->name, s->values[i]);
	struct opts *o = opts_parse(&train_job, argc, argv, err);
	opts_free(o);
	arena_release(&a);
	return o != NULL;
}

static struct effect launch(struct train *s)
{
	struct err err = ERR_INIT;
	if (!is_valid(s, &err))
		return effect_error("%s", err.text);
	struct buf line = BUF_INIT;
	command_line(s, &line);
	struct effect e = effect_start("%s", line.data);
	buf_release(&line);
	s->watching[0] = '\0';
	s->shows_form = false;
	return e;
}

static struct effect edit_field(struct train *s, const struct input *in)
{
	const struct option *o = s->fields[s->list.cursor];
	if (o->type == OPT_FLAG) {
		const char *now = s->values[s->list.cursor];
		set_value(s, o->name, now && strcmp(now, "true") == 0 ? NULL : "true");
		return NO_EFFECT;
	}
	(void)in;
	char prompt[200], initial[1000];
	snprintf(prompt, sizeof prompt, "set %s ", o->name);
	snprintf(initial, sizeof initial, "%s %s", o->name,
		s->values[s->list.cursor] ? s->values[s->list.cursor]
			: o->def          ? o->def
					  : "");
	return effect_prompt(CMD_SET, "set ", initial);
}

static struct effect set_field(struct train *s, struct text args)
{
	size_t n = 0;
	while (n < args.len && args.s[n] != ' ' && args.s[n] != '=')
		n++;
	char *name = xasprintf("%.*s", (int)n, args.s ? args.s : "");
	struct text value = {args.s + n, args.len - n};
	while (value.len && (value.s[0] == ' ' || value.s[0] == '='))
		value = (struct text){value.s + 1, value.len - 1};
	while (value.len && value.s[value.len - 1] == ' ')
		value.len--;
	bool is_known = false;
	for (size_t i = 0; i < s->n_fields; i++)
		is_known = is_known || strcmp(s->fields[i]->name, name) == 0;
	struct effect e = NO_EFFECT;
	if (!is_known) {
		e = effect_error("train has no option \"%s\"", name);
	} else {
		char *text = xasprintf("%.*s", TEXT_ARG(value));
		set_value(s, name, text);
		free(text);
		struct err err = ERR_INIT;
		if (!is_valid(s, &err) && !strstr(err.text, " needs --"))
			e = effect_error("%s", err.text);
	}
	free(name);
	return e;
}

static struct effect stop(struct train *s, struct app *a)
{
	struct err err = ERR_INIT;
	for (size_t i = 0; i < a->session.n_jobs; i++)
		if (strcmp(a->session.jobs[i].name, s->watching) == 0)
			return session_stop_job(&a->session, i, &err)
				? effect_message("%s is asked to stop; it saves first", s->watching)
				: effect_error("%s", err.text);
	return effect_message("no run is watched here");
}

static struct effect attach(struct train *s, struct app *a, struct text args)
{
	for (size_t i = 0; i < a->session.n_jobs; i++)
		if (strncmp(a->session.jobs[i].name, "train", 5) == 0 &&
			(!args.len || text_is(args, a->session.jobs[i].name))) {
			watch(s, &a->session.jobs[i]);
			return NO_EFFECT;
		}
	return effect_error("no training of that name; g j lists the jobs");
}

static struct effect train_update(void *state, struct app *a, const struct input *in)
{
	struct train *s = state;
	if (s->shows_form && list_move(&s->list, in, s->n_fields))
		return NO_EFFECT;
	switch ((int)in->command) {
	case CMD_OPEN:
		return in->args.len ? UNHANDLED : s->shows_form ? edit_field(s, in) : NO_EFFECT;
	case CMD_SET:
		return set_field(s, in->args);
	case CMD_LAUNCH:
		if (s->shows_form)
			return launch(s);
		s->shows_form = true;
		return effect_message("Enter changes a field, L launches");
	case CMD_PANE:
	case CMD_PANE_BACK:
		s->shows_form = !s->shows_form || !s->watching[0];
		return NO_EFFECT;
	case CMD_STOP:
		if (in->args.s && in->args.len == 1 && in->args.s[0] == 'y')
			return stop(s, a);
		return in->args.s ? effect_message("not stopped")
				  : effect_prompt(CMD_STOP, "stop the run? y/N ", "");
	case CMD_ATTACH:
		return attach(s, a, in->args);
	case CMD_SMOOTH_MORE:
		s->smoothing = s->smoothing < 0.99 ? 1 - (1 - s->smoothing) / 2 : s->smoothing;
		return NO_EFFECT;
	case CMD_SMOOTH_LESS:
		s->smoothing = s->smoothing > 0.2 ? 1 - (1 - s->smoothing) * 2 : 0;
		return NO_EFFECT;
	case CMD_LOG_SCALE:
		s->is_log = !s->is_log;
		return NO_EFFECT;
	case CMD_FOLLOW:
		s->follows = true;
		s->scroll = 0;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
		s->scroll++;
		s->follows = false;
		return NO_EFFECT;
	case CMD_SCROLL_DOWN:
		s->scroll -= s->scroll > 0;
		s->follows = s->scroll == 0;
		return NO_EFFECT;
	default:
		return UNHANDLED;
	}
}

static void draw_form(struct train *s, struct grid *g, struct rect r)
{
	struct rect foot = panes_bottom(&r, 3);
	size_t top = list_view(&s->list, s->n_fields, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < s->n_fields; i++) {
		size_t k = top + (size_t)i;
		const struct option *o = s->fields[k];
		enum style style = k == s->list.cursor ? STYLE_CURSOR : STYLE_PLAIN;
		grid_fill(g, (struct rect){r.row + i, r.col, 1, r.cols}, style);
		grid_printf(
			g, r, i, 1, style, "%-22s %s", o->name, s->values[k] ? s->values[k] : "");
		if (!s->values[k])
			grid_put(g, r, i, 24, style == STYLE_CURSOR ? style : STYLE_DIM,
				o->def                   ? o->def
					: o->is_required ? "(needed)"
							 : "-");
	}
	const struct option *o = s->fields[s->list.cursor];
	grid_printf(g, foot, 0, 1, STYLE_DIM, "%s%s%s%s", o->help ? o->help : "",
		o->range ? " (" : "", o->range ? o->range : "", o->range ? ")" : "");
	struct buf line = BUF_INIT;
	command_line(s, &line);
	grid_printf(g, foot, 1, 1, STYLE_BOLD, "$ vecsmith %s", line.data);
	buf_release(&line);
	struct err err = ERR_INIT;
	if (!is_valid(s, &err))
		grid_printf(g, foot, 2, 1, STYLE_WARN, "%s", err.text);
}

static void draw_loss(struct train *s, struct grid *g, struct rect r)
{
	const struct metrics_tail *m = &s->metrics;
	const struct curve *loss = &m->step[METRIC_LOSS];
	double *smooth = xcalloc(loss->n + 1, sizeof *smooth);
	chart_smooth(loss->v, loss->n, s->smoothing, smooth);
	struct series series[] = {{m->step[METRIC_STEP].v, loss->v, loss->n, '.', STYLE_DIM},
		{m->step[METRIC_STEP].v, smooth, loss->n, '*', STYLE_BOLD}};
	struct chart chart = {series, 2, s->is_log, NAN, "step"};
	char title[100];
	snprintf(title, sizeof title, "loss  . raw  * smoothed %.2f%s", s->smoothing,
		s->is_log ? "  log" : "");
	struct rect in = grid_frame(g, r, title, false);
	size_t gaps = chart_draw(g, in, &chart);
	if (gaps)
		grid_printf(g, in, 0, 10, STYLE_BAD, "%zu steps without a finite loss", gaps);
	free(smooth);
}

static void draw_eval(struct train *s, struct grid *g, struct rect r)
{
	const struct metrics_tail *m = &s->metrics;
	char title[100];
	snprintf(title, sizeof title, "eval %s  -- before training",
		m->eval_name[0] ? m->eval_name : "");
	struct series series = {m->eval_step.v, m->eval_value.v, m->eval_value.n, 'o', STYLE_GOOD};
	bool has_base = m->eval_step.n && m->eval_step.v[0] == 0;
	struct chart chart = {&series, 1, false, has_base ? m->eval_value.v[0] : NAN, "step"};
	chart_draw(g, grid_frame(g, r, title, false), &chart);
}

static double last(const struct curve *c)
{
	return c->n ? c->v[c->n - 1] : NAN;
}

static void draw_numbers(struct train *s, struct grid *g, struct rect r)
{
	static const enum metric_column columns[] = {METRIC_LR, METRIC_GRAD_NORM, METRIC_POS_SIM,
		METRIC_NEG_SIM, METRIC_FIRST, METRIC_TOKENS_PER_S};
	int col = 1;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		double v = last(&s->metrics.step[columns[i]]);
		if (!isnan(v))
			col += grid_printf(g, r, 0, col, STYLE_PLAIN, "%s %.4g   ",
				metric_names[columns[i]], v);
	}
}

static void draw_monitor(struct train *s, struct app *a, struct grid *g, struct rect r)
{
	const struct job_entry *j = find_job(&a->session, s->watching);
	if (!j) {
		grid_put(g, r, 0, 1, STYLE_DIM, "no run yet: L opens the form");
		return;
	}
	struct rect log = panes_bottom(&r, r.rows / 3);
	struct rect numbers = panes_bottom(&r, 1);
	if (r.cols >= 100)
		draw_eval(s, g, panes_right(&r, r.cols / 2));
	else if (s->metrics.eval_value.n)
		draw_eval(s, g, panes_bottom(&r, r.rows / 2));
	draw_loss(s, g, r);
	draw_numbers(s, g, numbers);
	if (!s->metrics.step[METRIC_STEP].n)
		grid_put(g, numbers, 0, 1, STYLE_DIM, "waiting for the first step");
	struct rect in =
		grid_frame(g, log, s->follows ? "log (follows)" : "log (F follows)", false);
	log_tail_draw(g, in, j->folder, s->scroll);
}

static void train_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct train *s = state;
	if (!s->watching[0] && !s->shows_form)
		train_enter(s, a);
	if (s->shows_form)
		draw_form(s, g, r);
	else
		draw_monitor(s, a, g, r);
}

static void train_header(void *state, struct app *a, struct buf *out)
{
	const struct train *s = state;
	const struct job_entry *j = find_job(&a->session, s->watching);
	if (s->shows_form || !j) {
		buf_adds(out, "launch");
		return;
	}
	const struct job_status *st = &j->status;
	double step = last(&s->metrics.step[METRIC_STEP]), took = st->seconds;
	buf_addf(out, "%s  %s", j->name, job_state_name(st->state));
	if (st->total > 0 && !isnan(step)) {
		buf_addf(out, "  step %.0f of %lld (%.0f %%)", step, (long long)st->total,
			100 * step / (double)st->total);
		if (st->state == JOB_RUNNING && step > 0)
			buf_addf(out, "  %.0f s left", took * ((double)st->total - step) / step);
	}
	if (st->error[0])
		buf_addf(out, "  %s", st->error);
}

const struct screen_ops train_screen = {.id = SCREEN_TRAIN,
	.title = "Train",
	.new = train_new,
	.enter = train_enter,
	.update = train_update,
	.tick = train_tick,
	.view = train_view,
	.header = train_header,
	.free = train_free};
