/* gemm.h - one matrix product on the BLAS inside libtorch (MKL), for the search: no tensors, no
 * copies. */
#ifndef SHIM_GEMM_H
#define SHIM_GEMM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out [m, n] = a [m, dim] * b [n, dim]', row-major f32, rows of out `stride` >= n floats apart.
 * Runs on the calling thread alone: callers that want more threads split the rows. The last bits of
 * a result depend on m, n and the CPU. */
void gemm_rows(
	const float *a, size_t m, const float *b, size_t n, size_t dim, float *out, size_t stride);

#ifdef __cplusplus
}
#endif
#endif
