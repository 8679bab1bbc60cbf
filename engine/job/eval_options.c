#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job eval_job = {"eval", "", options, ""};
