#include <stdio.h>

#include "base/parallel.h"
#include "job/training.h"

#define SAMPLE_STEPS 100 /* of the first epoch; their order is a random one already */

/* What the sampled steps look like, and what the largest of them costs. */
struct plan {
	int64_t n_steps, n_queries, n_passages, n_texts, n_tokens, n_cut;
	int64_t longest_query, longest_passage;
	int64_t largest, largest_tokens; /* step with the most tokens */
	double step_seconds;
	int64_t memory; /* bytes in the middle of the largest step, optimiser counted */
};

static void add_batch(struct plan *p, int64_t step, const struct batch *b)
{
	p->n_steps++;
	p->n_queries += b->loss.n_queries;
	p->n_passages += b->loss.n_passages;
	p->n_texts += b->n_texts;
	p->n_tokens += b->n_tokens;
	p->n_cut += b->n_cut;
	if (b->longest_query > p->longest_query)
		p->longest_query = b->longest_query;
	if (b->longest_passage > p->longest_passage)
		p->longest_passage = b->longest_passage;
	if (b->n_tokens > p->largest_tokens) {
		p->largest_tokens = b->n_tokens;
		p->largest = step;
	}
}

static bool sample(struct training *t, struct plan *p, struct err *err)
{
	struct batch b = {0};
	int64_t n = steps_per_epoch((int64_t)t->rows.n, t->opt.batch_size);
	bool ok = true;
	n = n < SAMPLE_STEPS ? n : SAMPLE_STEPS;
	for (int64_t step = 0; ok && step < n && step < t->opt.total_steps; step++) {
		struct step_place at = step_place(step, (int64_t)t->rows.n, t->opt.batch_size);
		ok = batcher_make(t->batcher, at.epoch, at.first, at.n, &b, err);
		if (ok)
			add_batch(p, step, &b);
	}
	batch_release(&b);
	return ok;
}

/* Runs the largest step forward and backward: the figures are of this machine, not of a formula. */
static bool measure(struct training *t, struct plan *p, struct err *err)
{
	const struct trainer_parts parts = {
		.root = t->root, .model = t->model, .rows = &t->rows, .batcher = t->batcher};
	struct step_place at = step_place(p->largest, (int64_t)t->rows.n, t->opt.batch_size);
	const struct trained *trained;
	struct step_sums sums;
	size_t n = model_trained(t->model, &trained);
	double begun = wall_seconds();
	if (!step_gradients(&parts, &t->opt, &at, &sums, err))
		return false;
	p->step_seconds = wall_seconds() - begun;
	p->memory = tn_memory(t->root).peak;
	for (size_t i = 0; i < n; i++)
		p->memory += 8 * trained[i].numel; /* AdamW's two moments, not made here */
	return true;
}

static void put(struct buf *b, const char *key, int64_t v)
{
	json_put_key(b, key);
	json_put_int(b, v);
}

static void print_json(const struct training *t, const struct plan *p)
{
	struct buf b = BUF_INIT;
	double steps = (double)p->n_steps;
	buf_adds(&b, "{\"dry_run\":true");
	put(&b, "rows", (int64_t)t->rows.n_rows);
	put(&b, "used", (int64_t)t->rows.n);
	put(&b, "steps", t->opt.total_steps);
	put(&b, "steps_per_epoch", steps_per_epoch((int64_t)t->rows.n, t->opt.batch_size));
	put(&b, "warmup_steps", t->opt.schedule.warmup);
	put(&b, "sampled_steps", p->n_steps);
	json_put_key(&b, "tokens_per_step");
	json_put_real(&b, (double)p->n_tokens / steps);
	put(&b, "largest_step_tokens", p->largest_tokens);
	put(&b, "longest_query", p->longest_query);
	put(&b, "longest_passage", p->longest_passage);
	put(&b, "cut", p->n_cut);
	put(&b, "parameters", model_n_params(t->model, false));
	put(&b, "trained", model_n_params(t->model, true));
	put(&b, "memory_bytes", p->memory);
	json_put_key(&b, "seconds_per_largest_step");
	json_put_real(&b, p->step_seconds);
	buf_adds(&b, "}");
	puts(b.data);
	buf_release(&b);
}

static void print_table(const struct training *t, const struct plan *p)
{
	static const char *const heads[] = {"what", "value"};
	struct table *out = table_new(heads, ARRAY_LEN(heads));
	double steps = (double)p->n_steps, mean = (double)p->n_tokens / steps;
	table_cell(out, "rows");
	table_cell(out, "%zu, %zu of them used", t->rows.n_rows, t->rows.n);
	table_cell(out, "steps");
	table_cell(out, "%lld, the first %lld warm up", (long long)t->opt.total_steps,
		(long long)t->opt.schedule.warmup);
	table_cell(out, "queries, passages a step");
	table_cell(out, "%.1f, %.1f", (double)p->n_queries / steps, (double)p->n_passages / steps);
	table_cell(out, "tokens a step");
	table_cell(out, "%.0f, the largest of %lld looked at has %lld", mean, (long long)p->n_steps,
		(long long)p->largest_tokens);
	table_cell(out, "longest query, passage");
	table_cell(out, "%lld, %lld tokens", (long long)p->longest_query,
		(long long)p->longest_passage);
	table_cell(out, "texts that are cut");
	table_cell(out, "%lld of %lld", (long long)p->n_cut,
		(long long)(p->n_queries + p->n_passages));
	table_cell(out, "parameters");
	table_cell(out, "%lld, %lld of them trained", (long long)model_n_params(t->model, false),
		(long long)model_n_params(t->model, true));
	table_cell(out, "memory");
	table_cell(out, "%.2f GB, measured in the largest step", (double)p->memory / 1e9);
	table_cell(out, "time");
	table_cell(out, "about %.0f minutes, %.2f s for the largest step",
		p->step_seconds * mean / (double)p->largest_tokens * (double)t->opt.total_steps /
			60.0,
		p->step_seconds);
	table_print(out, stdout);
}

bool training_plan(struct training *t, struct err *err)
{
	struct plan p = {0};
	if (!sample(t, &p, err) || !measure(t, &p, err))
		return false;
	if (opts_flag(t->o, "json"))
		print_json(t, &p);
	else
		print_table(t, &p);
	return true;
}
