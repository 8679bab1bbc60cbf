/* The folders of a run that are complete or absent: checkpoints/step-N, and those that are replaced
 * as a whole, such as model/. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "store/rundir.h"

static const char prefix[] = "step-";

/* The step of a folder's name; -1: it is none ("step-12.tmp" is not complete). */
static int64_t step_of(const char *name)
{
	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return -1;
	const char *digits = name + sizeof prefix - 1;
	size_t n = strspn(digits, "0123456789");
	return n > 0 && n < 18 && digits[n] == 0 ? strtoll(digits, NULL, 10) : -1;
}

static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Steps of the complete checkpoints, ascending, in a. A folder that cannot be listed has none. */
static size_t complete_steps(const char *dir, struct arena *a, int64_t **ret)
{
	char **names = NULL;
	size_t n = 0, n_steps = 0;
	struct err ignored = ERR_INIT;
	*ret = NULL;
	if (!fs_list(dir, a, &names, &n, &ignored))
		return 0;
	int64_t *steps = arena_alloc(a, n * sizeof *steps);
	for (size_t i = 0; i < n; i++) {
		int64_t step = step_of(names[i]);
		if (step >= 0)
			steps[n_steps++] = step;
	}
	qsort(steps, n_steps, sizeof *steps, by_step);
	*ret = steps;
	return n_steps;
}

static const char *checkpoint_name(int64_t step, const char *suffix, char out[64])
{
	snprintf(out, 64, "checkpoints/%s%lld%s", prefix, (long long)step, suffix);
	return out;
}

bool rundir_checkpoint_newest(struct rundir *r, const char **ret_dir, int64_t *ret_step)
{
	struct arena a = ARENA_INIT;
	int64_t *steps;
	char name[64];
	size_t n = complete_steps(rundir_file(r, "checkpoints"), &a, &steps);
	if (n > 0) {
		*ret_step = steps[n - 1];
		*ret_dir = rundir_file(r, checkpoint_name(*ret_step, "", name));
	}
	arena_release(&a);
	return n > 0;
}

/* Removes what crashes left in checkpoints/: everything that is no complete checkpoint. */
static bool remove_leftovers(struct rundir *r, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *dir = rundir_file(r, "checkpoints");
	char **names;
	size_t n;
	bool ok = fs_list(dir, &a, &names, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		if (step_of(names[i]) < 0)
			ok = fs_remove_tree(fs_join(&a, dir, names[i]), err);
	arena_release(&a);
	return ok;
}

const char *rundir_checkpoint_begin(struct rundir *r, int64_t step, struct err *err)
{
	char name[64];
	const char *dir = rundir_file(r, checkpoint_name(step, ".tmp", name));
	return remove_leftovers(r, err) && fs_mkdirs(dir, err) ? dir : NULL;
}

bool rundir_checkpoint_publish(struct rundir *r, int64_t step, struct err *err)
{
	char tmp[64], name[64];
	return rundir_sync_metrics(r, err) &&
		fs_publish_dir(rundir_file(r, checkpoint_name(step, ".tmp", tmp)),
			rundir_file(r, checkpoint_name(step, "", name)), err);
}

/* A checkpoint loses its name before its files: half a folder never passes for a complete one. */
static bool remove_checkpoint(struct rundir *r, int64_t step, struct err *err)
{
	char name[64], old[64];
	const char *from = rundir_file(r, checkpoint_name(step, "", name));
	const char *to = rundir_file(r, checkpoint_name(step, ".old", old));
	if (fault_hit(FAULT_RENAME) || rename(from, to) != 0)
		return err_errno(err, "%s: cannot rename to %s", from, to);
	return fs_remove_tree(to, err);
}

bool rundir_checkpoint_prune(struct rundir *r, size_t keep, struct err *err)
{
	struct arena a = ARENA_INIT;
	int64_t *steps;
	size_t n = complete_steps(rundir_file(r, "checkpoints"), &a, &steps);
	bool ok = true;
	for (size_t i = 0; ok && keep > 0 && i + keep < n; i++)
		ok = remove_checkpoint(r, steps[i], err);
	arena_release(&a);
	return ok;
}

static const char *folder_tmp(struct rundir *r, const char *name)
{
	char tmp[80];
	snprintf(tmp, sizeof tmp, "%s.tmp", name);
	return rundir_file(r, tmp);
}

static const char *folder_new(struct rundir *r, const char *name)
{
	char tmp[80];
	snprintf(tmp, sizeof tmp, "%s.new", name);
	return rundir_file(r, tmp);
}

const char *rundir_folder_begin(struct rundir *r, const char *name, struct err *err)
{
	const char *dir = folder_tmp(r, name);
	bool ok = fs_remove_tree(dir, err) && fs_remove_tree(folder_new(r, name), err) &&
		fs_mkdirs(dir, err);
	return ok ? dir : NULL;
}

/* An older folder of that name is there at every moment until the new one is: the two change names
 * in one system call. */
bool rundir_folder_publish(struct rundir *r, const char *name, struct err *err)
{
	const char *dir = rundir_file(r, name), *fresh = folder_new(r, name);
	if (!fs_exists(dir))
		return fs_publish_dir(folder_tmp(r, name), dir, err);
	if (!fs_publish_dir(folder_tmp(r, name), fresh, err))
		return false;
	if (fault_hit(FAULT_RENAME) ||
		renameat2(AT_FDCWD, fresh, AT_FDCWD, dir, RENAME_EXCHANGE) != 0) {
		if (errno != EINVAL && errno != ENOSYS)
			return err_errno(err, "%s: cannot change places with %s", fresh, dir);
		/* A file system without the exchange: a short moment without the folder. */
		if (!fs_remove_tree(dir, err))
			return false;
		if (rename(fresh, dir) != 0)
			return err_errno(err, "%s: cannot rename to %s", fresh, dir);
		return true;
	}
	return fs_remove_tree(fresh, err);
}
