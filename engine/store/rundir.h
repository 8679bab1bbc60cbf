/* rundir.h - in: what a job did; out: the folder that tells it to everyone else.
 *
 *	manifest.json   what was asked for and on what, one object (written once, atomically)
 *	metrics.jsonl   one object a step; grows by whole lines
 *	log.txt         every log line
 *	heartbeat       pid, its start time, state, step; rewritten every few seconds
 *	checkpoints/step-N/   complete or absent
 *	crash.txt       only after a crash
 *
 * The workbench and `jobs` read these files and nothing else: whoever may die at any moment leaves
 * a folder that can still be judged and gone on with. This layer knows paths and JSON; what stands
 * in a checkpoint is its owner's business.
 *
 * Threads: one thread uses a struct rundir; a thread of its own writes the heartbeat. */
#ifndef STORE_RUNDIR_H
#define STORE_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/heartbeat.h"

struct rundir;

/* Begins a run in `path`, which is made. A folder that holds a run already (a manifest) is refused:
 * ERR_USAGE; what a run left that failed before its manifest is not in the way.
 * From here on the log goes to log.txt too and a crash to crash.txt. */
struct rundir *rundir_create(const char *path, struct err *err) MUST_CHECK;
/* Goes on with the run in `path`, or begins one when there is none. A run whose process still lives
 * is refused. */
struct rundir *rundir_resume(const char *path, struct err *err) MUST_CHECK;
bool rundir_is_done(const char *path); /* its last heartbeat said so */
/* Writes the last heartbeat and ends the log's second sink. last_words: why it ended, for log.txt
 * alone (whoever started the job tells it on stderr); NULL = nothing to say. */
void rundir_close(struct rundir *r, enum run_state state, const char *last_words);

const char *rundir_path(const struct rundir *r);
/* path/name, living as long as r. */
const char *rundir_file(struct rundir *r, const char *name);
bool rundir_manifest(struct rundir *r, struct text object, struct err *err) MUST_CHECK;
/* One object, without its line feed. */
bool rundir_metrics(struct rundir *r, struct text line, struct err *err) MUST_CHECK;
/* Drops the lines whose `step` is larger: a resumed run writes them again. Call before the first
 * rundir_metrics(). */
bool rundir_rewind_metrics(struct rundir *r, int64_t step, struct err *err) MUST_CHECK;
/* Whether a line of that step is there and has a value under key. */
bool rundir_has_metrics(struct rundir *r, int64_t step, const char *key);
/* Makes the lines written so far durable. */
bool rundir_sync_metrics(struct rundir *r, struct err *err) MUST_CHECK;
/* What the next heartbeat says; cheap. total 0: unknown. */
void rundir_beat(struct rundir *r, int64_t step, int64_t total);

/* Checkpoints. A folder step-N that is not published does not count; what a crash left half-made is
 * removed by the next rundir_checkpoint_begin(). */
/* The newest complete one: its folder (living as long as r) and step. False: there is none. */
bool rundir_checkpoint_newest(struct rundir *r, const char **ret_dir, int64_t *ret_step);
/* An empty folder to fill, living as long as r; then publish it. */
const char *rundir_checkpoint_begin(struct rundir *r, int64_t step, struct err *err) MUST_CHECK;
bool rundir_checkpoint_publish(struct rundir *r, int64_t step, struct err *err) MUST_CHECK;
/* Removes the oldest complete ones until `keep` are left; 0 keeps all. */
bool rundir_checkpoint_prune(struct rundir *r, size_t keep, struct err *err) MUST_CHECK;

/* A folder of the run that is replaced as a whole, such as model/: begin gives an empty folder to
 * fill (living as long as r), publish puts it in place. */
const char *rundir_folder_begin(struct rundir *r, const char *name, struct err *err) MUST_CHECK;
bool rundir_folder_publish(struct rundir *r, const char *name, struct err *err) MUST_CHECK;

#endif
