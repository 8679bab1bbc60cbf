/* wrap.h - a text in lines of a given width: broken at spaces where there are any, between clusters where not (Korean breaks at its
 * spaces too), at line feeds always. */
#ifndef TUI_WIDGET_WRAP_H
#define TUI_WIDGET_WRAP_H

#include "tui/grid.h"

/* Draws the lines from `skip` on into r; returns how many lines the whole text has. r.rows 0 only counts. */
int wrap_draw(struct grid *g, struct rect r, int skip, enum style style, struct text t);
/* The same for a pane that scrolls: *scroll is kept where there is text to see. */
void wrap_pane(struct grid *g, struct rect r, int *scroll, enum style style, struct text t);

#endif
