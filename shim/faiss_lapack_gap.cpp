// Six LAPACK and BLAS names that libfaiss refers to and libtorch's MKL does not export. Only index
// types with a trained rotation (PCA, OPQ, LSQ) ever call them; they throw, and faiss_c.cpp turns
// that into an error code. CMake pulls this file in with -u ssyrk_.
#include <stdexcept>

namespace
{
[[noreturn]] int missing()
{
	throw std::runtime_error("this index type needs PCA, OPQ or LSQ, which need a full LAPACK; "
				 "use Flat, IVF, PQ, SQ or HNSW");
}
} // namespace

extern "C" {
int ssyrk_()
{
	return missing();
}
int dsyev_()
{
	return missing();
}
int sgesvd_()
{
	return missing();
}
int dgesvd_()
{
	return missing();
}
int sgetri_()
{
	return missing();
}
int dgetri_()
{
	return missing();
}
}
