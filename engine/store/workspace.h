/* workspace.h - in: what a person decides; out: the same, on disk before the call returns, and in
 * force ever after.
 *
 * `.vecsmith/workspace.db` (SQLite, application_id "vecs", user_version = WORKSPACE_SCHEMA).
 * Decisions are rows that are only ever added: an undo
 * is a row too, so the table is its own history. What is in force is folded from the rows when the
 * workspace is opened,
 * and kept in memory beside it. One process writes: workspace.lock names it (pid, host, boot id);
 * who comes second reads.
 *
 * A decision's key is (row id, hash of the text it is about): mining again or sorting a file
 * orphans nothing. */
#ifndef STORE_WORKSPACE_H
#define STORE_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"

enum { WORKSPACE_SCHEMA = 1 };

/* ORDER verdicts: stored as numbers, never renumber. */
enum verdict {
	VERDICT_NONE = 0,
	VERDICT_KEEP = 1, /* a good negative */
	VERDICT_REJECT = 2, /* out of the row */
	VERDICT_PROMOTE = 3, /* it answers the query: a positive */
	VERDICT_SKIP = 4, /* seen, no opinion */
	VERDICT_EDIT = 5, /* .text replaces the text; stands beside a verdict */
	VERDICT_NOTE = 6, /* .text is a remark; stands beside a verdict */
};
const char *verdict_name(enum verdict v); /* "keep" ... */

struct decision {
	struct hash128 row, item;
	enum verdict verdict;
	struct text text; /* of an edit or a note */
	struct text reason; /* of a suggestion that was taken; TEXT_NONE = the person's own */
	struct text user; /* who; filled by the workspace */
	int64_t at_ms; /* when, since 1970; filled by the workspace */
	int64_t took_ms; /* how long the person looked; 0 = unknown */
	int64_t group; /* decided in one go, undone in one go; filled by the workspace */
};

struct workspace;
/* dir/.vecsmith is made when missing. When another process holds it, or its schema is newer, it is
 * opened for reading and workspace_notice() says why. An older schema is backed up beside it and
 * upgraded. */
struct workspace *workspace_open(const char *dir, struct err *err) MUST_CHECK;
/* For reading only, without the lock: `export`. Fails when there is no workspace. */
struct workspace *workspace_open_reading(const char *dir, struct err *err) MUST_CHECK;
void workspace_close(struct workspace *w);
const char *workspace_dir(const struct workspace *w); /* the .vecsmith folder */
bool workspace_is_read_only(const struct workspace *w);
const char *workspace_notice(const struct workspace *w); /* "" or one sentence */
const char *workspace_holder(
	const struct workspace *w); /* who writes it: "pid 17 on HOST"; "" = we, or unknown */

/* One durable transaction: when it returns true, the decisions survive a kill. row, item, verdict,
 * text, reason and took_ms are read. */
bool workspace_decide(
	struct workspace *w, const struct decision *d, size_t n, struct err *err) MUST_CHECK;
/* Takes back, or decides again, the last group: *ret = its first decision (borrowed until the next
 * change), *ret_n = how many it holds; 0 = there is nothing to undo or redo. */
bool workspace_undo(struct workspace *w, const struct decision **ret, size_t *ret_n,
	struct err *err) MUST_CHECK;
bool workspace_redo(struct workspace *w, const struct decision **ret, size_t *ret_n,
	struct err *err) MUST_CHECK;

/* What is in force about one text of one row: keep, reject, promote or skip; its edit; its note.
 * NULL = nothing. Borrowed until the next change. */
const struct decision *workspace_verdict(
	const struct workspace *w, struct hash128 row, struct hash128 item);
const struct decision *workspace_edit(
	const struct workspace *w, struct hash128 row, struct hash128 item);
const struct decision *workspace_note(
	const struct workspace *w, struct hash128 row, struct hash128 item);
/* All decisions ever taken, oldest first, undone ones included; is_active tells. */
size_t workspace_count(const struct workspace *w);
const struct decision *workspace_at(const struct workspace *w, size_t i, bool *ret_is_active);
/* How many verdicts are in force, by kind. */
void workspace_tally(const struct workspace *w, size_t ret[VERDICT_NOTE + 1]);

#endif
