#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/parallel.h"
#include "base/utf8.h"

static struct {
	FILE *sink, *file;
	enum log_level level;
	pthread_mutex_t lock;
	double shown_at; /* when progress was last shown */
	double began_at;
	char what[32];
	bool bar_open;
	void (*watch)(int64_t done, int64_t total);
} state = {.level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

void log_to(FILE *sink, enum log_level level)
{
	state.sink = sink;
	state.level = level;
}

void log_also(FILE *file)
{
	state.file = file;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

static void write_sink(const char *prefix, struct text line)
{
	bool is_tty = isatty(fileno(state.sink)) == 1;
	struct buf clean = BUF_INIT;
	if (state.bar_open)
		buf_adds(&clean, "\r\033[K");
	state.bar_open = false;
	buf_adds(&clean, prefix);
	if (is_tty)
		utf8_sanitize(&clean, line);
	else
		buf_addtext(&clean, line);
	buf_addch(&clean, '\n');
	fwrite(clean.data, 1, clean.len, state.sink);
	fflush(state.sink);
	buf_release(&clean);
}

static void write_file(const char *prefix, struct text line)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", localtime_r(&now, &tm));
	fprintf(state.file, "%s %s", when, prefix);
	fwrite(line.s, 1, line.len, state.file);
	fputc('\n', state.file);
	fflush(state.file);
}

static void say(enum log_level level, const char *prefix, const char *fmt, va_list args)
{
	pthread_mutex_lock(&state.lock);
	if ((state.sink && level <= state.level) || state.file) {
		struct buf line = BUF_INIT;
		buf_vaddf(&line, fmt, args);
		if (state.sink && level <= state.level)
			write_sink(prefix, buf_text(&line));
		if (state.file)
			write_file(prefix, buf_text(&line));
		buf_release(&line);
	}
	pthread_mutex_unlock(&state.lock);
}

#define SAY(level, prefix)                                                                         \
	va_list args;                                                                              \
	va_start(args, fmt);                                                                       \
	say(level, prefix, fmt, args);                                                             \
	va_end(args)

void log_error(const char *fmt, ...)
{
	SAY(LOG_LEVEL_ERROR, "error: ");
}

void log_warn(const char *fmt, ...)
{
	SAY(LOG_LEVEL_WARN, "warning: ");
}

void log_info(const char *fmt, ...)
{
	SAY(LOG_LEVEL_INFO, "");
}

void log_debug(const char *fmt, ...)
{
	SAY(LOG_LEVEL_DEBUG, "debug: ");
}

static void show_progress(const char *what, int64_t done, int64_t total, bool is_tty, double now)
{
	char left[48] = "";
	if (done > 0 && total > done)
		snprintf(left, sizeof left, ", %.0f s left",
			(now - state.began_at) * (double)(total - done) / (double)done);
	if (total > 0)
		fprintf(state.sink, "%s%s %lld of %lld (%d %%%s)%s", is_tty ? "\r\033[K" : "", what,
			(long long)done, (long long)total, (int)(100 * done / total), left,
			is_tty ? "" : "\n");
	else
		fprintf(state.sink, "%s%s %lld%s", is_tty ? "\r\033[K" : "", what, (long long)done,
			is_tty ? "" : "\n");
	fflush(state.sink);
	state.bar_open = is_tty;
}

void log_watch(void (*fn)(int64_t done, int64_t total))
{
	state.watch = fn;
}

void log_count(int64_t done, int64_t total)
{
	if (state.watch)
		state.watch(done, total);
}

void log_progress(const char *what, int64_t done, int64_t total)
{
	log_count(done, total);
	if (!state.sink || state.level < LOG_LEVEL_INFO)
		return;
	double now = wall_seconds();
	pthread_mutex_lock(&state.lock);
	if (strncmp(state.what, what, sizeof state.what - 1) != 0) {
		snprintf(state.what, sizeof state.what, "%s", what);
		state.began_at = state.shown_at = now;
	}
	bool is_tty = isatty(fileno(state.sink)) == 1;
	if (now - state.shown_at >= (is_tty ? 0.2 : 5.0)) {
		state.shown_at = now;
		show_progress(what, done, total, is_tty, now);
	}
	pthread_mutex_unlock(&state.lock);
}

void log_progress_end(void)
{
	pthread_mutex_lock(&state.lock);
	if (state.bar_open && state.sink) {
		fputs("\r\033[K", state.sink);
		fflush(state.sink);
	}
	state.bar_open = false;
	state.what[0] = '\0';
	pthread_mutex_unlock(&state.lock);
}
