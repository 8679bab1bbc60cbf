#include "mine/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsonfile.h"
#include "base/map.h"
#include "base/signals.h"
#include "text/tokenizer.h"

#define DEFAULT_TOKENS 4096

struct judge {
	struct model *model;
	struct tokenizer *tokenizer;
	struct tokenizer_run *run;
	tn_scope *root;
	struct judge_options opt;
	size_t n_special; /* tokens that the template adds to a pair */
};

bool judge_is(const char *dir, bool *ret, struct err *err)
{
	char *path = xasprintf("%s/config.json", dir);
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	if (ok) {
		const char *s;
		size_t len;
		*ret = false;
		for (struct json_iter it = json_each(json_get(f.root, "architectures"));
			json_next(&it);)
			*ret |= json_string(it.value, &s, &len) &&
				memmem(s, len, "ForSequenceClassification", 25);
	}
	json_file_close(&f);
	free(path);
	return ok;
}

static size_t count_special(const struct tokenizer *t)
{
	struct ids none = IDS_INIT, both = IDS_INIT;
	struct token_limits limits = {.max_length = 0};
	tokenizer_join_pair(t, &none, &none, &limits, &both, NULL);
	size_t n = both.n;
	ids_release(&both);
	return n;
}

static bool check_options(struct judge *j, const char *dir, struct err *err)
{
	int64_t n_labels = model_n_labels(j->model), longest = model_max_length(j->model);
	if (n_labels == 0)
		return err_set(err, ERR_DATA, "%s: has no classification head to score with", dir);
	if (j->opt.label >= n_labels)
		return err_set(err, ERR_USAGE,
			"--label %lld, but the head of %s has %lld output%s, counted from 0",
			(long long)j->opt.label, dir, (long long)n_labels,
			n_labels == 1 ? "" : "s");
	if (j->opt.max_length > longest)
		return err_set(err, ERR_USAGE,
			"--max-length %lld is more than the %lld positions of %s",
			(long long)j->opt.max_length, (long long)longest, dir);
	if (!j->opt.max_length)
		j->opt.max_length = longest;
	if (!j->opt.batch_tokens)
		j->opt.batch_tokens = DEFAULT_TOKENS;
	if ((size_t)j->opt.max_length <= j->n_special)
		return err_set(err, ERR_USAGE,
			"--max-length %lld leaves no room for texts beside %zu "
			"special tokens",
			(long long)j->opt.max_length, j->n_special);
	return true;
}

struct judge *judge_open(
	const char *dir, tn_scope *root, const struct judge_options *opt, struct err *err)
{
	struct judge *j = xcalloc(1, sizeof *j);
	struct model_options how = {.use = MODEL_ENCODE, .dtype = opt->dtype};
	j->root = root;
	j->opt = *opt;
	j->tokenizer = tokenizer_open(dir, err);
	if (j->tokenizer) {
		j->run = tokenizer_run_new(j->tokenizer);
		j->n_special = count_special(j->tokenizer);
		j->model = model_open(dir, root, &how, err);
	}
	if (!j->model || !check_options(j, dir, err)) {
		judge_close(j);
		return NULL;
	}
	return j;
}

void judge_close(struct judge *j)
{
	if (!j)
		return;
	if (j->run)
		tokenizer_run_free(j->run);
	if (j->model)
		model_close(j->model);
	if (j->tokenizer)
		tokenizer_close(j->tokenizer);
	free(j);
}

struct hash128 judge_hash(const struct judge *j)
{
	struct hash128 model = model_hash(j->model), tokens = tokenizer_hash(j->tokenizer);
	struct hasher *h = hasher_new();
	hasher_add(h, &model, sizeof model);
	hasher_add(h, &tokens, sizeof tokens);
	hasher_int(h, model_dtype(j->model));
	hasher_int(h, j->opt.label);
	hasher_int(h, j->opt.max_length);
	hasher_int(h, j->opt.query_max_length);
	return hasher_end(h);
}

const char *judge_dtype(const struct judge *j)
{
	switch (model_dtype(j->model)) {
	case MODEL_BF16:
		return "bfloat16";
	case MODEL_F16:
		return "float16";
	case MODEL_F32:
	case MODEL_AUTO:
		break;
	}
	return "float32";
}

/* The texts of one call as ids without special tokens, each distinct one once. */
struct tokenized {
	struct map number; /* of a text */
	struct ids *ids;
	size_t n, cap;
};

static size_t tokenize(struct judge *j, struct tokenized *all, struct text t)
{
	struct token_limits limits = {.no_special = true};
	int64_t at = map_intern(&all->number, t, (int64_t)all->n);
	if ((size_t)at < all->n)
		return (size_t)at;
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 256;
		all->ids = xreallocarray(all->ids, all->cap, sizeof *all->ids);
	}
	all->ids[all->n] = (struct ids)IDS_INIT;
	tokenizer_encode(j->run, t, &limits, &all->ids[all->n]);
	return all->n++;
}

static void tokenized_release(struct tokenized *all)
{
	for (size_t i = 0; i < all->n; i++)
		ids_release(&all->ids[i]);
	free(all->ids);
	map_release(&all->number);
}

struct job_pair { /* a pair on its way to a batch */
	size_t which, query, passage, length;
};

static int by_length(const void *a, const void *b)
{
	const struct job_pair *x = a, *y = b;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->which < y->which ? -1 : x->which > y->which;
}

/* Appends one pair's ids, cut as the options say; true when it had to be cut. */
static bool join(const struct judge *j, const struct ids *query, const struct ids *passage,
	struct ids *out, struct ids *types)
{
	struct token_limits limits = {.max_length = (size_t)j->opt.max_length};
	struct ids q = *query, p = *passage; /* shorter views of the same memory */
	size_t before = out->n, budget = limits.max_length - j->n_special;
	if (j->opt.query_max_length) {
		size_t most = (size_t)j->opt.query_max_length;
		q.n = q.n < most ? q.n : most;
		q.n = q.n < budget ? q.n : budget;
		p.n = p.n < budget - q.n ? p.n : budget - q.n;
	}
	tokenizer_join_pair(j->tokenizer, &q, &p, &limits, out, types);
	return query->n + passage->n + j->n_special > out->n - before;
}

/* Runs pairs [0, n) as one packed batch; raw [n]. */
static bool run_batch(struct judge *j, const struct tokenized *all, const struct job_pair *pairs,
	size_t n, float *raw, struct judge_stats *stats, struct err *err)
{
	struct ids ids = IDS_INIT, types = IDS_INIT;
	int64_t *start = xcalloc(n + 1, sizeof *start);
	for (size_t i = 0; i < n; i++) {
		stats->n_cut += join(
			j, &all->ids[pairs[i].query], &all->ids[pairs[i].passage], &ids, &types);
		start[i + 1] = (int64_t)ids.n;
	}
	stats->n_tokens += (int64_t)ids.n;
	size_t n_labels = (size_t)model_n_labels(j->model);
	float *logits = xcalloc(n * n_labels, sizeof *logits);
	struct token_batch batch = {ids.id, types.id, {start, (int64_t)n}, NULL};
	tn_scope *s = tn_push_no_grad(j->root);
	tensor y = model_classify(j->model, s, &batch, &FORWARD_ENCODE); /* [n, n_labels] */
	bool ok = tn_read_f32(s, y, logits, n * n_labels) ||
		err_set(err, ERR_FAILED, "scoring a batch of %zu tokens: %s", ids.n, tn_message(s));
	tn_pop(s);
	for (size_t i = 0; ok && i < n; i++)
		raw[i] = logits[i * n_labels + (size_t)j->opt.label];
	free(logits);
	free(start);
	ids_release(&types);
	ids_release(&ids);
	return ok;
}

static bool run_all(struct judge *j, const struct tokenized *all, const struct job_pair *pairs,
	size_t n, judge_sink sink, void *ctx, struct judge_stats *stats, struct err *err)
{
	size_t *which = xcalloc(n + 1, sizeof *which);
	float *raw = xcalloc(n + 1, sizeof *raw);
	bool ok = true;
	for (size_t from = 0, to; ok && from < n; from = to) {
		size_t tokens = 0;
		for (to = from; to < n; to++) {
			tokens += pairs[to].length;
			if (to > from && tokens > (size_t)j->opt.batch_tokens)
				break;
			which[to - from] = pairs[to].which;
		}
		ok = run_batch(j, all, pairs + from, to - from, raw, stats, err) &&
			sink(ctx, which, raw, to - from, err) && stop_check(err);
	}
	free(raw);
	free(which);
	return ok;
}

bool judge_score(struct judge *j, const struct judge_pair *pairs, size_t n, judge_sink sink,
	void *ctx, struct judge_stats *stats, struct err *err)
{
	struct tokenized all = {.number = MAP_INIT};
	struct job_pair *order = xcalloc(n + 1, sizeof *order);
	for (size_t i = 0; i < n; i++) {
		size_t q = tokenize(j, &all, pairs[i].query);
		size_t p = tokenize(j, &all, pairs[i].passage);
		size_t length = all.ids[q].n + all.ids[p].n + j->n_special;
		size_t most = (size_t)j->opt.max_length;
		order[i] = (struct job_pair){i, q, p, length < most ? length : most};
	}
	qsort(order, n, sizeof *order, by_length);
	bool ok = run_all(j, &all, order, n, sink, ctx, stats, err);
	free(order);
	tokenized_release(&all);
	return ok;
}
