#include "train/step.h"

#include <math.h>

#include "base/rng.h"

#define SHOWN_ROWS 8

int64_t steps_per_epoch(int64_t n_rows, int64_t batch_size)
{
	return (n_rows + batch_size - 1) / batch_size;
}

struct step_place step_place(int64_t step, int64_t n_rows, int64_t batch_size)
{
	int64_t per_epoch = steps_per_epoch(n_rows, batch_size);
	struct step_place at = {.step = step, .epoch = step / per_epoch};
	at.first = step % per_epoch * batch_size;
	at.n = n_rows - at.first < batch_size ? n_rows - at.first : batch_size;
	return at;
}

static uint64_t dropout_seed(uint64_t seed, int64_t step, int64_t micro)
{
	struct rng r = rng_new(seed ^ UINT64_C(0x64726F70), (uint64_t)step << 16 ^ (uint64_t)micro);
	return rng_next(&r);
}

/* Lists the rows of a batch into a sentence. */
static void put_rows(const struct trainer_parts *parts, const struct batch *b, struct buf *out)
{
	int64_t n = b->loss.n_queries;
	for (int64_t i = 0; i < n && i < SHOWN_ROWS; i++) {
		const char *path;
		size_t line;
		dataset_place(parts->rows->data, (size_t)b->rows[i], &path, &line);
		buf_addf(out, "%s%s:%zu", i > 0 ? ", " : "", path, line);
	}
	if (n > SHOWN_ROWS)
		buf_addf(out, " and %lld more", (long long)(n - SHOWN_ROWS));
}

static bool not_finite(const struct trainer_parts *parts, const struct step_place *at,
	const struct batch *b, double loss, struct err *err)
{
	struct buf rows = BUF_INIT;
	put_rows(parts, b, &rows);
	err_set(err, ERR_FAILED, "step %lld: the loss is %g; the rows of its batch are %s",
		(long long)(at->step + 1), loss, rows.data);
	buf_release(&rows);
	return false;
}

/* share: of the micro-batch's mean in the step's. */
static bool micro_gradients(const struct trainer_parts *parts, const struct trainer_options *opt,
	const struct step_place *at, int64_t micro, const struct batch *b, double share,
	struct step_sums *sums, struct err *err)
{
	const struct forward how = {
		.train = true,
		.dropout = opt->dropout,
		.seed = dropout_seed(opt->seed, at->step, micro),
	};
	tn_scope *s = tn_push(parts->root);
	tensor vectors = model_embed(parts->model, s, &b->tokens, &how); /* [U,d] */
	if (!model_normalizes(parts->model))
		vectors = tn_normalize(s, vectors);
	tensor loss = loss_compute(s, vectors, &b->loss, &opt->loss, &sums->loss); /* [] */
	double value = tn_item(s, loss);
	bool ok = tn_status(s) == TN_OK && isfinite(value);
	if (ok)
		tn_backward(s, tn_scale(s, loss, share));
	if (tn_status(s) != TN_OK)
		ok = err_set(
			err, ERR_FAILED, "step %lld: %s", (long long)(at->step + 1), tn_message(s));
	else if (!ok)
		not_finite(parts, at, b, value, err);
	tn_pop(s);
	return ok;
}

bool step_gradients(const struct trainer_parts *parts, const struct trainer_options *opt,
	const struct step_place *at, struct step_sums *ret, struct err *err)
{
	struct batch b = {0};
	struct step_sums sums = {0};
	int64_t size = opt->batch_size / opt->accumulate;
	bool ok = true;
	for (int64_t done = 0, micro = 0; ok && done < at->n; done += size, micro++) {
		int64_t n = at->n - done < size ? at->n - done : size;
		ok = batcher_make(parts->batcher, at->epoch, at->first + done, n, &b, err) &&
			micro_gradients(
				parts, opt, at, micro, &b, (double)n / (double)at->n, &sums, err);
		sums.n_texts += b.n_texts;
		sums.n_tokens += b.n_tokens;
		sums.n_cut += b.n_cut;
	}
	batch_release(&b);
	*ret = sums;
	return ok;
}

bool step_rows(const struct trainer_parts *parts, const struct trainer_options *opt,
	const struct step_place *at, struct buf *out, struct err *err)
{
	struct batch b = {0};
	(void)opt;
	bool ok = batcher_make(parts->batcher, at->epoch, at->first, at->n, &b, err);
	if (ok)
		put_rows(parts, &b, out);
	batch_release(&b);
	return ok;
}
