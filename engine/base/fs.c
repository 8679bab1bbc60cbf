#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

bool fs_map(const char *path, struct fs_map *ret, struct err *err)
{
	int fd = fault_hit(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	struct stat st;
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			errno = EISDIR;
		close(fd);
		return err_errno(err, "cannot read %s", path);
	}
	/* Zero pages first, the file on top of them: what lies behind its end stays readable. */
	size_t len = (size_t)st.st_size, page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (len + FS_PADDING + page - 1) / page * page;
	void *base = mmap(NULL, mapped, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base != MAP_FAILED && len &&
		mmap(base, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(base, mapped);
		base = MAP_FAILED;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	if (base == MAP_FAILED)
		return err_errno(err, "cannot map %s (%zu bytes)", path, len);
	*ret = (struct fs_map){base, len, base, mapped};
	return true;
}

void fs_unmap(struct fs_map *m)
{
	if (m->base)
		munmap(m->base, m->mapped);
	*m = (struct fs_map){"", 0, NULL, 0};
}

bool fs_read(const char *path, struct buf *ret, size_t limit, struct err *err)
{
	if (!limit)
		limit = (size_t)1 << 30;
	int fd = fault_hit(FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	size_t start = ret->len;
	ssize_t got = 1;
	while (got > 0) {
		if (ret->len - start > limit) {
			close(fd);
			return err_set(err, ERR_DATA,
				"%s is larger than the %zu bytes that are allowed", path, limit);
		}
		char *to = buf_reserve(ret, (size_t)1 << 16);
		got = !to || fault_hit(FAULT_READ) ? -1 : read(fd, to, (size_t)1 << 16);
		if (got > 0)
			ret->len += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0)
		err_errno(err, "cannot read %s", path);
	close(fd);
	if (ret->data)
		ret->data[ret->len] = '\0';
	return got == 0;
}

bool fs_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t fs_size(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

bool fs_mkdirs(const char *path, struct err *err)
{
	char *p = xstrdup(path);
	bool ok = true;
	for (char *c = p + 1; ok; c++) {
		if (*c != '/' && *c != '\0')
			continue;
		char end = *c;
		*c = '\0';
		ok = mkdir(p, 0777) == 0 || (errno == EEXIST && fs_is_dir(p));
		if (!ok)
			err_errno(err, "cannot make the folder %s", p);
		*c = end;
		if (end == '\0')
			break;
	}
	free(p);
	return ok;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool fs_list(const char *path, struct arena *a, char ***ret_names, size_t *ret_n, struct err *err)
{
	DIR *d = opendir(path);
	if (!d)
		return err_errno(err, "cannot list %s", path);
	size_t n = 0, cap = 0;
	char **names = NULL;
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 32;
			names = xreallocarray(names, cap, sizeof *names);
		}
		names[n++] = arena_strdup(a, e->d_name);
	}
	closedir(d);
	*ret_names = arena_alloc(a, n * sizeof *names);
	if (n)
		memcpy(*ret_names, names, n * sizeof *names);
	free(names);
	if (n)
		qsort(*ret_names, n, sizeof **ret_names, by_name);
	*ret_n = n;
	return true;
}

bool fs_remove_tree(const char *path, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT || err_errno(err, "cannot look at %s", path);
	if (!S_ISDIR(st.st_mode))
		return unlink(path) == 0 || err_errno(err, "cannot remove %s", path);
	struct arena a = ARENA_INIT;
	char **names;
	size_t n;
	bool ok = fs_list(path, &a, &names, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = fs_remove_tree(fs_join(&a, path, names[i]), err);
	arena_release(&a);
	return ok && (rmdir(path) == 0 || err_errno(err, "cannot remove %s", path));
}

char *fs_join(struct arena *a, const char *dir, const char *name)
{
	size_t len = strlen(dir);
	const char *slash = len && dir[len - 1] == '/' ? "" : "/";
	return arena_printf(a, "%s%s%s", dir, len ? slash : "", name);
}

const char *fs_basename(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

char *fs_cache_dir(struct arena *a)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (xdg && xdg[0] == '/')
		return fs_join(a, xdg, "vecsmith");
	return fs_join(a, home && home[0] ? home : "/tmp", ".cache/vecsmith");
}
