// tensor_kernel_avx2.cpp - the kernels for AVX2; compiled with its flags (see CMakeLists.txt).
#define SHIM_BYTES 32
#define SHIM_KERNELS kernels_avx2
#define SHIM_NAME "AVX2"
#include "tensor_kernel_body.hpp"
