#include "train/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/parallel.h"
#include "model/pack.h"

/* One text of the step: where a worker left its ids. */
struct item {
	struct text text; /* prompt and text in one */
	size_t max_length;
	int worker;
	size_t at, n; /* in that worker's ids */
	int32_t prompt_tokens;
	bool is_cut;
};

/* How many tokens the prompt took that was asked about last: neighbours share theirs. */
struct prompt_length {
	struct text prompt; /* lives in arena */
	int32_t n;
	struct arena arena;
};

struct batcher {
	const struct rows *rows;
	const struct tokenizer *tokenizer;
	const struct prompts *prompts;
	struct batch_options opt;
	struct drawer *drawer;
	int threads;
	struct tokenizer_run **run; /* one a worker */
	struct ids *ids; /* likewise */
	int64_t *order; /* of epoch `epoch` */
	int64_t epoch;
	struct prompt_length last[2]; /* of queries, of passages */
};

bool mask_parse(const char *name, enum mask_kind *ret)
{
	static const char *const names[] = {
		[MASK_NONE] = "none",
		[MASK_EQUAL] = "equal",
		[MASK_KNOWN] = "known",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum mask_kind)i;
			return true;
		}
	}
	return false;
}

struct batcher *batcher_new(const struct rows *rows, const struct tokenizer *tokenizer,
	const struct prompts *prompts, const struct batch_options *opt)
{
	struct batcher *b = xcalloc(1, sizeof *b);
	b->rows = rows;
	b->tokenizer = tokenizer;
	b->prompts = prompts;
	b->opt = *opt;
	b->drawer = drawer_new(rows, &opt->draw);
	b->threads = opt->threads > 0 ? opt->threads : cpu_count();
	b->run = xcalloc((size_t)b->threads, sizeof *b->run);
	b->ids = xcalloc((size_t)b->threads, sizeof *b->ids);
	for (int w = 0; w < b->threads; w++)
		b->run[w] = tokenizer_run_new(tokenizer);
	b->order = xcalloc(rows->n, sizeof *b->order);
	b->epoch = -1;
	return b;
}

void batcher_free(struct batcher *b)
{
	if (!b)
		return;
	for (int w = 0; w < b->threads; w++) {
		tokenizer_run_free(b->run[w]);
		ids_release(&b->ids[w]);
	}
	free(b->run);
	free(b->ids);
	free(b->order);
	for (size_t i = 0; i < ARRAY_LEN(b->last); i++)
		arena_release(&b->last[i].arena);
	drawer_free(b->drawer);
	free(b);
}

void batch_release(struct batch *b)
{
	arena_release(&b->arena);
	memset(b, 0, sizeof *b);
}

static struct text joined(struct arena *a, struct text prompt, struct text t)
{
	if (prompt.len == 0)
		return t;
	char *s = arena_alloc(a, prompt.len + t.len);
	memcpy(s, prompt.s, prompt.len);
	if (t.len > 0)
		memcpy(s + prompt.len, t.s, t.len);
	return (struct text){s, prompt.len + t.len};
}

/* Draws the groups of the step and lays out its texts: B queries, then P passages, group by group.
 */
struct step {
	struct drawn *group; /* [B] */
	struct item *item; /* [B + P] */
	int64_t n_queries, n_passages; /* B, P */
};

enum role { ROLE_QUERY, ROLE_PASSAGE };

static int32_t prompt_tokens(struct batcher *b, enum role role, struct text prompt)
{
	struct prompt_length *last = &b->last[role];
	if (prompt.len == 0)
		return 0;
	if (!text_equal(last->prompt, prompt)) {
		arena_release(&last->arena);
		last->prompt = arena_text(&last->arena, prompt);
		last->n = pack_prompt_tokens(b->run[0], prompt);
	}
	return last->n;
}

static struct item make_item(
	struct batcher *b, enum role role, struct text prompt, struct text t, struct arena *a)
{
	return (struct item){
		.text = joined(a, prompt, t),
		.max_length =
			role == ROLE_QUERY ? b->opt.query_max_length : b->opt.passage_max_length,
		.prompt_tokens = prompt_tokens(b, role, prompt),
	};
}

static bool draw_step(
	struct batcher *b, int64_t first, struct step *s, struct arena *a, struct err *err)
{
	s->group = arena_alloc(a, (size_t)s->n_queries * sizeof *s->group);
	s->n_passages = 0;
	for (int64_t i = 0; i < s->n_queries; i++) {
		if (!drawer_draw(b->drawer, b->epoch, b->order[first + i], a, &s->group[i], err))
			return false;
		s->n_passages += (int64_t)s->group[i].n;
	}
	s->item = arena_calloc(a, (size_t)(s->n_queries + s->n_passages), sizeof *s->item);
	struct item *passage = s->item + s->n_queries;
	for (int64_t i = 0; i < s->n_queries; i++) {
		const struct drawn *g = &s->group[i];
		struct text prompt = prompts_query(b->prompts, g->record.prompt, a);
		s->item[i] = make_item(b, ROLE_QUERY, prompt, g->record.query, a);
		prompt = prompts_passage(b->prompts, g->record.prompt, g->record.type, a);
		for (size_t k = 0; k < g->n; k++)
			*passage++ = make_item(b, ROLE_PASSAGE, prompt, g->passage[k], a);
	}
	return true;
}

struct tokenizing {
	struct batcher *b;
	struct item *item;
};

/* Appends the ids of an item to those of its worker. Returns how many it has before cutting. */
static size_t tokenize_item(struct batcher *b, const struct item *item, int worker, struct ids *ids)
{
	const struct token_limits limits = {.max_length = item->max_length};
	if (!b->opt.cache)
		return tokenizer_encode(b->run[worker], item->text, &limits, ids);
	const struct ids bare = token_cache_ids(b->opt.cache, worker, b->run[worker], item->text);
	return tokenizer_join(b->tokenizer, &bare, &limits, ids);
}

static void tokenize_items(void *ctx, size_t begin, size_t end, int worker)
{
	const struct tokenizing *t = ctx;
	struct ids *ids = &t->b->ids[worker];
	for (size_t i = begin; i < end; i++) {
		struct item *item = &t->item[i];
		item->worker = worker;
		item->at = ids->n;
		size_t whole = tokenize_item(t->b, item, worker, ids);
		item->n = ids->n - item->at;
		item->is_cut = whole > item->n;
		ids_add(ids, item->prompt_tokens); /* behind the text: a part of what it is */
	}
}

static const int32_t *item_ids(const struct batcher *b, const struct item *item)
{
	return b->ids[item->worker].id + item->at;
}

/* Gives every item the number of its distinct text, in the order of first sight, and packs those. */
static int64_t *pack(struct batcher *b, const struct item *item, size_t n, struct batch *ret)
{
	struct arena *a = &ret->arena;
	struct map seen = MAP_INIT;
	int64_t *number = arena_alloc(a, n * sizeof *number);
	int64_t *start = arena_alloc(a, (n + 1) * sizeof *start);
	size_t *source = arena_alloc(a, n * sizeof *source);
	int64_t n_texts = 0;
	start[0] = 0;
	for (size_t i = 0; i < n; i++) {
		struct text key = {
			(const char *)item_ids(b, &item[i]), (item[i].n + 1) * sizeof(int32_t)};
		number[i] = map_intern(&seen, key, n_texts);
		if (number[i] < n_texts)
			continue;
		source[n_texts] = i;
		start[n_texts + 1] = start[n_texts] + (int64_t)item[i].n;
		n_texts++;
	}
	map_release(&seen);
	int32_t *ids = arena_alloc(a, (size_t)start[n_texts] * sizeof *ids);
	int32_t *prompt = arena_alloc(a, (size_t)n_texts * sizeof *prompt);
	for (int64_t u = 0; u < n_texts; u++) {
		const struct item *from = &item[source[u]];
		prompt[u] = from->prompt_tokens;
		if (from->n > 0)
			memcpy(ids + start[u], item_ids(b, from), from->n * sizeof *ids);
	}
	ret->tokens =
		(struct token_batch){.ids = ids, .seqs = {start, n_texts}, .prompt_tokens = prompt};
	ret->n_texts = n_texts;
	ret->n_tokens = start[n_texts];
	return number;
}

/* The query of the step that item i belongs to. */
static int64_t owner(const struct step *s, int64_t i)
{
	if (i < s->n_queries)
		return i;
	int64_t query = 0;
	for (i -= s->n_queries; i >= (int64_t)s->group[query].n; query++)
		i -= (int64_t)s->group[query].n;
	return query;
}

static bool too_long(const struct batcher *b, const struct step *s, int64_t i, struct err *err)
{
	const char *path;
	size_t line;
	dataset_place(b->rows->data, (size_t)s->group[owner(s, i)].row, &path, &line);
	return err_set(err, ERR_DATA,
		"%s:%zu: a %s has more than %zu tokens; shorten it, raise --max-length, or leave "
		"--no-truncation out",
		path, line, i < s->n_queries ? "query" : "passage", s->item[i].max_length);
}

static bool count_lengths(
	const struct batcher *b, const struct step *s, struct batch *ret, struct err *err)
{
	for (int64_t i = 0; i < s->n_queries + s->n_passages; i++) {
		const struct item *item = &s->item[i];
		int64_t *longest = i < s->n_queries ? &ret->longest_query : &ret->longest_passage;
		if ((int64_t)item->n > *longest)
			*longest = (int64_t)item->n;
		ret->n_cut += item->is_cut;
		if (item->is_cut && b->opt.no_truncation)
			return too_long(b, s, i, err);
	}
	return true;
}

/* Rows, groups and scores: what the loss needs beside the vectors. number: of each item. */
static void describe(
	const struct batcher *b, const struct step *s, const int64_t *number, struct batch *ret)
{
	struct arena *a = &ret->arena;
	int64_t *rows = arena_alloc(a, (size_t)s->n_queries * sizeof *rows);
	int64_t *group = arena_alloc(a, (size_t)(s->n_queries + 1) * sizeof *group);
	float *teacher = arena_alloc(a, (size_t)s->n_passages * sizeof *teacher);
	group[0] = 0;
	for (int64_t i = 0; i < s->n_queries; i++) {
		const struct drawn *g = &s->group[i];
		rows[i] = g->row;
		group[i + 1] = group[i] + (int64_t)g->n;
		memcpy(teacher + group[i], g->score, g->n * sizeof *teacher);
	}
	ret->rows = rows;
	ret->loss = (struct loss_batch){
		.n_queries = s->n_queries,
		.n_passages = s->n_passages,
		.query = number,
		.passage = number + s->n_queries,
		.group = group,
		.teacher = b->opt.draw.wants_scores ? teacher : NULL,
	};
}

/* A passage by its text's hash, for looking up known positives. */
struct keyed {
	uint64_t key;
	int64_t passage;
};

static int by_key(const void *x, const void *y)
{
	uint64_t a = ((const struct keyed *)x)->key, b = ((const struct keyed *)y)->key;
	return (a > b) - (a < b);
}

static struct keyed *keyed_passages(const struct step *s, struct arena *a)
{
	struct keyed *keyed = arena_alloc(a, (size_t)s->n_passages * sizeof *keyed);
	int64_t at = 0;
	for (int64_t i = 0; i < s->n_queries; i++)
		for (size_t k = 0; k < s->group[i].n; k++, at++)
			keyed[at] = (struct keyed){rows_key(s->group[i].passage[k]), at};
	qsort(keyed, (size_t)s->n_passages, sizeof *keyed, by_key);
	return keyed;
}

static void mask_passages(const struct keyed *keyed, int64_t n, uint64_t key, uint8_t *row)
{
	int64_t low = 0, high = n;
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		if (keyed[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && keyed[low].key == key; low++)
		row[keyed[low].passage] = 1;
}

static void mask(const struct batcher *b, const struct step *s, struct batch *ret)
{
	int64_t B = s->n_queries, P = s->n_passages;
	const struct loss_batch *l = &ret->loss;
	uint8_t *masked = arena_calloc(&ret->arena, (size_t)(B * P), 1);
	const struct keyed *keyed =
		b->opt.mask == MASK_KNOWN ? keyed_passages(s, &ret->arena) : NULL;
	for (int64_t i = 0; i < B; i++) {
		uint8_t *row = masked + i * P;
		for (int64_t j = 0; j < P; j++)
			row[j] = l->passage[j] == l->passage[l->group[i]];
		const struct known *known = NULL;
		size_t n =
			keyed ? rows_known(b->rows, rows_key(s->group[i].record.query), &known) : 0;
		for (size_t k = 0; k < n; k++)
			mask_passages(keyed, P, known[k].text, row);
		row[l->group[i]] = 0;
	}
	ret->loss.masked = masked;
}

bool batcher_make(struct batcher *b, int64_t epoch, int64_t first, int64_t n, struct batch *ret,
	struct err *err)
{
	if (epoch != b->epoch) {
		rows_order(b->rows, b->opt.draw.seed, epoch, b->opt.draw.shuffle, b->order);
		b->epoch = epoch;
	}
	struct batch out = {.n_texts = 0};
	struct step s = {.n_queries = n};
	bool ok = draw_step(b, first, &s, &out.arena, err);
	for (int w = 0; w < b->threads; w++)
		b->ids[w].n = 0;
	if (ok) {
		struct tokenizing t = {b, s.item};
		size_t n_items = (size_t)(s.n_queries + s.n_passages);
		parallel_for(n_items, 4, b->threads, tokenize_items, &t);
		if (b->opt.cache)
			token_cache_settle(b->opt.cache);
		describe(b, &s, pack(b, s.item, n_items, &out), &out);
		ok = count_lengths(b, &s, &out, err);
	}
	if (ok && b->opt.mask != MASK_NONE)
		mask(b, &s, &out);
	batch_release(ok ? ret : &out);
	if (ok)
		*ret = out;
	return ok;
}
