/* partial.h - private to mine/: raw scores by content, in memory and in a file that only grows.
 *
 * The file's first line says by whom ({"format":1,"judge":HASH}); then one line a score: the hash
 * of the pair and the number. A file by another judge is begun anew. */
#ifndef MINE_PARTIAL_H
#define MINE_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "mine/judge.h"

struct partial;
struct partial *partial_open(const char *path, struct hash128 judge, struct err *err) MUST_CHECK;
void partial_close(struct partial *p);
bool partial_remove(struct partial *p, struct err *err) MUST_CHECK; /* closes it too */
size_t partial_count(const struct partial *p);
bool partial_get(const struct partial *p, const struct judge_pair *pair, float *ret);
/* One write: after a crash all n are there, or the first few. */
bool partial_add(struct partial *p, const struct judge_pair *pairs, const size_t *which,
	const float *raw, size_t n, struct err *err) MUST_CHECK;

#endif
