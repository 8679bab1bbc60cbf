/* decide.h - one key, one decision, on disk before the next candidate stands there. Shared by the screens on which one decides. */
#ifndef TUI_DECIDE_H
#define TUI_DECIDE_H

#include "tui/app.h"
#include "tui/candidates.h"

/* Handles keep, reject, promote, skip, suggestion, edit and note about one or several candidates of a row (one undo for all).
 * *ret_decided: a verdict was given, so the screen moves on. UNHANDLED: none of these commands. */
struct effect decide(struct app *a, const struct row *r, const struct shown *c, size_t n,
	const struct input *in, bool *ret_decided);
/* Keeps all negatives of a row that are undecided. */
struct effect decide_rest(
	struct app *a, const struct row *r, const struct shown *c, size_t n, bool *ret_decided);
/* Undo and redo; *ret = what came back, NULL when there was nothing. UNHANDLED: another command. */
struct effect decide_undo(struct app *a, const struct input *in, const struct decision **ret);

#endif
