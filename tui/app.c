#include "tui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/key.h"
#include "tui/prompt.h"

/* ORDER screens */
const struct screen_ops *const app_screens[SCREEN_COUNT] = {&data_screen, &record_screen,
	&negatives_screen, &curate_screen, &train_screen, &eval_screen, &jobs_screen, &help_screen};

enum screen_id app_screen(const struct app *a)
{
	return a->stack[a->depth - 1];
}

static const struct screen_ops *ops(const struct app *a)
{
	return app_screens[app_screen(a)];
}

static void enter(struct app *a, enum screen_id id)
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
	enter(a, SCREEN_DATA);
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

static void complete(void *ctx, const char *line, const char *word, struct buf *out)
{
	struct app *a = ctx;
	if (line[0] == '\0') {
		for (const struct command *c = commands; c->id; c++)
			if ((c->where & (1u << app_screen(a))) &&
				strncmp(c->name, word, strlen(word)) == 0)
				buf_addf(out, "%s\n", c->name);
		return;
	}
	session_complete(&a->session, line, word, out);
}

static void start_job(struct app *a, const char *line)
{
	struct err err = ERR_INIT;
	if (session_start_job(&a->session, line, &err))
		app_say(a, false, "started: vecsmith %s", line);
	else
		app_say(a, true, "%s", err.text);
}

static void apply(struct app *a, const struct effect *e)
{
	switch (e->kind) {
	case EFFECT_NONE:
	case EFFECT_UNHANDLED:
		break;
	case EFFECT_GOTO:
		enter(a, e->screen);
		break;
	case EFFECT_BACK:
		app_run(a, CMD_BACK, TEXT_NONE);
		break;
	case EFFECT_QUIT:
		a->must_quit = true;
		break;
	case EFFECT_PROMPT:
		a->asking = e->command;
		prompt_begin(e->text, e->initial, true, complete, a);
		break;
	case EFFECT_MESSAGE:
	case EFFECT_ERROR:
		app_say(a, e->kind == EFFECT_ERROR, "%s", e->text);
		break;
	case EFFECT_START_JOB:
		start_job(a, e->text);
		break;
	}
}

static void go_back(struct app *a)
{
	if (a->depth > 1)
		a->depth--;
	if (ops(a)->enter)
		ops(a)->enter(a->state[app_screen(a)], a);
}

static void save_screen(struct app *a, struct text args)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char path[1000];
	snprintf(path, sizeof path, "%.*s", TEXT_ARG(args));
	app_draw(a);
	grid_dump(&a->grid, &out);
	if (!fs_write_atomic(path, out.data, out.len, &err))
		app_say(a, true, "%s", err.text);
	buf_release(&out);
}

static void resize_by_command(struct app *a, struct text args)
{
	char s[40];
	int cols, rows;
	snprintf(s, sizeof s, "%.*s", TEXT_ARG(args));
	if (sscanf(s, "%dx%d", &cols, &rows) == 2 && cols > 0 && rows > 0)
		app_resize(a, rows, cols);
	else
		app_say(a, true, "resize takes COLSxROWS, such as 80x24, not \"%s\"", s);
}

/* What means the same on every screen, unless the screen took it. */
static void run_global(struct app *a, enum command_id id, struct text args)
{
	static const struct {
		enum command_id command;
		enum screen_id screen;
	} places[] = {{CMD_DATA, SCREEN_DATA}, {CMD_RECORD, SCREEN_RECORD},
		{CMD_NEGATIVES, SCREEN_NEGATIVES}, {CMD_CURATE, SCREEN_CURATE},
		{CMD_TRAIN, SCREEN_TRAIN}, {CMD_EVAL, SCREEN_EVAL}, {CMD_JOBS, SCREEN_JOBS},
		{CMD_HELP, SCREEN_HELP}};
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].command == id) {
			enter(a, places[i].screen);
			return;
		}
	switch ((int)id) {
	case CMD_BACK:
		go_back(a);
		break;
	case CMD_QUIT:
		a->must_quit = true;
		break;
	case CMD_COMMAND_LINE:
		a->asking = CMD_COMMAND_LINE;
		prompt_begin(":", "", true, complete, a);
		break;
	case CMD_MESSAGES:
		a->shows_messages = true;
		break;
	case CMD_REDRAW:
		a->must_redraw = true;
		break;
	case CMD_SUSPEND:
		a->must_suspend = true;
		break;
	case CMD_CANCEL:
		a->must_quit = a->ctrl_c;
		app_say(a, false, "Ctrl-C once more leaves; Q does too");
		break;
	case CMD_SCREENSHOT:
		save_screen(a, args);
		break;
	case CMD_RESIZE:
		resize_by_command(a, args);
		break;
	default:
		break;
	}
}

void app_run(struct app *a, enum command_id id, struct text args)
{
	struct input in = {id, a->count, args};
	a->count = 0;
	a->shows_messages = false;
	bool was_ctrl_c = a->ctrl_c;
	struct effect e = ops(a)->update(a->state[app_screen(a)], a, &in);
	if (e.kind == EFFECT_UNHANDLED)
		run_global(a, id, args);
	else
		apply(a, &e);
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

void app_key(struct app *a, uint32_t key)
{
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
	uint32_t prefix = a->prefix;
	a->prefix = 0;
	if (!prefix && ((key >= '1' && key <= '9') || (key == '0' && a->count))) {
		a->count = a->count < 100000000 ? a->count * 10 + (int64_t)(key - '0') : a->count;
		return;
	}
	bool is_prefix = false;
	const struct command *c = command_for_key(app_screen(a), prefix, key, &is_prefix);
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

bool app_tick(struct app *a)
{
	bool changed = session_tick(&a->session);
	if (ops(a)->tick)
		ops(a)->tick(a->state[app_screen(a)], a);
	return changed || !a->is_script;
}

bool app_work(struct app *a)
{
	return session_work(&a->session);
}
