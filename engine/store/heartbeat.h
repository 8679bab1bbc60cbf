/* heartbeat.h - in: where a job is; out: a small file that tells others whether it still goes on.
 *
 * {"format":1,"state":"running","pid":..,"start":..,"boot":"..","host":"..","time":..,"step":..,
 * "total":..}: start is the process' start in clock ticks since the boot that `boot` names, so that
 * a pid that the system gave away again is not taken for ours. A thread rewrites the file every few
 * seconds also while the job is in one long call; `time` is of the beat, `step_time` of the last
 * change of step (both seconds since 1970). A beat that cannot be written is logged once and does
 * not end the job. */
#ifndef STORE_HEARTBEAT_H
#define STORE_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What a heartbeat says. A RUNNING one whose process is gone belongs to a job that died. */
enum run_state { RUN_RUNNING, RUN_DONE, RUN_STOPPED, RUN_FAILED };

struct heartbeat;
/* Writes the first beat at once: a folder where that fails is of no use. path is copied. */
struct heartbeat *heartbeat_start(const char *path, struct err *err) MUST_CHECK;
void heartbeat_set(struct heartbeat *h, int64_t step, int64_t total); /* total 0: unknown */
void heartbeat_end(struct heartbeat *h, enum run_state state); /* the last beat; frees h */

/* Whether the file's process still lives. From another machine: whether it beat in the last minute.
 * *ret_pid (may be NULL) is set when true. */
bool heartbeat_is_alive(const char *path, int64_t *ret_pid);
bool heartbeat_is_done(const char *path); /* ended with RUN_DONE */

#endif
