#include "tui/candidates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* So close to the lowest positive's score a negative is worth a second look: 95 % of it (NV-Retriever, 2024), or, as logits may be negative, not
 * further below it than the same part of its size. */
static const double SUSPECT_PART = 0.05;

static int rank_of(const struct record *r, double v, bool is_sim)
{
	if (isnan(v))
		return 0;
	int rank = 1;
	for (size_t i = 0; i < r->n_pos + r->n_neg; i++) {
		const struct candidate *c = i < r->n_pos ? &r->pos[i] : &r->neg[i - r->n_pos];
		rank += (is_sim ? c->sim : c->score) > v;
	}
	return rank;
}

static double lowest_positive(const struct record *r, bool is_sim)
{
	double low = NAN;
	for (size_t i = 0; i < r->n_pos; i++) {
		double v = is_sim ? r->pos[i].sim : r->pos[i].score;
		low = isnan(low) || v < low ? v : low;
	}
	return low;
}

double row_disagreement(const struct record *r, bool *ret_is_teacher)
{
	double pos = lowest_positive(r, false), best = NAN;
	for (size_t i = 0; i < r->n_neg; i++)
		best = isnan(best) || r->neg[i].score > best ? r->neg[i].score : best;
	*ret_is_teacher = !isnan(pos) && !isnan(best);
	if (*ret_is_teacher)
		return best - pos;
	/* without a teacher the student's doubt is the next best sign */
	pos = lowest_positive(r, true);
	for (size_t i = 0; i < r->n_neg; i++)
		best = isnan(best) || r->neg[i].sim > best ? r->neg[i].sim : best;
	return best - pos;
}

static void suggest(struct shown *x, double pos_t, double pos_s)
{
	const struct candidate *c = x->c;
	if (x->is_pos)
		return;
	if (c->score >= pos_t && c->sim >= pos_s) {
		x->suggestion = VERDICT_PROMOTE;
		x->reason = "teacher and student: above the positive";
	} else if (c->score >= pos_t) {
		x->suggestion = VERDICT_PROMOTE;
		x->reason = "teacher: above the positive";
	} else if (c->score >= pos_t - SUSPECT_PART * fabs(pos_t)) {
		x->suggestion = VERDICT_REJECT;
		x->reason = "teacher: within 5 % of the positive";
	} else if (isnan(c->score) && c->sim >= pos_s) {
		x->suggestion = VERDICT_REJECT;
		x->reason = "student: above the positive; no teacher saw it";
	} else if (!isnan(c->score) || !isnan(c->sim)) {
		x->suggestion = VERDICT_KEEP;
		x->reason = "clearly below the positive";
	}
}

size_t candidates_of(const struct session *s, const struct row *r, struct shown out[SHOWN_MAX])
{
	const struct record *rec = &r->r;
	double pos_t = lowest_positive(rec, false), pos_s = lowest_positive(rec, true);
	size_t n = 0;
	for (size_t i = 0; i < rec->n_pos + rec->n_neg && n < SHOWN_MAX; i++) {
		bool is_pos = i < rec->n_pos;
		const struct candidate *c = is_pos ? &rec->pos[i] : &rec->neg[i - rec->n_pos];
		struct shown *x = &out[n++];
		*x = (struct shown){
			.c = c, .is_pos = is_pos, .number = (int)(is_pos ? i : i - rec->n_pos)};
		x->t_rank = rank_of(rec, c->score, false);
		x->s_rank = rank_of(rec, c->sim, true);
		x->share = pos_t > 0 && c->score >= 0 ? 100.0 * c->score / pos_t : NAN;
		x->verdict = session_verdict(s, r, c->text);
		x->reason = "";
		suggest(x, pos_t, pos_s);
	}
	return n;
}

bool candidate_is(const struct shown *x, struct hash128 item)
{
	struct hash128 own = hash128(x->c->text.s, x->c->text.len);
	return memcmp(&own, &item, sizeof own) == 0;
}

void candidate_number(double v, char out[16])
{
	if (isnan(v))
		out[0] = '\0';
	else
		snprintf(out, 16, fabs(v) < 100 ? "%.3f" : "%.1f", v);
}

const char *verdict_sign(enum verdict v)
{
	static const char *const signs[] = {".", "a", "x", "p", "s", "e", "n"}; /* ORDER verdicts */
	return signs[v];
}
