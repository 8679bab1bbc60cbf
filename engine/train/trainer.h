/* trainer.h - in: a model that can learn, batches, a run directory; out: the trained model in it.
 *
 * A step = `accumulate` micro-batches of batch_size / accumulate queries, each with its own in-batch
 * negatives; the gradient is that of the mean loss over all queries of the step (as transformers
 * with gradient_accumulation_steps). The last step of an epoch takes what is left.
 *
 * Everything random follows from (seed, epoch, row) or (seed, step, micro-batch): a run that is
 * killed and resumed ends with the same bits on a CPU with the same number of threads. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/model.h"
#include "store/rundir.h"
#include "train/batch.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/optim.h"
#include "train/schedule.h"
#include "train/tfevents.h"

struct trainer_options {
	uint64_t seed;
	int64_t batch_size, accumulate; /* accumulate divides batch_size */
	int64_t total_steps;
	double dropout; /* < 0: the model's own */
	struct schedule schedule; /* its total is total_steps */
	struct optim_options optim;
	struct loss_options loss;
	int64_t eval_steps, save_steps; /* 0: never by count */
	double save_minutes; /* a checkpoint at least this often; 0: never by time */
	size_t keep; /* checkpoints that stay; 0 = all */
	const char *dump_gradients; /* file for the first step's gradients; NULL = none */
	bool writes_adapter; /* LoRA: adapter/ beside model/ */
};

/* What an evaluation found: figures by name ("ndcg@10"). */
#define EVAL_SCALARS 16
struct train_eval {
	struct tf_scalar scalar[EVAL_SCALARS]; /* names are borrowed, and live as long as the run */
	size_t n;
};
/* Evaluates the model as it is after `step` steps; 0: as it came, before the first. */
typedef bool (*train_eval_fn)(void *ctx, int64_t step, struct train_eval *ret, struct err *err);

/* All borrowed. */
struct trainer_parts {
	struct rundir *run;
	tn_scope *root;
	struct model *model; /* opened for training, adapters added */
	const struct rows *rows;
	struct batcher *batcher;
	const struct identity *identity; /* see checkpoint.h */
	size_t n_identity;
	train_eval_fn eval; /* NULL: no evaluation */
	void *eval_ctx;
};

struct trainer_result {
	int64_t steps, first_step; /* first_step: where this process began, > 0 when resumed */
	double epochs;
	double loss; /* mean of the last steps, at most 50 */
	int64_t n_tokens; /* of this process */
	double seconds;
	int64_t n_cut, n_unscored; /* texts longer than their limit, queries without scores */
	struct train_eval eval; /* the last one; n 0: none */
};

/* Trains to the end. resume: from the newest complete checkpoint of the run, if there is one.
 * SIGINT and SIGTERM: the step is finished, a checkpoint and the model are saved, ERR_STOPPED.
 * A loss or gradient that is not finite: ERR_FAILED that names the rows and the last checkpoint;
 * nothing of that step is kept. */
bool trainer_run(const struct trainer_parts *parts, const struct trainer_options *opt, bool resume,
	struct trainer_result *ret, struct err *err) MUST_CHECK;

#endif
