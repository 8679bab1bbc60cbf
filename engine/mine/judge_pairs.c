/* judge_pairs.c - one call of judge_score(): each text tokenized once, pairs sorted and packed. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "mine/judge_private.h"

/* The distinct texts of one side. */
struct side {
	struct map number; /* of a text */
	struct text *text;
	struct ids *ids;
	size_t n;
};

struct job_pair { /* a pair on its way to a batch */
	size_t which, query, passage;
	struct ids ids, types; /* joined */
	bool is_cut;
};

struct scoring {
	struct judge *j;
	const struct judge_pair *pairs;
	struct side side[2]; /* queries, passages; empty when texts are not tokenized apart */
	struct job_pair *job;
	size_t n;
};

static size_t number_of(struct side *s, struct text t)
{
	int64_t at = map_intern(&s->number, t, (int64_t)s->n);
	if ((size_t)at == s->n)
		s->text[s->n++] = t;
	return (size_t)at;
}

static void tokenize_side(void *ctx, size_t begin, size_t end, int worker, int side)
{
	struct scoring *x = ctx;
	for (size_t i = begin; i < end; i++) {
		x->side[side].ids[i] = (struct ids)IDS_INIT;
		pair_budget_text(x->j->budget[worker], side == 0, x->side[side].text[i],
			&x->side[side].ids[i]);
	}
}

static void tokenize_queries(void *ctx, size_t begin, size_t end, int worker)
{
	tokenize_side(ctx, begin, end, worker, 0);
}

static void tokenize_passages(void *ctx, size_t begin, size_t end, int worker)
{
	tokenize_side(ctx, begin, end, worker, 1);
}

static void join_some(void *ctx, size_t begin, size_t end, int worker)
{
	struct scoring *x = ctx;
	struct pair_budget *b = x->j->budget[worker];
	bool splits = pair_budget_splits(b);
	for (size_t i = begin; i < end; i++) {
		struct job_pair *p = &x->job[i];
		const struct judge_pair *texts = &x->pairs[p->which];
		struct ids *types = x->j->kind == JUDGE_HEAD ? &p->types : NULL;
		size_t whole = splits
			? pair_budget_join(b, &x->side[0].ids[p->query],
				  &x->side[1].ids[p->passage], &p->ids, types)
			: pair_budget_encode(b, texts->query, texts->passage, &p->ids, types);
		p->is_cut = whole > p->ids.n;
	}
}

static void prepare(struct scoring *x)
{
	int threads = x->j->opt.threads;
	for (size_t s = 0; s < 2; s++) {
		x->side[s] = (struct side){.number = MAP_INIT,
			.text = xcalloc(x->n + 1, sizeof(struct text)),
			.ids = xcalloc(x->n + 1, sizeof(struct ids))};
	}
	x->job = xcalloc(x->n + 1, sizeof *x->job);
	for (size_t i = 0; i < x->n; i++) {
		x->job[i].which = i;
		if (!pair_budget_splits(x->j->budget[0]))
			continue;
		x->job[i].query = number_of(&x->side[0], x->pairs[i].query);
		x->job[i].passage = number_of(&x->side[1], x->pairs[i].passage);
	}
	parallel_for(x->side[0].n, 16, threads, tokenize_queries, x);
	parallel_for(x->side[1].n, 16, threads, tokenize_passages, x);
	parallel_for(x->n, 64, threads, join_some, x);
}

static void release(struct scoring *x)
{
	for (size_t s = 0; s < 2; s++) {
		for (size_t i = 0; i < x->side[s].n; i++)
			ids_release(&x->side[s].ids[i]);
		map_release(&x->side[s].number);
		free(x->side[s].text);
		free(x->side[s].ids);
	}
	for (size_t i = 0; i < x->n; i++) {
		ids_release(&x->job[i].ids);
		ids_release(&x->job[i].types);
	}
	free(x->job);
}

static int by_length(const void *a, const void *b)
{
	const struct job_pair *x = a, *y = b;
	if (x->ids.n != y->ids.n)
		return x->ids.n < y->ids.n ? -1 : 1;
	return x->which < y->which ? -1 : x->which > y->which;
}

/* Pairs job[0..n) as one packed batch; raw [n]. */
static bool run_batch(struct scoring *x, const struct job_pair *job, size_t n, float *raw,
	struct judge_stats *stats, struct err *err)
{
	struct ids ids = IDS_INIT, types = IDS_INIT;
	int64_t *start = xcalloc(n + 1, sizeof *start);
	for (size_t i = 0; i < n; i++) {
		ids_append(&ids, job[i].ids.id, job[i].ids.n);
		ids_append(&types, job[i].types.id, job[i].types.n);
		start[i + 1] = (int64_t)ids.n;
		stats->n_cut += job[i].is_cut;
	}
	stats->n_tokens += (int64_t)ids.n;
	bool ok = judge_run(x->j, ids.id, types.n > 0 ? types.id : NULL,
		(struct tn_seqs){start, (int64_t)n}, raw, err);
	free(start);
	ids_release(&types);
	ids_release(&ids);
	return ok;
}

static bool run_all(
	struct scoring *x, judge_sink sink, void *ctx, struct judge_stats *stats, struct err *err)
{
	size_t *which = xcalloc(x->n + 1, sizeof *which);
	float *raw = xcalloc(x->n + 1, sizeof *raw);
	bool ok = true;
	for (size_t from = 0, to; ok && from < x->n; from = to) {
		size_t tokens = 0;
		for (to = from; to < x->n; to++) {
			tokens += x->job[to].ids.n;
			if (to > from && tokens > (size_t)x->j->opt.batch_tokens)
				break;
			which[to - from] = x->job[to].which;
		}
		ok = run_batch(x, x->job + from, to - from, raw, stats, err) &&
			sink(ctx, which, raw, to - from, err) && stop_check(err);
	}
	free(raw);
	free(which);
	return ok;
}

bool judge_score(struct judge *j, const struct judge_pair *pairs, size_t n, judge_sink sink,
	void *ctx, struct judge_stats *stats, struct err *err)
{
	struct scoring x = {.j = j, .pairs = pairs, .n = n};
	prepare(&x);
	qsort(x.job, n, sizeof *x.job, by_length);
	bool ok = run_all(&x, sink, ctx, stats, err);
	release(&x);
	return ok;
}
