/* rows.h - the opened rows as screens see them: the first ones at once, all of them when a thread has found their lines, and then in
 * the order and selection that a filter and a sort column ask for.
 *
 * A row is parsed when it is looked at; the last few are kept. Filtering and sorting read all rows in slices (rows_work), so keys
 * are answered meanwhile. */
#ifndef TUI_ROWS_H
#define TUI_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "data/record.h"

struct row {
	size_t index; /* in the files, from 0 */
	struct record r; /* when it is readable */
	struct hash128 id;
	bool is_broken;
	char why[1000]; /* of a broken one: file:line:column and the reason */
};

struct rows;
/* paths and cache_dir are copied. Fails only when a file cannot be opened at all. */
struct rows *rows_open(
	const char *const *paths, size_t n, const char *cache_dir, struct err *err) MUST_CHECK;
void rows_close(struct rows *s);

const char *rows_name(const struct rows *s); /* of the first file, without its folders */
const char *const *rows_paths(const struct rows *s, size_t *ret_n);
bool rows_is_complete(const struct rows *s); /* all lines are found */
int rows_percent(const struct rows *s); /* found so far, of the bytes */
/* Why the index could not be made, "" while all is well: the first rows are all there is then. */
const char *rows_error(const struct rows *s);
size_t rows_total(const struct rows *s); /* rows known: all of them when complete */
size_t rows_shown(const struct rows *s); /* of those, what the filter lets through so far */
/* The row at a place of the shown order; borrowed until the next few calls. Never NULL for at < rows_shown(). */
const struct row *rows_at(struct rows *s, size_t at);
size_t rows_index(
	const struct rows *s, size_t at); /* its number in the files, without reading it */
/* Before the index is complete: the last rows of the file, read from its end. Returns how many there are, at most n; their numbers are not known yet. */
size_t rows_tail(struct rows *s, size_t n);
const struct row *rows_tail_at(struct rows *s, size_t at);

/* "" shows all. Words must all occur in a text of the row; comparisons are those of row_value(): n_neg >= 3, margin < 0. An expression that makes no
 * sense is an error and leaves the filter as it was. */
bool rows_filter(struct rows *s, const char *expression, struct err *err) MUST_CHECK;
const char *rows_filter_text(const struct rows *s);
/* "" = file order; "-margin" = descending. */
bool rows_sort(struct rows *s, const char *column, struct err *err) MUST_CHECK;
const char *rows_sort_text(const struct rows *s);
/* A slice of a few milliseconds; true while there is more, which is the loader's as long as the rows are not complete. */
bool rows_work(struct rows *s);
int rows_work_percent(const struct rows *s); /* of the filter or sort that runs; 100 = none */

/* The columns: pos_t pos_s (lowest positive), neg_t neg_s (highest negative), margin = pos_s - neg_s, margin_t, n_pos, n_neg, len_q, len_p (longest
 * passage), in characters. NAN = the row has no such value; false = no such column. */
bool row_value(const struct record *r, const char *column, double *ret);
extern const char *const row_columns[]; /* ends with NULL */

#endif
