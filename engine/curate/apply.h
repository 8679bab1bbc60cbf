/* apply.h - in: a row and what a person decided about its texts; out: the row as it should be.
 *
 * A rejected text leaves the row; a promoted negative becomes its last positive; an edited text takes the place of the old one, and
 * loses its scores and similarity, which were about other words. Scores, similarities, ranks and origins travel with their
 * texts. Kept, skipped and undecided texts stay. A row of which nothing changes is reported as such, so that it can be copied byte for byte. */
#ifndef CURATE_APPLY_H
#define CURATE_APPLY_H

#include "data/record.h"
#include "store/workspace.h"

struct apply_counts {
	size_t n_rows, n_changed, n_rejected, n_promoted, n_edited;
	size_t n_emptied; /* rows whose last positive was rejected: they are left out */
};

/* *ret borrows from r, w and a. *ret_changed = false: *ret is r. False: the row has no positive left. */
bool apply_decisions(const struct record *r, const struct workspace *w, struct arena *a,
	struct record *ret, bool *ret_changed, struct apply_counts *counts);

#endif
