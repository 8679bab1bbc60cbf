#include "base/rng.h"

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

struct rng rng_new(uint64_t seed, uint64_t stream)
{
	/* Two rounds keep (1, 0) and (0, 1) far apart. */
	return (struct rng){mix(mix(seed + UINT64_C(0x9E3779B97F4A7C15)) ^
		(stream * UINT64_C(0xD1342543DE82EF95)))};
}

uint64_t rng_next(struct rng *r)
{
	r->state += UINT64_C(0x9E3779B97F4A7C15);
	return mix(r->state);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	/* Lemire 2019: a product's high half is uniform once the few low halves that would bias it
	 * are redrawn. */
	__uint128_t product = (__uint128_t)rng_next(r) * n;
	uint64_t low = (uint64_t)product;
	if (low < n) {
		uint64_t floor = -n % n;
		while (low < floor) {
			product = (__uint128_t)rng_next(r) * n;
			low = (uint64_t)product;
		}
	}
	return (uint64_t)(product >> 64);
}

double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

void rng_shuffle(struct rng *r, int64_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rng_below(r, i);
		int64_t t = items[i - 1];
		items[i - 1] = items[j];
		items[j] = t;
	}
}
