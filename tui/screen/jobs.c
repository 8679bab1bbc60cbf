/* What runs and ran: judged by pid, start time and heartbeat together, with the log of the one at the cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app.h"
#include "tui/log_tail.h"
#include "tui/widget/list.h"
#include "tui/widget/panes.h"

struct jobs {
	struct list list;
	int scroll;
	char stopping[200];
};

static void *jobs_new(struct app *a)
{
	(void)a;
	return xcalloc(1, sizeof(struct jobs));
}

static struct effect stop(struct jobs *s, struct app *a, const struct input *in)
{
	struct err err = ERR_INIT;
	if (!in->args.s) {
		if (s->list.cursor < a->session.n_jobs)
			snprintf(s->stopping, sizeof s->stopping, "%s",
				a->session.jobs[s->list.cursor].name);
		char prompt[300];
		snprintf(prompt, sizeof prompt, "stop %s? it saves first  y/N ", s->stopping);
		return effect_prompt(CMD_STOP, prompt, "");
	}
	if (in->args.len != 1 || in->args.s[0] != 'y')
		return effect_message("not stopped");
	for (size_t i = 0; i < a->session.n_jobs; i++)
		if (strcmp(a->session.jobs[i].name, s->stopping) == 0)
			return session_stop_job(&a->session, i, &err)
				? effect_message("%s is asked to stop", s->stopping)
				: effect_error("%s", err.text);
	return effect_error("%s is gone", s->stopping);
}

static struct effect jobs_update(void *state, struct app *a, const struct input *in)
{
	struct jobs *s = state;
	if (list_move(&s->list, in, a->session.n_jobs)) {
		s->scroll = 0;
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
	case CMD_OPEN:
		if (in->args.len || s->list.cursor >= a->session.n_jobs)
			return UNHANDLED;
		if (strncmp(a->session.jobs[s->list.cursor].name, "train", 5) == 0) {
			app_run(a, CMD_TRAIN, TEXT_NONE);
			app_run(a, CMD_ATTACH, text_of(a->session.jobs[s->list.cursor].name));
			return NO_EFFECT;
		}
		return strncmp(a->session.jobs[s->list.cursor].name, "eval", 4) == 0
			? effect_goto(SCREEN_EVAL)
			: NO_EFFECT;
	default:
		return UNHANDLED;
	}
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
	grid_put(g, r, line, col, style, st->error[0] ? st->error : st->command);
}

static void jobs_view(void *state, struct app *a, struct grid *g, struct rect r)
{
	struct jobs *s = state;
	size_t n = a->session.n_jobs;
	if (!n) {
		grid_put(g, r, 1, 1, STYLE_DIM,
			"No job was started from here yet: :mine, :score, :evaluate, or g t for training.");
		return;
	}
	struct rect log = panes_bottom(&r, r.rows / 2);
	size_t top = list_view(&s->list, n, r.rows);
	for (int i = 0; i < r.rows && top + (size_t)i < n; i++)
		draw_job(&a->session.jobs[top + (size_t)i], top + (size_t)i == s->list.cursor, a, g,
			r, i);
	const struct job_entry *j = &a->session.jobs[s->list.cursor];
	char title[300];
	snprintf(title, sizeof title, "log of %s", j->name);
	log_tail_draw(g, grid_frame(g, log, title, false), j->folder, s->scroll);
}

static void jobs_header(void *state, struct app *a, struct buf *out)
{
	(void)state;
	size_t by_state[JOB_DONE + 1] = {0};
	for (size_t i = 0; i < a->session.n_jobs; i++)
		by_state[a->session.jobs[i].status.state]++;
	buf_addf(out, "%zu running  %zu done  %zu failed  %zu dead",
		by_state[JOB_RUNNING] + by_state[JOB_QUEUED] + by_state[JOB_STALE],
		by_state[JOB_DONE], by_state[JOB_FAILED], by_state[JOB_DEAD]);
}

const struct screen_ops jobs_screen = {.id = SCREEN_JOBS,
	.title = "Jobs",
	.new = jobs_new,
	.update = jobs_update,
	.view = jobs_view,
	.header = jobs_header,
	.free = free};
