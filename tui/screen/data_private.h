/* data_private.h - shared by data.c (what keys do to the list of rows) and data_view.c (how it looks). */
#ifndef TUI_SCREEN_DATA_PRIVATE_H
#define TUI_SCREEN_DATA_PRIVATE_H

#include "tui/app.h"
#include "tui/widget/list.h"

struct data {
	struct list list;
	char *marks; /* [n_marks] by row number in the files */
	size_t n_marks, n_marked; /* n_marked: of those, set */
	const struct rows *of; /* the rows that marks and places are about */
	int64_t range_from; /* -1 = no range begun */
	int scroll; /* of the preview */
	bool is_tail; /* the end is shown although the index is not there yet */
	size_t tail_up; /* the cursor then: so many rows above the last */
	bool is_zoomed;
	char search[200];
};

bool data_is_marked(const struct data *s, size_t index);
void data_view(void *state, struct app *a, struct grid *g, struct rect r);
void data_header(void *state, struct app *a, struct buf *out);

#endif
