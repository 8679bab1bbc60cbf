/* models_private.h - shared by models.c (what keys do) and models_view.c (how it looks). */
#ifndef TUI_SCREEN_MODELS_PRIVATE_H
#define TUI_SCREEN_MODELS_PRIVATE_H

#include "tui/app.h"
#include "tui/models.h"
#include "tui/probe.h"
#include "tui/widget/list.h"

struct models_state {
	struct models models;
	struct list list;
	struct probe *probe;
	char *text; /* what was probed last; NULL: nothing yet */
	int64_t max_length; /* that the person set; 0 = the model's own */
	int scroll; /* lines of the tokens */
};

const struct model_entry *models_selected(const struct models_state *s); /* NULL: none */
/* Tokens that a text may have; 0 = no limit is known. */
size_t models_limit(const struct models_state *s);
void models_view(void *state, struct app *a, struct grid *g, struct rect r);
void models_header(void *state, struct app *a, struct buf *out);

#endif
