#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job train_job = {"train", "", options, ""};
