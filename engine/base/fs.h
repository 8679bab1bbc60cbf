/* fs.h - files: read whole, mapped, written atomically.
 *
 * What is written here is either there in full or not there: temporary beside the target, fsync,
 * rename, fsync of the folder. A crash leaves at most a `.NAME.tmp-PID` behind, which the next
 * writer of NAME removes. Every system call that can fail passes fault.h first. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* A file in memory, read-only, with FS_PADDING readable zero bytes behind its end (simdjson reads
 * in blocks). A file that shrinks under us would raise SIGBUS: the crash handler names it. */
#define FS_PADDING 64
struct fs_map {
	const char *data; /* never NULL, even for an empty file */
	size_t len;
	void *base; /* what is mapped, padding included; private */
	size_t mapped;
};
bool fs_map(const char *path, struct fs_map *ret, struct err *err) MUST_CHECK;
void fs_unmap(struct fs_map *m);

/* The whole file, at most `limit` bytes (0: 1 GiB), appended to ret. */
bool fs_read(const char *path, struct buf *ret, size_t limit, struct err *err) MUST_CHECK;
bool fs_write_atomic(const char *path, const void *data, size_t len, struct err *err) MUST_CHECK;

/* A file written piece by piece that appears under its name only when it is committed.
 * Failures are sticky: fs_out_add may go unchecked, commit tells. */
struct fs_out;
struct fs_out *fs_out_open(const char *path, struct err *err) MUST_CHECK;
void fs_out_add(struct fs_out *f, const void *data, size_t len);
void fs_out_text(struct fs_out *f, struct text t);
/* Bytes that were added before, written anew: a header that counts what follows it. */
void fs_out_patch(struct fs_out *f, size_t offset, const void *data, size_t len);
bool fs_out_commit(struct fs_out *f, struct err *err) MUST_CHECK; /* frees f, also on failure */
void fs_out_abort(struct fs_out *f); /* NULL is fine */

/* A file that only grows (metrics, logs, resumable results). Each fs_append_line is one write(2).
 * On opening, a last line without its line feed (a crash in the middle of a write) is cut off. */
struct fs_append;
struct fs_append *fs_append_open(const char *path, struct err *err) MUST_CHECK;
bool fs_append_line(
	struct fs_append *f, struct text line, struct err *err) MUST_CHECK; /* adds '\n' */
bool fs_append_sync(struct fs_append *f, struct err *err) MUST_CHECK;
void fs_append_close(struct fs_append *f);

bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
int64_t fs_size(const char *path); /* -1 when there is no such file */
bool fs_mkdirs(const char *path, struct err *err) MUST_CHECK;
/* A file that a foreign library wrote under another name in the same folder appears under `path`,
 * flushed. */
bool fs_publish_file(const char *tmp, const char *path, struct err *err) MUST_CHECK;
/* A folder appears complete or not at all: fill `dir` + ".tmp", then publish it under its name.
 * Every file in it is flushed first. */
bool fs_publish_dir(const char *tmp, const char *dir, struct err *err) MUST_CHECK;
bool fs_remove_tree(const char *path, struct err *err) MUST_CHECK; /* a missing one is fine */
/* The names in a folder, sorted by byte, `.` and `..` left out. Strings live in a. */
bool fs_list(const char *path, struct arena *a, char ***ret_names, size_t *ret_n,
	struct err *err) MUST_CHECK;
char *fs_join(struct arena *a, const char *dir, const char *name) __attribute__((returns_nonnull));
const char *fs_basename(const char *path); /* what follows the last slash; borrowed from path */
/* The folder for caches outside a workspace: $XDG_CACHE_HOME/vecsmith or ~/.cache/vecsmith. */
char *fs_cache_dir(struct arena *a);

#endif
