/* curate_private.h - the queue (curate_queue.c), what keys do to it (curate.c) and how it looks (curate_view.c). */
#ifndef TUI_SCREEN_CURATE_PRIVATE_H
#define TUI_SCREEN_CURATE_PRIVATE_H

#include "tui/app.h"
#include "tui/candidates.h"

enum order { ORDER_DISAGREEMENT, ORDER_FILE };

struct task {
	size_t row; /* shown order */
	double score; /* disagreement */
	bool by_teacher; /* whose; rows that a teacher has seen come first */
};

struct curate {
	struct task *tasks;
	size_t n_tasks, cap_tasks, at;
	int candidate; /* among the row's candidates; -1 = the first that is undecided */
	int positive; /* which one stands beside it; -1 = the lowest, which shares are of */
	enum order order;
	int scroll;
	bool on_positive; /* the pane with the focus */
	bool is_zoomed; /* that pane alone */
	bool is_blind;
	/* What the queue is made of; when any of these changes it is made anew. */
	const struct rows *of;
	size_t n_of, n_queue;
	size_t n_read; /* rows looked at so far, of n_of */
};

/* Begins a new queue when what it was made of has changed. */
void curate_refresh(struct curate *s, struct app *a);
/* Reads rows for so long; true while there are more. The order stands when it returns false. */
bool curate_read(struct curate *s, struct app *a, int budget_ms);
void curate_arrange(struct curate *s);
/* The row at the cursor with its candidates; NULL: the queue is done, empty or not read yet. */
const struct row *curate_present(
	struct curate *s, struct app *a, struct shown c[SHOWN_MAX], size_t *ret_n);
/* Which positive stands beside the candidate; -1: the row has none. */
int curate_positive(const struct curate *s, const struct shown *c, size_t n);
/* To the first undecided candidate from here on, over rows that are done. False: the queue is done. */
bool curate_settle(struct curate *s, struct app *a);

void curate_view(void *state, struct app *a, struct grid *g, struct rect r);
void curate_header(void *state, struct app *a, struct buf *out);

#endif
