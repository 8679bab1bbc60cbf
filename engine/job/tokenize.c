/* tokenize: texts -> ids. Slabs of texts are encoded by all threads and written in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "job/common.h"
#include "job/tokenizing.h"
#include "model/prompts.h"

#define SLAB 8192 /* texts between two writes */
#define GRAIN 256 /* texts a thread takes at a time */

struct work {
	const struct tokenizing *z;
	size_t first; /* text that the slab begins with */
	struct buf lines[SLAB / GRAIN]; /* what each grain of it became */
	struct token_liner *liners; /* one a thread */
};

static void encode_grain(void *ctx, size_t begin, size_t end, int worker)
{
	struct work *w = ctx;
	for (size_t i = begin; i < end; i++)
		token_liner_put(&w->liners[worker], w->first + i, &w->lines[begin / GRAIN]);
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

static bool encode_all(struct work *w, struct fs_out *file, struct err *err)
{
	size_t n = w->z->texts.n;
	for (w->first = 0; w->first < n; w->first += SLAB) {
		if (stop_requested())
			return err_set(
				err, ERR_STOPPED, "stopped after %zu of %zu texts", w->first, n);
		size_t slab = n - w->first < SLAB ? n - w->first : SLAB;
		parallel_for(slab, GRAIN, w->z->threads, encode_grain, w);
		write_slab(w, slab, file);
		if (file)
			log_progress("tokenize", (int64_t)(w->first + slab), (int64_t)n);
	}
	return true;
}

static void report(const struct work *w)
{
	const struct opts *o = w->z->opts;
	size_t n_tokens = 0, n_cut = 0;
	for (int i = 0; i < w->z->threads; i++) {
		n_tokens += w->liners[i].n_tokens;
		n_cut += w->liners[i].n_cut;
	}
	log_info("%zu texts, %zu tokens, %zu texts cut", w->z->texts.n, n_tokens, n_cut);
	if (!opts_has(o, "out") || !opts_flag(o, "json"))
		return;
	struct buf out = BUF_INIT;
	buf_addf(&out, "{\"texts\":%zu,\"tokens\":%zu,\"cut\":%zu,\"out\":", w->z->texts.n,
		n_tokens, n_cut);
	json_put_str(&out, opts_str(o, "out"));
	buf_addch(&out, '}');
	puts(out.data);
	buf_release(&out);
}

static bool write_ids(const struct tokenizing *z, struct err *err)
{
	struct fs_out *file = NULL;
	if (opts_has(z->opts, "out") && !(file = fs_out_open(opts_str(z->opts, "out"), err)))
		return false;
	struct work w = {.z = z, .liners = xcalloc((size_t)z->threads, sizeof *w.liners)};
	for (int i = 0; i < z->threads; i++)
		token_liner_init(&w.liners[i], z);
	bool ok = encode_all(&w, file, err);
	if (!ok)
		fs_out_abort(file);
	else if (file)
		ok = fs_out_commit(file, err);
	if (ok)
		report(&w);
	for (int i = 0; i < z->threads; i++)
		token_liner_release(&w.liners[i]);
	for (size_t k = 0; k < ARRAY_LEN(w.lines); k++)
		buf_release(&w.lines[k]);
	free(w.liners);
	return ok;
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

static enum token_cut cut_of(const char *name)
{
	return strcmp(name, "only_first") == 0     ? CUT_ONLY_FIRST
		: strcmp(name, "only_second") == 0 ? CUT_ONLY_SECOND
						   : CUT_LONGEST_FIRST;
}

/* What --max-length, --truncation, --truncation-side and --stride ask for. */
static bool choose_limits(const struct opts *o, struct tokenizing *z, struct err *err)
{
	z->limits = (struct token_limits){
		.max_length = opts_has(o, "max-length") ? (size_t)opts_int(o, "max-length") : 0,
		.no_special = opts_flag(o, "no-special"),
		.cut = cut_of(opts_str(o, "truncation")),
		.cut_left = strcmp(opts_str(o, "truncation-side"), "left") == 0,
		.stride = opts_has(o, "stride") ? (size_t)opts_int(o, "stride") : 0,
	};
	z->fields = (struct token_fields){.tokens = opts_flag(o, "tokens"),
		.offsets = opts_flag(o, "offsets"),
		.parts = opts_has(o, "stride")};
	if (!z->fields.parts)
		return true;
	if (z->limits.max_length == 0)
		return err_set(err, ERR_USAGE,
			"--stride cuts long texts into parts of --max-length tokens: give that too");
	if (z->fields.offsets && z->has_pairs)
		return err_set(err, ERR_USAGE,
			"--offsets cannot tell the two texts of a pair apart in the parts of "
			"--stride: leave one of the three out");
	return true;
}

/* Tokens that are left for the texts when the special ones are in. */
static bool check_room(const struct tokenizing *z, struct err *err)
{
	struct ids none = IDS_INIT, special = IDS_INIT;
	struct token_limits all = {.no_special = z->limits.no_special};
	size_t n = z->has_pairs
		? tokenizer_join_pair(z->tokenizer, &none, &none, &all, &special, NULL)
		: tokenizer_join(z->tokenizer, &none, &all, &special);
	ids_release(&special);
	if (!z->fields.parts || z->limits.max_length > n + z->limits.stride)
		return true;
	return err_set(err, ERR_USAGE,
		"--stride is %zu, but of --max-length %zu only %zu tokens are for the text: a "
		"stride must be less",
		z->limits.stride, z->limits.max_length,
		z->limits.max_length > n ? z->limits.max_length - n : 0);
}

static bool open_pairs(const char *path, struct tokenizing *z, struct err *err)
{
	if (!path)
		return true;
	if (!texts_open(path, &z->pairs, err))
		return false;
	if (z->pairs.n == z->texts.n)
		return true;
	return err_set(err, ERR_DATA,
		"%s has %zu texts and --in has %zu: a pair is text N of the one and text N of the "
		"other",
		path, z->pairs.n, z->texts.n);
}

static bool run(const struct tokenizing *z, struct err *err)
{
	const char *other = opts_str(z->opts, "compare");
	if (opts_flag(z->opts, "bench"))
		return tokenize_bench(z, err);
	return other ? tokenize_compare(z, other, err) : write_ids(z, err);
}

bool tokenize_run(const struct opts *o, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct tokenizing z = {.opts = o,
		.dir = opts_str(o, "model"),
		.texts = {.arena = ARENA_INIT},
		.pairs = {.arena = ARENA_INIT},
		.has_pairs = opts_has(o, "pair"),
		.threads = job_threads(o)};
	bool ok = choose_limits(o, &z, err) && choose_prompt(o, &arena, &z.prompt, err);
	if (ok)
		z.tokenizer = tokenizer_open(z.dir, err);
	ok = ok && z.tokenizer && check_room(&z, err) &&
		texts_open(opts_str(o, "in"), &z.texts, err) &&
		open_pairs(opts_str(o, "pair"), &z, err) && run(&z, err);
	texts_close(&z.texts);
	texts_close(&z.pairs);
	tokenizer_close(z.tokenizer);
	arena_release(&arena);
	return ok;
}
