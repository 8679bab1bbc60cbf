#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "base/fs.h"
#include "base/mem.h"

struct hasher {
	XXH3_state_t *state;
};

static struct hash128 of(XXH128_hash_t h)
{
	return (struct hash128){h.low64, h.high64};
}

uint64_t hash64(const void *data, size_t len)
{
	return XXH3_64bits(len ? data : "", len);
}

struct hash128 hash128(const void *data, size_t len)
{
	return of(XXH3_128bits(len ? data : "", len));
}

struct hasher *hasher_new(void)
{
	struct hasher *h = xmalloc(sizeof *h);
	h->state = XXH3_createState();
	if (!h->state)
		abort();
	XXH3_128bits_reset(h->state);
	return h;
}

void hasher_add(struct hasher *h, const void *data, size_t len)
{
	uint64_t n = len;
	XXH3_128bits_update(h->state, &n, sizeof n);
	if (len)
		XXH3_128bits_update(h->state, data, len);
}

void hasher_text(struct hasher *h, struct text t)
{
	hasher_add(h, t.s, t.len);
}

void hasher_int(struct hasher *h, int64_t v)
{
	hasher_add(h, &v, sizeof v);
}

struct hash128 hasher_end(struct hasher *h)
{
	struct hash128 id = of(XXH3_128bits_digest(h->state));
	XXH3_freeState(h->state);
	free(h);
	return id;
}

void hash_hex(struct hash128 h, char out[HASH_HEX])
{
	snprintf(out, HASH_HEX, "%016llx%016llx", (unsigned long long)h.hi,
		(unsigned long long)h.lo);
}

bool hash_file(const char *path, struct hash128 *ret, struct err *err)
{
	struct fs_map m;
	if (!fs_map(path, &m, err))
		return false;
	*ret = hash128(m.data, m.len);
	fs_unmap(&m);
	return true;
}
