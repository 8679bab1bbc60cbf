/* candidates.h - the candidates of a row as three screens show them: scores, both ranks, share of the positive, what was decided, and what the
 * numbers suggest. Teacher (score) and student (sim) are never on one axis: the one may be a logit, the other a cosine. */
#ifndef TUI_CANDIDATES_H
#define TUI_CANDIDATES_H

#include "tui/session.h"

struct shown {
	const struct candidate *c;
	bool is_pos;
	int number; /* P0, N3: its place in pos or neg */
	int t_rank, s_rank; /* from 1 among all candidates of the row; 0 = no number */
	double share; /* teacher's score in % of the lowest positive's; NAN when that makes no sense */
	enum verdict verdict;
	enum verdict suggestion; /* VERDICT_NONE = none */
	const char *reason; /* of the suggestion: one line */
};

enum { SHOWN_MAX = 512 };
/* Positives first, then negatives, in file order; at most SHOWN_MAX. Returns how many. */
size_t candidates_of(const struct session *s, const struct row *r, struct shown out[SHOWN_MAX]);
bool candidate_is(const struct shown *x, struct hash128 item); /* the text a decision is about */
void candidate_number(double v, char out[16]); /* "0.981", "" for NAN */
const char *verdict_sign(enum verdict v); /* one letter: a x p s, "." for none */
/* How far a judge and the labels disagree about a row: highest number of a negative minus the lowest of a positive, the teacher's where it has
 * them (*ret_is_teacher), else the student's. The two are on different axes. NAN = no numbers. */
double row_disagreement(const struct record *r, bool *ret_is_teacher);

#endif
