/* workspace_private.h - shared by workspace.c (the file) and decisions.c (what it means). */
#ifndef STORE_WORKSPACE_PRIVATE_H
#define STORE_WORKSPACE_PRIVATE_H

#include <sqlite3.h>

#include "base/map.h"
#include "base/mem.h"
#include "store/workspace.h"

/* Undo and redo are rows as well: verdict numbers outside the enum, .target = the group they are
 * about. */
enum { ROW_UNDO = 100, ROW_REDO = 101 };

struct entry {
	struct decision d;
	bool is_active;
};
struct group {
	int64_t id;
	size_t first, n; /* its entries */
};

struct workspace {
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *dir, *user;
	int lock_fd;
	bool is_read_only;
	char notice[500], holder[200];
	struct arena texts;
	struct entry *entries;
	size_t n_entries, cap_entries;
	struct group *groups;
	size_t n_groups, cap_groups;
	size_t *undo, n_undo,
		cap_undo; /* groups in force, in the order in which they can be undone */
	size_t *redo, n_redo, cap_redo;
	struct map in_force; /* (row, item, kind) -> entry + 1; 0 = nothing */
};

bool decisions_load(struct workspace *w, struct err *err) MUST_CHECK;
void decisions_release(struct workspace *w);
bool workspace_sql_failed(
	struct workspace *w, const char *what, struct err *err); /* always false */

#endif
