#include "eval/trec.h"

#include <stdlib.h>

#include "job/figures.h"

static void put_json(const struct opts *o, const struct report *r)
{
	struct buf b = BUF_INIT;
	buf_addch(&b, '{');
	json_put_key(&b, "qrels");
	json_put_str(&b, opts_str(o, "qrels"));
	json_put_key(&b, "run");
	json_put_str(&b, opts_str(o, "run"));
	report_put_json(r, &b);
	buf_addch(&b, '}');
	puts(b.data);
	buf_release(&b);
}

bool metrics_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct trec t = TREC_INIT;
	struct trec_options opt = {opts_flag(o, "complete"), (int32_t)opts_int(o, "level"),
		opts_has(o, "max-docs") ? (size_t)opts_int(o, "max-docs") : 0,
		(uint64_t)opts_int(o, "seed")};
	const char *run = opts_str(o, "run");
	size_t n;
	struct metric_spec *specs = figures_specs(o, &n, err);
	bool ok = specs && trec_read_qrels(&t, opts_str(o, "qrels"), err) &&
		trec_read_run(&t, run, err);
	if (ok) {
		const int64_t unknown = -1;
		struct report r;
		trec_measure(&t, job_leaf(&a, run), specs, n, &opt, &r);
		if (r.n_queries == 0)
			ok = err_set(err, ERR_DATA,
				"no query of %s is judged in %s: are the query ids of one kind?",
				run, opts_str(o, "qrels"));
		else if (opts_flag(o, "json"))
			put_json(o, &r);
		else
			figures_print(&r, &unknown, 1);
		report_release(&r);
	}
	free(specs);
	trec_release(&t);
	arena_release(&a);
	return ok;
}
