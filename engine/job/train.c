#include <stdio.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/parallel.h"
#include "job/training.h"
#include "store/rundir.h"

static void training_close(struct training *t)
{
	training_eval_close(t->eval);
	batcher_free(t->batcher);
	token_cache_close(t->tokens);
	prompts_close(&t->prompts);
	tokenizer_close(t->tokenizer);
	model_close(t->model);
	if (t->root)
		tn_close(t->root);
	rows_close(&t->rows);
	dataset_close(t->data);
	arena_release(&t->arena);
}

/* Cheap first: every bad row has been named before a model is touched. */
static bool open_data(struct training *t, struct err *err)
{
	const char *const *paths;
	size_t n = opts_list(t->o, "data", &paths);
	const struct dataset_options how = {
		.split = opts_str(t->o, "split"), .cache_dir = job_cache_dir(t->o, &t->arena)};
	t->data = dataset_open(paths, n, &how, err);
	return t->data && rows_open(t->data, &t->scanning, &t->rows, err);
}

static bool add_lora(struct training *t, struct err *err)
{
	const struct opts *o = t->o;
	if (!opts_flag(o, "lora"))
		return true;
	struct lora_options lora = {
		.r = opts_int(o, "lora-r"),
		.alpha = opts_int(o, "lora-alpha"),
		.dropout = opts_real(o, "lora-dropout"),
		.seed = t->opt.seed,
	};
	lora.n_targets = opts_list(o, "lora-targets", &lora.targets);
	return model_add_lora(t->model, &lora, err);
}

static bool open_model(struct training *t, struct err *err)
{
	const struct model_options how = {
		.use = MODEL_TRAIN,
		.dtype = t->encoding.dtype,
		.pooling = t->encoding.pooling,
		.prompts = t->encoding.prompts,
		.base = t->encoding.base,
		.attention = t->encoding.attention,
		.seed = t->opt.seed,
	};
	const char *dir = opts_str(t->o, "model");
	t->root = job_open_device(t->o, err);
	if (t->root)
		t->model = model_open(dir, t->root, &how, err);
	if (!t->model || !add_lora(t, err))
		return false;
	t->model_hash = model_hash(t->model);
	t->tokenizer = tokenizer_open(model_tokenizer_dir(t->model), err);
	struct prompts_options prompts = {
		t->encoding.query_prompt, t->encoding.passage_prompt, t->encoding.prompts};
	return t->tokenizer &&
		prompts_open_as(model_prompts_dir(t->model), &prompts, &t->prompts, err) &&
		prompts_close_texts(&t->prompts, t->tokenizer, err);
}

/* Ids of texts that this or any earlier run has met, for every epoch. */
static bool open_tokens(struct training *t, struct err *err)
{
	const char *dir = job_cache_dir(t->o, &t->arena);
	int threads = t->batching.threads > 0 ? t->batching.threads : cpu_count();
	if (!dir)
		return true;
	t->batching.cache = t->tokens = token_cache_open(fs_join(&t->arena, dir, "tokens"),
		tokenizer_hash(t->tokenizer), TOKEN_CACHE_BYTES, threads, err);
	return t->tokens != NULL;
}

static bool prepare(struct training *t, struct err *err)
{
	if (!open_data(t, err) || !open_model(t, err) || !training_fit(t, err) ||
		!open_tokens(t, err))
		return false;
	t->batcher = batcher_new(&t->rows, t->tokenizer, &t->prompts, &t->batching);
	training_identify(t);
	return true;
}

static bool train_in(
	struct training *t, struct rundir *run, struct trainer_result *ret, struct err *err)
{
	if (!prepare(t, err) || !training_manifest(t, run, err))
		return false;
	struct trainer_parts parts = {
		.run = run,
		.root = t->root,
		.model = t->model,
		.rows = &t->rows,
		.batcher = t->batcher,
		.identity = t->identity,
		.n_identity = t->n_identity,
	};
	if (opts_has(t->o, "eval-data")) {
		parts.eval = training_eval_run;
		parts.eval_ctx = t->eval = training_eval_open(t, run, err);
		if (!t->eval)
			return false;
	}
	log_info("%zu rows, %lld steps, %s", t->rows.n, (long long)t->opt.total_steps,
		tn_describe(t->root));
	return trainer_run(&parts, &t->opt, opts_flag(t->o, "resume"), ret, err);
}

static bool train(struct training *t, struct err *err)
{
	const char *out = opts_str(t->o, "out");
	bool resume = opts_flag(t->o, "resume");
	if (resume && rundir_is_done(out)) {
		training_complete(t);
		return true;
	}
	struct rundir *run = resume ? rundir_resume(out, err) : rundir_create(out, err);
	if (!run)
		return false;
	struct trainer_result result;
	bool ok = train_in(t, run, &result, err);
	enum run_state state = ok ? RUN_DONE : err->code == ERR_STOPPED ? RUN_STOPPED : RUN_FAILED;
	rundir_close(run, state, ok ? NULL : err->text);
	if (ok)
		training_result(t, &result);
	return ok;
}

bool train_run(const struct opts *o, struct err *err)
{
	struct training t = {.o = o};
	bool ok = training_settings(&t, err) &&
		(opts_flag(o, "dry-run") ? prepare(&t, err) && training_plan(&t, err)
					 : train(&t, err));
	training_close(&t);
	return ok;
}
