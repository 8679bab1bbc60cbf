/* tokenize --compare: what two models' tokenizers make of the same texts. Ids and spellings of two
 * vocabularies have nothing in common; the places where they cut do. */
#include <stdio.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "job/common.h"
#include "job/tokenizing.h"

#define GRAIN 64
#define SHOWN 5 /* texts whose lengths differ most */
#define SHOWN_COLUMNS 60

enum script { KOREAN, ENGLISH, OTHER, N_SCRIPTS };

/* Of one tokenizer, over all texts. */
struct counts {
	size_t tokens, unknown, with_unknown, cut;
	size_t of_script[N_SCRIPTS];
	size_t longest;
};

struct worker {
	struct tokenizer_run *run[2];
	struct ids ids[2];
	struct token_spans spans[2];
	struct counts counts[2];
	size_t chars[N_SCRIPTS];
	size_t n_same;
};

struct comparison {
	const struct tokenizing *z;
	struct tokenizer *side[2];
	const char *name[2];
	struct token_limits limits;
	struct worker *workers;
	uint32_t (*lengths)[2]; /* [texts] */
};

static enum script script_of(uint32_t c)
{
	if ((c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF) ||
		(c >= 0x3131 && c <= 0x318E) || (c >= 0xA960 && c <= 0xA97F) ||
		(c >= 0xD7B0 && c <= 0xD7FF))
		return KOREAN;
	return (c | 32) >= 'a' && (c | 32) <= 'z' ? ENGLISH : OTHER;
}

/* A token is of the script of its first letter. */
static enum script token_script(struct text t, struct token_span s)
{
	enum script found = OTHER;
	for (size_t at = s.begin, len; at < s.end && at < t.len && found == OTHER; at += len)
		found = script_of(utf8_decode(t.s + at, t.len - at, &len));
	return found;
}

static void count_side(struct worker *w, int k, const struct comparison *c, size_t i)
{
	struct text t = c->z->texts.t[i];
	struct counts *n = &w->counts[k];
	int32_t unk = tokenizer_unk(c->side[k]);
	size_t unknown = 0;
	w->ids[k].n = w->spans[k].n = 0;
	tokenizer_encode_spans(w->run[k], t, &c->limits, &w->ids[k], &w->spans[k]);
	for (size_t j = 0; j < w->ids[k].n; j++) {
		unknown += w->ids[k].id[j] == unk;
		n->of_script[token_script(t, w->spans[k].s[j])]++;
	}
	n->tokens += w->ids[k].n;
	n->unknown += unknown;
	n->with_unknown += unknown > 0;
	if (w->ids[k].n > n->longest)
		n->longest = w->ids[k].n;
	size_t max = c->z->limits.max_length;
	n->cut += max > 0 && w->ids[k].n > max;
	c->lengths[i][k] = (uint32_t)w->ids[k].n;
}

/* White space belongs to a token here and to none there: where tokens begin is what counts. */
static size_t next_begin(struct text t, struct token_span s)
{
	size_t at = s.begin, len;
	while (at < s.end && at < t.len) {
		uint32_t c = utf8_decode(t.s + at, t.len - at, &len);
		if (!utf8_is_blank((struct text){t.s + at, len}) && c != 0x2581)
			break;
		at += len;
	}
	return at;
}

/* The next place after `last` where a token begins, or SIZE_MAX. */
static size_t next_cut(const struct token_spans *v, struct text t, size_t *j, size_t last)
{
	for (; *j < v->n; (*j)++) {
		size_t begin = next_begin(t, v->s[*j]);
		if (begin < v->s[*j].end && (last == SIZE_MAX || begin > last))
			return begin;
	}
	return SIZE_MAX;
}

static bool cut_alike(const struct worker *w, struct text t)
{
	size_t j[2] = {0, 0}, last = SIZE_MAX;
	for (;;) {
		size_t a = next_cut(&w->spans[0], t, &j[0], last);
		size_t b = next_cut(&w->spans[1], t, &j[1], last);
		if (a != b)
			return false;
		if (a == SIZE_MAX)
			return true;
		last = a;
	}
}

static void compare_some(void *ctx, size_t begin, size_t end, int number)
{
	struct comparison *c = ctx;
	struct worker *w = &c->workers[number];
	for (int k = 0; k < 2; k++)
		if (!w->run[k])
			w->run[k] = tokenizer_run_new(c->side[k]);
	for (size_t i = begin; i < end && !stop_requested(); i++) {
		struct text t = c->z->texts.t[i];
		count_side(w, 0, c, i);
		count_side(w, 1, c, i);
		w->n_same += cut_alike(w, t);
		for (size_t at = 0, len; at < t.len; at += len)
			w->chars[script_of(utf8_decode(t.s + at, t.len - at, &len))]++;
	}
}

static void add_counts(struct counts *sum, const struct counts *more)
{
	sum->tokens += more->tokens;
	sum->unknown += more->unknown;
	sum->with_unknown += more->with_unknown;
	sum->cut += more->cut;
	for (int s = 0; s < N_SCRIPTS; s++)
		sum->of_script[s] += more->of_script[s];
	if (more->longest > sum->longest)
		sum->longest = more->longest;
}

/* What all workers counted, in the first one. */
static struct worker *sum_up(struct comparison *c)
{
	struct worker *sum = &c->workers[0];
	for (int i = 1; i < c->z->threads; i++) {
		const struct worker *w = &c->workers[i];
		add_counts(&sum->counts[0], &w->counts[0]);
		add_counts(&sum->counts[1], &w->counts[1]);
		for (int s = 0; s < N_SCRIPTS; s++)
			sum->chars[s] += w->chars[s];
		sum->n_same += w->n_same;
	}
	return sum;
}

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static size_t gap(const uint32_t lengths[2])
{
	return lengths[0] > lengths[1] ? lengths[0] - lengths[1] : lengths[1] - lengths[0];
}

/* The texts whose lengths differ most; the first of equals. Returns how many there are. */
static size_t find_widest(const struct comparison *c, size_t ret[SHOWN])
{
	size_t n = 0;
	for (size_t i = 0; i < c->z->texts.n; i++) {
		size_t at = n;
		while (at > 0 && gap(c->lengths[ret[at - 1]]) < gap(c->lengths[i]))
			at--;
		if (at == SHOWN || gap(c->lengths[i]) == 0)
			continue;
		n += n < SHOWN;
		for (size_t k = n - 1; k > at; k--)
			ret[k] = ret[k - 1];
		ret[at] = i;
	}
	return n;
}

static void add_row(struct table *t, const char *label, int digits, double a, double b)
{
	table_cell(t, "%s", label);
	table_cell(t, "%.*f", digits, a);
	table_cell(t, "%.*f", digits, b);
}

static void print_table(const struct comparison *c, const struct worker *sum)
{
	const char *const heads[] = {"", c->name[0], c->name[1]};
	const struct counts *a = &sum->counts[0], *b = &sum->counts[1];
	const size_t *chars = sum->chars;
	size_t n = c->z->texts.n;
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	table_cell(t, "kind");
	table_text(t, text_of(tokenizer_kind(c->side[0])));
	table_text(t, text_of(tokenizer_kind(c->side[1])));
	add_row(t, "tokens", 0, (double)a->tokens, (double)b->tokens);
	add_row(t, "tokens a text", 2, share(a->tokens, n), share(b->tokens, n));
	add_row(t, "longest", 0, (double)a->longest, (double)b->longest);
	add_row(t, "tokens a Korean character", 3, share(a->of_script[KOREAN], chars[KOREAN]),
		share(b->of_script[KOREAN], chars[KOREAN]));
	add_row(t, "tokens an English character", 3, share(a->of_script[ENGLISH], chars[ENGLISH]),
		share(b->of_script[ENGLISH], chars[ENGLISH]));
	add_row(t, "unknown tokens, %", 3, 100 * share(a->unknown, a->tokens),
		100 * share(b->unknown, b->tokens));
	add_row(t, "texts with unknown, %", 3, 100 * share(a->with_unknown, n),
		100 * share(b->with_unknown, n));
	if (c->z->limits.max_length)
		add_row(t, "texts over --max-length", 0, (double)a->cut, (double)b->cut);
	table_print(t, stdout);
}

static void print_widest(const struct comparison *c)
{
	static const char *const heads[] = {"text", "tokens", "there", ""};
	size_t widest[SHOWN], n = find_widest(c, widest);
	if (n == 0)
		return;
	puts("\nLengths differ most in:");
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++) {
		struct text text = c->z->texts.t[widest[i]];
		table_cell(t, "%zu", widest[i] + 1);
		table_cell(t, "%u", c->lengths[widest[i]][0]);
		table_cell(t, "%u", c->lengths[widest[i]][1]);
		text.len = utf8_cut(text, SHOWN_COLUMNS);
		table_text(t, text);
	}
	table_print(t, stdout);
}

static void put_side(const struct comparison *c, int k, const struct worker *sum, struct buf *out)
{
	const struct counts *n = &sum->counts[k];
	json_put_key(out, k == 0 ? "model" : "other");
	buf_addch(out, '{');
	json_put_key(out, "name");
	json_put_str(out, c->name[k]);
	json_put_key(out, "kind");
	json_put_str(out, tokenizer_kind(c->side[k]));
	json_put_key(out, "tokens");
	json_put_int(out, (int64_t)n->tokens);
	json_put_key(out, "longest");
	json_put_int(out, (int64_t)n->longest);
	json_put_key(out, "tokens_per_korean_character");
	json_put_real(out, share(n->of_script[KOREAN], sum->chars[KOREAN]));
	json_put_key(out, "tokens_per_english_character");
	json_put_real(out, share(n->of_script[ENGLISH], sum->chars[ENGLISH]));
	json_put_key(out, "unknown");
	json_put_int(out, (int64_t)n->unknown);
	json_put_key(out, "unknown_share");
	json_put_real(out, share(n->unknown, n->tokens));
	json_put_key(out, "texts_with_unknown");
	json_put_int(out, (int64_t)n->with_unknown);
	json_put_key(out, "texts_cut");
	json_put_int(out, (int64_t)n->cut);
	buf_addch(out, '}');
}

static void print_json(const struct comparison *c, const struct worker *sum)
{
	struct buf out = BUF_INIT;
	size_t widest[SHOWN], n = find_widest(c, widest);
	buf_addch(&out, '{');
	json_put_key(&out, "texts");
	json_put_int(&out, (int64_t)c->z->texts.n);
	json_put_key(&out, "cut_alike");
	json_put_int(&out, (int64_t)sum->n_same);
	put_side(c, 0, sum, &out);
	put_side(c, 1, sum, &out);
	json_put_key(&out, "widest");
	buf_addch(&out, '[');
	for (size_t i = 0; i < n; i++)
		buf_addf(&out, "%s{\"text\":%zu,\"tokens\":%u,\"other_tokens\":%u}", i ? "," : "",
			widest[i] + 1, c->lengths[widest[i]][0], c->lengths[widest[i]][1]);
	buf_adds(&out, "]}");
	puts(out.data);
	buf_release(&out);
}

static void release(struct comparison *c, struct arena *a)
{
	for (int i = 0; i < c->z->threads; i++)
		for (int k = 0; k < 2; k++) {
			tokenizer_run_free(c->workers[i].run[k]);
			ids_release(&c->workers[i].ids[k]);
			token_spans_release(&c->workers[i].spans[k]);
		}
	free(c->workers);
	free(c->lengths);
	tokenizer_close(c->side[1]);
	arena_release(a);
}

bool tokenize_compare(const struct tokenizing *z, const char *other, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct comparison c = {
		.z = z,
		.side = {z->tokenizer, tokenizer_open(other, err)},
		.name = {job_leaf(&a, z->dir), job_leaf(&a, other)},
		.limits = {.no_special = true},
		.workers = xcalloc((size_t)z->threads, sizeof *c.workers),
		.lengths = try_malloc(z->texts.n + 1, sizeof *c.lengths, "lengths", err),
	};
	bool ok = c.side[1] && c.lengths;
	if (ok) {
		parallel_for(z->texts.n, GRAIN, z->threads, compare_some, &c);
		ok = stop_check(err);
	}
	if (ok) {
		const struct worker *sum = sum_up(&c);
		if (opts_flag(z->opts, "json")) {
			print_json(&c, sum);
		} else {
			print_table(&c, sum);
			printf("\n%zu of %zu texts are cut at the same places (%.1f %%).\n",
				sum->n_same, z->texts.n, 100 * share(sum->n_same, z->texts.n));
			print_widest(&c);
		}
	}
	release(&c, &a);
	return ok;
}
