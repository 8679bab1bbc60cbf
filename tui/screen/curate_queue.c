/* The queue: what the person marked, else every shown row with negatives; a total order, nothing left out, ties by line. */
#include "tui/screen/curate_private.h"

#include <math.h>
#include <stdlib.h>

#include "base/parallel.h"

static double as_key(double score)
{
	return isnan(score) ? -INFINITY : score;
}

static int by_disagreement(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	if (x->by_teacher != y->by_teacher)
		return x->by_teacher ? -1 : 1;
	double p = as_key(x->score), q = as_key(y->score);
	if (p != q)
		return p > q ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int by_row(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	return x->row < y->row ? -1 : x->row > y->row;
}

void curate_arrange(struct curate *s)
{
	if (s->n_tasks)
		qsort(s->tasks, s->n_tasks, sizeof *s->tasks,
			s->order == ORDER_FILE ? by_row : by_disagreement);
	s->at = 0;
	s->candidate = s->positive = -1;
}

void curate_refresh(struct curate *s, struct app *a)
{
	struct session *ses = &a->session;
	size_t n = rows_shown(ses->rows);
	if (s->of == ses->rows && s->n_of == n && s->n_queue == ses->n_queue)
		return;
	s->of = ses->rows;
	s->n_of = n;
	s->n_queue = ses->n_queue;
	s->n_read = s->n_tasks = s->at = 0;
	s->candidate = s->positive = -1;
}

static void add(struct curate *s, size_t row, const struct record *r)
{
	if (s->n_tasks == s->cap_tasks) {
		s->cap_tasks = s->cap_tasks ? s->cap_tasks * 2 : 256;
		s->tasks = xreallocarray(s->tasks, s->cap_tasks, sizeof *s->tasks);
	}
	struct task *t = &s->tasks[s->n_tasks++];
	t->row = row;
	t->score = row_disagreement(r, &t->by_teacher);
}

bool curate_read(struct curate *s, struct app *a, int budget_ms)
{
	struct session *ses = &a->session;
	double until = wall_seconds() + budget_ms / 1e3;
	if (s->n_read == s->n_of)
		return false;
	for (; s->n_read < s->n_of; s->n_read++) {
		if (s->n_read % 16 == 15 && wall_seconds() > until)
			return true;
		if (ses->n_queue && !ses->queue[rows_index(ses->rows, s->n_read)])
			continue;
		const struct row *r = rows_at(ses->rows, s->n_read);
		if (!r->is_broken && r->r.n_neg)
			add(s, s->n_read, &r->r);
	}
	curate_arrange(s);
	return false;
}

const struct row *curate_present(
	struct curate *s, struct app *a, struct shown c[SHOWN_MAX], size_t *ret_n)
{
	*ret_n = 0;
	if (s->n_read < s->n_of || s->at >= s->n_tasks)
		return NULL;
	const struct row *r = rows_at(a->session.rows, s->tasks[s->at].row);
	*ret_n = candidates_of(&a->session, r, c);
	return r;
}

int curate_positive(const struct curate *s, const struct shown *c, size_t n)
{
	int low = -1;
	for (int i = 0; i < (int)n && c[i].is_pos; i++) {
		const struct candidate *x = c[i].c, *y = low < 0 ? NULL : c[low].c;
		bool by_teacher = y && !isnan(x->score) && !isnan(y->score);
		if (i == s->positive)
			return i;
		if (!y || (by_teacher ? x->score < y->score : x->sim < y->sim))
			low = i;
	}
	return low;
}

/* The first undecided negative from `from` on; -1 = none. */
static int first_undecided(const struct shown *c, size_t n, int from)
{
	for (int i = from < 0 ? 0 : from; i < (int)n; i++)
		if (!c[i].is_pos && c[i].verdict == VERDICT_NONE)
			return i;
	return -1;
}

bool curate_settle(struct curate *s, struct app *a)
{
	struct shown c[SHOWN_MAX];
	size_t n;
	for (; curate_present(s, a, c, &n); s->at++, s->candidate = s->positive = -1) {
		int i = first_undecided(c, n, s->candidate);
		i = i < 0 ? first_undecided(c, n, 0)
			  : i; /* one before the cursor may be open still */
		if (i < 0)
			continue;
		s->candidate = i;
		s->scroll = 0;
		a->session.row = s->tasks[s->at].row;
		return true;
	}
	return false;
}
