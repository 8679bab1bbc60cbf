/* panes.h - rectangles cut from rectangles. Pure arithmetic: no pane overlaps another or leaves its parent, whatever the size. */
#ifndef TUI_WIDGET_PANES_H
#define TUI_WIDGET_PANES_H

#include "tui/grid.h"

/* Cuts `rows` lines (or `cols` columns) off and leaves the rest in *r; never more than there is. */
struct rect panes_top(struct rect *r, int rows);
struct rect panes_bottom(struct rect *r, int rows);
struct rect panes_left(struct rect *r, int cols);
struct rect panes_right(struct rect *r, int cols);

#endif
