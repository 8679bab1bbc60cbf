/* search.h - in: query and passage vectors; out: the k best passages of each query, exact, best
 * first.
 *
 * A tile of scores is one matrix product, whose last bits depend on its shape, the CPU and the
 * number of threads. It only proposes: what could be among the k best within the product's error
 * bound is scored again by search_dot(), in a fixed order of additions, and that score decides and
 * is returned. Ties go to the smaller id. So ids and scores are the same for any tile size, any
 * number of threads, and any CPU. Memory beside the inputs and the result is O(tile) a thread. */
#ifndef MINE_SEARCH_H
#define MINE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hit {
	float score;
	int32_t id; /* -1: fewer than k passages; the score is -infinity then */
};
struct search_options {
	int threads; /* 0 = cpu_count() */
	size_t tile; /* passages scored at a time; 0 = 1024 */
};

/* queries [nq, dim], passages [np, dim], row-major f32; inner product. ret_hits [nq, k]. A passage
 * whose score is no number is never returned. Errors: memory; a stop that was asked for. */
bool search_exact(const float *queries, size_t nq, const float *passages, size_t np, size_t dim,
	size_t k, const struct search_options *opt, struct hit *ret_hits,
	struct err *err) MUST_CHECK;

/* The inner product behind every score: products and sums in double, eight partial sums, rounded
 * once. Equal bits on every CPU. */
float search_dot(const float *a, const float *b, size_t dim);

/* Scales each of n vectors to length 1, so that inner products are cosines; those of a model that
 * normalises, and zeros, stay as they are. */
void search_normalize(float *x, size_t n, size_t dim);

/* A score as rows carry it: the shortest decimal that reads back to the same float, so that they
 * hold no digits that say nothing. */
double search_shortest(float x);

/* A saved index, through faiss' C API: factory string as faiss has them ("Flat", "IVF64,Flat",
 * "SQ8", "HNSW16"); inner product. The file appears when it is complete. */
bool index_build(const char *factory, const float *passages, size_t np, size_t dim,
	const char *path, struct err *err) MUST_CHECK;
/* Hits as faiss finds them (approximate unless the index is Flat), then sorted as above. */
bool index_search(const char *path, const float *queries, size_t nq, size_t dim, size_t k,
	struct hit *ret_hits, struct err *err) MUST_CHECK;

/* The same for many searches in one index. */
struct index;
struct index *index_open(const char *path, struct err *err) MUST_CHECK;
void index_close(struct index *x);
size_t index_count(const struct index *x); /* vectors in it */
size_t index_dim(const struct index *x);
/* How hard to look, in faiss' words: "nprobe=16" for IVF, "efSearch=64" for HNSW. */
bool index_tune(struct index *x, const char *parameters, struct err *err) MUST_CHECK;
bool index_find(const struct index *x, const float *queries, size_t nq, size_t k,
	struct hit *ret_hits, struct err *err) MUST_CHECK;

#endif
