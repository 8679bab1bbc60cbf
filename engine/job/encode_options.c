#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job encode_job = {"encode", "", options, ""};
