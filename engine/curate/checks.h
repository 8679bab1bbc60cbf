/* checks.h - in: one row; out: which findings it bears, and the hashes that rows are compared by. */
#ifndef CURATE_CHECKS_H
#define CURATE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "curate/inspect.h"
#include "data/record.h"

struct row_hashes {
	uint64_t query, row;
	uint64_t *pos, *neg; /* [n_pos], [n_neg] in the row's order; in the arena */
};
typedef uint32_t finding_set; /* of finding_kind */
#define FINDING_BIT(k) ((finding_set)1 << (k))

void row_hash(const struct record *r, struct arena *a, struct row_hashes *ret);
/* Everything that the row alone shows, but for lengths. */
finding_set row_check(const struct record *r, const struct row_hashes *h, struct arena *a);

/* Characters of a text that is known to be UTF-8. */
size_t text_chars(struct text t);
/* A quick look at a text of valid UTF-8 that decides most of them: false is certain, true may still
 * be normal form C. */
bool text_may_not_be_nfc(struct text t);

#endif
