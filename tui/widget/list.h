/* list.h - the cursor of a list and what is in view. It owns no rows: the screen knows how many there are and draws them. */
#ifndef TUI_WIDGET_LIST_H
#define TUI_WIDGET_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/screen.h"

struct list {
	size_t cursor, top;
	int page; /* rows in view, as drawn last */
};

/* Moves for the commands that move (down, page-up, top, line N ...); false: not one of them. n = rows there are. */
bool list_move(struct list *l, const struct input *in, size_t n);
/* Keeps the cursor inside n rows and in view of `rows` lines. Call before drawing; returns the first row in view. */
size_t list_view(struct list *l, size_t n, int rows);

#endif
