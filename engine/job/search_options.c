#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job search_job = {"search", "", options, ""};
