#include "store/job_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/parallel.h"
#include "store/heartbeat.h"

enum { STALE_AFTER_S = 60 };

struct job_record {
	char *folder;
	struct heartbeat *heartbeat;
	double began;
};

const char *job_state_name(enum job_state s)
{
	static const char *const names[] = {
		"QUEUED", "RUNNING", "STALE", "DEAD", "FAILED", "STOPPED", "DONE"};
	return names[s];
}

struct job_record *job_record_begin(const char *folder)
{
	struct err err = ERR_INIT;
	char *path = xasprintf("%s/heartbeat", folder);
	struct heartbeat *h = heartbeat_start(path, &err);
	free(path);
	if (!h) {
		log_warn("nobody will see how this job is doing: %s", err.text);
		return NULL;
	}
	struct job_record *r = xcalloc(1, sizeof *r);
	r->folder = xstrdup(folder);
	r->heartbeat = h;
	r->began = wall_seconds();
	return r;
}

void job_record_progress(struct job_record *r, int64_t done, int64_t total)
{
	if (r)
		heartbeat_set(r->heartbeat, done, total);
}

static enum run_state end_state(int status)
{
	return status == 0 ? RUN_DONE : status >= 128 ? RUN_STOPPED : RUN_FAILED;
}

void job_record_end(struct job_record *r, int status, const char *error)
{
	if (!r)
		return;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	buf_addf(&b, "{\"format\":1,\"status\":%d", status);
	json_put_key(&b, "error");
	json_put_str(&b, error);
	json_put_key(&b, "seconds");
	json_put_real(&b, (double)(int64_t)((wall_seconds() - r->began) * 1000) / 1000);
	buf_adds(&b, "}\n");
	char *path = xasprintf("%s/result.json", r->folder);
	if (!fs_write_atomic(path, b.data, b.len, &err))
		log_warn("%s", err.text);
	free(path);
	buf_release(&b);
	heartbeat_end(r->heartbeat, end_state(status));
	free(r->folder);
	free(r);
}

static void copy_text(char *out, size_t size, struct text t)
{
	snprintf(out, size, "%.*s", (int)(t.len < size ? t.len : size - 1), t.s ? t.s : "");
}

/* The words of the command, quoted where a shell would need it. */
static void join_words(json words, char *out, size_t size)
{
	struct buf b = BUF_INIT;
	for (struct json_iter it = json_each(words); json_next(&it);) {
		const char *s = "";
		size_t len = 0;
		json_string(it.value, &s, &len);
		bool is_plain = len > 0;
		for (size_t i = 0; i < len; i++)
			is_plain = is_plain && !strchr(" \t\n\"'\\$*?;&|<>()", s[i]);
		buf_adds(&b, b.len ? " " : "");
		buf_adds(&b, is_plain ? "" : "'");
		buf_add(&b, s, len);
		buf_adds(&b, is_plain ? "" : "'");
	}
	copy_text(out, size, buf_text(&b));
	buf_release(&b);
}

static bool read_start(const char *folder, struct job_status *ret, struct err *err)
{
	struct json_file f = {0};
	struct text run = TEXT_NONE, out = TEXT_NONE;
	char *path = xasprintf("%s/job.json", folder);
	bool ok = json_file_open(path, &f, err) &&
		json_want_int(f.root, "started_ms", 0, &ret->started_ms, err) &&
		json_want_text(f.root, "run", TEXT_NONE, &run, err) &&
		json_want_text(f.root, "out", TEXT_NONE, &out, err);
	if (ok) {
		copy_text(ret->run, sizeof ret->run, run);
		copy_text(ret->out, sizeof ret->out, out);
		join_words(json_get(f.root, "command"), ret->command, sizeof ret->command);
	}
	json_file_close(&f);
	free(path);
	return ok;
}

static bool read_end(const char *folder, struct job_status *ret)
{
	struct json_file f = {0};
	struct err ignored = ERR_INIT;
	char *path = xasprintf("%s/result.json", folder);
	int64_t status = 0;
	struct text error = TEXT_NONE;
	bool ok = fs_exists(path) && json_file_open(path, &f, &ignored) &&
		json_want_int(f.root, "status", 1, &status, &ignored) &&
		json_want_text(f.root, "error", TEXT_NONE, &error, &ignored) &&
		json_want_real(f.root, "seconds", 0, &ret->seconds, &ignored);
	if (ok) {
		ret->status = (int)status;
		copy_text(ret->error, sizeof ret->error, error);
		ret->state = status == 0 ? JOB_DONE : status >= 128 ? JOB_STOPPED : JOB_FAILED;
	}
	json_file_close(&f);
	free(path);
	return ok;
}

/* False while there is no heartbeat yet. */
static bool read_beat(const char *folder, struct job_status *ret)
{
	struct json_file f = {0};
	struct err ignored = ERR_INIT;
	char *path = xasprintf("%s/heartbeat", folder);
	int64_t at = 0;
	bool ok = fs_exists(path) && json_file_open(path, &f, &ignored) &&
		json_want_int(f.root, "pid", 0, &ret->pid, &ignored) &&
		json_want_int(f.root, "step", 0, &ret->done, &ignored) &&
		json_want_int(f.root, "total", 0, &ret->total, &ignored) &&
		json_want_int(f.root, "time", 0, &at, &ignored);
	ret->quiet_s = (int64_t)time(NULL) - at;
	if (ok && !heartbeat_is_alive(path, NULL))
		ret->state = JOB_DEAD;
	else if (ok)
		ret->state = ret->quiet_s > STALE_AFTER_S ? JOB_STALE : JOB_RUNNING;
	json_file_close(&f);
	free(path);
	return ok;
}

/* A training beats step and total in its run directory. */
static void read_run(struct job_status *ret)
{
	struct json_file f = {0};
	struct err ignored = ERR_INIT;
	char *path = xasprintf("%s/heartbeat", ret->run);
	int64_t done = 0, total = 0;
	if (ret->run[0] && fs_exists(path) && json_file_open(path, &f, &ignored) &&
		json_want_int(f.root, "step", 0, &done, &ignored) &&
		json_want_int(f.root, "total", 0, &total, &ignored) && total > 0) {
		ret->done = done;
		ret->total = total;
	}
	json_file_close(&f);
	free(path);
}

bool job_record_read(const char *folder, struct job_status *ret, struct err *err)
{
	struct job_status s = {.state = JOB_QUEUED};
	if (!read_start(folder, &s, err))
		return false;
	bool has_beat = read_beat(folder, &s);
	read_run(&s);
	if (!read_end(folder, &s)) {
		int64_t age_s = (int64_t)time(NULL) - s.started_ms / 1000;
		s.seconds = (double)age_s;
		/* The first heartbeat comes within a second of the start: no beat for long is a job that never lived. */
		if (!has_beat && age_s > STALE_AFTER_S)
			s.state = JOB_DEAD;
	}
	*ret = s;
	return true;
}
