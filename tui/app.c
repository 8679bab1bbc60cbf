#include "tui/app_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "tui/key.h"
#include "tui/prompt.h"

/* ORDER screens */
const struct screen_ops *const app_screens[SCREEN_COUNT] = {&data_screen, &record_screen,
	&negatives_screen, &curate_screen, &train_screen, &eval_screen, &jobs_screen,
	&models_screen, &help_screen};

enum screen_id app_screen(const struct app *a)
{
	return a->stack[a->depth - 1];
}

static const struct screen_ops *ops(const struct app *a)
{
	return app_screens[app_screen(a)];
}

void app_enter(struct app *a, enum screen_id id)
{
	/* A screen stands in the stack once: going there again goes back to it. */
	for (int i = 0; i < a->depth; i++)
		if (a->stack[i] == id)
			a->depth = i;
	if (a->depth < (int)ARRAY_LEN(a->stack))
		a->stack[a->depth++] = id;
	if (!a->state[id])
		a->state[id] = app_screens[id]->new (a);
	if (app_screens[id]->enter)
		app_screens[id]->enter(a->state[id], a);
}

struct app *app_new(const struct app_options *opt, struct err *err)
{
	struct app *a = xcalloc(1, sizeof *a);
	a->is_script = opt->is_script;
	grid_init(&a->grid, opt->rows, opt->cols, opt->is_ascii);
	if (!session_open(&a->session, opt->workspace, opt->paths, opt->n_paths, err)) {
		app_free(a);
		return NULL;
	}
	a->session.is_script = opt->is_script;
	if (opt->program)
		a->session.program = opt->program;
	app_enter(a, SCREEN_DATA);
	if (a->session.notice[0])
		app_say(a, true, "%s", a->session.notice);
	return a;
}

void app_free(struct app *a)
{
	if (!a)
		return;
	for (int i = 0; i < SCREEN_COUNT; i++)
		if (a->state[i])
			app_screens[i]->free(a->state[i]);
	session_close(&a->session);
	grid_release(&a->grid);
	buf_release(&a->messages);
	free(a);
}

void app_say(struct app *a, bool is_error, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(a->message, sizeof a->message, fmt, args);
	va_end(args);
	a->is_error = is_error;
	buf_addf(&a->messages, "%s%s\n", is_error ? "error: " : "", a->message);
}

void app_start_job(struct app *a, const char *line)
{
	struct err err = ERR_INIT;
	if (session_start_job(&a->session, line, &err))
		app_say(a, false, "started: vecsmith %s", line);
	else
		app_say(a, true, "%s", err.text);
}

void app_ask(struct app *a, enum command_id id, const char *label, struct text initial)
{
	static const enum command_id own_words[] = {CMD_EDIT, CMD_NOTE};
	enum prompt_history history = id == CMD_COMMAND_LINE ? PROMPT_COMMANDS : PROMPT_SEARCHES;
	for (size_t i = 0; i < ARRAY_LEN(own_words); i++)
		history = own_words[i] == id ? PROMPT_FORGETS : history;
	a->asking = id;
	prompt_begin(label, initial, history, app_complete, a);
}

void app_apply(struct app *a, const struct effect *e)
{
	switch (e->kind) {
	case EFFECT_NONE:
	case EFFECT_UNHANDLED:
		break;
	case EFFECT_GOTO:
		app_enter(a, e->screen);
		break;
	case EFFECT_BACK:
		app_back(a);
		break;
	case EFFECT_QUIT:
		a->must_quit = true;
		break;
	case EFFECT_PROMPT:
		app_ask(a, e->command, e->text, e->initial);
		break;
	case EFFECT_CONFIRM:
		a->confirming = e->command;
		snprintf(a->question, sizeof a->question, "%s", e->text);
		break;
	case EFFECT_MESSAGE:
	case EFFECT_ERROR:
		app_say(a, e->kind == EFFECT_ERROR, "%s", e->text);
		break;
	case EFFECT_START_JOB:
		app_start_job(a, e->text);
		break;
	}
}

void app_back(struct app *a)
{
	if (a->depth > 1)
		a->depth--;
	if (ops(a)->enter)
		ops(a)->enter(a->state[app_screen(a)], a);
}

void app_arrive(struct app *a)
{
	struct session *ses = &a->session;
	if (ses->has_jumped && ops(a)->enter)
		ops(a)->enter(a->state[app_screen(a)], a);
	if (ses->has_missed)
		app_say(a, false, "%s",
			ses->has_item ? "its row is not among the rows shown"
				      : "none of the rows shown holds that text");
	if (ses->has_jumped || ses->has_missed)
		ses->has_item = false;
	ses->has_jumped = ses->has_missed = false;
}

/* A search, a filter or a sort that goes on; false: nothing does. */
static bool stop_work(struct app *a)
{
	struct session *ses = &a->session;
	struct err ignored = ERR_INIT;
	if (ses->seek.kind != SEEK_NONE) {
		ses->seek.kind = SEEK_NONE;
		app_say(a, false, "the search was stopped");
		return true;
	}
	if (rows_work_percent(ses->rows) == 100)
		return false;
	bool ok = rows_filter(ses->rows, "", &ignored) && rows_sort(ses->rows, "", &ignored);
	app_say(a, false, ok ? "stopped: all rows are shown, as in the file" : "%s", ignored.text);
	return true;
}

void app_run(struct app *a, enum command_id id, struct text args)
{
	if (id == CMD_CANCEL && stop_work(a))
		return;
	struct input in = {id, a->count, args};
	a->count = 0;
	a->shows_messages = false;
	a->session.seek.kind =
		SEEK_NONE; /* whoever does something else has stopped waiting for it */
	bool was_ctrl_c = a->ctrl_c;
	struct effect e = ops(a)->update(a->state[app_screen(a)], a, &in);
	if (e.kind == EFFECT_UNHANDLED)
		app_run_global(a, id, args);
	else
		app_apply(a, &e);
	a->ctrl_c = id == CMD_CANCEL && !was_ctrl_c;
}

void app_command(struct app *a, struct text line)
{
	while (line.len && (line.s[0] == ' ' || line.s[0] == ':')) {
		line.s++;
		line.len--;
	}
	size_t n = 0;
	while (n < line.len && line.s[n] != ' ')
		n++;
	struct text name = {line.s, n}, args = {line.s + n, line.len - n};
	while (args.len && args.s[0] == ' ') {
		args.s++;
		args.len--;
	}
	if (!name.len)
		return;
	struct buf hint = BUF_INIT;
	const struct command *c = command_for_name(name, &hint);
	if (!c)
		app_say(a, true, "no command \"%.*s\"%s%s (? lists them)", TEXT_ARG(name),
			hint.len ? "; it could be " : "", hint.data ? hint.data : "");
	else if (!(c->where & (1u << app_screen(a))))
		app_say(a, true, ":%s does nothing on this screen (? lists what does)", c->name);
	else
		app_run(a, c->id, args);
	buf_release(&hint);
}

static void answer(struct app *a)
{
	struct text line = text_of(prompt_line());
	if (a->asking == CMD_COMMAND_LINE)
		app_command(a, line);
	else
		app_run(a, a->asking, line);
}

/* What means the same wherever one types. */
static bool key_of_the_terminal(struct app *a, uint32_t key)
{
	enum { CTRL_L = 12, CTRL_Z = 26 };
	a->must_suspend = a->must_suspend || key == CTRL_Z;
	a->must_redraw = a->must_redraw || key == CTRL_L;
	return key == CTRL_Z || key == CTRL_L;
}

static void answer_question(struct app *a, uint32_t key)
{
	enum command_id id = a->confirming;
	a->confirming = CMD_NONE;
	app_run(a, id, key == 'y' || key == 'Y' ? text_of("y") : text_of("n"));
}

/* A digit that the screen has no use for counts. */
static bool key_counts(struct app *a, uint32_t key)
{
	bool ignored;
	bool is_digit = (key >= '1' && key <= '9') || (key == '0' && a->count);
	if (!is_digit || command_for_key(app_screen(a), 0, key, &ignored))
		return false;
	a->count = a->count < 100000000 ? a->count * 10 + (int64_t)(key - '0') : a->count;
	return true;
}

void app_key(struct app *a, uint32_t key)
{
	if (key_of_the_terminal(a, key))
		return;
	if (prompt_is_open()) {
		if (prompt_key(key) == PROMPT_DONE)
			answer(a);
		return;
	}
	a->message[0] = '\0';
	if (key_is_hangul_syllable(key)) {
		app_say(a, true,
			"the Hangul input method is on (Han/Yeong switches it); keys are Latin letters");
		return;
	}
	key = key_from_jamo(key);
	if (a->confirming) {
		answer_question(a, key);
		return;
	}
	uint32_t prefix = a->prefix;
	a->prefix = 0;
	if (!prefix && key_counts(a, key))
		return;
	bool is_prefix = false;
	const struct command *c = command_for_key(app_screen(a), prefix, key, &is_prefix);
	if (c && !a->count && key >= '1' && key <= '9')
		a->count = (int64_t)(key - '0');
	if (c)
		app_run(a, c->id, TEXT_NONE);
	else if (is_prefix)
		a->prefix = key;
	else
		app_say(a, false, "%s%s does nothing here (? lists the keys)",
			prefix ? key_label(prefix) : "", key_label(key));
}

void app_resize(struct app *a, int rows, int cols)
{
	grid_resize(&a->grid, rows, cols);
}

/* A job has ended: how, and what comes next. */
static void tell_end(struct app *a)
{
	const struct job_entry *j = session_job(&a->session, a->session.ended);
	a->session.ended[0] = '\0';
	if (!j)
		return;
	const struct job_status *st = &j->status;
	if (st->state == JOB_DONE && strncmp(j->name, "train", 5) == 0)
		app_say(a, false, "%s is done: %s/model; g e evaluates it", j->name, st->run);
	else if (st->state == JOB_DONE && strncmp(j->name, "eval", 4) == 0)
		app_say(a, false, "%s is done: g e shows it", j->name);
	else if (st->state == JOB_DONE)
		app_say(a, false, "%s is done: O opens %s", j->name, st->out);
	else
		app_say(a, true, "%s: %s%s%s (g j shows its log)", j->name,
			job_state_name(st->state), st->error[0] ? ": " : "", st->error);
}

bool app_tick(struct app *a)
{
	bool changed = session_tick(&a->session);
	if (a->session.ended[0])
		tell_end(a);
	if (ops(a)->tick)
		ops(a)->tick(a->state[app_screen(a)], a);
	return changed;
}

bool app_is_waiting(const struct app *a)
{
	return !rows_is_complete(a->session.rows) && !rows_error(a->session.rows)[0];
}

enum { SLICE_MS = 6 };

bool app_work(struct app *a)
{
	bool has_more = session_work(&a->session);
	app_arrive(a);
	return has_more || (ops(a)->work && ops(a)->work(a->state[app_screen(a)], a, SLICE_MS));
}
