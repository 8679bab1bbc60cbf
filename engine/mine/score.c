#include "mine/score.h"

#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/signals.h"
#include "mine/partial.h"
#include "mine/search.h"

#define BLOCK_PAIRS ((size_t)1 << 15) /* pairs sorted by length together */

/* Rows [0, n) of the block being worked on; their texts live in arena. */
struct block {
	struct record *rows;
	size_t n, cap, n_pairs;
	struct arena arena;
};

struct run {
	const struct dataset *d;
	const struct score_options *opt;
	struct score_report *report;
	struct row_reader *reader;
	struct json_parser *parser;
	struct fs_out *out;
	struct block block;
	size_t next; /* row of the data set */
};

/* Everything of a block that depends on the judge: scores are set in the records. */
typedef bool (*block_fn)(struct run *run, void *judge, struct err *err);

static bool read_row(struct run *run, struct err *err)
{
	struct block *b = &run->block;
	struct err broken = ERR_INIT;
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 256;
		b->rows = xreallocarray(b->rows, b->cap, sizeof *b->rows);
	}
	if (!row_reader_copy(run->reader, run->next++, &b->arena, &b->rows[b->n], &broken)) {
		if (run->opt->is_strict)
			return err_set(err, ERR_DATA, "%s", broken.text);
		log_warn("%s; the row is left out", broken.text);
		run->report->n_broken++;
		return true;
	}
	b->n_pairs += b->rows[b->n].n_pos + b->rows[b->n].n_neg;
	b->n++;
	return true;
}

static void write_block(struct run *run)
{
	struct buf line = BUF_INIT;
	for (size_t i = 0; i < run->block.n; i++) {
		buf_clear(&line);
		record_write(&run->block.rows[i], run->parser, &line);
		buf_addch(&line, '\n');
		fs_out_text(run->out, buf_text(&line));
	}
	buf_release(&line);
	run->report->n_rows += run->block.n;
	run->report->n_pairs += run->block.n_pairs;
}

static bool score_blocks(struct run *run, block_fn score, void *judge, struct err *err)
{
	size_t n_rows = dataset_rows(run->d);
	bool ok = true;
	while (ok && run->next < n_rows) {
		struct arena_mark mark = arena_mark(&run->block.arena);
		run->block.n = run->block.n_pairs = 0;
		while (ok && run->next < n_rows && run->block.n_pairs < BLOCK_PAIRS)
			ok = read_row(run, err);
		ok = ok && score(run, judge, err) && stop_check(err);
		if (ok)
			write_block(run);
		arena_rewind(&run->block.arena, mark);
	}
	log_progress_end();
	return ok;
}

static bool run_blocks(const struct dataset *d, const struct score_options *opt, const char *out,
	struct score_report *ret, block_fn score, void *judge, struct err *err)
{
	struct run run = {.d = d, .opt = opt, .report = ret, .block = {.arena = ARENA_INIT}};
	run.out = fs_out_open(out, err);
	if (!run.out)
		return false;
	run.reader = row_reader_new(d);
	run.parser = json_parser_new();
	bool ok = score_blocks(&run, score, judge, err);
	row_reader_free(run.reader);
	json_parser_free(run.parser);
	free(run.block.rows);
	arena_release(&run.block.arena);
	if (!ok)
		fs_out_abort(run.out);
	return ok && fs_out_commit(run.out, err);
}

/* One side of a row. */
struct side {
	struct candidate *c;
	size_t n;
};

static struct side side_of(struct record *r, int i)
{
	return i == 0 ? (struct side){r->pos, r->n_pos} : (struct side){r->neg, r->n_neg};
}

struct judging {
	struct judge *judge;
	struct partial *partial;
	const struct judge_pair *pairs; /* those being scored */
	struct judge_stats stats;
	size_t n_done, n_all;
};

static bool take_batch(void *ctx, const size_t *which, const float *raw, size_t n, struct err *err)
{
	struct judging *j = ctx;
	j->n_done += n;
	log_progress("score", (int64_t)j->n_done, (int64_t)j->n_all);
	return partial_add(j->partial, j->pairs, which, raw, n, err);
}

static double value_of(const struct score_options *opt, float raw)
{
	double x = (double)raw;
	return search_shortest(opt->sigmoid ? (float)(1.0 / (1.0 + exp(-x))) : raw);
}

/* Scores of one row from what is known by now; teacher and active scores say the same. */
static void set_scores(struct run *run, const struct judging *j, struct record *r)
{
	struct arena *a = &run->block.arena;
	size_t t = record_teacher(r, text_of(run->opt->name), a);
	r->teachers[t].form = text_of(run->opt->sigmoid ? "sigmoid" : "raw");
	r->teachers[t].model = text_of(run->opt->model);
	for (int i = 0; i < 2; i++) {
		struct side side = side_of(r, i);
		for (size_t k = 0; k < side.n; k++) {
			struct judge_pair pair = {r->query, side.c[k].text};
			float raw = NAN;
			partial_get(j->partial, &pair, &raw);
			side.c[k].score = value_of(run->opt, raw);
			record_set_score(r, &side.c[k], t, side.c[k].score, a);
		}
	}
}

/* The pairs of the block that nobody has scored, each once. */
static struct judge_pair *unknown_pairs(struct run *run, const struct judging *j, size_t *ret_n)
{
	struct judge_pair *pairs = xcalloc(run->block.n_pairs + 1, sizeof *pairs);
	struct map seen = MAP_INIT;
	struct buf key = BUF_INIT;
	size_t n = 0;
	for (size_t row = 0; row < run->block.n; row++)
		for (int i = 0; i < 2; i++) {
			struct side side = side_of(&run->block.rows[row], i);
			for (size_t k = 0; k < side.n; k++) {
				struct judge_pair pair = {
					run->block.rows[row].query, side.c[k].text};
				float known;
				buf_clear(&key);
				buf_addf(&key, "%zu:", pair.query.len);
				buf_addtext(&key, pair.query);
				buf_addtext(&key, pair.passage);
				if (!partial_get(j->partial, &pair, &known) &&
					map_put(&seen, buf_text(&key), 0))
					pairs[n++] = pair;
			}
		}
	buf_release(&key);
	map_release(&seen);
	*ret_n = n;
	return pairs;
}

static bool judge_block(struct run *run, void *judge, struct err *err)
{
	struct judging *j = judge;
	size_t n;
	struct judge_pair *pairs = unknown_pairs(run, j, &n);
	j->pairs = pairs;
	j->n_all += n;
	run->report->n_scored += n;
	bool ok = judge_score(j->judge, pairs, n, take_batch, j, &j->stats, err);
	free(pairs);
	for (size_t i = 0; ok && i < run->block.n; i++)
		set_scores(run, j, &run->block.rows[i]);
	return ok;
}

bool score_by_judge(struct judge *judge, const struct dataset *d, const struct score_options *opt,
	const char *out, struct score_report *ret, struct err *err)
{
	*ret = (struct score_report){.n_rows = 0};
	char *path = xasprintf("%s.partial", out);
	struct judging j = {.judge = judge, .partial = partial_open(path, judge_hash(judge), err)};
	free(path);
	if (!j.partial)
		return false;
	ret->n_resumed = partial_count(j.partial);
	bool ok = run_blocks(d, opt, out, ret, judge_block, &j, err);
	ret->n_cut = j.stats.n_cut;
	ret->n_tokens = j.stats.n_tokens;
	if (ok)
		return partial_remove(j.partial, err);
	partial_close(j.partial);
	return false;
}

/* A block's queries and passages as vectors. */
struct embedded {
	struct encode_item *queries, *passages; /* [n], [n_pairs] */
	float *q, *p;
};

static void fill_items(struct run *run, const struct prompts *prompts, struct embedded *x)
{
	struct arena *a = &run->block.arena;
	size_t at = 0;
	for (size_t row = 0; row < run->block.n; row++) {
		struct record *r = &run->block.rows[row];
		struct text prefix = prompts_passage(prompts, r->prompt, r->type, a);
		x->queries[row] =
			(struct encode_item){prompts_query(prompts, r->prompt, a), r->query};
		for (int i = 0; i < 2; i++) {
			struct side side = side_of(r, i);
			for (size_t k = 0; k < side.n; k++)
				x->passages[at++] = (struct encode_item){prefix, side.c[k].text};
		}
	}
}

static void set_sims(struct run *run, const struct embedded *x, size_t dim)
{
	size_t at = 0;
	for (size_t row = 0; row < run->block.n; row++)
		for (int i = 0; i < 2; i++) {
			struct side side = side_of(&run->block.rows[row], i);
			for (size_t k = 0; k < side.n; k++, at++)
				side.c[k].sim = search_shortest(
					search_dot(x->q + row * dim, x->p + at * dim, dim));
		}
}

static bool embed_block(struct run *run, void *judge, struct err *err)
{
	struct encoder *e = judge;
	size_t n = run->block.n, n_pairs = run->block.n_pairs, dim = (size_t)encoder_dim(e);
	struct encode_stats stats = {0};
	struct embedded x = {xcalloc(n + 1, sizeof *x.queries),
		xcalloc(n_pairs + 1, sizeof *x.passages),
		try_malloc(n + 1, dim * sizeof(float), "query vectors", err),
		try_malloc(n_pairs + 1, dim * sizeof(float), "passage vectors", err)};
	bool ok = x.q && x.p;
	if (ok) {
		fill_items(run, encoder_prompts(e), &x);
		ok = encoder_encode(e, ENCODE_QUERY, x.queries, n, x.q, &stats, err) &&
			encoder_encode(e, ENCODE_PASSAGE, x.passages, n_pairs, x.p, &stats, err);
	}
	if (ok) {
		search_normalize(x.q, n, dim);
		search_normalize(x.p, n_pairs, dim);
		set_sims(run, &x, dim);
	}
	run->report->n_scored += stats.n_unique - stats.n_cached;
	run->report->n_resumed += stats.n_cached;
	run->report->n_cut += stats.n_cut;
	run->report->n_tokens += stats.n_tokens;
	free(x.queries);
	free(x.passages);
	free(x.q);
	free(x.p);
	return ok;
}

bool score_by_encoder(struct encoder *e, const struct dataset *d, const struct score_options *opt,
	const char *out, struct score_report *ret, struct err *err)
{
	*ret = (struct score_report){.n_rows = 0};
	return run_blocks(d, opt, out, ret, embed_block, e, err);
}
