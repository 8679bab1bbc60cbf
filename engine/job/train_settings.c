#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "job/training.h"

static int64_t int_or(const struct opts *o, const char *name, int64_t otherwise)
{
	return opts_has(o, name) ? opts_int(o, name) : otherwise;
}

static bool must_be_positive(const struct opts *o, const char *name, struct err *err)
{
	return opts_real(o, name) > 0.0 ||
		err_set(err, ERR_USAGE, "--%s is %g, expected more than 0", name,
			opts_real(o, name));
}

static bool parse_number(const char *name, const char *s, double *ret, struct err *err)
{
	char *end;
	errno = 0;
	double v = strtod(s, &end);
	if (end == s || *end != 0 || errno != 0 || !(v >= 0.0 && v < 1e9))
		return err_set(err, ERR_USAGE, "--%s holds \"%s\", expected numbers", name, s);
	*ret = v;
	return true;
}

static bool matryoshka(struct training *t, struct err *err)
{
	const char *const *dims, *const *weights;
	struct loss_options *l = &t->opt.loss;
	size_t n = opts_list(t->o, "mrl-dims", &dims);
	size_t n_weights = opts_list(t->o, "mrl-weights", &weights);
	int64_t *dim = arena_alloc(&t->arena, n * sizeof *dim);
	double *weight = arena_alloc(&t->arena, n_weights * sizeof *weight);
	if (n_weights > 0 && n_weights != n)
		return err_set(err, ERR_USAGE,
			"--mrl-weights has %zu numbers and --mrl-dims %zu, expected one for each",
			n_weights, n);
	for (size_t i = 0; i < n; i++) {
		double v = 0;
		if (!parse_number("mrl-dims", dims[i], &v, err))
			return false;
		dim[i] = (int64_t)v;
		if (dim[i] < 1 || (double)dim[i] != v)
			return err_set(err, ERR_USAGE,
				"--mrl-dims holds %s, expected whole numbers", dims[i]);
	}
	for (size_t i = 0; i < n_weights; i++)
		if (!parse_number("mrl-weights", weights[i], &weight[i], err))
			return false;
	l->mrl_dims = dim;
	l->mrl_weights = n_weights > 0 ? weight : NULL;
	l->n_mrl = n;
	return true;
}

static bool loss_settings(struct training *t, struct err *err)
{
	const struct opts *o = t->o;
	struct loss_options *l = &t->opt.loss;
	if (!must_be_positive(o, "temperature", err) ||
		!must_be_positive(o, "teacher-temperature", err))
		return false;
	*l = (struct loss_options){
		.in_batch = !opts_flag(o, "no-in-batch-negatives"),
		.temperature = opts_real(o, "temperature"),
		.teacher_temperature = opts_real(o, "teacher-temperature"),
		.kd_alpha = opts_real(o, "kd-alpha"),
	};
	loss_parse(opts_str(o, "loss"), &l->kind); /* the table allows known names only */
	if (l->kind == LOSS_INFONCE && opts_given(o, "teacher"))
		log_warn("--teacher has no effect on --loss infonce; did you mean --loss kl_div?");
	return matryoshka(t, err);
}

static bool batch_settings(struct training *t, struct err *err)
{
	const struct opts *o = t->o;
	struct trainer_options *opt = &t->opt;
	bool compat = opts_has(o, "compat");
	opt->batch_size = opts_int(o, "batch-size");
	opt->accumulate = opts_int(o, "accumulate");
	if (opt->batch_size % opt->accumulate != 0)
		return err_set(err, ERR_USAGE,
			"--batch-size %lld cannot be cut into --accumulate %lld equal parts",
			(long long)opt->batch_size, (long long)opt->accumulate);
	t->batching = (struct batch_options){
		.draw = {.group_size = opts_int(o, "group-size"),
			.shuffle = !opts_flag(o, "no-shuffle"),
			.seed = opt->seed,
			.wants_scores = opt->loss.kind != LOSS_INFONCE,
			.teacher = opts_str(o, "teacher")},
		.no_truncation = opts_flag(o, "no-truncation"),
		.threads = job_threads(o),
	};
	fill_parse(compat && !opts_given(o, "fill-negatives") ? "repeat"
							      : opts_str(o, "fill-negatives"),
		&t->batching.draw.fill);
	mask_parse(
		compat && !opts_given(o, "mask") ? "none" : opts_str(o, "mask"), &t->batching.mask);
	bool alone = !opt->loss.in_batch || opt->batch_size == opt->accumulate;
	if (alone && t->batching.draw.group_size == 1)
		return err_set(err, ERR_USAGE,
			"with --group-size 1 and no other query in the batch there is nothing to "
			"tell a positive from: the loss would always be 0");
	return true;
}

static void optimiser_settings(struct training *t)
{
	const struct opts *o = t->o;
	struct trainer_options *opt = &t->opt;
	opt->optim = (struct optim_options)OPTIM_OPTIONS_INIT;
	opt->optim.weight_decay = opts_real(o, "weight-decay");
	opt->optim.clip = opts_real(o, "clip");
	schedule_parse(opts_str(o, "scheduler"), &opt->schedule.kind);
	opt->schedule.lr = opts_has(o, "lr") ? opts_real(o, "lr")
		: opts_flag(o, "lora")       ? 1e-4
					     : 2e-5;
}

bool training_settings(struct training *t, struct err *err)
{
	const struct opts *o = t->o;
	t->opt = (struct trainer_options){
		.seed = (uint64_t)opts_int(o, "seed"),
		.dropout = opts_has(o, "dropout") ? opts_real(o, "dropout") : -1.0,
		.eval_steps = int_or(o, "eval-steps", 0),
		.save_steps = int_or(o, "save-steps", 0),
		.save_minutes = opts_real(o, "save-minutes"),
		.keep = (size_t)opts_int(o, "keep-checkpoints"),
		.dump_gradients = opts_str(o, "dump-gradients"),
		.writes_adapter = opts_flag(o, "lora"),
	};
	job_encoder_options(o, &t->arena, &t->encoding);
	if (t->opt.dump_gradients && t->encoding.dtype == MODEL_AUTO)
		t->encoding.dtype = MODEL_F32;
	optimiser_settings(t);
	if (!loss_settings(t, err) || !batch_settings(t, err))
		return false;
	if (t->opt.eval_steps > 0 && !opts_has(o, "eval-data"))
		return err_set(err, ERR_USAGE, "--eval-steps needs --eval-data DIR");
	if (!opts_has(o, "max-steps") && !(opts_real(o, "epochs") > 0.0))
		return err_set(err, ERR_USAGE, "--epochs is %g, expected more than 0",
			opts_real(o, "epochs"));
	t->scanning = (struct rows_options){
		.threads = job_threads(o),
		.strict = opts_flag(o, "strict"),
		.wants_negatives = t->batching.draw.group_size > 1,
		.wants_known = t->batching.mask == MASK_KNOWN,
	};
	return true;
}

/* Tokens that a text of one role may have. */
static size_t limit(const struct training *t, int64_t own)
{
	int64_t asked = own > 0 ? own : t->encoding.max_length;
	int64_t most = model_positions(t->model);
	if (asked <= 0)
		return (size_t)model_max_length(t->model);
	return (size_t)(asked < most ? asked : most);
}

static int64_t steps_of(const struct training *t)
{
	if (opts_has(t->o, "max-steps"))
		return opts_int(t->o, "max-steps");
	double steps = opts_real(t->o, "epochs") *
		(double)steps_per_epoch((int64_t)t->rows.n, t->opt.batch_size);
	int64_t whole = (int64_t)steps;
	return whole + ((double)whole < steps);
}

bool training_fit(struct training *t, struct err *err)
{
	const struct opts *o = t->o;
	const struct loss_options *l = &t->opt.loss;
	if (model_dim(t->model) == 0)
		return err_set(err, ERR_DATA,
			"%s is a reranker (it has a classification head), expected an embedding "
			"model",
			model_dir(t->model));
	for (size_t i = 0; i < l->n_mrl; i++)
		if (l->mrl_dims[i] > model_dim(t->model))
			return err_set(err, ERR_USAGE,
				"--mrl-dims holds %lld, the vectors have %lld dimensions",
				(long long)l->mrl_dims[i], (long long)model_dim(t->model));
	t->batching.query_max_length = limit(t, t->encoding.query_max_length);
	t->batching.passage_max_length = limit(t, t->encoding.passage_max_length);
	t->opt.total_steps = t->opt.schedule.total = steps_of(t);
	t->opt.schedule.warmup = opts_has(o, "warmup-steps")
		? opts_int(o, "warmup-steps")
		: schedule_warmup(opts_real(o, "warmup-ratio"), t->opt.total_steps);
	return true;
}
