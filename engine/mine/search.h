/* search.h - in: query and passage vectors; out: the k best passages of each query, exact, best
 * first.
 *
 * Ties are broken by the smaller id, so ids do not depend on tile size or threads. Memory beside
 * the inputs is O(tile). */
#ifndef MINE_SEARCH_H
#define MINE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hit {
	float score;
	int32_t id; /* -1: fewer than k passages */
};
struct search_options {
	int threads; /* 0 = cpu_count() */
	size_t tile; /* passages scored at a time; 0 = 16384 */
};

/* queries [nq, dim], passages [np, dim], row-major f32; inner product. ret_hits [nq, k]. */
bool search_exact(const float *queries, size_t nq, const float *passages, size_t np, size_t dim,
	size_t k, const struct search_options *opt, struct hit *ret_hits,
	struct err *err) MUST_CHECK;

/* A saved index, through faiss' C API: factory string as faiss has them ("Flat", "IVF64,Flat",
 * "SQ8"). */
bool index_build(const char *factory, const float *passages, size_t np, size_t dim,
	const char *path, struct err *err) MUST_CHECK;
bool index_search(const char *path, const float *queries, size_t nq, size_t dim, size_t k,
	struct hit *ret_hits, struct err *err) MUST_CHECK;

#endif
