#include "store/workspace_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/utf8.h"

enum { APPLICATION_ID = 0x76656373 }; /* "vecs" */

static const char schema[] =
	"CREATE TABLE decision ("
	" id INTEGER PRIMARY KEY,"
	" grp INTEGER NOT NULL," /* decided in one go */
	" target INTEGER NOT NULL," /* undo and redo: the group they are about; else 0 */
	" at_ms INTEGER NOT NULL,"
	" took_ms INTEGER NOT NULL,"
	" user TEXT NOT NULL,"
	" row BLOB NOT NULL," /* 16 bytes */
	" item BLOB NOT NULL,"
	" verdict INTEGER NOT NULL,"
	" text TEXT NOT NULL,"
	" reason TEXT NOT NULL) STRICT;"
	"CREATE INDEX decision_row ON decision(row);";

bool workspace_sql_failed(struct workspace *w, const char *what, struct err *err)
{
	return err_set(err, ERR_FAILED, "%s/workspace.db: cannot %s: %s", w->dir, what,
		sqlite3_errmsg(w->db));
}

static bool run(struct workspace *w, const char *sql, const char *what, struct err *err)
{
	return sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
		workspace_sql_failed(w, what, err);
}

static bool read_number(struct workspace *w, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *s = NULL;
	bool ok = sqlite3_prepare_v2(w->db, sql, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW;
	if (ok)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return ok || workspace_sql_failed(w, "be read", err);
}

static char *boot_id(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	if (!fs_read("/proc/sys/kernel/random/boot_id", &b, 100, &err))
		buf_adds(&b, "unknown");
	b.data[strcspn(b.data, "\n")] = '\0';
	return buf_take(&b);
}

/* The kernel drops the lock with its holder, however that ends; the file's text is for people. */
static bool take_lock(struct workspace *w, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *path = fs_join(&a, w->dir, "workspace.lock");
	w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (w->lock_fd < 0) {
		bool is_closed = errno == EACCES || errno == EROFS;
		w->is_read_only = is_closed;
		if (is_closed)
			snprintf(w->notice, sizeof w->notice,
				"%s is not writable: opened for reading", w->dir);
		arena_release(&a);
		return is_closed || err_errno(err, "cannot open %s", path);
	}
	if (flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = pread(w->lock_fd, w->holder, sizeof w->holder - 1, 0);
		w->holder[n > 0 ? n : 0] = '\0';
		w->holder[strcspn(w->holder, "(\n")] = '\0'; /* the boot id is for machines */
		size_t len = strlen(w->holder);
		if (len && w->holder[len - 1] == ' ')
			w->holder[len - 1] = '\0';
		snprintf(w->notice, sizeof w->notice,
			"read only: %s holds this workspace; nothing is decided here",
			w->holder[0] ? w->holder : "another process");
		w->is_read_only = true;
	} else {
		char host[100] = "";
		gethostname(host, sizeof host - 1);
		char *boot = boot_id();
		char *text = xasprintf("pid %ld on %s (boot %s)\n", (long)getpid(), host, boot);
		if (ftruncate(w->lock_fd, 0) != 0 || pwrite(w->lock_fd, text, strlen(text), 0) < 0)
			snprintf(w->notice, sizeof w->notice, "cannot write %s: %s", path,
				strerror(errno));
		free(text);
		free(boot);
	}
	arena_release(&a);
	return true;
}

/* WAL needs shared memory, which network file systems do not have. */
static bool is_network(const char *dir)
{
	struct statfs s;
	if (statfs(dir, &s) != 0)
		return false;
	static const unsigned long kinds[] = {0x6969 /* NFS */, 0xFF534D42 /* CIFS */,
		0xFE534D42 /* SMB2 */, 0x65735546 /* FUSE */, 0x01021997 /* 9p */,
		0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((unsigned long)s.f_type == kinds[i])
			return true;
	return false;
}

static bool back_up(struct workspace *w, int64_t version, struct err *err)
{
	char *sql =
		sqlite3_mprintf("VACUUM INTO '%q/workspace.db.v%lld'", w->dir, (long long)version);
	bool ok = run(w, sql, "be backed up before its upgrade", err);
	sqlite3_free(sql);
	return ok;
}

static bool set_up_schema(struct workspace *w, struct err *err)
{
	int64_t version = 0, app = 0;
	if (!read_number(w, "PRAGMA user_version", &version, err) ||
		!read_number(w, "PRAGMA application_id", &app, err))
		return false;
	if (version && app != APPLICATION_ID)
		return err_set(err, ERR_DATA,
			"%s/workspace.db is another program's database; move it away", w->dir);
	if (version > WORKSPACE_SCHEMA) {
		w->is_read_only = true;
		snprintf(w->notice, sizeof w->notice,
			"read only: this workspace was written by a newer vecsmith (schema %lld, this one knows %d)",
			(long long)version, WORKSPACE_SCHEMA);
		return true;
	}
	if (version == WORKSPACE_SCHEMA || w->is_read_only)
		return true;
	if (version && !back_up(w, version, err))
		return false;
	char set[128];
	snprintf(set, sizeof set, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		APPLICATION_ID, WORKSPACE_SCHEMA);
	return run(w, "BEGIN IMMEDIATE", "be set up", err) && run(w, schema, "be set up", err) &&
		run(w, set, "be set up", err) && run(w, "COMMIT", "be set up", err);
}

static bool open_db(struct workspace *w, struct err *err)
{
	char *path = xasprintf("%s/workspace.db", w->dir);
	int flags =
		w->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int got = sqlite3_open_v2(path, &w->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	free(path);
	if (got != SQLITE_OK)
		return workspace_sql_failed(w, "be opened", err);
	sqlite3_busy_timeout(w->db, 2000);
	sqlite3_limit(w->db, SQLITE_LIMIT_LENGTH, 1 << 28);
	if (w->is_read_only)
		return set_up_schema(w, err);
	const char *journal =
		is_network(w->dir) ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL";
	/* FULL: a commit is on disk when it returns, in WAL mode too. */
	return run(w, journal, "set its journal", err) &&
		run(w, "PRAGMA synchronous = FULL", "set its syncing", err) &&
		set_up_schema(w, err);
}

static char *user_name(void)
{
	const char *user = getenv("USER");
	const struct passwd *pw = user && *user ? NULL : getpwuid(getuid());
	return xstrdup(user && *user ? user : pw ? pw->pw_name : "someone");
}

static struct workspace *open_in(const char *dir, bool is_reading, struct err *err)
{
	struct workspace *w = xcalloc(1, sizeof *w);
	w->lock_fd = -1;
	w->is_read_only = is_reading;
	const char *slash = dir[0] && dir[strlen(dir) - 1] == '/' ? "" : "/";
	bool is_inside = strcmp(fs_basename(dir), ".vecsmith") == 0;
	w->dir = is_inside ? xstrdup(dir) : xasprintf("%s%s.vecsmith", dir, slash);
	w->user = user_name();
	bool ok = is_reading
		? fs_is_dir(w->dir) || err_set(err, ERR_USAGE, "there is no workspace in %s", dir)
		: fs_mkdirs(w->dir, err) && take_lock(w, err);
	if (!ok || !open_db(w, err) || !decisions_load(w, err)) {
		workspace_close(w);
		return NULL;
	}
	return w;
}

struct workspace *workspace_open(const char *dir, struct err *err)
{
	return open_in(dir, false, err);
}

struct workspace *workspace_open_reading(const char *dir, struct err *err)
{
	return open_in(dir, true, err);
}

void workspace_close(struct workspace *w)
{
	if (!w)
		return;
	decisions_release(w);
	sqlite3_finalize(w->insert);
	sqlite3_close(w->db);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
	free(w->dir);
	free(w->user);
	free(w);
}

const char *workspace_dir(const struct workspace *w)
{
	return w->dir;
}

bool workspace_is_read_only(const struct workspace *w)
{
	return w->is_read_only;
}

const char *workspace_notice(const struct workspace *w)
{
	return w->notice;
}

const char *workspace_holder(const struct workspace *w)
{
	return w->holder;
}
