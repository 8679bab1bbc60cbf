#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job doctor_job = {"doctor", "", options, ""};
