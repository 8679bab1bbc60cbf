/* session_jobs.h - the jobs of a session: found in .vecsmith/runs, judged by what they write. */
#ifndef TUI_SESSION_JOBS_H
#define TUI_SESSION_JOBS_H

#include "tui/session.h"

bool session_read_jobs(struct session *s); /* true when something changed */
void session_free_jobs(struct session *s);

#endif
