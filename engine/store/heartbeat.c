#include "store/heartbeat.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define BEAT_SECONDS 3
#define FOREIGN_SECONDS 60 /* a job of another machine counts as alive this long after a beat */

struct who {
	int64_t pid, start; /* start: clock ticks since the boot */
	char boot[64], host[65];
};

struct heartbeat {
	char *path;
	struct who who;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool is_ending, has_complained;
	int64_t step, total, step_time;
};

static const char *const state_names[] = {
	[RUN_RUNNING] = "running",
	[RUN_DONE] = "done",
	[RUN_STOPPED] = "stopped",
	[RUN_FAILED] = "failed",
};

/* Field 22 of /proc/PID/stat; the second field, a name in brackets, may hold anything. 0: no such
 * process. */
static int64_t process_start(int64_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	char line[1024];
	size_t n = fread(line, 1, sizeof line - 1, f);
	fclose(f);
	line[n] = 0;
	const char *p = strrchr(line, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoll(p + 1, NULL, 10) : 0;
}

static void fill_who(struct who *w)
{
	memset(w, 0, sizeof *w);
	w->pid = getpid();
	w->start = process_start(w->pid);
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (f) {
		if (fgets(w->boot, sizeof w->boot, f))
			w->boot[strcspn(w->boot, "\n")] = 0;
		fclose(f);
	}
	if (gethostname(w->host, sizeof w->host - 1) != 0)
		w->host[0] = 0;
}

static void put_beat(struct buf *b, const struct heartbeat *h, enum run_state state)
{
	buf_adds(b, "{\"format\":1,\"state\":");
	json_put_str(b, state_names[state]);
	buf_addf(b, ",\"pid\":%lld,\"start\":%lld,\"boot\":", (long long)h->who.pid,
		(long long)h->who.start);
	json_put_str(b, h->who.boot);
	buf_adds(b, ",\"host\":");
	json_put_str(b, h->who.host);
	buf_addf(b, ",\"time\":%lld,\"step\":%lld,\"total\":%lld,\"step_time\":%lld}\n",
		(long long)time(NULL), (long long)h->step, (long long)h->total,
		(long long)h->step_time);
}

/* Call with the lock held: the numbers are copied out, the disk is waited for without it. */
static bool beat(struct heartbeat *h, enum run_state state, struct err *err)
{
	struct buf b = BUF_INIT;
	put_beat(&b, h, state);
	pthread_mutex_unlock(&h->lock);
	bool ok = fs_write_atomic(h->path, b.data, b.len, err);
	pthread_mutex_lock(&h->lock);
	buf_release(&b);
	return ok;
}

static void complain_once(struct heartbeat *h, const struct err *err)
{
	if (!h->has_complained)
		log_warn("the heartbeat cannot be written, others may take this job for dead: %s",
			err->text);
	h->has_complained = true;
}

static void *beat_loop(void *arg)
{
	struct heartbeat *h = arg;
	pthread_mutex_lock(&h->lock);
	while (!h->is_ending) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += BEAT_SECONDS;
		int rc = 0;
		while (!h->is_ending && rc == 0)
			rc = pthread_cond_timedwait(&h->wake, &h->lock, &until);
		struct err err = ERR_INIT;
		if (!h->is_ending && !beat(h, RUN_RUNNING, &err))
			complain_once(h, &err);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct heartbeat *heartbeat_start(const char *path, struct err *err)
{
	struct heartbeat *h = xcalloc(1, sizeof *h);
	h->path = xstrdup(path);
	fill_who(&h->who);
	h->step_time = time(NULL);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	pthread_mutex_lock(&h->lock);
	bool ok = beat(h, RUN_RUNNING, err);
	pthread_mutex_unlock(&h->lock);
	if (ok && pthread_create(&h->thread, NULL, beat_loop, h) != 0)
		ok = err_set(err, ERR_FAILED, "%s: no thread could be started", path);
	if (ok)
		return h;
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
	return NULL;
}

void heartbeat_set(struct heartbeat *h, int64_t step, int64_t total)
{
	pthread_mutex_lock(&h->lock);
	if (step != h->step)
		h->step_time = time(NULL);
	h->step = step;
	h->total = total;
	pthread_mutex_unlock(&h->lock);
}

void heartbeat_end(struct heartbeat *h, enum run_state state)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_ending = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);

	struct err err = ERR_INIT;
	pthread_mutex_lock(&h->lock);
	if (!beat(h, state, &err))
		complain_once(h, &err);
	pthread_mutex_unlock(&h->lock);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
}

struct beat_read {
	struct text state, boot, host;
	int64_t pid, start, time;
};

static bool read_beat(json root, struct beat_read *r)
{
	struct err ignored = ERR_INIT;
	return json_want_text(root, "state", TEXT_NONE, &r->state, &ignored) &&
		json_want_text(root, "boot", TEXT_NONE, &r->boot, &ignored) &&
		json_want_text(root, "host", TEXT_NONE, &r->host, &ignored) &&
		json_want_int(root, "pid", 0, &r->pid, &ignored) &&
		json_want_int(root, "start", 0, &r->start, &ignored) &&
		json_want_int(root, "time", 0, &r->time, &ignored);
}

bool heartbeat_is_alive(const char *path, int64_t *ret_pid)
{
	struct json_file f;
	struct err ignored = ERR_INIT;
	if (!fs_exists(path))
		return false;
	bool alive = false;
	struct beat_read r;
	if (json_file_open(path, &f, &ignored) && read_beat(f.root, &r) &&
		text_is(r.state, state_names[RUN_RUNNING])) {
		struct who here;
		fill_who(&here);
		if (!text_is(r.host, here.host))
			alive = time(NULL) - r.time < FOREIGN_SECONDS;
		else
			alive = text_is(r.boot, here.boot) && r.pid > 0 &&
				process_start(r.pid) == r.start;
		if (alive && ret_pid)
			*ret_pid = r.pid;
	}
	json_file_close(&f);
	return alive;
}

bool heartbeat_is_done(const char *path)
{
	struct json_file f;
	struct err ignored = ERR_INIT;
	struct beat_read r;
	if (!fs_exists(path))
		return false;
	bool done = json_file_open(path, &f, &ignored) && read_beat(f.root, &r) &&
		text_is(r.state, state_names[RUN_DONE]);
	json_file_close(&f);
	return done;
}
