/* seek.h - the search for a row among the shown ones, in slices, so that keys are answered meanwhile: a text (`/`), or the row that a
 * decision was about (undo). */
#ifndef TUI_SEEK_H
#define TUI_SEEK_H

#include "tui/rows.h"

enum seek_kind { SEEK_NONE, SEEK_TEXT, SEEK_ROW };
enum seek_state { SEEK_MORE, SEEK_FOUND, SEEK_MISSED };

struct seek {
	enum seek_kind kind;
	char word[200];
	struct hash128 row;
	size_t at, left; /* the place that is looked at next, and how many after it */
	int step; /* 1 or -1; the ends are joined */
};

/* From the place behind `from` on, which itself comes last. */
void seek_text(struct seek *k, const struct rows *rows, const char *word, size_t from, int step);
void seek_row(struct seek *k, const struct rows *rows, struct hash128 row, size_t from);
/* FOUND: k->at is the place. FOUND and MISSED end the search. */
enum seek_state seek_work(struct seek *k, struct rows *rows, int budget_ms);
int seek_percent(const struct seek *k, const struct rows *rows);

#endif
