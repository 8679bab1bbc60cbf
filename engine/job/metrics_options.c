#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job metrics_job = {"metrics", "", options, ""};
