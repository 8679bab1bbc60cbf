#include "job/jobs.h"

static const struct option options[] = {
	{.name = NULL},
};

const struct job doctor_job = {"doctor", "what this machine has, what it lacks, and what to type",
	options, "  vecsmith doctor\n"};
