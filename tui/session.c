#include "tui/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "tui/session_jobs.h"

bool session_open(
	struct session *s, const char *dir, const char *const *paths, size_t n, struct err *err)
{
	*s = (struct session){.dir = xstrdup(dir ? dir : ".")};
	s->workspace = workspace_open(s->dir, err);
	if (!s->workspace)
		return false;
	snprintf(s->notice, sizeof s->notice, "%s", workspace_notice(s->workspace));
	session_read_jobs(s);
	return session_open_rows(s, paths, n, err);
}

bool session_open_rows(struct session *s, const char *const *paths, size_t n, struct err *err)
{
	char *cache = xasprintf("%s/cache", workspace_dir(s->workspace));
	struct rows *rows = rows_open(paths, n, cache, err);
	free(cache);
	if (!rows)
		return false;
	rows_close(s->rows);
	free(s->queue);
	s->rows = rows;
	s->queue = NULL;
	s->n_queue = 0;
	s->row = 0;
	return true;
}

void session_close(struct session *s)
{
	rows_close(s->rows);
	workspace_close(s->workspace);
	session_free_jobs(s);
	free(s->queue);
	free(s->dir);
	*s = (struct session){0};
}

bool session_work(struct session *s)
{
	return s->rows && rows_work(s->rows);
}

const struct row *session_row(struct session *s)
{
	size_t n = rows_shown(s->rows);
	if (!n)
		return NULL;
	if (s->row >= n)
		s->row = n - 1;
	return rows_at(s->rows, s->row);
}

void session_status(const struct session *s, struct buf *out)
{
	if (s->save_failed) {
		buf_adds(out, "NOT SAVED");
		return;
	}
	if (workspace_is_read_only(s->workspace)) {
		buf_adds(out, "read only");
		return;
	}
	size_t running = session_running(s);
	if (running)
		buf_addf(out, "%zu job%s  ", running, running > 1 ? "s" : "");
	if (s->saved_ms) {
		time_t at = (time_t)(s->saved_ms / 1000);
		struct tm tm;
		char when[16];
		strftime(when, sizeof when, "%H:%M:%S", localtime_r(&at, &tm));
		buf_addf(out, "saved %s", when);
	}
}

/* File names and, behind `sort`, columns; commands are the app's. */
void session_complete(const struct session *s, const char *line, const char *word, struct buf *out)
{
	(void)s;
	if (strncmp(line, "sort ", 5) == 0 || strncmp(line, "filter ", 7) == 0) {
		for (size_t i = 0; row_columns[i]; i++)
			if (strncmp(row_columns[i], word, strlen(word)) == 0)
				buf_addf(out, "%s\n", row_columns[i]);
		return;
	}
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	size_t dir_len = (size_t)(fs_basename(word) - word), n = 0;
	char *dir = arena_text(&a, (struct text){word, dir_len}).len
		? arena_printf(&a, "%.*s", (int)dir_len, word)
		: arena_strdup(&a, ".");
	char **names = NULL;
	if (fs_list(dir, &a, &names, &n, &err))
		for (size_t i = 0; i < n; i++) {
			const char *base = word + dir_len;
			if (strncmp(names[i], base, strlen(base)) != 0 ||
				(names[i][0] == '.' && base[0] != '.'))
				continue;
			const char *slash = fs_is_dir(fs_join(&a, dir, names[i])) ? "/" : "";
			buf_addf(out, "%.*s%s%s\n", (int)dir_len, word, names[i], slash);
		}
	arena_release(&a);
}

static struct hash128 item_id(struct text t)
{
	return hash128(t.s, t.len);
}

struct decision decision_about(const struct row *r, struct text item, enum verdict v)
{
	return (struct decision){.row = r->id,
		.item = item_id(item),
		.verdict = v,
		.text = TEXT_NONE,
		.reason = TEXT_NONE};
}

enum verdict session_verdict(const struct session *s, const struct row *r, struct text item)
{
	const struct decision *d = workspace_verdict(s->workspace, r->id, item_id(item));
	return d ? d->verdict : VERDICT_NONE;
}

struct text session_text(const struct session *s, const struct row *r, struct text item)
{
	const struct decision *d = workspace_edit(s->workspace, r->id, item_id(item));
	return d ? d->text : item;
}

bool session_decide(struct session *s, const struct decision *d, size_t n, struct err *err)
{
	struct decision *timed = xmalloc((n + 1) * sizeof *timed);
	int64_t now = (int64_t)(wall_seconds() * 1000);
	for (size_t i = 0; i < n; i++) {
		timed[i] = d[i];
		timed[i].took_ms = s->looked_ms ? now - s->looked_ms : 0;
	}
	bool ok = workspace_decide(s->workspace, timed, n, err);
	free(timed);
	s->save_failed = !ok;
	if (ok)
		s->saved_ms = (int64_t)time(NULL) * 1000;
	s->looked_ms = now;
	return ok;
}

size_t session_running(const struct session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_jobs; i++)
		n += s->jobs[i].status.state == JOB_RUNNING ||
			s->jobs[i].status.state == JOB_QUEUED;
	return n;
}

bool session_tick(struct session *s)
{
	return session_read_jobs(s);
}
