/* vectors.h - in: content ids and vectors; out: the vector of a content id, in every later run.
 *
 * One file a space: a space is everything that decides a vector except the text (model hash, head,
 * pooling, prompt, length, dtype, kernel version). The file only grows; a record cut by a crash is
 * dropped on opening. Deleting it is safe. Two writers of one space: the second keeps its additions
 * to itself (a lock file decides). */
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
 * skipped. */
bool vectors_add(struct vectors *v, const struct hash128 *ids, const float *data, size_t n,
	struct err *err) MUST_CHECK;

#endif
