/* The reading half of compare.h: which files one side of a comparison is. */
#include "eval/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"

static const char *leaf_of(const char *path, size_t *ret_len)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	size_t from = len;
	while (from > 0 && path[from - 1] != '/')
		from--;
	*ret_len = len - from;
	return path + from;
}

const struct report *report_set_find(const struct report_set *s, const char *set)
{
	size_t want_len, len;
	const char *want = leaf_of(set, &want_len);
	for (size_t i = 0; i < s->n; i++) {
		const char *leaf = leaf_of(s->r[i].set, &len);
		if (len == want_len && memcmp(leaf, want, len) == 0)
			return &s->r[i];
	}
	return NULL;
}

void report_set_close(struct report_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		report_release(&s->r[i]);
	free(s->r);
	*s = (struct report_set){NULL, 0};
}

/* A later report of the same set takes the place of the earlier. */
static void put(struct report_set *s, struct report r)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->r[i].set, r.set) == 0) {
			report_release(&s->r[i]);
			s->r[i] = r;
			return;
		}
	s->r = xreallocarray(s->r, s->n + 1, sizeof *s->r);
	s->r[s->n++] = r;
}

static bool read_object(struct report_set *s, json object, const char *name, struct err *err)
{
	struct report r;
	if (!report_read(object, name, &r, err))
		return false;
	put(s, r);
	return true;
}

static bool read_file(struct report_set *s, const char *path, struct err *err)
{
	struct json_file f;
	const char *leaf = fs_basename(path), *dot = strrchr(leaf, '.');
	char *name = xstrndup(leaf, dot ? (size_t)(dot - leaf) : strlen(leaf));
	bool ok = json_file_open(path, &f, err);
	if (ok && json_is(json_get(f.root, "sets"), JSON_ARRAY)) {
		for (struct json_iter it = json_each(json_get(f.root, "sets"));
			ok && json_next(&it);)
			ok = read_object(s, it.value, name, err) || err_prefix(err, "%s", path);
	} else if (ok) {
		ok = read_object(s, f.root, name, err) || err_prefix(err, "%s", path);
	}
	json_file_close(&f);
	free(name);
	return ok;
}

/* strverscmp: step-9 before step-10. */
static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static bool read_folder(struct report_set *s, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char *inside = fs_join(&a, dir, "eval");
	char **names;
	size_t n;
	if (fs_is_dir(inside))
		dir = inside;
	bool ok = fs_list(dir, &a, &names, &n, err);
	if (ok)
		qsort(names, n, sizeof *names, by_version);
	for (size_t i = 0; ok && i < n; i++) {
		size_t len = strlen(names[i]);
		if (len > 5 && strcmp(names[i] + len - 5, ".json") == 0)
			ok = read_file(s, fs_join(&a, dir, names[i]), err);
	}
	if (ok && s->n == 0)
		ok = err_set(err, ERR_DATA,
			"%s: no *.json of an evaluation; `eval --out FILE.json` writes one", dir);
	arena_release(&a);
	return ok;
}

bool report_set_open(const char *path, struct report_set *ret, struct err *err)
{
	*ret = (struct report_set){NULL, 0};
	bool ok = fs_is_dir(path) ? read_folder(ret, path, err) : read_file(ret, path, err);
	if (!ok)
		report_set_close(ret);
	return ok;
}
