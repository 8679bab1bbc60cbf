// tensor_hash.hpp - the counter hash behind every dropout mask: a pure function of (seed, row,
// element).
//
// A mask is never stored: forward and backward compute it again, so does a resumed run. 32-bit
// steps only, so that eight or sixteen of them fit a vector register. The two multipliers are those
// of lowbias32 (Wellons 2018); the high half of the key enters between them, so that two keys never
// give permutations of one mask.
#ifndef SHIM_TENSOR_HASH_HPP
#define SHIM_TENSOR_HASH_HPP

#include <cstdint>

namespace shim
{

struct hash_key {
	uint32_t low, high;
};

// splitmix64's finaliser (Steele, Lea, Flood 2014)
static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static inline hash_key key_of(uint64_t seed, uint64_t row)
{
	uint64_t x = mix64(mix64(seed + 0x9e3779b97f4a7c15u) + row);
	return {static_cast<uint32_t>(x), static_cast<uint32_t>(x >> 32)};
}

static inline uint32_t hash32(hash_key k, uint32_t element)
{
	uint32_t x = element ^ k.low;
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= k.high;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ (x >> 16);
}

// An element is dropped when its hash lies below this: p of all 2^32 values.
static inline uint32_t drop_below(double p)
{
	return static_cast<uint32_t>(
		p * 4294967296.0 < 4294967295.0 ? p * 4294967296.0 : 4294967295.0);
}

} // namespace shim

#endif
