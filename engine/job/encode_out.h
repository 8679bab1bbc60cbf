/* encode_out.h - the files that encode writes: E.npy, and of a model with BGE-M3's heads E.sparse.jsonl,
 * E.multi.npy and E.multi.offsets.npy. All appear together, when all are complete. */
#ifndef JOB_ENCODE_OUT_H
#define JOB_ENCODE_OUT_H

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "model/views.h"

struct encode_out {
	unsigned which; /* VIEW_... */
	int64_t n, dim, multi_dim; /* texts; numbers of a vector */
	struct fs_out *dense, *sparse, *multi, *offsets; /* NULL: not written */
	int64_t *end; /* [n+1]: where each text's rows of multi end */
	int64_t done;
};
bool encode_out_open(struct encode_out *o, const char *path, struct err *err) MUST_CHECK;
/* The next n texts: their vectors, and their views when there are any (NULL: none). */
void encode_out_add(
	struct encode_out *o, const float *dense, const struct text_views *views, size_t n);
/* Both end it. */
bool encode_out_commit(struct encode_out *o, struct err *err) MUST_CHECK;
void encode_out_abort(struct encode_out *o);

#endif
