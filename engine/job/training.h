/* training.h - what the files of the train command share: from options to a trainer's parts. */
#ifndef JOB_TRAINING_H
#define JOB_TRAINING_H

#include "data/dataset.h"
#include "job/common.h"
#include "model/prompts.h"
#include "text/tokenizer.h"
#include "train/step.h"
#include "train/trainer.h"

struct training_eval;

/* Everything that one `train` holds; freed by training_close(). */
struct training {
	const struct opts *o;
	struct arena arena; /* strings and lists that the options need */
	struct dataset *data;
	struct rows rows;
	tn_scope *root;
	struct model *model;
	struct tokenizer *tokenizer;
	struct prompts prompts;
	struct token_cache *tokens; /* NULL with --no-cache */
	struct batcher *batcher;
	struct training_eval *eval; /* NULL: none was asked for */
	struct encoder_options encoding; /* of evaluations; its limits are training's too */
	struct rows_options scanning;
	struct batch_options batching;
	struct trainer_options opt;
	struct identity *identity;
	size_t n_identity;
	struct hash128 model_hash;
};

/* train_settings.c: options that make no sense together are refused before anything is opened. */
bool training_settings(struct training *t, struct err *err) MUST_CHECK;
/* What depends on the data and the model: steps, limits, dimensions. */
bool training_fit(struct training *t, struct err *err) MUST_CHECK;
/* What a resumed run must agree with: data, model, and every option that changes the result. */
void training_identify(struct training *t);

/* train_plan.c: what would run, from a sample of the data. */
bool training_plan(struct training *t, struct err *err) MUST_CHECK;

/* train_result.c */
bool training_manifest(struct training *t, struct rundir *run, struct err *err) MUST_CHECK;
void training_result(const struct training *t, const struct trainer_result *r);
void training_complete(const struct training *t); /* --resume of a run that is done */

/* train_eval.c: the model in training, measured on a BEIR folder. */
/* Opens --eval-data. Borrows t, and keeps the names of the figures it finds until it is closed. */
struct training_eval *training_eval_open(
	struct training *t, struct rundir *run, struct err *err) MUST_CHECK;
void training_eval_close(struct training_eval *e);
bool training_eval_run(void *e, int64_t step, struct train_eval *ret, struct err *err);

#endif
