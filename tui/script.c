#include "tui/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "tui/key.h"

static void finish_work(struct app *a)
{
	while (app_work(a))
		if (app_is_waiting(a))
			usleep(1000);
}

static void type(struct app *a, const char *keys)
{
	while (*keys) {
		uint32_t key = key_parse(&keys);
		app_key(a, key);
		finish_work(a);
	}
}

static bool wait_jobs(struct app *a, double limit_s, struct err *err)
{
	double until = wall_seconds() + limit_s;
	while (session_running(&a->session) > 0) {
		if (wall_seconds() > until)
			return err_set(
				err, ERR_FAILED, "a job still runs after %g seconds", limit_s);
		usleep(100000);
		app_tick(a);
	}
	app_tick(a);
	return true;
}

static bool dump(struct app *a, const char *path, struct err *err)
{
	struct buf out = BUF_INIT;
	app_draw(a);
	grid_dump(&a->grid, &out);
	bool ok = true;
	if (*path)
		ok = fs_write_atomic(path, out.data, out.len, err);
	else
		printf("%.*s\n%s", a->grid.cols,
			"----------------------------------------------------------------------------------------------------"
			"--------------------",
			out.data);
	buf_release(&out);
	return ok;
}

static bool run_line(struct app *a, const char *line, struct err *err)
{
	if (line[0] == '\0' || line[0] == '#')
		return true;
	if (line[0] == ':') {
		app_command(a, text_of(line));
		finish_work(a);
		return true;
	}
	const char *rest = line + strcspn(line, " ");
	size_t n = (size_t)(rest - line);
	rest += strspn(rest, " ");
	struct text word = {line, n};
	if (text_is(word, "keys"))
		type(a, rest);
	else if (text_is(word, "wait"))
		finish_work(a);
	else if (text_is(word, "wait-jobs"))
		return wait_jobs(a, *rest ? atof(rest) : 60, err);
	else if (text_is(word, "screen"))
		return dump(a, rest, err);
	else
		return err_set(err, ERR_USAGE,
			"\"%s\" is none of keys, wait, wait-jobs, screen and :COMMAND", line);
	return true;
}

bool script_run(const char *path, const struct app_options *opt, struct err *err)
{
	struct buf text = BUF_INIT;
	if (!fs_read(path, &text, (size_t)16 << 20, err))
		return false;
	struct app *a = app_new(opt, err);
	bool ok = a != NULL;
	if (ok)
		finish_work(a);
	size_t number = 1;
	for (char *line = text.data; ok && line && *line && !a->must_quit; number++) {
		size_t n = strcspn(line, "\n");
		char *next = line[n] ? line + n + 1 : line + n;
		line[n] = '\0';
		ok = run_line(a, line, err) || err_prefix(err, "%s:%zu", path, number);
		line = next;
	}
	app_free(a);
	buf_release(&text);
	return ok;
}
