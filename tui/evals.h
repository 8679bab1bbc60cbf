/* evals.h - finished evaluations of this workspace: the JSON objects that `eval --json` left in its job's out.txt. */
#ifndef TUI_EVALS_H
#define TUI_EVALS_H

#include <stddef.h>

#include "base/map.h"
#include "tui/session.h"

struct eval_query {
	struct text id;
	double value; /* of the metric that is shown */
	int rank; /* of the first passage that answers, from 1; 0 = not among those that count */
};
struct eval_result {
	char name[200]; /* the job's: "eval-2" */
	char model[500]; /* as it was typed */
	char set[200];
	double metrics[4]; /* ORDER eval_metrics */
	struct eval_query *queries;
	size_t n_queries;
	struct map by_id; /* query id -> index */
	char data[500]; /* the BEIR folder that was searched; "" = unknown */
	struct text *texts; /* [n_queries]; TEXT_NONE where the folder does not say */
	struct arena arena;
};
extern const char *const eval_metrics[4]; /* ndcg@10 recall@100 mrr@10 map */

/* Reads the jobs that are done and not read yet; one entry a set. Returns how many there are, newest first. */
struct evals {
	struct eval_result **results;
	size_t n;
	struct map seen; /* job names */
};
void evals_read(struct evals *e, const struct session *s);
void evals_release(struct evals *e);
/* What a query says, from the folder's queries.jsonl; TEXT_NONE when it cannot be read. */
struct text eval_query_text(const struct eval_result *r, struct text query);
const struct eval_query *eval_query(
	const struct eval_result *r, struct text query); /* NULL: not in there */

#endif
