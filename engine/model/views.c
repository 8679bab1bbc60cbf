#include "model/views.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/signals.h"
#include "model/encoder_impl.h"
#include "model/model_impl.h"
#include "model/pack.h"

#define SKIPPED 4

/* One call of encoder_views(). */
struct viewing {
	struct encoder *e;
	unsigned which;
	struct pack pack;
	struct text_views *ret;
	float *vectors; /* [n_jobs, dim] */
	size_t dim, multi_dim;
	int32_t skipped[SKIPPED]; /* ids without a lexical weight */
	int n_skipped;
	int32_t *place; /* by id: 1 + where it stands in the view at hand; 0 between views */
	struct encode_stats stats;
};

/* A special token's name: a string, or an object with `content`. */
static void skip_token(struct viewing *v, json token)
{
	struct text name = TEXT_NONE;
	int32_t id;
	if (json_is(token, JSON_OBJECT))
		token = json_get(token, "content");
	if (!json_string(token, &name.s, &name.len) || v->n_skipped == SKIPPED ||
		!tokenizer_id(v->e->tokenizer, name, &id))
		return;
	v->skipped[v->n_skipped++] = id;
}

/* cls, eos, pad and unk carry no meaning of a text. */
static bool find_skipped(struct viewing *v, struct err *err)
{
	static const char *const files[] = {"tokenizer_config.json", "special_tokens_map.json"};
	static const char *const keys[SKIPPED] = {
		"cls_token", "eos_token", "pad_token", "unk_token"};
	struct arena a = ARENA_INIT;
	bool ok = true, is_found = false;
	for (size_t i = 0; ok && !is_found && i < ARRAY_LEN(files); i++) {
		const char *path = fs_join(&a, v->e->model->config.tokenizer_dir, files[i]);
		struct json_file f;
		if (!fs_exists(path))
			continue;
		ok = json_file_open(path, &f, err);
		for (size_t k = 0; ok && k < SKIPPED; k++)
			skip_token(v, json_get(f.root, keys[k]));
		is_found = v->n_skipped > 0;
		json_file_close(&f);
	}
	arena_release(&a);
	return ok;
}

static bool is_skipped(const struct viewing *v, int32_t id)
{
	for (int i = 0; i < v->n_skipped; i++)
		if (v->skipped[i] == id)
			return true;
	return false;
}

/* The largest weight of each id of one text; weights [n] of its tokens. */
static void take_sparse(
	struct viewing *v, const struct pack_job *job, const float *weights, struct text_view *to)
{
	to->ids = xcalloc(job->n + 1, sizeof *to->ids);
	to->weights = xcalloc(job->n + 1, sizeof *to->weights);
	for (size_t i = 0; i < job->n; i++) {
		int32_t id = job->ids[i], *at = &v->place[id];
		if (!(weights[i] > 0.0f) || is_skipped(v, id))
			continue;
		if (*at == 0) {
			to->ids[to->n_ids++] = id;
			*at = (int32_t)to->n_ids;
		}
		float *w = &to->weights[*at - 1];
		*w = weights[i] > *w ? weights[i] : *w;
	}
	for (size_t i = 0; i < to->n_ids; i++)
		v->place[to->ids[i]] = 0;
}

static bool read_rows(struct viewing *v, tn_scope *s, tensor t, size_t n, size_t width, float **ret,
	struct err *err)
{
	*ret = try_malloc(n + 1, width * sizeof **ret, "views of a batch", err);
	if (!*ret)
		return false;
	(void)v;
	return tn_read_f32(s, t, *ret, n * width) ||
		err_set(err, ERR_FAILED, "encode: %s", tn_message(s));
}

static bool take_views(struct viewing *v, tn_scope *s, const struct views *got, const size_t *order,
	const struct pack_batch *b, struct err *err)
{
	size_t n = (size_t)b->tokens.seqs.n, n_tokens = (size_t)b->tokens.seqs.start[n],
	       n_multi = 0;
	float *dense = NULL, *sparse = NULL, *multi = NULL;
	for (size_t i = 0; i < n; i++)
		n_multi += v->pack.job[order[i]].n > 0 ? v->pack.job[order[i]].n - 1 : 0;
	bool ok =
		(!(v->which & VIEW_DENSE) || read_rows(v, s, got->dense, n, v->dim, &dense, err)) &&
		(!(v->which & VIEW_SPARSE) ||
			read_rows(v, s, got->sparse, n_tokens, 1, &sparse, err)) &&
		(!(v->which & VIEW_MULTI) ||
			read_rows(v, s, got->multi, n_multi, v->multi_dim, &multi, err));
	size_t at = 0;
	for (size_t i = 0; ok && i < n; i++) {
		const struct pack_job *job = &v->pack.job[order[i]];
		struct text_view *to = &v->ret->view[order[i]];
		if (dense)
			memcpy(v->vectors + order[i] * v->dim, dense + i * v->dim,
				v->dim * sizeof *dense);
		if (sparse)
			take_sparse(v, job, sparse + b->tokens.seqs.start[i], to);
		if (multi && job->n > 1) {
			size_t bytes = (job->n - 1) * v->multi_dim * sizeof *multi;
			to->n_multi = job->n - 1;
			to->multi = memcpy(xmalloc(bytes), multi + at, bytes);
			at += to->n_multi * v->multi_dim;
		}
	}
	free(dense);
	free(sparse);
	free(multi);
	return ok;
}

static bool run_batches(struct viewing *v, struct err *err)
{
	size_t *order = xcalloc(v->pack.n_jobs + 1, sizeof *order);
	size_t n = pack_order(&v->pack, NULL, order);
	bool ok = true;
	for (size_t from = 0, to; ok && from < n; from = to) {
		struct pack_batch b;
		struct forward how = FORWARD_ENCODE;
		to = pack_batch_end(&v->pack, order, n, from, (size_t)v->e->opt.batch_tokens);
		pack_batch_make(&b, &v->pack, order + from, to - from);
		tn_scope *s = tn_push_no_grad(v->e->root);
		struct views got = model_view(v->e->model, s, &b.tokens, &how, v->which);
		ok = take_views(v, s, &got, order + from, &b, err) && stop_check(err);
		v->stats.n_tokens += b.tokens.seqs.start[to - from];
		tn_pop(s);
		pack_batch_release(&b);
		log_progress("encode", (int64_t)to, (int64_t)n);
	}
	if (n > 0)
		log_progress_end();
	free(order);
	return ok;
}

static bool look(
	struct viewing *v, enum encode_role role, const struct encode_item *items, struct err *err)
{
	if (!encoder_need_tokenizer(v->e, err) || !find_skipped(v, err))
		return false;
	struct pack_options how = {
		.tokenizer = v->e->tokenizer,
		.max_length = encoder_limit(v->e, role),
		.counts_prompt = !v->e->model->config.pools_prompt,
		.threads = v->e->opt.threads,
	};
	v->place = xcalloc((size_t)v->e->model->config.n_vocab + 1, sizeof *v->place);
	v->vectors = try_malloc(v->pack.n_jobs + 1, (v->dim + 1) * sizeof(float), "vectors", err);
	if (!v->vectors)
		return false;
	pack_tokenize(&v->pack, items, NULL, &how);
	for (size_t i = 0; i < v->pack.n_jobs; i++)
		v->stats.n_cut += v->pack.job[i].n_whole > v->pack.job[i].n;
	if (v->e->opt.no_truncation && v->stats.n_cut > 0)
		return err_set(err, ERR_DATA,
			"%zu texts are longer than %zu tokens; shorten them, raise --max-length, or "
			"leave --no-truncation out",
			v->stats.n_cut, how.max_length);
	return run_batches(v, err);
}

bool encoder_views(struct encoder *e, enum encode_role role, const struct encode_item *items,
	size_t n, unsigned which, float *dense, struct text_views *ret, struct encode_stats *stats,
	struct err *err)
{
	struct viewing v = {.e = e,
		.which = which & model_views(e->model),
		.ret = ret,
		.dim = (size_t)model_dim(e->model),
		.multi_dim = (size_t)model_multi_dim(e->model)};
	pack_init(&v.pack, items, n);
	*ret = (struct text_views){.view = xcalloc(v.pack.n_jobs + 1, sizeof *ret->view),
		.n = v.pack.n_jobs,
		.of = xcalloc(n + 1, sizeof *ret->of)};
	memcpy(ret->of, v.pack.job_of, n * sizeof *ret->of);
	bool ok = look(&v, role, items, err);
	for (size_t i = 0; ok && (v.which & VIEW_DENSE) && i < n; i++)
		memcpy(dense + i * v.dim, v.vectors + ret->of[i] * v.dim, v.dim * sizeof *dense);
	if (ok && stats) {
		stats->n_texts += n;
		stats->n_unique += v.pack.n_jobs;
		stats->n_cut += v.stats.n_cut;
		stats->n_tokens += v.stats.n_tokens;
	}
	pack_release(&v.pack);
	free(v.place);
	free(v.vectors);
	return ok;
}

void text_views_release(struct text_views *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->view[i].ids);
		free(v->view[i].weights);
		free(v->view[i].multi);
	}
	free(v->view);
	free(v->of);
	*v = (struct text_views){0};
}
