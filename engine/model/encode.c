/* encode.c - one call of encoder_encode(): distinct texts, the cache, batches, and back in order. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "model/encoder_impl.h"
#include "model/model_impl.h"
#include "model/pack.h"
#include "store/vectors.h"

/* Changes when the same model gives other vectors than before: a fixed kernel, another rounding. */
#define KERNEL_VERSION 1
/* Finished vectors reach the cache at least this often. */
#define BATCHES_A_FLUSH 64

/* One call of encoder_encode. */
struct encoding {
	struct encoder *e;
	const struct encode_item *items;
	size_t n;
	float *out; /* [n, dim] */
	size_t dim;
	size_t max_length;
	struct pack pack;
	bool *wanted; /* jobs that the cache does not have */
	float *vectors; /* [n_jobs, dim] */
	struct vectors *cache; /* NULL: none */
	struct encode_stats stats;
};

static bool open_cache(struct encoding *c, struct err *err)
{
	const struct encoder *e = c->e;
	if (!e->cache_dir)
		return true;
	struct hasher *h = hasher_new();
	hasher_add(h, &e->model_hash, sizeof e->model_hash);
	hasher_add(h, &e->tokenizer_hash, sizeof e->tokenizer_hash);
	hasher_text(h, e->prompts->closing);
	hasher_text(h, text_of(model_pooling(e->model)));
	hasher_int(h, (int64_t)c->max_length);
	hasher_int(h, model_dtype(e->model));
	hasher_int(h, encoder_on_cpu(e));
	hasher_int(h, e->opt.no_truncation);
	hasher_int(h, KERNEL_VERSION);
	c->cache = vectors_open(e->cache_dir, hasher_end(h), c->dim, err);
	return c->cache != NULL;
}

static void take_cached(struct encoding *c)
{
	for (size_t i = 0; i < c->pack.n_jobs; i++) {
		const float *v = c->cache ? vectors_get(c->cache, c->pack.job[i].id) : NULL;
		c->wanted[i] = v == NULL;
		if (v)
			memcpy(c->vectors + i * c->dim, v, c->dim * sizeof *v);
		c->stats.n_cached += v != NULL;
	}
}

static bool count_cut(struct encoding *c, struct err *err)
{
	for (size_t i = 0; i < c->pack.n_jobs; i++) {
		const struct pack_job *job = &c->pack.job[i];
		if (!c->wanted[i] || job->n_whole <= job->n)
			continue;
		c->stats.n_cut++;
		if (c->e->opt.no_truncation)
			return err_set(err, ERR_DATA,
				"text %zu has %zu tokens, the limit is %zu; shorten it, raise "
				"--max-length, or leave --no-truncation out",
				job->item + 1, job->n_whole, c->max_length);
	}
	return true;
}

/* Jobs order[from, to) as one packed batch. */
static bool run_batch(struct encoding *c, const size_t *order, size_t n, struct err *err)
{
	struct pack_batch b;
	struct forward how = FORWARD_ENCODE;
	float *rows = try_malloc(n, c->dim * sizeof *rows, "a batch of vectors", err);
	pack_batch_make(&b, &c->pack, order, n);
	tn_scope *s = tn_push_no_grad(c->e->root);
	tensor y = model_embed(c->e->model, s, &b.tokens, &how); /* [n,dim] */
	bool ok = rows && tn_read_f32(s, y, rows, n * c->dim);
	if (rows && !ok)
		err_set(err, ERR_FAILED, "encode: %s", tn_message(s));
	tn_pop(s);
	for (size_t i = 0; ok && i < n; i++)
		memcpy(c->vectors + order[i] * c->dim, rows + i * c->dim, c->dim * sizeof *rows);
	c->stats.n_tokens += b.start[n];
	pack_batch_release(&b);
	free(rows);
	return ok;
}

/* Vectors of finished jobs into the cache, in one flush. */
static bool keep(struct encoding *c, const size_t *order, size_t n, struct err *err)
{
	if (!c->cache || n == 0)
		return true;
	struct hash128 *ids = xcalloc(n, sizeof *ids);
	float *rows = try_malloc(n, c->dim * sizeof *rows, "vectors for the cache", err);
	for (size_t i = 0; rows && i < n; i++) {
		ids[i] = c->pack.job[order[i]].id;
		memcpy(rows + i * c->dim, c->vectors + order[i] * c->dim, c->dim * sizeof *rows);
	}
	bool ok = rows && vectors_add(c->cache, ids, rows, n, err);
	free(ids);
	free(rows);
	return ok;
}

static bool run_batches(struct encoding *c, struct err *err)
{
	size_t *order = xcalloc(c->pack.n_jobs + 1, sizeof *order);
	size_t n = pack_order(&c->pack, c->wanted, order);
	size_t done = 0, kept = 0, n_batches = 0;
	bool ok = true;
	while (ok && done < n) {
		size_t end =
			pack_batch_end(&c->pack, order, n, done, (size_t)c->e->opt.batch_tokens);
		ok = run_batch(c, order + done, end - done, err);
		if (ok)
			done = end;
		if (++n_batches % BATCHES_A_FLUSH == 0 || stop_requested()) {
			ok = ok && keep(c, order + kept, done - kept, err);
			kept = done;
		}
		ok = ok && stop_check(err);
		log_progress("encode", (int64_t)done, (int64_t)n);
	}
	if (n > 0)
		log_progress_end();
	ok = ok && keep(c, order + kept, done - kept, err);
	free(order);
	return ok;
}

static bool encode(struct encoding *c, struct err *err)
{
	struct pack_options how = {
		.max_length = c->max_length,
		.counts_prompt = !c->e->model->config.pools_prompt,
		.threads = c->e->opt.threads,
	};
	c->wanted = xcalloc(c->pack.n_jobs + 1, sizeof *c->wanted);
	c->vectors =
		try_malloc(c->pack.n_jobs + 1, c->dim * sizeof *c->vectors, "the vectors", err);
	if (!c->vectors || !open_cache(c, err))
		return false;
	take_cached(c);
	if (c->stats.n_cached < c->pack.n_jobs) {
		if (!encoder_need_tokenizer(c->e, err))
			return false;
		how.tokenizer = c->e->tokenizer;
		pack_tokenize(&c->pack, c->items, c->wanted, &how);
	}
	if (!count_cut(c, err) || !run_batches(c, err))
		return false;
	for (size_t i = 0; i < c->n; i++)
		memcpy(c->out + i * c->dim, c->vectors + c->pack.job_of[i] * c->dim,
			c->dim * sizeof *c->out);
	return true;
}

bool encoder_encode(struct encoder *e, enum encode_role role, const struct encode_item *items,
	size_t n, float *out, struct encode_stats *stats, struct err *err)
{
	if (model_dim(e->model) == 0)
		return err_set(err, ERR_USAGE,
			"%s is a reranker: it scores pairs and gives no vectors",
			model_dir(e->model));
	struct encoding c = {
		.e = e,
		.items = items,
		.n = n,
		.out = out,
		.dim = (size_t)model_dim(e->model),
		.max_length = encoder_limit(e, role),
	};
	pack_init(&c.pack, items, n);
	bool ok = encode(&c, err);
	if (ok && stats) {
		stats->n_texts += n;
		stats->n_unique += c.pack.n_jobs;
		stats->n_cached += c.stats.n_cached;
		stats->n_cut += c.stats.n_cut;
		stats->n_tokens += c.stats.n_tokens;
	}
	if (c.cache)
		vectors_close(c.cache);
	pack_release(&c.pack);
	free(c.wanted);
	free(c.vectors);
	return ok;
}

bool encoder_encode_texts(struct encoder *e, enum encode_role role, const struct text *texts,
	size_t n, float *out, struct encode_stats *stats, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct text prompt = role == ENCODE_QUERY ? prompts_query(e->prompts, TEXT_NONE, &a)
		: role == ENCODE_PASSAGE ? prompts_passage(e->prompts, TEXT_NONE, TEXT_NONE, &a)
					 : TEXT("");
	struct encode_item *items = xcalloc(n + 1, sizeof *items);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct encode_item){prompt, texts[i]};
	bool ok = encoder_encode(e, role, items, n, out, stats, err);
	free(items);
	arena_release(&a);
	return ok;
}
