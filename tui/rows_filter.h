/* rows_filter.h - the scan behind a filter or a sort: reads all rows in slices, keeps the numbers of those that pass. */
#ifndef TUI_ROWS_FILTER_H
#define TUI_ROWS_FILTER_H

#include "data/dataset.h"
#include "tui/rows.h"

/* Does any text of the row hold the word? ASCII letters match in either case, Korean in either normal form. */
bool record_holds(const struct record *r, const char *word);

struct rows_scan;
/* NULL and *err when the expression makes no sense. */
struct rows_scan *rows_scan_new(const struct dataset *d, const char *expression, const char *column,
	struct err *err) MUST_CHECK;
void rows_scan_free(struct rows_scan *s);
bool rows_scan_step(struct rows_scan *s, int budget_ms); /* true while there is more */
int rows_scan_percent(const struct rows_scan *s);
/* What is ready: with a sort column nothing until all rows were read. */
size_t rows_scan_count(const struct rows_scan *s);
size_t rows_scan_index(const struct rows_scan *s, size_t at);
const char *rows_scan_expression(const struct rows_scan *s);
const char *rows_scan_column(const struct rows_scan *s);

#endif
