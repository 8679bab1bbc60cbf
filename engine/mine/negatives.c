#include "mine/negatives.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

/* Up to here a corpus is shuffled whole to draw from it; a larger one is drawn from blindly, and a
 * row whose rules let almost nothing pass gives up after TRIES draws a negative. */
#define SHUFFLED_CORPUS ((size_t)4096)
#define TRIES ((size_t)200)

const char *drop_name(enum drop d)
{
	/* ORDER drops */
	static const char *const names[DROP_KINDS] = {"positive", "query", "duplicate", "repeat",
		"margin_abs", "margin_rel", "max_score", "min_score"};
	return names[d];
}

bool negative_sampling_parse(const char *name, enum sampling *ret)
{
	static const char *const names[] = {
		[SAMPLING_TOP] = "top",
		[SAMPLING_RANDOM] = "random",
		[SAMPLING_SIMANS] = "simans",
		[SAMPLING_CORPUS] = "random-corpus",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum sampling)i;
			return true;
		}
	return false;
}

enum drop negative_forbidden(const struct negative_row *row, uint32_t text)
{
	uint32_t fold = row->fold[text];
	for (size_t i = 0; i < row->n_positives; i++)
		if (row->positives[i] == text)
			return DROP_POSITIVE;
	if (fold == row->query_fold)
		return DROP_QUERY;
	for (size_t i = 0; i < row->n_positives; i++)
		if (row->fold[row->positives[i]] == fold)
			return DROP_DUPLICATE;
	return DROP_KINDS;
}

static enum drop why_score(const struct negative_rules *rules, double lowest, float score)
{
	double sim = (double)score;
	if (sim > lowest - rules->margin_abs)
		return DROP_MARGIN_ABS;
	if (sim > lowest - rules->margin_rel * fabs(lowest))
		return DROP_MARGIN_REL;
	if (sim > rules->max_score)
		return DROP_MAX_SCORE;
	if (sim < rules->min_score)
		return DROP_MIN_SCORE;
	return DROP_KINDS;
}

static bool is_repeat(
	const struct negative_row *row, const struct negative *have, size_t n, uint32_t text)
{
	uint32_t fold = row->fold[text];
	for (size_t i = 0; i < row->n_kept; i++)
		if (row->kept_folds[i] == fold)
			return true;
	for (size_t i = 0; i < n; i++)
		if (row->fold[have[i].text] == fold)
			return true;
	return false;
}

/* The hits that pass rules 1 to 3, best first; out has room for n_hits. */
static size_t pass_rules(const struct negative_rules *rules, const struct negative_row *row,
	struct negative *out, struct negative_counts *counts)
{
	size_t n = 0, n_allowed = 0;
	for (size_t rank = 0; rank < row->n_hits && row->hits[rank].id >= 0; rank++) {
		struct hit h = row->hits[rank];
		uint32_t text = (uint32_t)h.id;
		if (!rules->range_after && rank < rules->from)
			continue;
		if ((rules->range_after ? n_allowed : rank) >= rules->to)
			break;
		enum drop why = negative_forbidden(row, text);
		if (why == DROP_KINDS && rules->range_after && n_allowed++ < rules->from)
			continue;
		if (why == DROP_KINDS && is_repeat(row, out, n, text))
			why = DROP_REPEAT;
		if (why == DROP_KINDS)
			why = why_score(rules, row->lowest, h.score);
		if (why != DROP_KINDS)
			counts->dropped[why]++;
		else
			out[n++] = (struct negative){text, h.score, (int64_t)rank};
	}
	return n;
}

struct weighed {
	double key;
	struct negative negative;
};

static int by_key(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;
	return x->key > y->key ? -1 : x->key < y->key;
}

static int by_rank(const void *a, const void *b)
{
	const struct negative *x = a, *y = b;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* k of n without replacement, each with the given log weight: the k largest of log w + Gumbel noise
 * (Efraimidis, Spirakis 2006, in logarithms, where a tiny weight does not vanish). In order of
 * rank. */
static void sample(struct negative *items, size_t n, size_t k, const struct negative_rules *rules,
	double lowest, struct rng *r)
{
	struct weighed *w = xcalloc(n, sizeof *w);
	for (size_t i = 0; i < n; i++) {
		double off = (double)items[i].sim - lowest - rules->simans_b;
		bool is_even = rules->sampling != SAMPLING_SIMANS || isnan(off);
		double log_weight = is_even ? 0.0 : -rules->simans_a * off * off;
		double noise = -log(-log(rng_unit(r) + 0x1p-54));
		w[i] = (struct weighed){log_weight + noise, items[i]};
	}
	qsort(w, n, sizeof *w, by_key);
	for (size_t i = 0; i < k; i++)
		items[i] = w[i].negative;
	qsort(items, k, sizeof *items, by_rank);
	free(w);
}

/* Takes text as a negative when rules 2 and 3 let it. */
static bool try_text(const struct negative_rules *rules, const struct negative_row *row,
	uint32_t text, struct negative *have, size_t n)
{
	if (negative_forbidden(row, text) != DROP_KINDS || is_repeat(row, have, n, text))
		return false;
	float sim = row->sim(row->ctx, text);
	if (why_score(rules, row->lowest, sim) != DROP_KINDS)
		return false;
	have[n] = (struct negative){text, sim, -1};
	for (size_t rank = 0; rank < row->n_hits; rank++)
		if (row->hits[rank].id == (int32_t)text)
			have[n].rank = (int64_t)rank;
	return true;
}

/* Random texts of the corpus behind the n that are there; returns how many there are then. */
static size_t draw(const struct negative_rules *rules, const struct negative_row *row,
	struct negative *have, size_t n, struct rng *r)
{
	if (row->n_corpus > SHUFFLED_CORPUS) {
		for (size_t t = 0; n < rules->n && t < TRIES * rules->n; t++)
			n += try_text(rules, row, (uint32_t)rng_below(r, row->n_corpus), have, n);
		return n;
	}
	int64_t *order = xcalloc(row->n_corpus + 1, sizeof *order);
	for (size_t i = 0; i < row->n_corpus; i++)
		order[i] = (int64_t)i;
	rng_shuffle(r, order, row->n_corpus);
	for (size_t i = 0; n < rules->n && i < row->n_corpus; i++)
		n += try_text(rules, row, (uint32_t)order[i], have, n);
	free(order);
	return n;
}

size_t negatives_choose(const struct negative_rules *rules, const struct negative_row *row,
	struct negative *ret, struct negative_counts *counts)
{
	struct rng r = rng_new(rules->seed, row->stream);
	size_t n = 0;
	if (rules->sampling == SAMPLING_CORPUS) {
		n = draw(rules, row, ret, 0, &r);
	} else {
		struct negative *passed = xcalloc(row->n_hits + 1, sizeof *passed);
		size_t n_passed = pass_rules(rules, row, passed, counts);
		n = n_passed < rules->n ? n_passed : rules->n;
		if (rules->sampling != SAMPLING_TOP && n < n_passed)
			sample(passed, n_passed, n, rules, row->lowest, &r);
		memcpy(ret, passed, n * sizeof *ret);
		free(passed);
	}
	if (rules->fill && n < rules->n && rules->sampling != SAMPLING_CORPUS) {
		size_t all = draw(rules, row, ret, n, &r);
		counts->n_filled += all - n;
		n = all;
	}
	counts->n_chosen += n;
	counts->n_short += n < rules->n;
	counts->n_none += n == 0;
	return n;
}
