/* negatives_private.h - the candidates of a row side by side: what keys do (negatives.c) and how they look (negatives_view.c). */
#ifndef TUI_SCREEN_NEGATIVES_PRIVATE_H
#define TUI_SCREEN_NEGATIVES_PRIVATE_H

#include "tui/app.h"
#include "tui/candidates.h"
#include "tui/widget/list.h"

struct negatives {
	struct list list;
	bool marks[SHOWN_MAX];
	int order; /* 0 file, 1 teacher, 2 student */
	int scroll;
	size_t range_from; /* 1 + where a range begins; 0 = none begun */
	bool is_blind, is_zoomed; /* zoomed: the candidate's text alone */
};

/* The row's candidates in the order that was asked for. */
size_t negatives_load(
	const struct negatives *s, struct app *a, const struct row *r, struct shown c[SHOWN_MAX]);
void negatives_view(void *state, struct app *a, struct grid *g, struct rect r);
void negatives_header(void *state, struct app *a, struct buf *out);

#endif
