/* parallel.h - one loop over [0, n) on several threads.
 *
 * fn(ctx, begin, end, worker) is called for chunks of at most `grain` items, each item once; worker
 * is in [0, threads) and no two calls with the same worker run at a time, so it indexes scratch
 * memory. Which worker gets which chunk is not fixed: results must not depend on it. Returns when
 * all is done. With threads = 1 everything runs on the caller. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

typedef void (*parallel_fn)(void *ctx, size_t begin, size_t end, int worker);
void parallel_for(size_t n, size_t grain, int threads, parallel_fn fn, void *ctx);

/* CPUs that this process may really use: affinity and the cgroup's quota, at least 1. */
int cpu_count(void);
/* The cpu flag "amx_bf16", without which bfloat16 on a CPU is slower than float32. */
bool cpu_has_amx_bf16(void);
bool cpu_has_avx512(void); /* F, BW, VL, DQ */
double wall_seconds(void); /* monotonic */
double cpu_seconds(void); /* user + system time of this process */

#endif
