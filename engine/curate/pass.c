#include "curate/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "curate/checks.h"
#include "data/raw.h"

enum { GRAIN = 512, MAX_LENGTH = 512, N_EXAMPLES = 5, BYTES_A_TOKEN = 4 };

static void note(struct pass *p, struct worker *w, struct chunk *c, enum finding_kind k, size_t row)
{
	if (c->count[k] < p->n_examples) {
		if (!c->first[k])
			c->first[k] = arena_alloc(&w->kept, p->n_examples * sizeof *c->first[k]);
		c->first[k][c->count[k]] = row;
	}
	c->count[k]++;
}

static void note_broken(
	struct pass *p, struct worker *w, struct chunk *c, size_t row, const struct err *why)
{
	if (!c->broken)
		c->broken = arena_alloc(&w->kept, GRAIN * sizeof *c->broken);
	c->broken[c->n_broken++] = (struct inspect_broken){row, arena_strdup(&w->kept, why->text)};
	p->is_broken[row] = 1;
	note(p, w, c, FINDING_BROKEN, row);
}

/* Whether the text holds conjoining jamo, U+1100 to U+11FF: E1 84 80 to E1 87 BF. */
static bool has_jamo(struct text t)
{
	for (const char *s = t.s, *end = t.s + t.len; s < end; s++) {
		s = memchr(s, 0xE1, (size_t)(end - s));
		if (!s || s + 1 == end)
			return false;
		if ((unsigned char)s[1] >= 0x84 && (unsigned char)s[1] <= 0x87)
			return true;
	}
	return false;
}

/* Whether the ids in w->ids, of t, are not those of the same text composed: XLM-R's vocabulary has
 * syllables, and its normaliser leaves jamo as they are. */
static bool breaks_hangul(struct worker *w, struct text t)
{
	static const struct token_limits no_limits = {.max_length = 0};
	if (!has_jamo(t))
		return false;
	buf_clear(&w->text);
	utf8_nfc(&w->text, t);
	w->composed.n = 0;
	tokenizer_encode(w->tokens, buf_text(&w->text), &no_limits, &w->composed);
	return w->composed.n != w->ids.n ||
		memcmp(w->composed.id, w->ids.id, w->ids.n * sizeof *w->ids.id) != 0;
}

/* The length of one text goes into the statistics. */
static finding_set measure(struct pass *p, struct worker *w, enum inspect_part part, struct text t)
{
	histogram_add(&w->chars_of[part], text_chars(t));
	if (!w->tokens)
		return t.len / BYTES_A_TOKEN > p->max_length ? FINDING_BIT(FINDING_LONG_TEXT) : 0;
	static const struct token_limits no_limits = {.max_length = 0};
	w->ids.n = 0;
	size_t n = tokenizer_encode(w->tokens, t, &no_limits, &w->ids);
	histogram_add(&w->tokens_of[part], n);
	return (n > p->max_length ? FINDING_BIT(FINDING_LONG_TEXT) : 0) |
		(breaks_hangul(w, t) ? FINDING_BIT(FINDING_BROKEN_HANGUL) : 0);
}

static finding_set measure_row(struct pass *p, struct worker *w, const struct record *r)
{
	finding_set set = measure(p, w, PART_QUERY, r->query);
	for (size_t i = 0; i < r->n_pos; i++)
		set |= measure(p, w, PART_POS, r->pos[i].text);
	for (size_t i = 0; i < r->n_neg; i++)
		set |= measure(p, w, PART_NEG, r->neg[i].text);
	histogram_add(&w->per_row[PART_POS], r->n_pos);
	histogram_add(&w->per_row[PART_NEG], r->n_neg);
	return set;
}

static void add_positives(struct chunk *c, size_t row, const uint64_t *hash, size_t n)
{
	if (c->n_pos + n > c->cap_pos) {
		c->cap_pos = 2 * (c->n_pos + n);
		c->pos = xreallocarray(c->pos, c->cap_pos, sizeof *c->pos);
	}
	for (size_t i = 0; i < n; i++)
		c->pos[c->n_pos++] = (struct stand){hash[i], row};
}

static enum json_type type_of(struct text value)
{
	switch (value.s[0]) {
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static void count_fields(struct worker *w, struct text line)
{
	struct raw_member m;
	for (struct raw_iter it = raw_iter(line); raw_next(&it, &m);) {
		struct text name = {m.key.s + 1, m.key.len - 2};
		size_t i = (size_t)map_intern(&w->field_index, name, (int64_t)w->n_fields);
		if (i == w->n_fields) {
			if (i == w->cap_fields) {
				w->cap_fields = w->cap_fields ? 2 * w->cap_fields : 32;
				w->fields =
					xreallocarray(w->fields, w->cap_fields, sizeof *w->fields);
			}
			w->fields[w->n_fields++] =
				(struct field_count){.name = arena_text(&w->kept, name).s};
		}
		w->fields[i].by_type[type_of(m.value)]++;
	}
}

/* A BEIR folder's rows have no negatives, and one query stands in as many rows as it has passages:
 * that is their nature. */
static finding_set expected(const struct record *r)
{
	return r->line.s ? 0 : FINDING_BIT(FINDING_EMPTY_NEG);
}

static void look_at(struct pass *p, struct worker *w, struct chunk *c, size_t row)
{
	struct record r;
	struct err why = ERR_INIT;
	if (!row_reader_get(w->reader, row, &r, &why)) {
		note_broken(p, w, c, row, &why);
		return;
	}
	arena_rewind(&w->scratch, (struct arena_mark){NULL, 0});
	struct row_hashes h;
	row_hash(&r, &w->scratch, &h);
	p->query[row] = h.query;
	p->row[row] = h.row;
	add_positives(c, row, h.pos, r.n_pos);
	finding_set set = row_check(&r, &h, &w->scratch) & ~expected(&r);
	set |= measure_row(p, w, &r);
	for (enum finding_kind k = 0; set >> k; k++)
		if (set >> k & 1)
			note(p, w, c, k, row);
	count_fields(w, r.line);
}

static void look_at_chunk(void *ctx, size_t begin, size_t end, int worker)
{
	struct pass *p = ctx;
	if (stop_requested())
		return;
	for (size_t row = begin; row < end; row++)
		look_at(p, &p->workers[worker], &p->chunks[begin / GRAIN], row);
	if (worker == 0)
		log_progress("inspect", (int64_t)end, (int64_t)p->n_rows);
}

static void worker_init(struct worker *w, const struct pass *p)
{
	*w = (struct worker){.reader = row_reader_new(p->d), .field_index = MAP_INIT};
	if (p->opt->tokenizer)
		w->tokens = tokenizer_run_new(p->opt->tokenizer);
}

static void worker_release(struct worker *w)
{
	row_reader_free(w->reader);
	if (w->tokens)
		tokenizer_run_free(w->tokens);
	ids_release(&w->ids);
	ids_release(&w->composed);
	buf_release(&w->text);
	arena_release(&w->scratch);
	arena_release(&w->kept);
	for (size_t i = 0; i < N_PARTS; i++) {
		histogram_release(&w->chars_of[i]);
		histogram_release(&w->tokens_of[i]);
		histogram_release(&w->per_row[i]);
	}
	map_release(&w->field_index);
	free(w->fields);
}

bool pass_run(
	const struct dataset *d, const struct inspect_options *opt, struct pass *p, struct err *err)
{
	size_t n = dataset_rows(d);
	*p = (struct pass){.d = d,
		.opt = opt,
		.n_rows = n,
		.n_examples = opt->n_examples ? opt->n_examples : N_EXAMPLES,
		.max_length = opt->max_length ? opt->max_length : MAX_LENGTH,
		.n_workers = opt->threads > 0 ? opt->threads : 1};
	p->query = try_malloc(n, sizeof *p->query, "hashes of queries", err);
	p->row = try_malloc(n, sizeof *p->row, "hashes of rows", err);
	p->is_broken = try_malloc(n, 1, "marks of broken rows", err);
	if (!p->query || !p->row || !p->is_broken)
		return false;
	memset(p->is_broken, 0, n);
	p->n_chunks = (n + GRAIN - 1) / GRAIN;
	p->chunks = xcalloc(p->n_chunks + 1, sizeof *p->chunks);
	p->workers = xcalloc((size_t)p->n_workers, sizeof *p->workers);
	for (int i = 0; i < p->n_workers; i++)
		worker_init(&p->workers[i], p);
	parallel_for(n, GRAIN, p->n_workers, look_at_chunk, p);
	log_progress_end();
	return stop_check(err);
}

void pass_release(struct pass *p)
{
	for (size_t i = 0; i < p->n_chunks && p->chunks; i++)
		free(p->chunks[i].pos);
	for (int i = 0; i < p->n_workers && p->workers; i++)
		worker_release(&p->workers[i]);
	free(p->chunks);
	free(p->workers);
	free(p->query);
	free(p->row);
	free(p->is_broken);
}
