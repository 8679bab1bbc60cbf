#include "store/rundir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/signals.h"

struct rundir {
	struct arena arena; /* every path handed out */
	const char *path;
	struct heartbeat *heart;
	struct fs_append *metrics;
	FILE *log;
};

const char *rundir_path(const struct rundir *r)
{
	return r->path;
}

const char *rundir_file(struct rundir *r, const char *name)
{
	return fs_join(&r->arena, r->path, name);
}

static void rundir_free(struct rundir *r)
{
	if (r->log) {
		log_also(NULL);
		fclose(r->log);
	}
	signals_crash_file(NULL);
	fs_append_close(r->metrics);
	arena_release(&r->arena);
	free(r);
}

/* What begins and resumes alike: the folder, its log, its heartbeat. */
static struct rundir *rundir_open(const char *path, struct err *err)
{
	struct rundir *r = xcalloc(1, sizeof *r);
	r->path = arena_strdup(&r->arena, path);
	if (!fs_mkdirs(rundir_file(r, "checkpoints"), err))
		goto fail;
	r->log = fopen(rundir_file(r, "log.txt"), "ae");
	if (!r->log) {
		err_errno(err, "%s: cannot open for appending", rundir_file(r, "log.txt"));
		goto fail;
	}
	setvbuf(r->log, NULL, _IOLBF, 0); /* a killed run keeps its last line */
	log_also(r->log);
	signals_crash_file(rundir_file(r, "crash.txt"));
	r->heart = heartbeat_start(rundir_file(r, "heartbeat"), err);
	if (!r->heart)
		goto fail;
	return r;
fail:
	rundir_free(r);
	return NULL;
}

static bool holds_a_run(const char *path)
{
	struct arena a = ARENA_INIT;
	bool yes = fs_exists(fs_join(&a, path, "manifest.json"));
	arena_release(&a);
	return yes;
}

static bool is_going_on(const char *path, struct err *err)
{
	struct arena a = ARENA_INIT;
	int64_t pid = 0;
	bool alive = heartbeat_is_alive(fs_join(&a, path, "heartbeat"), &pid);
	arena_release(&a);
	if (alive)
		err_set(err, ERR_USAGE,
			"%s: the run is still going on as process %lld: stop that one first", path,
			(long long)pid);
	return alive;
}

bool rundir_is_done(const char *path)
{
	struct arena a = ARENA_INIT;
	bool done = heartbeat_is_done(fs_join(&a, path, "heartbeat"));
	arena_release(&a);
	return done;
}

struct rundir *rundir_create(const char *path, struct err *err)
{
	if (holds_a_run(path)) {
		err_set(err, ERR_USAGE,
			"%s holds a run already: go on with it by --resume, or choose another "
			"folder",
			path);
		return NULL;
	}
	return rundir_resume(path, err);
}

struct rundir *rundir_resume(const char *path, struct err *err)
{
	return is_going_on(path, err) ? NULL : rundir_open(path, err);
}

void rundir_close(struct rundir *r, enum run_state state, const char *last_words)
{
	if (!r)
		return;
	if (last_words)
		fprintf(r->log, "%s\n", last_words);
	heartbeat_end(r->heart, state);
	rundir_free(r);
}

void rundir_beat(struct rundir *r, int64_t step, int64_t total)
{
	heartbeat_set(r->heart, step, total);
}

bool rundir_manifest(struct rundir *r, struct text object, struct err *err)
{
	return fs_write_atomic(rundir_file(r, "manifest.json"), object.s, object.len, err);
}

bool rundir_metrics(struct rundir *r, struct text line, struct err *err)
{
	if (!r->metrics)
		r->metrics = fs_append_open(rundir_file(r, "metrics.jsonl"), err);
	return r->metrics && fs_append_line(r->metrics, line, err);
}

bool rundir_sync_metrics(struct rundir *r, struct err *err)
{
	return !r->metrics || fs_append_sync(r->metrics, err);
}

/* Copies the lines of `all` up to `step` to out. A line that is no JSON (a crash while writing) is
 * dropped. */
static void keep_until(struct text all, int64_t step, struct buf *out)
{
	struct json_parser *p = json_parser_new();
	for (size_t at = 0; at < all.len;) {
		const char *end = memchr(all.s + at, '\n', all.len - at);
		if (!end)
			break;
		size_t len = (size_t)(end - (all.s + at));
		json line;
		int64_t here;
		if (json_parse(p, all.s + at, len, 0, &line, NULL) &&
			json_int(json_get(line, "step"), &here) && here <= step)
			buf_add(out, all.s + at, len + 1);
		at += len + 1;
	}
	json_parser_free(p);
}

bool rundir_has_metrics(struct rundir *r, int64_t step, const char *key)
{
	const char *path = rundir_file(r, "metrics.jsonl");
	struct buf all = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct json_parser *p = json_parser_new();
	bool found = false;
	if (fs_exists(path) && fs_read(path, &all, 0, &ignored))
		for (const char *s = all.data; s && *s && !found;) {
			size_t len = strcspn(s, "\n");
			json line;
			int64_t here;
			found = json_parse(p, s, len, 0, &line, NULL) &&
				json_int(json_get(line, "step"), &here) && here == step &&
				!json_is(json_get(line, key), JSON_MISSING);
			s += len + (s[len] == '\n');
		}
	json_parser_free(p);
	buf_release(&all);
	return found;
}

bool rundir_rewind_metrics(struct rundir *r, int64_t step, struct err *err)
{
	const char *path = rundir_file(r, "metrics.jsonl");
	if (!fs_exists(path))
		return true;
	struct buf all = BUF_INIT, kept = BUF_INIT;
	bool ok = fs_read(path, &all, 0, err);
	if (ok) {
		keep_until(buf_text(&all), step, &kept);
		ok = kept.len == all.len || fs_write_atomic(path, kept.data, kept.len, err);
	}
	buf_release(&all);
	buf_release(&kept);
	return ok;
}
