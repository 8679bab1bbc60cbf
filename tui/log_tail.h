/* log_tail.h - the end of a job's log, read from the end of the file however long it is. */
#ifndef TUI_LOG_TAIL_H
#define TUI_LOG_TAIL_H

#include "tui/grid.h"

/* The last lines of folder/log.txt, `back` lines above the end. Long lines are wrapped; bars drawn with carriage returns count as their last
 * state. */
void log_tail_draw(struct grid *g, struct rect r, const char *folder, int back);

#endif
