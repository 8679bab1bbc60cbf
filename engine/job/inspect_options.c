#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job inspect_job = {"inspect", "", options, ""};
