#include "tui/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "base/utf8.h"
#include "tui/session_jobs.h"

bool session_open(
	struct session *s, const char *dir, const char *const *paths, size_t n, struct err *err)
{
	*s = (struct session){.dir = xstrdup(dir ? dir : "."), .program = "/proc/self/exe"};
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
	s->seek.kind = SEEK_NONE;
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

enum { SEEK_MS = 6 };

bool session_work(struct session *s)
{
	if (rows_work(s->rows))
		return true;
	if (s->seek.kind == SEEK_NONE)
		return false;
	enum seek_state got = seek_work(&s->seek, s->rows, SEEK_MS);
	if (got == SEEK_FOUND) {
		s->row = s->seek.at;
		s->has_jumped = true;
	} else if (got == SEEK_MISSED) {
		s->has_missed = true;
	}
	return got == SEEK_MORE;
}

void session_go_to(struct session *s, struct hash128 row, struct hash128 item)
{
	s->item = item;
	s->has_item = true;
	size_t n = rows_shown(s->rows);
	for (size_t i = 0; i <= ARRAY_LEN(s->recent); i++) {
		size_t at = i ? s->recent[i - 1] : s->row;
		const struct row *r = at < n ? rows_at(s->rows, at) : NULL;
		if (r && !r->is_broken && memcmp(&r->id, &row, sizeof row) == 0) {
			s->row = at;
			s->has_jumped = true;
			return;
		}
	}
	seek_row(&s->seek, s->rows, row, s->row);
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

const char *session_no_row(const struct session *s)
{
	if (rows_work_percent(s->rows) < 100)
		return "reading the rows";
	if (rows_total(s->rows))
		return "no row passes the filter: g d, then :filter-clear shows all";
	return rows_name(s->rows)[0] ? "the file holds no rows"
				     : "no rows: :open FILE.jsonl, or a BEIR folder";
}

void session_status(const struct session *s, struct buf *out)
{
	if (s->save_failed) {
		buf_adds(out, "NOT SAVED");
		return;
	}
	if (workspace_is_read_only(s->workspace)) {
		const char *holder = workspace_holder(s->workspace);
		buf_addf(out, *holder ? "read only, held by %s" : "read only", holder);
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
		buf_addf(out, "saved %s", s->is_script ? "--:--:--" : when);
	}
}

void session_name(const struct session *s, struct buf *out)
{
	struct text name = text_of(rows_name(s->rows));
	struct buf clean = BUF_INIT;
	utf8_nfc(&clean, name);
	size_t cut = utf8_cut(buf_text(&clean), 32);
	buf_add(out, clean.data, cut);
	buf_adds(out, cut < clean.len ? "~" : name.len ? "" : "nothing open");
	buf_release(&clean);
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
	/* who only reads has nothing that could be lost */
	s->save_failed = !ok && !workspace_is_read_only(s->workspace);
	if (ok)
		s->recent[s->n_recent++ % ARRAY_LEN(s->recent)] = s->row;
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
