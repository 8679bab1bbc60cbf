// tensor_device.cpp - opening a device: libtorch's version, the late loading of CUDA, threads,
// memory figures.
#include "tensor_internal.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/empty.h>
#include <c10/core/CachingDeviceAllocator.h>

namespace shim
{

// The folder that libtorch_cpu.so was loaded from, with a slash at its end.
static std::string torch_lib_dir()
{
	Dl_info info;
	if (!dladdr(reinterpret_cast<void *>(&at::show_config), &info) || !info.dli_fname)
		return "";
	std::string path = info.dli_fname;
	return path.substr(0, path.rfind('/') + 1);
}

static std::string between(const std::string &text, const char *before, const char *stops)
{
	size_t at = text.find(before);
	if (at == std::string::npos)
		return "";
	at += strlen(before);
	return text.substr(at, text.find_first_of(stops, at) - at);
}

// The C++ interface of libtorch changes with each minor release: another one than the headers'
// cannot be used.
static void check_version()
{
	std::string loaded = between(at::show_config(), "TORCH_VERSION=", ", \n");
	if (loaded != VECSMITH_TORCH_VERSION)
		throw stale(cat("built with torch " VECSMITH_TORCH_VERSION " but loaded torch ",
			loaded, " from ", torch_lib_dir(),
			": build again with that torch, or put the former one back"));
}

// libtorch decides once, at the first call that asks, whether there is CUDA: this comes before any
// such call.
static void load_cuda()
{
	static bool is_loaded = false;
	if (is_loaded)
		return;
	std::string path = torch_lib_dir() + "libtorch_cuda.so";
	if (access(path.c_str(), R_OK) != 0)
		throw stale(cat("this torch has no CUDA part (", path,
			" is missing): point VECSMITH_TORCH to a complete torch and build again"));
	if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL))
		throw stale(cat("the CUDA part of torch does not load: ", dlerror()));
	is_loaded = true;
}

static at::Device open_device(const char *name)
{
	if (strcmp(name, "cpu") == 0)
		return at::kCPU;
	int index = 0, end = 0;
	if (strcmp(name, "cuda") != 0 &&
		(sscanf(name, "cuda:%d%n", &index, &end) != 1 || name[end] || index < 0 ||
			index > 127))
		throw stale(cat("unknown device '", name, "', expected cpu, cuda or cuda:N"));
	if (access("/dev/nvidiactl", F_OK) != 0)
		throw stale("no NVIDIA driver here (/dev/nvidiactl is missing): use the cpu");
	load_cuda();
	int n = at::accelerator::deviceCount();
	if (index >= n)
		throw stale(cat("there is no ", name, ": torch sees ", n, " CUDA devices"));
	at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
	at::empty({1}, at::TensorOptions().device(device)); // the driver's own complaints, now
	return device;
}

static const char *cpu_kind()
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("amx-bf16"))
		return "AMX bf16";
	if (__builtin_cpu_supports("avx512f"))
		return "AVX-512";
	return __builtin_cpu_supports("avx2") ? "AVX2" : "x86-64";
}

static std::string describe(const context &c)
{
	std::string threads = cat(c.threads, c.threads == 1 ? " thread" : " threads");
	if (c.device.is_cuda())
		return cat(c.device.str(), ", torch " VECSMITH_TORCH_VERSION ", ", threads);
	std::string mkl = between(at::get_mkl_version(), "Version ", "- ");
	return cat(cpu_kind(), mkl.empty() ? "" : ", MKL ", mkl, ", ", threads);
}

static tn_scope *open_context(const char *device, int threads)
{
	check_version();
	auto c = std::make_unique<context>();
	c->device = open_device(device);
	c->threads = threads > 0
		? threads
		: static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
	at::set_num_threads(c->threads);
	c->describe = describe(*c);
	auto *root = new tn_scope{c.get(), nullptr, false, false, 0, {}};
	c->scopes = root;
	c.release();
	return root;
}

// A figure in kB of a /proc file, as bytes; 0 when absent.
static int64_t proc_bytes(const char *file, const char *key)
{
	std::ifstream in(file);
	for (std::string line; std::getline(in, line);) {
		long long kb;
		if (line.rfind(key, 0) == 0 &&
			sscanf(line.c_str() + strlen(key), " %lld", &kb) == 1)
			return kb * 1024;
	}
	return 0;
}

static struct tn_memory cuda_memory(at::Device device)
{
	auto *allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
	auto stats = allocator->getDeviceStats(device.index());
	const auto &bytes = stats.allocated_bytes[0]; // [0]: small and large blocks together
	auto total = allocator->getMemoryInfo(device.index()).second;
	return {bytes.current, bytes.peak, static_cast<int64_t>(total)};
}

} // namespace shim

using namespace shim;

tn_scope *tn_open(const char *device, int threads, char *why, size_t why_size)
{
	std::string reason;
	try {
		return open_context(device ? device : "cpu", threads);
	} catch (const c10::Error &e) {
		reason = e.what_without_backtrace();
	} catch (const std::exception &e) {
		reason = e.what();
	} catch (...) {
		reason = "unknown failure";
	}
	if (why && why_size > 0)
		snprintf(why, why_size, "%s", reason.substr(0, reason.find('\n')).c_str());
	return nullptr;
}

bool tn_cuda_present(void)
{
	try {
		std::string path = torch_lib_dir() + "libtorch_cuda.so";
		return access("/dev/nvidiactl", F_OK) == 0 && access(path.c_str(), R_OK) == 0;
	} catch (...) {
		return false;
	}
}

const char *tn_torch_version(void)
{
	return VECSMITH_TORCH_VERSION;
}

struct tn_memory tn_memory(const tn_scope *s)
{
	struct tn_memory none = {0, 0, 0};
	if (!s)
		return none;
	try {
		if (s->ctx->device.is_cuda())
			return cuda_memory(s->ctx->device);
		return {proc_bytes("/proc/self/status", "VmRSS:"),
			proc_bytes("/proc/self/status", "VmHWM:"),
			proc_bytes("/proc/meminfo", "MemTotal:")};
	} catch (...) {
		return none;
	}
}
