#include "text/token_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/token_segment.h"

#define FULL ((size_t)16 << 20) /* bytes of a segment in memory that is written ... */
#define MERGED_MAX ((size_t)128 << 20) /* ... and of one on disk that is merged no more */
#define SUFFIX ".tokens"
#define STALE_S 3600 /* an unfinished file older than this has no writer any more */

/* One worker's doings since the last settling. */
struct maker {
	struct token_segment made;
	struct ids ids;
	size_t n_found, n_made;
	char pad[64]; /* two workers' counters share no cache line */
};

struct token_cache {
	char *dir;
	struct hash128 tokenizer;
	size_t max_bytes, full_bytes, merged_bytes;
	struct token_segment *old; /* files, oldest first */
	size_t n_old;
	struct token_segment fresh; /* in memory */
	struct maker *makers;
	int workers;
	uint64_t last_name;
	bool is_failing; /* writing failed, and was told */
};

/* Names sort by age: nanoseconds in hexadecimal. */
static char *new_name(struct token_cache *c)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	if (now <= c->last_name)
		now = c->last_name + 1;
	c->last_name = now;
	return xasprintf("%s/%016llx-%ld" SUFFIX, c->dir, (unsigned long long)now, (long)getpid());
}

static bool has_suffix(const char *name)
{
	size_t len = strlen(name), end = strlen(SUFFIX);
	return len > end && strcmp(name + len - end, SUFFIX) == 0;
}

static void add_old(struct token_cache *c, const struct token_segment *s)
{
	c->old = xreallocarray(c->old, c->n_old + 1, sizeof *c->old);
	c->old[c->n_old++] = *s;
}

/* Segments that go for good: damaged, merged, or too many. */
static void drop_old(struct token_cache *c, size_t i)
{
	unlink(c->old[i].path);
	token_segment_release(&c->old[i]);
	memmove(c->old + i, c->old + i + 1, (c->n_old - i - 1) * sizeof *c->old);
	c->n_old--;
}

/* What a killed writer left behind. */
static void remove_stale(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && time(NULL) - st.st_mtime > STALE_S)
		unlink(path);
}

static bool open_segments(struct token_cache *c, struct err *err)
{
	struct arena a = ARENA_INIT;
	char **names;
	size_t n;
	bool ok = fs_list(c->dir, &a, &names, &n, err);
	for (size_t i = 0; ok && i < n; i++) {
		const char *path = fs_join(&a, c->dir, names[i]);
		struct token_segment s;
		struct err why = ERR_INIT;
		if (strstr(names[i], ".tmp-"))
			remove_stale(path);
		else if (!has_suffix(names[i]))
			continue;
		else if (token_segment_open(path, c->tokenizer, &s, &why))
			add_old(c, &s);
		else if (why.code == ERR_DATA && unlink(path) == 0)
			log_warn("%s: it is made anew", why.text);
	}
	arena_release(&a);
	return ok;
}

struct token_cache *token_cache_open(
	const char *dir, struct hash128 tokenizer, size_t max_bytes, int workers, struct err *err)
{
	char hex[HASH_HEX];
	hash_hex(tokenizer, hex);
	struct token_cache *c = xcalloc(1, sizeof *c);
	c->dir = xasprintf("%s/%s", dir, hex);
	c->tokenizer = tokenizer;
	c->max_bytes = max_bytes;
	c->full_bytes = max_bytes / 4 < FULL ? max_bytes / 4 : FULL;
	c->merged_bytes = max_bytes / 4 < MERGED_MAX ? max_bytes / 4 : MERGED_MAX;
	c->workers = workers;
	c->makers = xcalloc((size_t)workers, sizeof *c->makers);
	if (fs_mkdirs(c->dir, err) && open_segments(c, err))
		return c;
	c->is_failing = true; /* there is nothing to write */
	token_cache_close(c);
	return NULL;
}

static bool find(struct token_cache *c, struct hash128 text, struct ids *ret)
{
	const int32_t *ids;
	size_t n;
	enum token_found found = token_segment_get(&c->fresh, text, &ids, &n);
	for (size_t i = c->n_old; i-- > 0 && found != TOKENS_FOUND;) {
		found = token_segment_get(&c->old[i], text, &ids, &n);
		if (found == TOKENS_DAMAGED)
			__atomic_store_n(&c->old[i].is_damaged, true, __ATOMIC_RELAXED);
	}
	if (found == TOKENS_FOUND)
		*ret = (struct ids){(int32_t *)(uintptr_t)ids, n, 0};
	return found == TOKENS_FOUND;
}

struct ids token_cache_ids(
	struct token_cache *c, int worker, struct tokenizer_run *run, struct text t)
{
	static const struct token_limits bare = {.no_special = true};
	struct maker *m = &c->makers[worker];
	struct hash128 key = hash128(t.s, t.len);
	struct ids ids;
	if (find(c, key, &ids)) {
		m->n_found++;
		return ids;
	}
	m->ids.n = 0;
	tokenizer_encode(run, t, &bare, &m->ids);
	token_segment_put(&m->made, key, m->ids.id, m->ids.n);
	m->n_made++;
	return (struct ids){m->ids.id, m->ids.n, 0};
}

/* Small files behind the fresh segment become a part of it, so that their number grows with the
 * logarithm of what they hold. */
static size_t merge_small(struct token_cache *c)
{
	size_t first = c->n_old;
	while (first > 0 && c->old[first - 1].bytes <= token_segment_bytes(&c->fresh) &&
		c->old[first - 1].bytes + token_segment_bytes(&c->fresh) <= c->merged_bytes)
		token_segment_merge(&c->fresh, &c->old[--first]);
	return first;
}

static void keep_bound(struct token_cache *c)
{
	size_t bytes = 0;
	for (size_t i = 0; i < c->n_old; i++)
		bytes += c->old[i].bytes;
	while (c->n_old > 0 && bytes > c->max_bytes) {
		bytes -= c->old[0].bytes;
		drop_old(c, 0);
	}
}

/* The fresh segment becomes a file; what cannot be written is forgotten. */
static void write_fresh(struct token_cache *c)
{
	struct err err = ERR_INIT;
	struct token_segment s;
	size_t first = merge_small(c);
	char *path = new_name(c);
	bool ok = token_segment_write(&c->fresh, c->tokenizer, path, &err) &&
		token_segment_open(path, c->tokenizer, &s, &err);
	if (ok) {
		while (c->n_old > first)
			drop_old(c, c->n_old - 1);
		add_old(c, &s);
		keep_bound(c);
	} else if (!c->is_failing) {
		log_warn("the token cache cannot be written (%s): texts are tokenized anew in the "
			 "next run; --no-cache does without",
			err.text);
		c->is_failing = true;
	}
	token_segment_release(&c->fresh);
	free(path);
}

void token_cache_settle(struct token_cache *c)
{
	for (size_t i = c->n_old; i-- > 0;)
		if (c->old[i].is_damaged) {
			log_warn("%s is damaged: what is wrong in it is made anew", c->old[i].path);
			token_segment_merge(&c->fresh, &c->old[i]);
			drop_old(c, i);
		}
	for (int w = 0; w < c->workers; w++) {
		struct maker *m = &c->makers[w];
		token_segment_merge(&c->fresh, &m->made);
		token_segment_release(&m->made);
	}
	if (token_segment_bytes(&c->fresh) >= c->full_bytes)
		write_fresh(c);
}

void token_cache_close(struct token_cache *c)
{
	if (!c)
		return;
	if (!c->is_failing)
		token_cache_settle(c);
	if (c->fresh.n > 0 && !c->is_failing)
		write_fresh(c);
	for (size_t i = 0; i < c->n_old; i++)
		token_segment_release(&c->old[i]);
	for (int w = 0; w < c->workers; w++) {
		token_segment_release(&c->makers[w].made);
		ids_release(&c->makers[w].ids);
	}
	token_segment_release(&c->fresh);
	free(c->makers);
	free(c->old);
	free(c->dir);
	free(c);
}

struct token_cache_stats token_cache_stats(const struct token_cache *c)
{
	struct token_cache_stats s = {.n_segments = c->n_old};
	for (int w = 0; w < c->workers; w++) {
		s.n_found += c->makers[w].n_found;
		s.n_made += c->makers[w].n_made;
	}
	for (size_t i = 0; i < c->n_old; i++)
		s.n_bytes += c->old[i].bytes;
	return s;
}
