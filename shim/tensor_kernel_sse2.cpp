// tensor_kernel_sse2.cpp - the kernels for SSE2; compiled with its flags (see CMakeLists.txt).
#define SHIM_BYTES 16
#define SHIM_KERNELS kernels_sse2
#define SHIM_NAME "SSE2"
#include "tensor_kernel_body.hpp"
