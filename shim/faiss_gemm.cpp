// The product of gemm.h through the Fortran names that libtorch exports of its MKL.
#include "gemm.h"

extern "C" {
int sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
	const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
	const float *beta, float *c, const int *ldc);
int MKL_Set_Num_Threads_Local(int threads);
}

// Column-major BLAS sees our row-major out as its transpose: out' [n,m] = b [n,dim] * a' [dim,m].
void gemm_rows(
	const float *a, size_t m, const float *b, size_t n, size_t dim, float *out, size_t stride)
{
	const int rows = static_cast<int>(n), columns = static_cast<int>(m),
		  inner = static_cast<int>(dim), apart = static_cast<int>(stride);
	const float one = 1.0f, zero = 0.0f;
	const int before = MKL_Set_Num_Threads_Local(1);
	sgemm_("T", "N", &rows, &columns, &inner, &one, b, &inner, a, &inner, &zero, out, &apart);
	MKL_Set_Num_Threads_Local(before);
}
