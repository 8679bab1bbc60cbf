#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int errnum;
} kinds[FAULT_KINDS] = {
	[FAULT_OPEN] = {"open", EMFILE},
	[FAULT_READ] = {"read", EIO},
	[FAULT_WRITE] = {"write", ENOSPC},
	[FAULT_FSYNC] = {"fsync", EIO},
	[FAULT_RENAME] = {"rename", ENOSPC},
	[FAULT_MEMORY] = {"memory", ENOMEM},
};

static struct {
	atomic_int state; /* 0 = environment not read yet, 1 = nothing asked, 2 = armed */
	enum fault kind;
	long at;
	bool kills;
	atomic_long seen;
} plan;

static void read_plan(void)
{
	const char *s = getenv("VECSMITH_FAULT");
	int state = 1;
	for (int k = 0; s && k < FAULT_KINDS; k++) {
		size_t len = strlen(kinds[k].name);
		if (strncmp(s, kinds[k].name, len) != 0 || s[len] != ':')
			continue;
		char *end;
		plan.kind = (enum fault)k;
		plan.at = strtol(s + len + 1, &end, 10);
		plan.kills = strcmp(end, ":kill") == 0;
		state = 2;
	}
	atomic_store(&plan.state, state);
}

void fault_reset(void)
{
	atomic_store(&plan.state, 0);
	atomic_store(&plan.seen, 0);
}

bool fault_hit(enum fault kind)
{
	int state = atomic_load(&plan.state);
	if (state == 1)
		return false;
	if (state == 0)
		read_plan();
	if (atomic_load(&plan.state) != 2 || kind != plan.kind ||
		atomic_fetch_add(&plan.seen, 1) + 1 != plan.at)
		return false;
	if (plan.kills)
		raise(SIGKILL);
	errno = kinds[kind].errnum;
	return true;
}
