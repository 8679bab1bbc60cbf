#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job compare_job = {"compare", "", options, ""};
