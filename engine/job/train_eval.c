#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "eval/retrieve.h"
#include "job/training.h"

struct training_eval {
	struct training *t;
	struct rundir *run;
	struct beir beir;
	struct encoder *encoder;
	struct metric_spec *specs;
	size_t n_specs;
};

struct training_eval *training_eval_open(struct training *t, struct rundir *run, struct err *err)
{
	static const size_t ks[] = {10, 100};
	struct training_eval *e = xcalloc(1, sizeof *e);
	e->t = t;
	e->run = run;
	if (!fs_mkdirs(rundir_file(run, "eval"), err) ||
		!beir_open(
			opts_str(t->o, "eval-data"), opts_str(t->o, "eval-split"), &e->beir, err)) {
		free(e);
		return NULL;
	}
	e->encoder = encoder_around(t->model, t->tokenizer, &t->prompts, t->root, &t->encoding);
	e->specs = metric_specs(ks, ARRAY_LEN(ks), &e->n_specs);
	return e;
}

void training_eval_close(struct training_eval *e)
{
	if (!e)
		return;
	encoder_close(e->encoder);
	beir_close(&e->beir);
	free(e->specs);
	free(e);
}

/* eval/step-N.json, as `eval --json` writes a set. */
static bool keep(struct training_eval *e, const char *name, const struct report *r, struct err *err)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{");
	report_put_json(r, &b);
	buf_adds(&b, "}\n");
	bool ok = fs_write_atomic(rundir_file(e->run, name), b.data, b.len, err);
	buf_release(&b);
	return ok;
}

bool training_eval_run(void *ctx, int64_t step, struct train_eval *ret, struct err *err)
{
	struct training_eval *e = ctx;
	struct report r;
	char name[64];
	const char *set = opts_str(e->t->o, "eval-data");
	snprintf(name, sizeof name, "eval/step-%lld.run", (long long)step);
	const struct retrieve_options how = {
		.search = {.threads = job_threads(e->t->o)},
		.specs = e->specs,
		.n_specs = e->n_specs,
		.run_path = rundir_file(e->run, name),
		.seed = e->t->opt.seed,
	};
	if (!retrieve(e->encoder, &e->beir, set, &how, &r, NULL, err))
		return false;
	ret->n = 0;
	for (size_t m = 0; m < e->n_specs && ret->n < EVAL_SCALARS; m++)
		ret->scalar[ret->n++] = (struct tf_scalar){e->specs[m].name, r.values[m]};
	snprintf(name, sizeof name, "eval/step-%lld.json", (long long)step);
	bool ok = keep(e, name, &r, err);
	log_info("step %lld: ndcg@10 %.4f, recall@100 %.4f on %s", (long long)step,
		report_value(&r, "ndcg@10"), report_value(&r, "recall@100"), set);
	report_release(&r);
	return ok;
}
