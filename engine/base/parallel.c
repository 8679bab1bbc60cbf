#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct loop {
	atomic_size_t next;
	size_t n, grain;
	parallel_fn fn;
	void *ctx;
};
struct worker {
	struct loop *loop;
	int number;
};

static void *run(void *arg)
{
	struct worker *w = arg;
	struct loop *l = w->loop;
	for (;;) {
		size_t begin = atomic_fetch_add(&l->next, l->grain);
		if (begin >= l->n)
			return NULL;
		size_t end = l->n - begin < l->grain ? l->n : begin + l->grain;
		l->fn(l->ctx, begin, end, w->number);
	}
}

void parallel_for(size_t n, size_t grain, int threads, parallel_fn fn, void *ctx)
{
	if (!n)
		return;
	struct loop loop = {0, n, grain ? grain : 1, fn, ctx};
	size_t chunks = (n - 1) / loop.grain + 1;
	if (threads < 1)
		threads = 1;
	if ((size_t)threads > chunks)
		threads = (int)chunks;
	struct worker *workers = xcalloc((size_t)threads, sizeof *workers);
	pthread_t *ids = xcalloc((size_t)threads, sizeof *ids);
	int started = 1; /* the caller is worker 0; a thread that cannot be started is no loss */
	for (int i = 0; i < threads; i++)
		workers[i] = (struct worker){&loop, i};
	while (started < threads &&
		pthread_create(&ids[started], NULL, run, &workers[started]) == 0)
		started++;
	run(&workers[0]);
	for (int i = 1; i < started; i++)
		pthread_join(ids[i], NULL);
	free(ids);
	free(workers);
}

/* cgroup v2: "max 100000" or "QUOTA PERIOD" in microseconds. */
static int quota_cpus(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
	long quota = 0, period = 0;
	int got = f ? fscanf(f, "%ld %ld", &quota, &period) : 0;
	if (f)
		fclose(f);
	return got == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 1 << 20;
}

int cpu_count(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	int quota = quota_cpus();
	return quota < n ? quota : n;
}

bool cpu_has_amx_bf16(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
#if defined __clang__ && __clang_major__ < 17 /* which do not know the name */
	return false;
#else
	return __builtin_cpu_supports("amx-bf16") != 0;
#endif
#else
	return false;
#endif
}

bool cpu_has_avx512(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
	return false;
#endif
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double wall_seconds(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double cpu_seconds(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}
