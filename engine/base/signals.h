/* signals.h - ends that are asked for, and ends that are not.
 *
 * SIGINT and SIGTERM set a flag; long loops read stop_requested() once a step, save what they have
 * and return ERR_STOPPED. A second SIGINT ends at once. SIGPIPE is ignored. SIGSEGV and its kin
 * write the signal, the last log line and a backtrace to stderr and to the crash file, then die by
 * the same signal. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>

void signals_install(void);
int stop_requested(void); /* 0, SIGINT or SIGTERM */
void signals_crash_file(const char *path); /* crash.txt of the run; NULL: none. Copied. */
/* False, with ERR_STOPPED set, when a stop was asked for. */
struct err;
bool stop_check(struct err *err);

#endif
