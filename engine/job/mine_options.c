#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job mine_job = {"mine", "", options, ""};
