/* The writing half of fs.h: atomic files, growing files, folders that appear at once. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = fault_hit(FAULT_WRITE) ? -1 : write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool sync_fd(int fd)
{
	return !fault_hit(FAULT_FSYNC) && fsync(fd) == 0;
}

/* A folder's entry is durable only when the folder is synced. File systems that cannot say EINVAL.
 * */
static bool sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = sync_fd(fd) || errno == EINVAL;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

static bool sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = !slash      ? xstrdup(".")
		: slash == path ? xstrdup("/")
				: xstrndup(path, (size_t)(slash - path));
	bool ok = sync_dir(dir);
	free(dir);
	return ok;
}

enum { OUT_BUFFER = 1 << 18 };

struct fs_out {
	int fd;
	char *path, *tmp;
	int failed; /* errno of the first failure */
	size_t used;
	char buffer[OUT_BUFFER];
};

struct fs_out *fs_out_open(const char *path, struct err *err)
{
	struct fs_out *f = xmalloc(sizeof *f);
	size_t dir_len = (size_t)(fs_basename(path) - path);
	f->path = xstrdup(path);
	f->tmp = xasprintf("%.*s.%s.tmp-%ld", (int)dir_len, path, path + dir_len, (long)getpid());
	f->failed = 0;
	f->used = 0;
	f->fd = fault_hit(FAULT_OPEN)
		? -1
		: open(f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		err_errno(err, "cannot write %s", path);
		free(f->path);
		free(f->tmp);
		free(f);
		return NULL;
	}
	return f;
}

static void flush_out(struct fs_out *f)
{
	if (!f->failed && !write_all(f->fd, f->buffer, f->used))
		f->failed = errno;
	f->used = 0;
}

void fs_out_add(struct fs_out *f, const void *data, size_t len)
{
	if (len > OUT_BUFFER - f->used)
		flush_out(f);
	if (len >= OUT_BUFFER) {
		if (!f->failed && !write_all(f->fd, data, len))
			f->failed = errno;
		return;
	}
	if (len)
		memcpy(f->buffer + f->used, data, len);
	f->used += len;
}

void fs_out_text(struct fs_out *f, struct text t)
{
	fs_out_add(f, t.s, t.len);
}

void fs_out_patch(struct fs_out *f, size_t offset, const void *data, size_t len)
{
	flush_out(f);
	if (f->failed)
		return;
	ssize_t n = fault_hit(FAULT_WRITE) ? -1 : pwrite(f->fd, data, len, (off_t)offset);
	if (n != (ssize_t)len)
		f->failed = n < 0 ? errno : EIO;
}

static void out_free(struct fs_out *f)
{
	free(f->path);
	free(f->tmp);
	free(f);
}

bool fs_out_commit(struct fs_out *f, struct err *err)
{
	flush_out(f);
	if (!f->failed && !sync_fd(f->fd))
		f->failed = errno;
	if (close(f->fd) != 0 && !f->failed)
		f->failed = errno;
	if (!f->failed && (fault_hit(FAULT_RENAME) || rename(f->tmp, f->path) != 0))
		f->failed = errno;
	if (!f->failed && !sync_parent(f->path))
		f->failed = errno;
	bool ok = !f->failed;
	if (!ok) {
		unlink(f->tmp);
		errno = f->failed;
		err_errno(err, "cannot write %s", f->path);
	}
	out_free(f);
	return ok;
}

void fs_out_abort(struct fs_out *f)
{
	if (!f)
		return;
	close(f->fd);
	unlink(f->tmp);
	out_free(f);
}

bool fs_write_atomic(const char *path, const void *data, size_t len, struct err *err)
{
	struct fs_out *f = fs_out_open(path, err);
	if (!f)
		return false;
	fs_out_add(f, data, len);
	return fs_out_commit(f, err);
}

struct fs_append {
	int fd;
	char *path;
	struct buf line;
};

/* Length of the file up to and with its last line feed. */
static off_t whole_lines(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char block[4096];
	while (end > 0) {
		size_t want = end < (off_t)sizeof block ? (size_t)end : sizeof block;
		if (pread(fd, block, want, end - (off_t)want) != (ssize_t)want)
			return -1;
		const char *feed = memrchr(block, '\n', want);
		if (feed)
			return end - (off_t)want + (feed - block) + 1;
		end -= (off_t)want;
	}
	return end;
}

struct fs_append *fs_append_open(const char *path, struct err *err)
{
	int fd = fault_hit(FAULT_OPEN) ? -1
				       : open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	off_t keep = fd < 0 ? -1 : whole_lines(fd);
	if (keep < 0 || (keep != lseek(fd, 0, SEEK_END) && ftruncate(fd, keep) != 0)) {
		err_errno(err, "cannot append to %s", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	struct fs_append *f = xcalloc(1, sizeof *f);
	f->fd = fd;
	f->path = xstrdup(path);
	return f;
}

bool fs_append_line(struct fs_append *f, struct text line, struct err *err)
{
	buf_clear(&f->line);
	buf_addtext(&f->line, line);
	buf_addch(&f->line, '\n');
	return write_all(f->fd, f->line.data, f->line.len) ||
		err_errno(err, "cannot append to %s", f->path);
}

bool fs_append_sync(struct fs_append *f, struct err *err)
{
	return sync_fd(f->fd) || err_errno(err, "cannot flush %s", f->path);
}

void fs_append_close(struct fs_append *f)
{
	if (!f)
		return;
	close(f->fd);
	buf_release(&f->line);
	free(f->path);
	free(f);
}

static bool sync_tree(const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	char **names;
	size_t n;
	bool ok = fs_list(dir, &a, &names, &n, err);
	for (size_t i = 0; ok && i < n; i++) {
		const char *path = fs_join(&a, dir, names[i]);
		if (fs_is_dir(path)) {
			ok = sync_tree(path, err);
			continue;
		}
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ok = (fd >= 0 && sync_fd(fd)) || err_errno(err, "cannot flush %s", path);
		if (fd >= 0)
			close(fd);
	}
	ok = ok && (sync_dir(dir) || err_errno(err, "cannot flush the folder %s", dir));
	arena_release(&a);
	return ok;
}

bool fs_publish_file(const char *tmp, const char *path, struct err *err)
{
	int fd = open(tmp, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && sync_fd(fd) && !fault_hit(FAULT_RENAME) && rename(tmp, path) == 0 &&
		sync_parent(path);
	int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return ok || err_errno(err, "cannot write %s", path);
}

bool fs_publish_dir(const char *tmp, const char *dir, struct err *err)
{
	if (!sync_tree(tmp, err))
		return false;
	/* rename(2) replaces only an empty folder: the old one steps aside, and goes when the new
	 * one stands. */
	char *old = xasprintf("%s.old-%ld", dir, (long)getpid());
	bool had = fs_exists(dir);
	bool ok = !had || rename(dir, old) == 0;
	if (ok && (fault_hit(FAULT_RENAME) || rename(tmp, dir) != 0)) {
		int saved = errno;
		ok = false;
		if (had && rename(old, dir) != 0)
			err_errno(err, "cannot put %s back", dir);
		errno = saved;
	}
	if (!ok)
		err_errno(err, "cannot publish %s", dir);
	ok = ok && (sync_parent(dir) || err_errno(err, "cannot flush the folder of %s", dir));
	ok = ok && (!had || fs_remove_tree(old, err));
	free(old);
	return ok;
}
