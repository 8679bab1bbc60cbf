/* The only file that sees faiss' C headers (their enum holds an OK that clashes elsewhere). */
#include "mine/search.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>

#include "base/fs.h"
#include "base/mem.h"
#include "mine/topk.h"

struct index {
	char *path;
	FaissIndex *faiss;
};

/* The reason without the C++ place that faiss puts before it ("Error in ... at file:line: "). */
static const char *faiss_reason(void)
{
	const char *all = faiss_get_last_error(), *last = strstr(all, "Error: '");
	return last ? last : all;
}

static bool fill_index(FaissIndex *faiss, const float *passages, size_t np)
{
	return (faiss_Index_is_trained(faiss) ||
		       faiss_Index_train(faiss, (idx_t)np, passages) == 0) &&
		faiss_Index_add(faiss, (idx_t)np, passages) == 0;
}

bool index_build(const char *factory, const float *passages, size_t np, size_t dim,
	const char *path, struct err *err)
{
	if (dim > INT_MAX)
		return err_set(
			err, ERR_USAGE, "vectors of %zu numbers are too long for an index", dim);
	FaissIndex *faiss = NULL;
	if (faiss_index_factory(&faiss, (int)dim, factory, METRIC_INNER_PRODUCT) != 0)
		return err_set(err, ERR_USAGE,
			"faiss knows no index \"%s\" (%s); try Flat, SQ8, IVF64,Flat or HNSW16",
			factory, faiss_reason());
	char *tmp = xasprintf("%s.tmp-%ld", path, (long)getpid());
	bool ok = fill_index(faiss, passages, np) ||
		err_set(err, ERR_FAILED, "index \"%s\" over %zu vectors: %s", factory, np,
			faiss_reason());
	if (ok && faiss_write_index_fname(faiss, tmp) != 0)
		ok = err_set(
			err, ERR_FAILED, "%s: cannot write the index: %s", path, faiss_reason());
	if (ok)
		ok = fs_publish_file(tmp, path, err);
	if (!ok)
		unlink(tmp);
	free(tmp);
	faiss_Index_free(faiss);
	return ok;
}

struct index *index_open(const char *path, struct err *err)
{
	FaissIndex *faiss = NULL;
	if (!fs_exists(path)) {
		err_set(err, ERR_USAGE, "%s: no such index; --save-index makes one", path);
		return NULL;
	}
	if (faiss_read_index_fname(path, 0, &faiss) != 0) {
		err_set(err, ERR_DATA, "%s: no index that faiss can read: %s", path,
			faiss_reason());
		return NULL;
	}
	struct index *x = xcalloc(1, sizeof *x);
	x->path = xstrdup(path);
	x->faiss = faiss;
	if (faiss_Index_metric_type(faiss) != METRIC_INNER_PRODUCT) {
		err_set(err, ERR_DATA, "%s: compares by distance, expected inner product", path);
		index_close(x);
		return NULL;
	}
	return x;
}

void index_close(struct index *x)
{
	if (!x)
		return;
	faiss_Index_free(x->faiss);
	free(x->path);
	free(x);
}

size_t index_count(const struct index *x)
{
	return (size_t)faiss_Index_ntotal(x->faiss);
}

size_t index_dim(const struct index *x)
{
	return (size_t)faiss_Index_d(x->faiss);
}

bool index_tune(struct index *x, const char *parameters, struct err *err)
{
	FaissParameterSpace *space = NULL;
	bool ok = faiss_ParameterSpace_new(&space) == 0 &&
		faiss_ParameterSpace_set_index_parameters(space, x->faiss, parameters) == 0;
	if (space)
		faiss_ParameterSpace_free(space);
	return ok ||
		err_set(err, ERR_USAGE, "%s: \"%s\" does not fit this index: %s", x->path,
			parameters, faiss_reason());
}

/* faiss breaks ties as its heap fell; ours are sorted, and an absent hit is id -1. */
static void take_hits(const float *scores, const idx_t *ids, size_t k, struct hit *ret)
{
	struct topk t = {ret, 0, k};
	for (size_t i = 0; i < k; i++)
		if (ids[i] >= 0)
			topk_push(&t, (struct hit){scores[i], (int32_t)ids[i]});
	topk_finish(&t);
}

bool index_find(const struct index *x, const float *queries, size_t nq, size_t k,
	struct hit *ret_hits, struct err *err)
{
	if (nq == 0 || k == 0)
		return true;
	float *scores = try_malloc(nq * k, sizeof *scores, "scores", err);
	idx_t *ids = try_malloc(nq * k, sizeof *ids, "ids", err);
	bool ok = scores && ids;
	if (ok && faiss_Index_search(x->faiss, (idx_t)nq, queries, (idx_t)k, scores, ids) != 0)
		ok = err_set(err, ERR_FAILED, "%s: %s", x->path, faiss_reason());
	for (size_t i = 0; ok && i < nq; i++)
		take_hits(scores + i * k, ids + i * k, k, ret_hits + i * k);
	free(scores);
	free(ids);
	return ok;
}

bool index_search(const char *path, const float *queries, size_t nq, size_t dim, size_t k,
	struct hit *ret_hits, struct err *err)
{
	struct index *x = index_open(path, err);
	if (!x)
		return false;
	bool ok = index_dim(x) == dim ||
		err_set(err, ERR_USAGE,
			"%s: holds vectors of %zu numbers, the model makes %zu: it was built "
			"with another model",
			path, index_dim(x), dim);
	ok = ok && index_find(x, queries, nq, k, ret_hits, err);
	index_close(x);
	return ok;
}
