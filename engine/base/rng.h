/* rng.h - seeded random numbers: the same seed gives the same stream on every machine, and a stream
 * is one word that a checkpoint can hold. The generator is SplitMix64 (Steele, Lea, Flood: Fast
 * splittable pseudorandom number generators, 2014), period 2^64. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* A stream of its own for each (seed, stream) pair; streams of one seed do not overlap in practice.
 */
struct rng rng_new(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n), unbiased; n >= 1 */
double rng_unit(struct rng *r); /* uniform in [0, 1), 53 bits */
void rng_shuffle(struct rng *r, int64_t *items, size_t n); /* Fisher-Yates */

#endif
