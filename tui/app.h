/* app.h - the workbench: state, and what a key does to it. No terminal in here: loop.c feeds keys
 * and shows the grid, script.c does
 * the same from a file, and both see one program. */
#ifndef TUI_APP_H
#define TUI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tui/grid.h"
#include "tui/screen.h"
#include "tui/session.h"

struct app {
	struct session session; /* what is opened: rows, decisions, runs */
	void *state[SCREEN_COUNT]; /* of each screen; made when it is first entered */
	enum screen_id stack[16]; /* the last one is shown */
	int depth;
	struct grid grid;
	char message[1000];
	bool is_error;
	struct buf messages; /* all of them, a line each */
	uint32_t prefix; /* a chord was begun */
	int64_t count; /* digits typed so far */
	enum command_id asking; /* the prompt's answer goes there */
	enum command_id confirming; /* a question waits for y or anything else; CMD_NONE = none */
	char question[4000];
	bool shows_messages, must_quit, must_suspend, must_redraw, ctrl_c;
	bool is_script; /* the clock stands still, and times are shown as given */
};

extern const struct screen_ops *const app_screens[SCREEN_COUNT]; /* ORDER screens */

struct app_options {
	const char *workspace; /* folder; NULL = here */
	const char *const *paths; /* files to open */
	size_t n_paths;
	int rows, cols;
	bool is_ascii, is_script;
	const char *program; /* what jobs are started with; NULL = this program */
};

struct app *app_new(const struct app_options *opt, struct err *err) MUST_CHECK;
void app_free(struct app *a);
void app_key(struct app *a, uint32_t key);
/* A line as the command line takes it: "filter margin < 0". */
void app_command(struct app *a, struct text line);
void app_run(struct app *a, enum command_id id, struct text args);
void app_resize(struct app *a, int rows, int cols);
/* Once a second: looks at runs and at the clock. True when something on the screen may have
 * changed. */
bool app_tick(struct app *a);
/* Background work in slices of a few milliseconds: indexing, filtering. True while there is more.
 * */
bool app_work(struct app *a);
/* What is left of the work is done by a thread: looking again in a while is enough. */
bool app_is_waiting(const struct app *a);
void app_draw(struct app *a); /* into a->grid */
void app_say(struct app *a, bool is_error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
enum screen_id app_screen(const struct app *a);
void app_open_file(struct app *a, const char *path); /* and to the rows; an error is said */

#endif
