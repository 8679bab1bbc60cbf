/* What a command means on every screen, unless the screen took it. */
#include "tui/app_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "tui/decide.h"
#include "tui/jobline.h"
#include "tui/prompt.h"

static void save_screen(struct app *a, struct text args)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char *path = xasprintf("%.*s", TEXT_ARG(args));
	app_draw(a);
	grid_dump(&a->grid, &out);
	if (!fs_write_atomic(path, out.data, out.len, &err))
		app_say(a, true, "%s", err.text);
	free(path);
	buf_release(&out);
}

static void resize_by_command(struct app *a, struct text args)
{
	char *s = xasprintf("%.*s", TEXT_ARG(args));
	int cols, rows;
	if (sscanf(s, "%dx%d", &cols, &rows) == 2 && cols > 0 && rows > 0 && cols <= 1000 &&
		rows <= 1000)
		app_resize(a, rows, cols);
	else
		app_say(a, true, "resize takes COLSxROWS, such as 80x24, not \"%s\"", s);
	free(s);
}

void app_open_file(struct app *a, const char *path)
{
	struct err err = ERR_INIT;
	char *clean = xstrdup(path);
	for (size_t n = strlen(clean); n && clean[n - 1] == ' '; n--)
		clean[n - 1] = '\0';
	const char *const paths[] = {clean};
	if (!session_open_rows(&a->session, paths, 1, &err))
		app_say(a, true, "%s", err.text);
	else {
		app_enter(a, SCREEN_DATA);
		app_say(a, false, "opened %s", clean);
	}
	free(clean);
}

/* mine, score, export and eval: what was typed, with the rest filled in from what is open. */
static void start_with_defaults(struct app *a, const char *command, struct text options)
{
	struct buf line = BUF_INIT;
	struct err err = ERR_INIT;
	if (jobline_complete(&a->session, command, options, &line, &err))
		app_start_job(a, line.data);
	else
		app_say(a, true, "%s", err.text);
	buf_release(&line);
}

/* `mine` alone would run with whatever is the default: the line is shown first, to be changed or sent. */
static void ask_options(struct app *a, enum command_id id, const char *prompt, const char *example)
{
	struct effect e = effect_prompt(id, prompt, text_of(example));
	app_apply(a, &e);
}

static void open_named(struct app *a, struct text args)
{
	char *path = xasprintf("%.*s", TEXT_ARG(args));
	if (args.len)
		app_open_file(a, path);
	else
		ask_options(a, CMD_OPEN, "open: ", "");
	free(path);
}

static void start_command(struct app *a, enum command_id id, struct text args)
{
	char *model = jobline_model(&a->session);
	char *initial = xasprintf("--model %s", model ? model : "");
	if (args.len)
		start_with_defaults(a, id == CMD_MINE ? "mine" : "score", args);
	else if (id == CMD_MINE)
		ask_options(a, id, "mine ", initial);
	else
		ask_options(a, id, "score ", "--model ");
	free(initial);
	free(model);
}

static void evaluate(struct app *a, struct text options)
{
	char *line = xasprintf("--json %.*s", TEXT_ARG(options));
	start_with_defaults(a, "eval", text_of(line));
	free(line);
}

static void export_rows(struct app *a, struct text args)
{
	size_t n;
	rows_paths(a->session.rows, &n);
	if (!n) {
		app_say(a, true, "nothing is open: :open FILE.jsonl first");
	} else if (!args.len) {
		char *path = jobline_fresh_file(&a->session, "curated");
		ask_options(a, CMD_EXPORT, "export to: ", path);
		free(path);
	} else {
		struct buf options = BUF_INIT;
		buf_adds(&options, "--decisions --out ");
		struct text path = args;
		while (path.len && path.s[path.len - 1] == ' ')
			path.len--;
		jobline_quote(&options, path);
		start_with_defaults(a, "export", buf_text(&options));
		buf_release(&options);
	}
}

/* The file that the newest finished job wrote. */
static void open_result(struct app *a)
{
	for (size_t i = 0; i < a->session.n_jobs; i++) {
		const struct job_status *st = &a->session.jobs[i].status;
		if (st->state == JOB_DONE && st->out[0] && fs_exists(st->out) &&
			strncmp(st->command, "eval", 4) != 0) {
			app_open_file(a, st->out);
			return;
		}
	}
	app_say(a, false, "no finished job here has written rows yet (g j lists the jobs)");
}

static void attach(struct app *a, struct text args)
{
	app_enter(a, SCREEN_TRAIN);
	struct input in = {CMD_ATTACH, 0, args};
	struct effect e = train_screen.update(a->state[SCREEN_TRAIN], a, &in);
	app_apply(a, &e);
}

static void undo(struct app *a, enum command_id id)
{
	const struct decision *d = NULL;
	struct input in = {id, 0, TEXT_NONE};
	struct effect e = decide_undo(a, &in, &d);
	app_apply(a, &e);
	if (d)
		session_go_to(&a->session, d->row, d->item);
	app_arrive(a);
}

static bool run_place(struct app *a, enum command_id id)
{
	static const struct {
		enum command_id command;
		enum screen_id screen;
	} places[] = {{CMD_DATA, SCREEN_DATA}, {CMD_RECORD, SCREEN_RECORD},
		{CMD_NEGATIVES, SCREEN_NEGATIVES}, {CMD_CURATE, SCREEN_CURATE},
		{CMD_TRAIN, SCREEN_TRAIN}, {CMD_EVAL, SCREEN_EVAL}, {CMD_JOBS, SCREEN_JOBS},
		{CMD_MODELS, SCREEN_MODELS}, {CMD_HELP, SCREEN_HELP}};
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].command == id) {
			app_enter(a, places[i].screen);
			return true;
		}
	return false;
}

/* What is about files, decisions and jobs. */
static bool run_work(struct app *a, enum command_id id, struct text args)
{
	switch ((int)id) {
	case CMD_OPEN:
		open_named(a, args);
		return true;
	case CMD_RESULT:
		open_result(a);
		return true;
	case CMD_MINE:
	case CMD_SCORE:
		start_command(a, id, args);
		return true;
	case CMD_EVALUATE:
		evaluate(a, args);
		return true;
	case CMD_EXPORT:
		export_rows(a, args);
		return true;
	case CMD_ATTACH:
		attach(a, args);
		return true;
	case CMD_UNDO:
	case CMD_REDO:
		undo(a, id);
		return true;
	default:
		return false;
	}
}

static void run_program(struct app *a, enum command_id id, struct text args)
{
	switch ((int)id) {
	case CMD_BACK:
		app_back(a);
		break;
	case CMD_QUIT:
		a->must_quit = true;
		break;
	case CMD_COMMAND_LINE:
		app_ask(a, CMD_COMMAND_LINE, ":", TEXT_NONE);
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

void app_run_global(struct app *a, enum command_id id, struct text args)
{
	if (!run_place(a, id) && !run_work(a, id, args))
		run_program(a, id, args);
}
