#include "job/jobs.h"

#include <string.h>

const struct job *const all_jobs[] = {
	&inspect_job,
	&tokenize_job,
	&encode_job,
	&search_job,
	&mine_job,
	&score_job,
	&export_job,
	&train_job,
	&eval_job,
	&compare_job,
	&metrics_job,
	&model_job,
	&doctor_job,
	NULL,
};

const struct job *job_find(const char *name)
{
	for (size_t i = 0; all_jobs[i]; i++)
		if (strcmp(all_jobs[i]->name, name) == 0)
			return all_jobs[i];
	return NULL;
}
