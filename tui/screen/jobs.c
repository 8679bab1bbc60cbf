/* What runs and ran: judged by pid, start time and heartbeat together, with the log of the one at the cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "tui/app.h"
#include "tui/log_tail.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"
#include "tui/widget/wrap.h"

struct jobs {
	struct list list;
	int scroll;
	char chosen[200]; /* the job under the cursor; "" = the newest, whichever that is */
	char stopping[200];
};

static void *jobs_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct jobs));
}

static const struct job_entry *selected(const struct jobs *s, const struct app *a)
{
	return s->list.cursor < a->session.n_jobs ? &a->session.jobs[s->list.cursor] : NULL;
}

/* The list grows at its top: the cursor stays on its job. */
static void keep_cursor(struct jobs *s, const struct app *a)
{
	for (size_t i = 0; s->chosen[0] && i < a->session.n_jobs; i++)
		if (strcmp(a->session.jobs[i].name, s->chosen) == 0)
			s->list.cursor = i;
}

static void remember(struct jobs *s, const struct app *a)
{
	const struct job_entry *j = selected(s, a);
	snprintf(s->chosen, sizeof s->chosen, "%s", j ? j->name : "");
}

/* Asks first, unless the name was typed. */
static struct effect stop(struct jobs *s, struct app *a, const struct input *in)
{
	struct err err = ERR_INIT;
	const struct job_entry *j = selected(s, a);
	if (!in->args.s && !j)
		return effect_message("there is no job to stop");
	if (!in->args.s) {
		snprintf(s->stopping, sizeof s->stopping, "%s", j->name);
		return effect_confirm(CMD_STOP, "stop %s? it saves what it has first", j->name);
	}
	if (text_is(in->args, "n"))
		return effect_message("not stopped");
	if (!text_is(in->args, "y"))
		snprintf(s->stopping, sizeof s->stopping, "%.*s", TEXT_ARG(in->args));
	j = session_job(&a->session, s->stopping);
	if (!j)
		return effect_error("no job is called \"%s\"", s->stopping);
	return session_stop_job(&a->session, (size_t)(j - a->session.jobs), &err)
		? effect_message("%s is asked to stop", s->stopping)
		: effect_error("%s", err.text);
}

/* A training is watched, an evaluation compared; what another job wrote is opened as the rows. */
static struct effect open_job(struct jobs *s, struct app *a)
{
	const struct job_entry *j = selected(s, a);
	if (!j)
		return NO_EFFECT;
	if (strncmp(j->name, "train", 5) == 0) {
		char name[sizeof j->name];
		snprintf(name, sizeof name, "%s", j->name);
		app_run(a, CMD_ATTACH, text_of(name));
		return NO_EFFECT;
	}
	if (strncmp(j->name, "eval", 4) == 0)
		return effect_goto(SCREEN_EVAL);
	if (j->status.state != JOB_DONE)
		return effect_message("%s is %s: there is no result to open", j->name,
			job_state_name(j->status.state));
	if (!j->status.out[0] || !fs_exists(j->status.out))
		return effect_message("%s left no file of rows", j->name);
	char path[sizeof j->status.out];
	snprintf(path, sizeof path, "%s", j->status.out);
	app_open_file(a, path);
	return NO_EFFECT;
}

static struct effect jobs_update(void *state, struct app *a, const struct input *in)
{
	struct jobs *s = state;
	keep_cursor(s, a);
	if (list_move(&s->list, in, a->session.n_jobs)) {
		s->scroll = 0;
		remember(s, a);
		return NO_EFFECT;
	}
	switch ((int)in->command) {
	case CMD_STOP:
		return stop(s, a, in);
	case CMD_SCROLL_UP:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_DOWN:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	case CMD_FOLLOW:
		s->scroll = 0;
		return NO_EFFECT;
	case CMD_ENTER:
		return open_job(s, a);
	default:
		return UNHANDLED;
	}
}

/* Newly entered: the newest job. */
static void jobs_enter(void *state, struct app *a)
{
	struct jobs *s = state;
	(void)a;
	s->chosen[0] = '\0';
	s->list.cursor = 0;
	s->scroll = 0;
}

static enum style style_of(enum job_state state)
{
	switch (state) {
	case JOB_RUNNING:
		return STYLE_GOOD;
	case JOB_FAILED:
	case JOB_DEAD:
		return STYLE_BAD;
	case JOB_STALE:
	case JOB_STOPPED:
		return STYLE_WARN;
	default:
		return STYLE_PLAIN;
	}
}

enum { WIDE = 100 }; /* columns from which on there is room for who and since when */

/* Its process, and when it began: the columns used. */
static int draw_process(const struct job_status *st, struct grid *g, struct rect r, int line,
	int col, enum style style)
{
	time_t at = (time_t)(st->started_ms / 1000);
	struct tm tm;
	char began[16] = "", pid[24] = "";
	strftime(began, sizeof began, "%m-%d %H:%M", localtime_r(&at, &tm));
	if (st->state == JOB_RUNNING || st->state == JOB_STALE)
		snprintf(pid, sizeof pid, "%lld", (long long)st->pid);
	return grid_printf(g, r, line, col, style, "%7s %s ", pid, began);
}

static void draw_job(const struct job_entry *j, bool is_cursor, struct app *a, struct grid *g,
	struct rect r, int line)
{
	const struct job_status *st = &j->status;
	enum style style = is_cursor ? STYLE_CURSOR : style_of(st->state);
	char share[16] = "";
	if (st->total > 0)
		snprintf(share, sizeof share, "%lld%%", (long long)(100 * st->done / st->total));
	grid_fill(g, (struct rect){r.row + line, r.col, 1, r.cols}, style);
	int col = grid_printf(g, r, line, 0, style, "%s%-12s %-8s %5s ", is_cursor ? ">" : " ",
		j->name, job_state_name(st->state), share);
	if (!a->is_script)
		col += grid_printf(g, r, line, col, style, "%6.0fs ", st->seconds);
	if (!a->is_script && r.cols >= WIDE)
		col += draw_process(st, g, r, line, col, style);
	grid_put(g, r, line, col, style, st->error[0] ? st->error : st->command);
}

static void draw_heads(const struct app *a, struct grid *g, struct rect r)
{
	grid_printf(g, r, 0, 0, STYLE_DIM, " %-12s %-8s %5s %s%s%s", "job", "state", "done",
		a->is_script ? "" : "   took ",
		a->is_script || r.cols < WIDE ? "" : "    pid started     ", "what");
}

static void jobs_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct jobs *s = state;
	size_t n = a->session.n_jobs;
	if (!n) {
		wrap_draw(g, (struct rect){r.row + 1, r.col + 1, r.rows - 1, r.cols - 2}, 0,
			STYLE_DIM,
			text_of("No job was started from here yet: :mine, :score and :export, g t for training, g e for evaluation."));
		return;
	}
	keep_cursor(s, a);
	struct rect log = panes_bottom(&r, r.rows >= 12 ? r.rows / 2 : 0);
	draw_heads(a, g, panes_top(&r, 1));
	size_t top = list_view(&s->list, n, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < n; i++)
		draw_job(&a->session.jobs[top + (size_t)i], top + (size_t)i == s->list.cursor, a, g,
			r, i);
	const struct job_entry *j = &a->session.jobs[s->list.cursor];
	if (!log.rows)
		return;
	char title[300];
	snprintf(title, sizeof title, "log of %s%s", j->name, s->scroll ? "  (F follows)" : "");
	log_tail_draw(g, grid_frame(g, log, title, false), j->folder, s->scroll);
}

static void jobs_header(void *state, struct app *a, struct buf *out)
{
	(void)state;
	size_t by_state[JOB_DONE + 1] = {0};
	for (size_t i = 0; i < a->session.n_jobs; i++)
		by_state[a->session.jobs[i].status.state]++;
	session_name(&a->session, out);
	for (int i = JOB_QUEUED; i <= JOB_DONE; i++)
		if (by_state[i])
			buf_addf(out, "  %zu %s", by_state[i], job_state_name((enum job_state)i));
}

const struct screen_ops jobs_screen = {.id = SCREEN_JOBS,
	.title = "Jobs",
	.new = jobs_new,
	.enter = jobs_enter,
	.update = jobs_update,
	.view = jobs_view,
	.header = jobs_header,
	.free = free};
