/* job_record.h - in: a folder that the workbench made for a job; out: what became of the job, for whoever looks later.
 *
 * `vecsmith COMMAND` with VECSMITH_JOB=FOLDER in its environment keeps FOLDER/heartbeat while it lives and leaves
 * FOLDER/result.json when it ends: {"format":1,"status":0,"error":"","seconds":12.5}. Its stdout and stderr are FOLDER/out.txt
 * and FOLDER/log.txt, which the workbench opened for it; FOLDER/job.json says what was started:
 * {"format":1,"command":["mine","--in",...],"started_ms":...,"run":"DIR of --out, for train","out":"FILE of --out, for the
 * others"}, paths absolute. How far a training is, its run directory's heartbeat knows. */
#ifndef STORE_JOB_RECORD_H
#define STORE_JOB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The job's side. A folder that cannot be written is a warning: the job itself matters more. */
struct job_record;
struct job_record *job_record_begin(const char *folder);
void job_record_progress(struct job_record *r, int64_t done, int64_t total);
void job_record_end(struct job_record *r, int status, const char *error); /* frees r */

/* The reader's side. */
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_STALE, JOB_DEAD, JOB_FAILED, JOB_STOPPED, JOB_DONE };
const char *job_state_name(enum job_state s); /* "RUNNING" ... */

struct job_status {
	enum job_state state;
	int64_t pid; /* of the last heartbeat; 0 = none yet */
	int64_t done, total; /* total 0 = unknown */
	int64_t started_ms; /* since 1970 */
	double seconds; /* it took, or has taken so far */
	int64_t quiet_s; /* since the last heartbeat */
	int status; /* exit status when it ended */
	char command[2000]; /* as it would be typed */
	char run[1000]; /* the run directory of a training, else "" */
	char out[1000]; /* the file that the job writes, else "" */
	char error[1000];
};
/* Judged by pid, its start time and the heartbeat together. False: no job's folder. */
bool job_record_read(const char *folder, struct job_status *ret, struct err *err) MUST_CHECK;

#endif
