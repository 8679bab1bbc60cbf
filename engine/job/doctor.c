#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parallel.h"
#include "job/common.h"

struct finding {
	const char *what;
	char value[200];
	const char *advice; /* "" = nothing to do */
};

static void put_json(const struct finding *f, size_t n)
{
	struct buf out = BUF_INIT;
	buf_adds(&out, "{\"findings\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(&out, ',');
		buf_addch(&out, '{');
		json_put_key(&out, "what");
		json_put_str(&out, f[i].what);
		json_put_key(&out, "value");
		json_put_str(&out, f[i].value);
		json_put_key(&out, "advice");
		json_put_str(&out, f[i].advice);
		buf_addch(&out, '}');
	}
	buf_adds(&out, "]}");
	puts(out.data);
	buf_release(&out);
}

static void put_table(const struct finding *f, size_t n)
{
	static const char *const heads[] = {"what", "here", "advice"};
	struct table *t = table_new(heads, ARRAY_LEN(heads));
	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%s", f[i].what);
		table_cell(t, "%s", f[i].value);
		table_cell(t, "%s", f[i].advice);
	}
	table_print(t, stdout);
}

static bool look_at_torch(const struct opts *o, struct finding *ret, struct err *err)
{
	tn_scope *root = job_open_device(o, err);
	if (!root)
		return false;
	*ret = (struct finding){.what = "torch", .advice = ""};
	snprintf(ret->value, sizeof ret->value, "%s, %s", tn_torch_version(), tn_describe(root));
	tn_close(root);
	return true;
}

static void look_at_cpu(const struct opts *o, struct finding *ret)
{
	*ret = (struct finding){.what = "CPU", .advice = ""};
	snprintf(ret->value, sizeof ret->value, "%d threads%s%s", job_threads(o),
		cpu_has_avx512() ? ", AVX-512" : "", cpu_has_amx_bf16() ? ", AMX" : "");
	if (!cpu_has_amx_bf16())
		ret->advice = "no AMX: float32 is the faster type here, and --dtype auto takes it";
}

static void look_at_memory(struct finding *ret)
{
	*ret = (struct finding){.what = "memory", .advice = ""};
	double gib =
		(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (double)(1 << 30);
	snprintf(ret->value, sizeof ret->value, "%.1f GiB", gib);
	if (gib < 4)
		ret->advice = "training multilingual-e5-small needs about 3 GiB; LoRA needs less";
}

static void look_at_gpu(struct finding *ret)
{
	*ret = (struct finding){.what = "GPU", .advice = ""};
	bool has_driver = access("/dev/nvidiactl", F_OK) == 0;
	snprintf(ret->value, sizeof ret->value, "%s",
		tn_cuda_present()    ? "usable"
			: has_driver ? "driver, not usable"
				     : "none");
	if (has_driver && !tn_cuda_present())
		ret->advice =
			"this build's torch has no CUDA: pip install torch in a venv, activate it, build again";
}

static void look_at_cache(const struct opts *o, struct arena *a, struct finding *ret)
{
	const char *dir = job_cache_dir(o, a);
	*ret = (struct finding){.what = "cache", .advice = ""};
	snprintf(ret->value, sizeof ret->value, "%s", dir ? dir : "off");
	if (dir && fs_exists(dir) && access(dir, W_OK) != 0)
		ret->advice = "not writable: vectors will be made anew in every run";
}

bool doctor_run(const struct opts *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct finding f[5];
	if (!look_at_torch(o, &f[0], err))
		return false;
	look_at_cpu(o, &f[1]);
	look_at_memory(&f[2]);
	look_at_gpu(&f[3]);
	look_at_cache(o, &a, &f[4]);
	if (opts_flag(o, "json"))
		put_json(f, ARRAY_LEN(f));
	else
		put_table(f, ARRAY_LEN(f));
	arena_release(&a);
	return true;
}
