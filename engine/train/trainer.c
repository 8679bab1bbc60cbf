#include "train/trainer.h"

#include <math.h>

#include "base/log.h"
#include "base/parallel.h"
#include "base/signals.h"
#include "train/journal.h"
#include "train/step.h"

struct trainer {
	const struct trainer_parts *parts;
	const struct trainer_options *opt;
	struct optim optim;
	struct journal journal;
	int64_t done; /* steps finished */
	int64_t saved; /* step of the newest checkpoint; -1: none */
	double last_save; /* wall seconds */
	struct trainer_result result;
};

/* How much of the data the finished steps have seen: 1.5 = once and a half. */
static double epochs_done(const struct trainer *t)
{
	int64_t n = (int64_t)t->parts->rows->n;
	if (t->done == 0)
		return 0.0;
	struct step_place last = step_place(t->done - 1, n, t->opt->batch_size);
	return (double)last.epoch + (double)(last.first + last.n) / (double)n;
}

static bool tensor_failure(const struct trainer *t, struct err *err)
{
	return err_set(err, ERR_FAILED, "step %lld: %s", (long long)(t->done + 1),
		tn_message(t->parts->root));
}

/* model/ and adapter/: what others load. Complete at every moment. */
static bool save_model(struct trainer *t, struct err *err)
{
	struct rundir *run = t->parts->run;
	struct model *m = t->parts->model;
	const char *dir = rundir_folder_begin(run, "model", err);
	if (!dir || !model_write(m, dir, err) || !rundir_folder_publish(run, "model", err))
		return false;
	if (!t->opt->writes_adapter)
		return true;
	dir = rundir_folder_begin(run, "adapter", err);
	return dir && model_write_adapter(m, dir, err) &&
		rundir_folder_publish(run, "adapter", err);
}

static bool save(struct trainer *t, struct err *err)
{
	const struct trainer_parts *p = t->parts;
	const struct progress at = {t->done, epochs_done(t)};
	const char *dir = rundir_checkpoint_begin(p->run, t->done, err);
	bool ok = dir && checkpoint_write(dir, &at, p->identity, p->n_identity, &t->optim, err) &&
		rundir_checkpoint_publish(p->run, t->done, err);
	if (!ok)
		return err_prefix(err, "the checkpoint of step %lld", (long long)t->done);
	t->saved = t->done;
	t->last_save = wall_seconds();
	log_info("checkpoint of step %lld saved", (long long)t->done);
	return rundir_checkpoint_prune(p->run, t->opt->keep, err) && save_model(t, err);
}

/* Puts the newest checkpoint in place, if there is one. */
static bool load(struct trainer *t, struct err *err)
{
	const struct trainer_parts *p = t->parts;
	const char *dir;
	int64_t step;
	struct progress at;
	if (!rundir_checkpoint_newest(p->run, &dir, &step)) {
		log_info("no checkpoint in %s yet: the run begins at its first step",
			rundir_path(p->run));
		return rundir_rewind_metrics(p->run, 0, err);
	}
	if (!checkpoint_check(dir, p->identity, p->n_identity, &at, err) ||
		!checkpoint_load(dir, &t->optim, err))
		return false;
	model_refresh(p->model);
	t->done = t->saved = t->optim.n_steps = at.step;
	log_info("going on from %s", dir);
	return rundir_rewind_metrics(p->run, at.step, err);
}

/* What the user can do about numbers that are none. */
static bool explain(const struct trainer *t, struct err *err)
{
	struct err why = *err;
	err_clear(err);
	if (t->saved < 0)
		return err_set(err, why.code,
			"%s; there is no checkpoint yet: look at these rows, or lower --lr",
			why.text);
	return err_set(err, why.code,
		"%s; the last good checkpoint is %s/checkpoints/step-%lld: look at these rows, or "
		"begin again from there with a lower --lr",
		why.text, rundir_path(t->parts->run), (long long)t->saved);
}

static bool bad_gradient(const struct trainer *t, const struct step_place *at, struct err *err)
{
	struct buf rows = BUF_INIT;
	if (step_rows(t->parts, t->opt, at, &rows, err))
		err_set(err, ERR_FAILED,
			"step %lld: the gradient is not finite; the rows of its batch are %s",
			(long long)(at->step + 1), rows.data);
	buf_release(&rows);
	return explain(t, err);
}

static bool one_step(struct trainer *t, struct err *err)
{
	const struct trainer_options *opt = t->opt;
	double begun = wall_seconds();
	struct step_place at = step_place(t->done, (int64_t)t->parts->rows->n, opt->batch_size);
	struct step_sums sums;
	if (!step_gradients(t->parts, opt, &at, &sums, err))
		return isfinite(sums.loss.loss) ? false : explain(t, err);
	if (t->done == 0 && opt->dump_gradients &&
		!model_write_gradients(t->parts->model, opt->dump_gradients, err))
		return false;
	double norm = optim_grad_norm(&t->optim);
	if (isnan(norm))
		return bad_gradient(t, &at, err);
	struct journal_step step = {.lr = schedule_lr(&opt->schedule, t->done), .grad_norm = norm};
	optim_step(&t->optim, step.lr, norm);
	model_refresh(t->parts->model);
	if (tn_status(t->parts->root) != TN_OK)
		return tensor_failure(t, err);
	step.done = ++t->done;
	step.epoch = epochs_done(t);
	step.seconds = wall_seconds() - begun;
	step.sums = &sums;
	t->result.n_tokens += sums.n_tokens;
	t->result.n_cut += sums.n_cut;
	t->result.n_unscored += sums.loss.n_unscored;
	return journal_step(&t->journal, &step, err);
}

static bool is_due(int64_t done, int64_t every)
{
	return every > 0 && done % every == 0;
}

/* Runs the evaluation; a stop in the middle of it is no failure. What was learnt so far outlives an
 * evaluation that fails. */
static bool evaluate(struct trainer *t, struct err *err)
{
	struct train_eval found = {.n = 0};
	struct err why = ERR_INIT;
	if (!t->parts->eval(t->parts->eval_ctx, t->done, &found, &why)) {
		if (why.code == ERR_STOPPED && stop_requested())
			return true;
		struct err ignored = ERR_INIT;
		if (t->done > 0 && !save(t, &ignored))
			log_error("%s", ignored.text);
		return err_set(err, why.code, "%s", why.text);
	}
	t->result.eval = found;
	return journal_eval(&t->journal, t->done, epochs_done(t), &found, err);
}

/* What training is measured against: the model as it came. A run that goes on knows it already. */
static bool evaluate_base(struct trainer *t, struct err *err)
{
	bool is_known = t->done > 0 || rundir_has_metrics(t->parts->run, 0, "eval");
	return !t->parts->eval || is_known || stop_requested() || evaluate(t, err);
}

static bool save_is_due(const struct trainer *t)
{
	const struct trainer_options *opt = t->opt;
	double limit = 60.0 * opt->save_minutes;
	return is_due(t->done, opt->save_steps) ||
		(limit > 0.0 && wall_seconds() - t->last_save > limit);
}

static bool stop(struct trainer *t, struct err *err)
{
	log_info("asked to stop: saving");
	if (t->saved != t->done && !save(t, err))
		return false;
	return stop_check(err);
}

static bool loop(struct trainer *t, struct err *err)
{
	const struct trainer_options *opt = t->opt;
	while (t->done < opt->total_steps) {
		if (stop_requested())
			return stop(t, err);
		if (!one_step(t, err))
			return false;
		bool is_last = t->done == opt->total_steps;
		if (t->parts->eval && (is_last || is_due(t->done, opt->eval_steps)) &&
			!evaluate(t, err))
			return false;
		if (!is_last && save_is_due(t) && !save(t, err))
			return false;
	}
	return save_model(t, err);
}

bool trainer_run(const struct trainer_parts *parts, const struct trainer_options *opt, bool resume,
	struct trainer_result *ret, struct err *err)
{
	struct trainer t = {.parts = parts, .opt = opt, .saved = -1, .last_save = wall_seconds()};
	const struct trained *trained;
	size_t n = model_trained(parts->model, &trained);
	double begun = wall_seconds();
	optim_init(&t.optim, parts->root, trained, n, &opt->optim);
	bool ok = tn_status(parts->root) == TN_OK || tensor_failure(&t, err);
	ok = ok && (!resume || load(&t, err));
	t.result.first_step = t.done;
	ok = ok && journal_open(&t.journal, parts, opt, t.done, err) && evaluate_base(&t, err) &&
		loop(&t, err);
	t.result.steps = t.done;
	t.result.epochs = epochs_done(&t);
	t.result.loss = journal_loss(&t.journal);
	t.result.seconds = wall_seconds() - begun;
	journal_close(&t.journal);
	optim_release(&t.optim);
	*ret = t.result;
	return ok;
}
