#include "tui/seek.h"

#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "tui/rows_filter.h"

static size_t next_of(const struct seek *k, size_t at, size_t n)
{
	return k->step > 0 ? (at + 1) % n : (at + n - 1) % n;
}

static void begin(
	struct seek *k, enum seek_kind kind, const struct rows *rows, size_t from, int step)
{
	size_t n = rows_shown(rows);
	k->kind = kind;
	k->step = step;
	k->left = n;
	k->at = n ? next_of(k, from < n ? from : n - 1, n) : 0;
}

void seek_text(struct seek *k, const struct rows *rows, const char *word, size_t from, int step)
{
	snprintf(k->word, sizeof k->word, "%s", word);
	begin(k, SEEK_TEXT, rows, from, step);
}

void seek_row(struct seek *k, const struct rows *rows, struct hash128 row, size_t from)
{
	k->row = row;
	begin(k, SEEK_ROW, rows, from, 1);
}

static bool is_it(const struct seek *k, const struct row *r)
{
	if (r->is_broken)
		return false;
	return k->kind == SEEK_ROW ? memcmp(&r->id, &k->row, sizeof r->id) == 0
				   : record_holds(&r->r, k->word);
}

enum seek_state seek_work(struct seek *k, struct rows *rows, int budget_ms)
{
	double until = wall_seconds() + budget_ms / 1e3;
	size_t n = rows_shown(rows);
	for (size_t i = 0; k->left > 0 && n > 0; i++) {
		if (i % 16 == 15 && wall_seconds() > until)
			return SEEK_MORE;
		k->at = k->at < n ? k->at : 0;
		if (is_it(k, rows_at(rows, k->at))) {
			k->kind = SEEK_NONE;
			return SEEK_FOUND;
		}
		k->left--;
		k->at = next_of(k, k->at, n);
	}
	k->kind = SEEK_NONE;
	return SEEK_MISSED;
}

int seek_percent(const struct seek *k, const struct rows *rows)
{
	size_t n = rows_shown(rows);
	return n && k->left <= n ? (int)(100 * (n - k->left) / n) : 100;
}
