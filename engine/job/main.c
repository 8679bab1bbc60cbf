/* vecsmith-job COMMAND ...: the program that holds the engine. The front door (tui/main.c) starts
 * it. */
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "job/common.h"
#include "job/jobs.h"
#include "store/job_record.h"

static const struct {
	const struct job *job;
	job_run_fn run;
} runs[] = {
	{&inspect_job, inspect_run},
	{&tokenize_job, tokenize_run},
	{&encode_job, encode_run},
	{&search_job, search_run},
	{&mine_job, mine_run},
	{&score_job, score_run},
	{&export_job, export_run},
	{&train_job, train_run},
	{&eval_job, eval_run},
	{&compare_job, compare_run},
	{&metrics_job, metrics_run},
	{&model_job, model_run},
	{&doctor_job, doctor_run},
};

/* Set when the workbench started us: see job_record.h. */
static struct job_record *record;

static void tell_progress(int64_t done, int64_t total)
{
	job_record_progress(record, done, total);
}

static int exit_status(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_DATA:
		return 3;
	case ERR_STOPPED:
		return 128 + stop_requested();
	case ERR_FAILED:
		break;
	}
	return 1;
}

static bool run_job(size_t i, int argc, char *const *argv, struct err *err)
{
	struct opts *o = opts_parse(runs[i].job, argc, argv, err);
	if (!o)
		return false;
	enum log_level level = LOG_LEVEL_INFO;
	log_level_parse(opts_str(o, "log-level"), &level);
	log_to(stderr, level);
	bool ok = true;
	if (opts_help_asked(o)) {
		struct buf help = BUF_INIT;
		opts_help(runs[i].job, &help);
		fputs(help.data, stdout);
		buf_release(&help);
	} else {
		ok = runs[i].run(o, err);
	}
	opts_free(o);
	return ok;
}

/* Every training step frees and takes the same hundreds of megabytes. Given back in between, each
 * page of them would be zeroed by the kernel again: a tenth of the step's time. */
static void keep_freed_memory(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_TOP_PAD, 64 << 20);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	keep_freed_memory();
	setlocale(LC_CTYPE, "");
	signals_install();
	log_to(stderr, LOG_LEVEL_INFO);
	if (getenv("VECSMITH_JOB")) {
		record = job_record_begin(getenv("VECSMITH_JOB"));
		log_watch(tell_progress);
	}
	size_t i = 0;
	while (argc > 1 && i < ARRAY_LEN(runs) && strcmp(runs[i].job->name, argv[1]) != 0)
		i++;
	if (argc < 2 || i == ARRAY_LEN(runs))
		err_set(&err, ERR_USAGE, "%s is no command; `vecsmith --help` lists them",
			argc > 1 ? argv[1] : "nothing");
	else
		run_job(i, argc - 1, argv + 1, &err);
	log_progress_end();
	if (err.code == ERR_NONE && fflush(stdout) != 0)
		err_errno(&err, "cannot write the result");
	if (err.code != ERR_NONE)
		log_error("%s", err.text);
	log_watch(NULL);
	job_record_end(record, exit_status(err.code), err.text);
	return exit_status(err.code);
}
