// tensor_kernels.cpp - which kernels this CPU runs.
#include "tensor_kernels.hpp"

#include <cstdlib>
#include <cstring>

namespace shim
{

// VECSMITH_KERNELS names an older set than the CPU's best (sse2, avx2): so that tests reach all of
// them.
static const kernel_set &choose()
{
	const char *wanted = getenv("VECSMITH_KERNELS");
	bool only_sse2 = wanted && strcmp(wanted, "sse2") == 0,
	     only_avx2 = wanted && strcmp(wanted, "avx2") == 0;
	__builtin_cpu_init();
	bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512dq");
	if (has_avx512 && !only_sse2 && !only_avx2)
		return kernels_avx512;
	return has_avx2 && !only_sse2 ? kernels_avx2 : kernels_sse2;
}

const kernel_set &kernels()
{
	static const kernel_set &chosen = choose();
	return chosen;
}

} // namespace shim
