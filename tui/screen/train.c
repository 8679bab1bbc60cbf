/* Launch and watch: the form until a run is there, then the run as it goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/screen/train_private.h"

static void *train_new(struct app *a)
{
	(void)a;
	struct train *s = xcalloc(1, sizeof *s);
	train_form_init(&s->form);
	s->smoothing = 0.9;
	return s;
}

static void train_free(void *state)
{
	struct train *s = state;
	train_form_release(&s->form);
	metrics_tail_close(&s->metrics);
	free(s);
}

static bool is_training(const struct job_entry *j)
{
	return strncmp(j->name, "train", 5) == 0;
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
	s->scroll = 0;
}

/* The newest training, unless one is being watched. */
static void train_enter(void *state, struct app *a)
{
	struct train *s = state;
	train_form_prefill(&s->form, &a->session);
	for (size_t i = 0; i < a->session.n_jobs && !s->watching[0]; i++)
		if (is_training(&a->session.jobs[i]))
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

/* A long metrics file is read in parts. */
static bool train_work(void *state, struct app *a, int budget_ms)
{
	struct train *s = state;
	(void)budget_ms;
	if (s->is_launching && a->session.n_jobs && is_training(&a->session.jobs[0])) {
		s->is_launching = false;
		watch(s, &a->session.jobs[0]);
	}
	return s->watching[0] && metrics_tail_has_more(&s->metrics) &&
		metrics_tail_read(&s->metrics);
}

static struct effect launch(struct train *s, struct app *a)
{
	if (!s->shows_form) {
		s->shows_form = true;
		train_form_prefill(&s->form, &a->session);
		return effect_message(
			"Enter changes a field, L launches, Tab goes back to the run");
	}
	struct effect e = train_form_launch(&s->form, &a->session);
	s->is_launching = e.kind == EFFECT_START_JOB;
	return e;
}

static struct effect stop(struct train *s, struct app *a, const struct input *in)
{
	struct err err = ERR_INIT;
	if (!session_job(&a->session, s->watching))
		return effect_message("no run is watched here");
	if (!in->args.s)
		return effect_confirm(
			CMD_STOP, "stop %s? it saves a checkpoint first", s->watching);
	if (!text_is(in->args, "y") && !text_is(in->args, s->watching))
		return effect_message("not stopped");
	size_t i = (size_t)(session_job(&a->session, s->watching) - a->session.jobs);
	return session_stop_job(&a->session, i, &err)
		? effect_message("%s is asked to stop; it saves first", s->watching)
		: effect_error("%s", err.text);
}

static struct effect attach(struct train *s, struct app *a, struct text args)
{
	while (args.len && args.s[args.len - 1] == ' ')
		args.len--;
	for (size_t i = 0; i < a->session.n_jobs; i++)
		if (is_training(&a->session.jobs[i]) &&
			(!args.len || text_is(args, a->session.jobs[i].name))) {
			watch(s, &a->session.jobs[i]);
			return NO_EFFECT;
		}
	return effect_error("no training of that name; g j lists the jobs");
}

static void set_smoothing(struct train *s, bool is_more)
{
	static const double steps[] = {0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(steps) && steps[i] < s->smoothing)
		i++;
	if (is_more)
		i += i + 1 < ARRAY_LEN(steps);
	else
		i -= i > 0;
	s->smoothing = steps[i];
}

static struct effect update_monitor(struct train *s, const struct input *in)
{
	switch ((int)in->command) {
	case CMD_SMOOTH_MORE:
	case CMD_SMOOTH_LESS:
		set_smoothing(s, in->command == CMD_SMOOTH_MORE);
		return NO_EFFECT;
	case CMD_LOG_SCALE:
		s->is_log = !s->is_log;
		return NO_EFFECT;
	case CMD_ZOOM:
		s->zoom = (enum train_zoom)((s->zoom + 1) % ZOOMS);
		return NO_EFFECT;
	case CMD_FOLLOW:
	case CMD_BOTTOM:
		s->scroll = 0;
		return NO_EFFECT;
	case CMD_SCROLL_UP:
	case CMD_UP:
		s->scroll++;
		return NO_EFFECT;
	case CMD_SCROLL_DOWN:
	case CMD_DOWN:
		s->scroll -= s->scroll > 0;
		return NO_EFFECT;
	default:
		return UNHANDLED;
	}
}

static struct effect train_update(void *state, struct app *a, const struct input *in)
{
	struct train *s = state;
	if (s->shows_form && list_move(&s->form.list, in, s->form.n_fields))
		return NO_EFFECT;
	switch ((int)in->command) {
	case CMD_ENTER:
		return s->shows_form ? train_form_edit(&s->form) : NO_EFFECT;
	case CMD_SET:
		s->shows_form = true;
		return train_form_set(&s->form, in->args);
	case CMD_LAUNCH:
		return launch(s, a);
	case CMD_PANE:
	case CMD_PANE_BACK:
		s->shows_form = !s->shows_form || !s->watching[0];
		return NO_EFFECT;
	case CMD_STOP:
		return stop(s, a, in);
	case CMD_ATTACH:
		return attach(s, a, in->args);
	default:
		return s->shows_form ? UNHANDLED : update_monitor(s, in);
	}
}

const struct screen_ops train_screen = {.id = SCREEN_TRAIN,
	.title = "Train",
	.new = train_new,
	.enter = train_enter,
	.update = train_update,
	.tick = train_tick,
	.work = train_work,
	.view = train_view,
	.header = train_header,
	.free = train_free};
