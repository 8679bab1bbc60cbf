/* command.h - one table: name, keys, where it holds, help, and the number that screens switch on.
 * Dispatch, the `:` line with its
 * completion, the help screen, the footer and the key card of the README are all printed from it.
 * */
#ifndef TUI_COMMAND_H
#define TUI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* ORDER screens: where a command holds; a bit each. */
enum screen_id {
	SCREEN_DATA,
	SCREEN_RECORD,
	SCREEN_NEGATIVES,
	SCREEN_CURATE,
	SCREEN_TRAIN,
	SCREEN_EVAL,
	SCREEN_JOBS,
	SCREEN_MODELS,
	SCREEN_HELP,
	SCREEN_COUNT
};
#define ON(screen) (1u << SCREEN_##screen)
#define ON_ALL ((1u << SCREEN_COUNT) - 1)
#define ON_ROWS (ON(DATA) | ON(NEGATIVES) | ON(CURATE) | ON(RECORD))

enum command_id {
	CMD_NONE,
	/* moving */
	CMD_DOWN,
	CMD_UP,
	CMD_PAGE_DOWN,
	CMD_PAGE_UP,
	CMD_HALF_DOWN,
	CMD_HALF_UP,
	CMD_TOP,
	CMD_BOTTOM,
	CMD_GOTO,
	CMD_NEXT,
	CMD_PREVIOUS,
	CMD_SCROLL_DOWN,
	CMD_SCROLL_UP,
	CMD_PANE,
	CMD_PANE_BACK,
	CMD_ZOOM,
	/* screens */
	CMD_ENTER,
	CMD_OPEN,
	CMD_BACK,
	CMD_QUIT,
	CMD_DATA,
	CMD_RECORD,
	CMD_NEGATIVES,
	CMD_CURATE,
	CMD_TRAIN,
	CMD_EVAL,
	CMD_JOBS,
	CMD_MODELS,
	CMD_HELP,
	/* rows */
	CMD_SEARCH,
	CMD_SEARCH_NEXT,
	CMD_SEARCH_BACK,
	CMD_FILTER,
	CMD_FILTER_CLEAR,
	CMD_SORT,
	CMD_MARK,
	CMD_MARK_RANGE,
	CMD_MARK_ALL,
	CMD_MARK_CLEAR,
	CMD_QUEUE,
	CMD_ORDER,
	/* decisions */
	CMD_KEEP,
	CMD_REJECT,
	CMD_PROMOTE,
	CMD_SKIP,
	CMD_EDIT,
	CMD_NOTE,
	CMD_SUGGESTION,
	CMD_KEEP_REST,
	CMD_PICK,
	CMD_UNDO,
	CMD_REDO,
	CMD_EXPORT,
	CMD_RESULT,
	CMD_BLIND,
	/* jobs */
	CMD_MINE,
	CMD_SCORE,
	CMD_LAUNCH,
	CMD_SET,
	CMD_STOP,
	CMD_ATTACH,
	CMD_FOLLOW,
	CMD_SMOOTH_MORE,
	CMD_SMOOTH_LESS,
	CMD_LOG_SCALE,
	CMD_EVALUATE,
	CMD_BASELINE,
	/* models */
	CMD_PROBE,
	CMD_LENGTH,
	/* the program */
	CMD_COMMAND_LINE,
	CMD_MESSAGES,
	CMD_REDRAW,
	CMD_SUSPEND,
	CMD_CANCEL,
	CMD_SCREENSHOT,
	CMD_RESIZE,
	CMD_COUNT
};

struct command {
	enum command_id id;
	const char *name; /* what `:` takes */
	const char *args; /* "" or what follows the name: "EXPR", "FILE" */
	const char *
		keys; /* key names, two alternatives apart by blanks; a chord joins with '+': "g+d" */
	unsigned where; /* ON(...) bits */
	int footer; /* 0 = not in the footer; else the smaller, the earlier */
	const char *help; /* one line, lower case, no full stop */
	const char *label; /* the footer's word */
};

extern const struct command commands[]; /* ends with id CMD_NONE */

/* The command that a key (after `prefix`, 0 = none) means on this screen. *ret_is_prefix: the key
 * begins a chord. */
const struct command *command_for_key(
	enum screen_id screen, uint32_t prefix, uint32_t key, bool *ret_is_prefix);
/* By name, or by the only name that begins so; NULL: unknown or ambiguous (*ret_hint tells). */
const struct command *command_for_name(struct text name, struct buf *ret_hint);
/* Keys, names and help as one table for people: the commands that hold on a screen of `where` but not
 * on all of `but_not` (0: exactly those that hold on every screen of `where`). Help and key card. */
void command_card(struct buf *out, unsigned where, unsigned but_not);

#endif
