/* tokenize --bench: passes over the texts that write nothing, each from empty caches. */
#include <stdio.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/signals.h"
#include "job/common.h"
#include "job/tokenizing.h"

#define GRAIN 256

struct pass {
	struct token_liner *liners; /* one a thread */
	double wall_s, cpu_s;
	size_t n_tokens;
};

static void encode_some(void *ctx, size_t begin, size_t end, int worker)
{
	struct pass *p = ctx;
	for (size_t i = begin; i < end && !stop_requested(); i++)
		token_liner_encode(&p->liners[worker], i);
}

static struct pass run_pass(const struct tokenizing *z, int threads)
{
	struct pass p = {.liners = xcalloc((size_t)threads, sizeof *p.liners)};
	for (int i = 0; i < threads; i++)
		token_liner_init(&p.liners[i], z);
	p.cpu_s = cpu_seconds();
	p.wall_s = wall_seconds();
	parallel_for(z->texts.n, GRAIN, threads, encode_some, &p);
	p.cpu_s = cpu_seconds() - p.cpu_s;
	p.wall_s = wall_seconds() - p.wall_s;
	for (int i = 0; i < threads; i++) {
		p.n_tokens += p.liners[i].n_tokens;
		token_liner_release(&p.liners[i]);
	}
	free(p.liners);
	p.liners = NULL;
	return p;
}

/* Tokens and a rate; nothing to encode takes no time, and has no rate. */
static double rate(double amount, double seconds)
{
	return seconds > 0 ? amount / seconds : 0;
}

static void put_pass(const struct pass *p, double mb, struct buf *out)
{
	json_put_key(out, "wall_s");
	json_put_real(out, p->wall_s);
	json_put_key(out, "cpu_s");
	json_put_real(out, p->cpu_s);
	json_put_key(out, "mb_per_s");
	json_put_real(out, rate(mb, p->wall_s));
	json_put_key(out, "tokens_per_s");
	json_put_real(out, rate((double)p->n_tokens, p->wall_s));
	json_put_key(out, "mb_per_cpu_s");
	json_put_real(out, rate(mb, p->cpu_s));
	json_put_key(out, "tokens_per_cpu_s");
	json_put_real(out, rate((double)p->n_tokens, p->cpu_s));
}

static void print_json(
	const struct tokenizing *z, const struct pass *one, const struct pass *all, double mb)
{
	struct buf out = BUF_INIT;
	buf_addch(&out, '{');
	json_put_key(&out, "kind");
	json_put_str(&out, tokenizer_kind(z->tokenizer));
	json_put_key(&out, "texts");
	json_put_int(&out, (int64_t)z->texts.n);
	json_put_key(&out, "megabytes");
	json_put_real(&out, mb);
	json_put_key(&out, "tokens");
	json_put_int(&out, (int64_t)one->n_tokens);
	json_put_key(&out, "threads");
	json_put_int(&out, z->threads);
	put_pass(one, mb, &out);
	if (all) {
		json_put_key(&out, "all_threads");
		buf_addch(&out, '{');
		put_pass(all, mb, &out);
		json_put_key(&out, "speedup");
		json_put_real(&out, rate(one->wall_s, all->wall_s));
		buf_addch(&out, '}');
	}
	buf_addch(&out, '}');
	puts(out.data);
	buf_release(&out);
}

static void add_row(
	struct table *t, int threads, const struct pass *p, const struct pass *one, double mb)
{
	table_cell(t, "%d", threads);
	table_cell(t, "%.3f", p->wall_s);
	table_cell(t, "%.3f", p->cpu_s);
	table_cell(t, "%.1f", rate(mb, p->wall_s));
	table_cell(t, "%.0f", rate((double)p->n_tokens, p->wall_s));
	table_cell(t, "%.2f", rate(one->wall_s, p->wall_s));
}

bool tokenize_bench(const struct tokenizing *z, struct err *err)
{
	static const char *const heads[] = {
		"threads", "wall s", "CPU s", "MB/s", "tokens/s", "times one"};
	size_t bytes = 0;
	for (size_t i = 0; i < z->texts.n; i++)
		bytes += z->texts.t[i].len + (z->has_pairs ? z->pairs.t[i].len : 0);
	double mb = (double)bytes / 1e6;
	bool has_more = z->threads > 1;
	struct pass one = run_pass(z, 1), all = {0};
	if (has_more)
		all = run_pass(z, z->threads);
	if (!stop_check(err))
		return false;
	if (opts_flag(z->opts, "json")) {
		print_json(z, &one, has_more ? &all : NULL, mb);
		return true;
	}
	printf("%s, %zu texts, %.2f MB, %zu tokens\n", tokenizer_kind(z->tokenizer), z->texts.n, mb,
		one.n_tokens);
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	add_row(t, 1, &one, &one, mb);
	if (has_more)
		add_row(t, z->threads, &all, &one, mb);
	table_print(t, stdout);
	return true;
}
