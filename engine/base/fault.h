/* fault.h - failure on request, so that tests can see what a failing call costs.
 *
 * VECSMITH_FAULT=KIND:N makes the N-th call of KIND (counted from 1) fail in this process, with
 * ENOSPC for writes, EIO for reads and syncs, ENOMEM for memory, or kills the process with SIGKILL
 * when the value ends in `:kill`. Example: VECSMITH_FAULT=fsync:3, VECSMITH_FAULT=rename:1:kill. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

enum fault {
	FAULT_OPEN,
	FAULT_READ,
	FAULT_WRITE,
	FAULT_FSYNC,
	FAULT_RENAME,
	FAULT_MEMORY,
	FAULT_KINDS
};

/* True when this call must fail now; errno is set. Cheap when nothing is asked. */
bool fault_hit(enum fault kind);
/* Reads VECSMITH_FAULT again and restarts the counts (tests). */
void fault_reset(void);

#endif
