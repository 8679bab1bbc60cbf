// tensor_kernel_avx512.cpp - the kernels for AVX-512; compiled with its flags (see CMakeLists.txt).
#define SHIM_BYTES 64
#define SHIM_KERNELS kernels_avx512
#define SHIM_NAME "AVX-512"
#include "tensor_kernel_body.hpp"
