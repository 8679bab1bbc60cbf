#include "train/journal.h"

#include <math.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/parallel.h"

#define LOG_SECONDS 10.0

bool journal_open(struct journal *r, const struct trainer_parts *parts,
	const struct trainer_options *opt, int64_t first_step, struct err *err)
{
	*r = (struct journal){
		.run = parts->run,
		.total_steps = opt->total_steps,
		.n_rows = (int64_t)parts->rows->n,
		.first_step = first_step,
		.started = wall_seconds(),
		.has_kd = opt->loss.kind == LOSS_KL_DIV,
	};
	r->events = tfevents_open(rundir_path(parts->run), first_step, err);
	return r->events != NULL;
}

void journal_close(struct journal *r)
{
	tfevents_close(r->events);
	r->events = NULL;
}

static void put_real(struct buf *b, const char *key, double v)
{
	json_put_key(b, key);
	json_put_real(b, v);
}

static void put_int(struct buf *b, const char *key, int64_t v)
{
	json_put_key(b, key);
	json_put_int(b, v);
}

static double per(double sum, int64_t n)
{
	return n > 0 ? sum / (double)n : NAN;
}

static double rate(const struct journal_step *s)
{
	return s->seconds > 0.0 ? (double)s->sums->n_tokens / s->seconds : NAN;
}

static void put_step(struct buf *b, const struct journal *r, const struct journal_step *s)
{
	const struct loss_sums *l = &s->sums->loss;
	buf_adds(b, "{");
	put_int(b, "step", s->done);
	put_real(b, "epoch", s->epoch);
	put_real(b, "loss", per(l->loss, l->n_queries));
	if (r->has_kd) {
		put_real(b, "infonce", per(l->nce, l->n_queries));
		put_real(b, "kd", per(l->kd, l->n_queries));
	}
	put_real(b, "lr", s->lr);
	put_real(b, "grad_norm", s->grad_norm);
	put_real(b, "pos_sim", per(l->pos_sim, l->n_queries));
	put_real(b, "neg_sim", per(l->neg_sim, l->n_with_neg));
	put_real(b, "first", per((double)l->n_first, l->n_queries));
	put_int(b, "queries", l->n_queries);
	put_int(b, "texts", s->sums->n_texts);
	put_int(b, "tokens", s->sums->n_tokens);
	put_int(b, "cut", s->sums->n_cut);
	put_int(b, "masked", l->n_masked);
	put_int(b, "unscored", l->n_unscored);
	put_real(b, "seconds", s->seconds);
	put_real(b, "tokens_per_s", rate(s));
	buf_adds(b, "}");
}

static bool put_events(const struct journal *r, const struct journal_step *s, struct err *err)
{
	const struct loss_sums *l = &s->sums->loss;
	const struct tf_scalar scalars[] = {
		{"train/loss", per(l->loss, l->n_queries)}, {"train/lr", s->lr},
		{"train/grad_norm", s->grad_norm}, {"train/pos_sim", per(l->pos_sim, l->n_queries)},
		{"train/first", per((double)l->n_first, l->n_queries)},
		{"train/tokens_per_s", rate(s)}, {"train/epoch", s->epoch},
		{"train/neg_sim", per(l->neg_sim, l->n_with_neg)}, /* last: not every step has it */
	};
	size_t n = ARRAY_LEN(scalars) - (l->n_with_neg == 0);
	return tfevents_add(r->events, s->done, scalars, n, err);
}

/* For the log: how far, how good, how long still. */
static void say(struct journal *r, const struct journal_step *s)
{
	double now = wall_seconds();
	bool is_edge = s->done == r->first_step + 1 || s->done == r->total_steps;
	if (!is_edge && now - r->last_line < LOG_SECONDS)
		return;
	r->last_line = now;
	double left = (now - r->started) / (double)(s->done - r->first_step) *
		(double)(r->total_steps - s->done);
	log_info("step %lld of %lld, epoch %.2f: loss %.4f, lr %.3g, %.0f tokens/s, %d:%02d left",
		(long long)s->done, (long long)r->total_steps, s->epoch, journal_loss(r), s->lr,
		rate(s), (int)(left / 60.0), (int)fmod(left, 60.0));
}

bool journal_step(struct journal *r, const struct journal_step *s, struct err *err)
{
	const struct loss_sums *l = &s->sums->loss;
	struct buf b = BUF_INIT;
	r->recent[r->n_losses++ % (int64_t)ARRAY_LEN(r->recent)] = per(l->loss, l->n_queries);
	put_step(&b, r, s);
	bool ok = rundir_metrics(r->run, buf_text(&b), err) && put_events(r, s, err);
	buf_release(&b);
	rundir_beat(r->run, s->done, r->total_steps);
	log_count(s->done, r->total_steps);
	say(r, s);
	return ok;
}

bool journal_eval(struct journal *r, int64_t done, double epoch, const struct train_eval *eval,
	struct err *err)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{");
	put_int(&b, "step", done);
	put_real(&b, "epoch", epoch);
	json_put_key(&b, "eval");
	buf_adds(&b, "{");
	for (size_t i = 0; i < eval->n; i++)
		put_real(&b, eval->scalar[i].tag, eval->scalar[i].value);
	buf_adds(&b, "}}");
	struct tf_scalar named[EVAL_SCALARS];
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < eval->n; i++)
		named[i] = (struct tf_scalar){
			arena_printf(&a, "eval/%s", eval->scalar[i].tag), eval->scalar[i].value};
	bool ok = rundir_metrics(r->run, buf_text(&b), err) &&
		tfevents_add(r->events, done, named, eval->n, err);
	arena_release(&a);
	buf_release(&b);
	return ok;
}

double journal_loss(const struct journal *r)
{
	int64_t n = r->n_losses, cap = (int64_t)ARRAY_LEN(r->recent);
	double sum = 0.0;
	n = n < cap ? n : cap;
	for (int64_t i = 0; i < n; i++)
		sum += r->recent[i];
	return per(sum, n);
}
