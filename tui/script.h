/* script.h - the workbench without a terminal: a file of keys and commands goes in, screens as text come out.
 *
 *	# a comment
 *	keys jj<Enter>gn        keys as key.h names them
 *	:filter margin < 0      a command, as the command line takes it
 *	wait                    until background work is done
 *	wait-jobs 120           until no job runs, at most so many seconds
 *	screen                  the screen to stdout, between two ruled lines
 *	screen FILE             the same to a file
 *
 * Time stands still and nothing depends on the machine's speed, so equal scripts give equal screens. */
#ifndef TUI_SCRIPT_H
#define TUI_SCRIPT_H

#include "tui/app.h"

bool script_run(const char *path, const struct app_options *opt, struct err *err) MUST_CHECK;

#endif
