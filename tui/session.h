/* session.h - what the screens share: the opened rows and the place in them, the person's decisions, the jobs. */
#ifndef TUI_SESSION_H
#define TUI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/job_record.h"
#include "store/workspace.h"
#include "tui/rows.h"
#include "tui/seek.h"

struct job_entry {
	char name[200]; /* of its folder: "mine-3" */
	char *folder;
	struct job_status status;
};

struct session {
	char *dir; /* where the person works */
	const char *program; /* what jobs are started with; borrowed */
	struct workspace *workspace;
	struct rows *rows; /* never NULL after session_open */
	size_t row; /* place in the shown order */
	char *queue; /* bytes [rows_total]: 1 = marked for curation; NULL = none */
	size_t n_queue;
	struct job_entry *jobs; /* newest first */
	size_t n_jobs;
	char ended[200]; /* the job whose end was seen last and not yet told; "" = none */
	struct seek seek; /* a search that goes on behind the screen */
	struct hash128
		item; /* the candidate on which the next screen that is entered puts its cursor */
	bool has_item;
	bool has_jumped, has_missed; /* the seek ended: the app tells the screen and the person */
	size_t recent[16]; /* places of rows that were decided lately */
	size_t n_recent;
	int64_t saved_ms; /* of the last decision that is on disk; 0 = none yet */
	bool save_failed;
	bool is_script; /* times are not shown: equal scripts give equal screens */
	char notice[600]; /* what the person should know at the start */
	int64_t looked_ms; /* when the present candidate came into view */
};

bool session_open(struct session *s, const char *dir, const char *const *paths, size_t n,
	struct err *err) MUST_CHECK;
void session_close(struct session *s);
/* Other rows; decisions and jobs stay. */
bool session_open_rows(
	struct session *s, const char *const *paths, size_t n, struct err *err) MUST_CHECK;

bool session_tick(struct session *s); /* true when a job changed */
bool session_work(struct session *s); /* true while there is more */
/* To the row of a decision and the text it is about. At once when it is the present row or one decided here lately; else by seek. */
void session_go_to(struct session *s, struct hash128 row, struct hash128 item);
void session_status(const struct session *s, struct buf *out); /* right end of the header */
/* The data set as a header names it: at most 32 columns. */
void session_name(const struct session *s, struct buf *out);

/* The row at the cursor; NULL when there is none, and then why in one sentence. */
const struct row *session_row(struct session *s);
const char *session_no_row(const struct session *s);

/* One decision about a text of a row, or several at once (one undo). reason "" = the person's own. */
bool session_decide(
	struct session *s, const struct decision *d, size_t n, struct err *err) MUST_CHECK;
/* What stands about a candidate: VERDICT_NONE when nothing. */
enum verdict session_verdict(const struct session *s, const struct row *r, struct text item);
/* The text in force: the edited one when there is an edit. */
struct text session_text(const struct session *s, const struct row *r, struct text item);
struct decision decision_about(const struct row *r, struct text item, enum verdict v);

/* Starts `vecsmith LINE` in a session of its own; the workbench only reads what it writes. */
bool session_start_job(struct session *s, const char *line, struct err *err) MUST_CHECK;
const struct job_entry *session_job(const struct session *s, const char *name); /* NULL: none */
bool session_stop_job(
	struct session *s, size_t i, struct err *err) MUST_CHECK; /* SIGTERM: it saves first */
size_t session_running(const struct session *s);

#endif
