#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job model_job = {"model", "", options, ""};
