/* vectors.h - in: content ids and vectors; out: the vector of a content id, in every later run.
 *
 * One file a space: a space is everything that decides a vector except the text (model hash, head,
 * pooling, prompt, length, dtype, kernel version). The file only grows; a record cut by a crash is
 * dropped on opening. Deleting it is safe. Two writers of one space: the second keeps its additions
 * to itself (a lock on the file decides; it ends with the process that holds it).
 *
 * The file: a head, then one block for each vectors_add(): head, ids, padding to 64 bytes, vectors.
 * A block is durable before the next one begins, so only the last can be torn, and opening reads
 * the ids alone. Numbers stand in the machine's byte order: a cache does not travel.
 *
 * Threads: lookups may run side by side, additions not. */
#ifndef STORE_VECTORS_H
#define STORE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct vectors;
/* dir is created when missing. */
struct vectors *vectors_open(
	const char *dir, struct hash128 space, size_t dim, struct err *err) MUST_CHECK;
void vectors_close(struct vectors *v);
size_t vectors_count(const struct vectors *v);
const float *vectors_get(const struct vectors *v,
	struct hash128 id); /* [dim], borrowed until close; NULL when absent */
/* Adds n vectors, [n, dim] row-major, and makes them durable in one flush. Ids that exist are
 * skipped. On failure (a full disk) nothing was added, and what was there stays readable. */
bool vectors_add(struct vectors *v, const struct hash128 *ids, const float *data, size_t n,
	struct err *err) MUST_CHECK;
/* False when another process writes this space, or the folder cannot be written: additions then
 * live in memory until close. */
bool vectors_is_durable(const struct vectors *v);

#endif
