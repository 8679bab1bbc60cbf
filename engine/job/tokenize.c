/* tokenize: texts -> ids. Slabs of texts are encoded by all threads and written in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "data/texts.h"
#include "job/common.h"
#include "model/prompts.h"
#include "text/tokenizer.h"

#define SLAB 8192 /* texts between two writes */
#define GRAIN 256 /* texts a thread takes at a time */

struct work {
	const struct texts *texts;
	bool is_bench; /* no lines are made */
	struct text prompt;
	struct token_limits limits;
	size_t first; /* text that the slab begins with */
	struct buf lines[SLAB / GRAIN]; /* what each grain of it became */
	struct worker {
		struct tokenizer_run *run;
		struct ids ids;
		struct buf text; /* prompt and text */
		size_t n_tokens, n_cut;
	} * workers;
};

static void put_ids(const struct ids *ids, struct buf *out)
{
	buf_adds(out, "{\"ids\":[");
	for (size_t i = 0; i < ids->n; i++) {
		if (i)
			buf_addch(out, ',');
		json_put_int(out, ids->id[i]);
	}
	buf_adds(out, "]}\n");
}

static void encode_grain(void *ctx, size_t begin, size_t end, int number)
{
	struct work *w = ctx;
	struct worker *me = &w->workers[number];
	struct buf *out = &w->lines[begin / GRAIN];
	for (size_t i = begin; i < end; i++) {
		struct text t = w->texts->t[w->first + i];
		if (w->prompt.len) {
			buf_clear(&me->text);
			buf_addtext(&me->text, w->prompt);
			buf_addtext(&me->text, t);
			t = buf_text(&me->text);
		}
		me->ids.n = 0;
		size_t whole = tokenizer_encode(me->run, t, &w->limits, &me->ids);
		me->n_tokens += me->ids.n;
		me->n_cut += whole > me->ids.n;
		if (!w->is_bench)
			put_ids(&me->ids, out);
	}
}

/* The slab's lines to the file or to stdout. */
static void write_slab(struct work *w, size_t n, struct fs_out *file)
{
	for (size_t k = 0; k * GRAIN < n; k++) {
		struct text lines = buf_text(&w->lines[k]);
		if (file)
			fs_out_text(file, lines);
		else
			fwrite(lines.s, 1, lines.len, stdout);
		buf_clear(&w->lines[k]);
	}
}

static bool encode_all(struct work *w, int threads, struct fs_out *file, struct err *err)
{
	size_t n = w->texts->n;
	for (w->first = 0; w->first < n; w->first += SLAB) {
		if (stop_requested())
			return err_set(
				err, ERR_STOPPED, "stopped after %zu of %zu texts", w->first, n);
		size_t slab = n - w->first < SLAB ? n - w->first : SLAB;
		parallel_for(slab, GRAIN, threads, encode_grain, w);
		write_slab(w, slab, file);
		if (file)
			log_progress("tokenize", (int64_t)(w->first + slab), (int64_t)n);
	}
	return true;
}

/* The prefix that --prompt, --prompt-name or the folder's default asks for, copied into a. */
static bool choose_prompt(const struct opts *o, struct arena *a, struct text *ret, struct err *err)
{
	const char *name = opts_str(o, "prompt-name");
	if (opts_given(o, "prompt")) {
		if (name)
			return err_set(
				err, ERR_USAGE, "--prompt and --prompt-name exclude each other");
		*ret = arena_text(a, text_of(opts_str(o, "prompt")));
		return true;
	}
	struct prompts p;
	if (!prompts_open(opts_str(o, "model"), NULL, NULL, &p, err))
		return false;
	struct text found = TEXT("");
	bool ok = true;
	if (!name)
		name = p.default_name.s;
	if (name && !prompts_named(&p, name, &found)) {
		/* "document" also finds what the folder calls "passage" or "corpus". */
		if (strcmp(name, "query") == 0)
			found = p.query;
		else if (strcmp(name, "document") == 0)
			found = p.passage;
		if (!found.len)
			ok = err_set(err, ERR_USAGE, "%s defines no prompt named \"%s\"",
				opts_str(o, "model"), name);
	}
	*ret = arena_text(a, found);
	prompts_close(&p);
	return ok;
}

/* --bench: one pass over the texts that writes nothing, from empty caches. */
static bool bench(const struct opts *o, struct work *w, int threads, struct err *err)
{
	size_t bytes = 0, n_tokens = 0;
	for (size_t i = 0; i < w->texts->n; i++)
		bytes += w->texts->t[i].len;
	double cpu = cpu_seconds(), wall = wall_seconds();
	if (!encode_all(w, threads, NULL, err))
		return false;
	cpu = cpu_seconds() - cpu;
	wall = wall_seconds() - wall;
	for (int i = 0; i < threads; i++)
		n_tokens += w->workers[i].n_tokens;
	double mb = (double)bytes / 1e6;
	printf(opts_flag(o, "json")
			? "{\"megabytes\":%.6f,\"tokens\":%zu,\"wall_s\":%.6f,\"cpu_s\":%.6f,"
			  "\"mb_per_cpu_s\":%.3f,\"tokens_per_cpu_s\":%.0f}\n"
			: "%.2f MB, %zu tokens, %.3f s, %.3f CPU s: %.1f MB and %.0f tokens a CPU "
			  "second\n",
		mb, n_tokens, wall, cpu, mb / cpu, (double)n_tokens / cpu);
	return true;
}

static void report(const struct opts *o, const struct work *w, int threads)
{
	size_t n_tokens = 0, n_cut = 0;
	for (int i = 0; i < threads; i++) {
		n_tokens += w->workers[i].n_tokens;
		n_cut += w->workers[i].n_cut;
	}
	log_info("%zu texts, %zu tokens, %zu texts cut", w->texts->n, n_tokens, n_cut);
	if (!opts_has(o, "out") || !opts_flag(o, "json"))
		return;
	struct buf out = BUF_INIT;
	buf_addf(&out, "{\"texts\":%zu,\"tokens\":%zu,\"cut\":%zu,\"out\":", w->texts->n, n_tokens,
		n_cut);
	json_put_str(&out, opts_str(o, "out"));
	buf_addch(&out, '}');
	puts(out.data);
	buf_release(&out);
}

static bool tokenize_texts(const struct opts *o, struct work *w, int threads, struct err *err)
{
	if (w->is_bench)
		return bench(o, w, threads, err);
	if (!opts_has(o, "out"))
		return encode_all(w, threads, NULL, err);
	struct fs_out *file = fs_out_open(opts_str(o, "out"), err);
	if (!file)
		return false;
	if (!encode_all(w, threads, file, err)) {
		fs_out_abort(file);
		return false;
	}
	return fs_out_commit(file, err);
}

bool tokenize_run(const struct opts *o, struct err *err)
{
	bool ok = false;
	int threads = job_threads(o);
	struct arena arena = ARENA_INIT;
	struct tokenizer *t = NULL;
	struct texts texts = {.arena = ARENA_INIT};
	struct work w = {.texts = &texts, .is_bench = opts_flag(o, "bench")};
	w.limits.no_special = opts_flag(o, "no-special");
	if (opts_has(o, "max-length"))
		w.limits.max_length = (size_t)opts_int(o, "max-length");
	w.workers = xcalloc((size_t)threads, sizeof *w.workers);
	if (!choose_prompt(o, &arena, &w.prompt, err))
		goto out;
	t = tokenizer_open(opts_str(o, "model"), err);
	if (!t || !texts_open(opts_str(o, "in"), &texts, err))
		goto out;
	for (int i = 0; i < threads; i++)
		w.workers[i].run = tokenizer_run_new(t);
	ok = tokenize_texts(o, &w, threads, err);
	if (ok && !w.is_bench)
		report(o, &w, threads);
out:
	for (int i = 0; i < threads; i++) {
		tokenizer_run_free(w.workers[i].run);
		ids_release(&w.workers[i].ids);
		buf_release(&w.workers[i].text);
	}
	for (size_t k = 0; k < ARRAY_LEN(w.lines); k++)
		buf_release(&w.lines[k]);
	free(w.workers);
	texts_close(&texts);
	tokenizer_close(t);
	arena_release(&arena);
	return ok;
}
