#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job tokenize_job = {"tokenize", "", options, ""};
