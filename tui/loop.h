/* loop.h - the workbench on a terminal: waits for keys, time and background work, and shows what changed. */
#ifndef TUI_LOOP_H
#define TUI_LOOP_H

#include "tui/app.h"

/* Until the person leaves. The terminal is as it was found afterwards. */
bool loop_run(const struct app_options *opt, struct err *err) MUST_CHECK;

#endif
