/* tfevents.h - in: scalars by step; out: an event file that TensorBoard reads.
 *
 * The file is a row of TFRecords (length u64, masked CRC32C of it, payload, masked CRC32C of it;
 * all little endian) whose payloads are tensorflow.Event messages
 * (tensorflow/core/util/event.proto), written by hand: wall_time = 1, step = 2, file_version = 3,
 * summary = 5, session_log = 7. A resumed run begins a file of its own, with a SessionLog START
 * that makes TensorBoard forget what the killed run wrote at later steps. Each record is one write;
 * nothing waits for the disk. */
#ifndef TRAIN_TFEVENTS_H
#define TRAIN_TFEVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tfevents;
/* Makes dir/events.out.tfevents.TIME.HOST.PID. first_step > 0: a resumed run goes on from there. */
struct tfevents *tfevents_open(const char *dir, int64_t first_step, struct err *err) MUST_CHECK;
void tfevents_close(struct tfevents *t);

struct tf_scalar {
	const char *tag; /* "train/loss" */
	double value;
};
bool tfevents_add(struct tfevents *t, int64_t step, const struct tf_scalar *scalars, size_t n,
	struct err *err) MUST_CHECK;

/* CRC-32C (Castagnoli, RFC 3720 B.4): 0xe3069283 for "123456789". */
uint32_t crc32c(const void *data, size_t len);

#endif
