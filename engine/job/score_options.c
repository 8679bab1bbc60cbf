#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job score_job = {"score", "", options, ""};
