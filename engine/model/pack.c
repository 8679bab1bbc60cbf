#include "model/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/parallel.h"

static struct hash128 item_id(const struct encode_item *item)
{
	struct hasher *h = hasher_new();
	hasher_text(h, item->prompt);
	hasher_text(h, item->text);
	return hasher_end(h);
}

void pack_init(struct pack *p, const struct encode_item *items, size_t n)
{
	struct map seen = MAP_INIT;
	*p = (struct pack){
		.job = xcalloc(n + 1, sizeof *p->job),
		.job_of = xcalloc(n + 1, sizeof *p->job_of),
	};
	for (size_t i = 0; i < n; i++) {
		struct hash128 id = item_id(&items[i]);
		struct text key = {(const char *)&id, sizeof id};
		int64_t job = map_intern(&seen, key, (int64_t)p->n_jobs);
		if ((size_t)job == p->n_jobs)
			p->job[p->n_jobs++] = (struct pack_job){.item = i, .id = id};
		p->job_of[i] = (size_t)job;
	}
	map_release(&seen);
}

struct tokenize_work {
	struct pack *p;
	const struct encode_item *items;
	const bool *wanted;
	const struct pack_options *opt;
	struct tokenizer_run **runs; /* by worker, made when first needed */
};

int32_t pack_prompt_tokens(struct tokenizer_run *run, struct text prompt)
{
	struct ids with = IDS_INIT, bare = IDS_INIT;
	tokenizer_encode(run, prompt, &(struct token_limits){0}, &with);
	tokenizer_encode(run, prompt, &(struct token_limits){.no_special = true}, &bare);
	size_t at = 0;
	while (at + bare.n < with.n && memcmp(with.id + at, bare.id, bare.n * sizeof *bare.id) != 0)
		at++;
	size_t n = at + bare.n;
	ids_release(&with);
	ids_release(&bare);
	return (int32_t)n;
}

static void tokenize_job(
	struct tokenize_work *w, struct tokenizer_run *run, struct pack_job *job, struct arena *a)
{
	const struct encode_item *item = &w->items[job->item];
	struct token_limits limits = {.max_length = w->opt->max_length};
	struct text whole = item->text;
	struct ids ids = IDS_INIT;
	if (item->prompt.len > 0) {
		char *s = arena_alloc(a, item->prompt.len + item->text.len + 1);
		memcpy(s, item->prompt.s, item->prompt.len);
		if (item->text.len > 0)
			memcpy(s + item->prompt.len, item->text.s, item->text.len);
		whole = (struct text){s, item->prompt.len + item->text.len};
		if (w->opt->counts_prompt)
			job->prompt_tokens = pack_prompt_tokens(run, item->prompt);
	}
	job->n_whole = tokenizer_encode(run, whole, &limits, &ids);
	job->ids = ids.id;
	job->n = ids.n;
}

static void tokenize_some(void *ctx, size_t begin, size_t end, int worker)
{
	struct tokenize_work *w = ctx;
	struct arena a = ARENA_INIT;
	if (!w->runs[worker])
		w->runs[worker] = tokenizer_run_new(w->opt->tokenizer);
	for (size_t i = begin; i < end; i++) {
		struct arena_mark mark = arena_mark(&a);
		if (!w->wanted || w->wanted[i])
			tokenize_job(w, w->runs[worker], &w->p->job[i], &a);
		arena_rewind(&a, mark);
	}
	arena_release(&a);
}

void pack_tokenize(struct pack *p, const struct encode_item *items, const bool *wanted,
	const struct pack_options *opt)
{
	int threads = opt->threads > 0 ? opt->threads : 1;
	struct tokenize_work w = {
		p, items, wanted, opt, xcalloc((size_t)threads, sizeof(struct tokenizer_run *))};
	parallel_for(p->n_jobs, 64, threads, tokenize_some, &w);
	for (int i = 0; i < threads; i++)
		tokenizer_run_free(w.runs[i]);
	free(w.runs);
}

void pack_release(struct pack *p)
{
	for (size_t i = 0; i < p->n_jobs; i++)
		free(p->job[i].ids);
	free(p->job);
	free(p->job_of);
	*p = (struct pack){0};
}

struct sortable {
	size_t n, job;
};

static int longest_first(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return (x->job > y->job) - (x->job < y->job);
}

size_t pack_order(const struct pack *p, const bool *wanted, size_t *ret)
{
	struct sortable *s = xcalloc(p->n_jobs + 1, sizeof *s);
	size_t n = 0;
	for (size_t i = 0; i < p->n_jobs; i++)
		if (!wanted || wanted[i])
			s[n++] = (struct sortable){p->job[i].n, i};
	qsort(s, n, sizeof *s, longest_first);
	for (size_t i = 0; i < n; i++)
		ret[i] = s[i].job;
	free(s);
	return n;
}

size_t pack_batch_end(
	const struct pack *p, const size_t *order, size_t n, size_t from, size_t tokens)
{
	size_t end = from, sum = 0;
	while (end < n && (end == from || sum + p->job[order[end]].n <= tokens))
		sum += p->job[order[end++]].n;
	return end;
}

void pack_batch_make(struct pack_batch *ret, const struct pack *p, const size_t *order, size_t n)
{
	size_t n_tokens = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		n_tokens += p->job[order[i]].n;
	ret->ids = xcalloc(n_tokens + 1, sizeof *ret->ids);
	ret->prompt = xcalloc(n + 1, sizeof *ret->prompt);
	ret->start = xcalloc(n + 1, sizeof *ret->start);
	for (size_t i = 0; i < n; i++) {
		const struct pack_job *job = &p->job[order[i]];
		if (job->n > 0)
			memcpy(ret->ids + at, job->ids, job->n * sizeof *ret->ids);
		at += job->n;
		ret->start[i + 1] = (int64_t)at;
		ret->prompt[i] = job->prompt_tokens;
	}
	ret->tokens = (struct token_batch){
		.ids = ret->ids, .seqs = {ret->start, (int64_t)n}, .prompt_tokens = ret->prompt};
}

void pack_batch_release(struct pack_batch *b)
{
	free(b->ids);
	free(b->prompt);
	free(b->start);
}
