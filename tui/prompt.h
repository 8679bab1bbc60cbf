/* prompt.h - one line typed by the person, edited by readline, which knows no terminal here: bytes
 * are pushed in, and the line with its
 * cursor is ours to draw. History is kept for commands and searches apart. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

enum prompt_state { PROMPT_OPEN, PROMPT_DONE, PROMPT_CANCELLED };

/* Fills `out` with candidates for the word before the cursor, one a line; `line` is everything
 * before it. */
enum prompt_history { PROMPT_FORGETS, PROMPT_COMMANDS, PROMPT_SEARCHES, PROMPT_HISTORIES };

typedef void (*prompt_complete_fn)(void *ctx, const char *line, const char *word, struct buf *out);

void prompt_begin(const char *prompt, struct text initial, enum prompt_history history,
	prompt_complete_fn complete, void *ctx);
enum prompt_state prompt_key(uint32_t key);
bool prompt_is_open(void);
const char *prompt_label(void);
const char *prompt_line(
	void); /* what stands there, or the answer after PROMPT_DONE; borrowed until the next begin */
size_t prompt_cursor(void); /* byte offset of the cursor in the line */
const char *prompt_hints(void); /* candidates of the last Tab, one line; "" when none */
/* $XDG_STATE_HOME/vecsmith (or ~/.local/state/vecsmith) keeps both histories, at most 500 lines each. From here on every accepted line
 * is saved at once; without this call nothing is read or written. */
void prompt_history_keep(void);

#endif
