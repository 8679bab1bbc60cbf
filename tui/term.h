/* term.h - the terminal: the only place that knows curses. Starts it, ends it (after every kind of
 * end, a crash included), reads
 * keys, and carries a grid to the screen. */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tui/grid.h"

enum { TERM_NO_KEY = 0, TERM_RESIZED = 0x120000 };

bool term_open(bool use_colour, struct err *err) MUST_CHECK; /* NO_COLOR is honoured too */
void term_close(void); /* as it was found; more than once is fine */
void term_size(int *ret_rows, int *ret_cols);
bool term_is_utf8(void); /* of the locale */
/* The next key, TERM_RESIZED, or TERM_NO_KEY when none is waiting. Never blocks. */
uint32_t term_key(void);
void term_present(const struct grid *g); /* curses sends what changed */
void term_redraw(void); /* the next present sends everything */
void term_suspend(void); /* SIGTSTP with the terminal restored; returns after SIGCONT */
int term_fd(void); /* readable when keys wait */

#endif
