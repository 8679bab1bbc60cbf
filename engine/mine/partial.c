#include "mine/partial.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"

struct partial {
	char *path;
	struct fs_append *file;
	struct map scores; /* hash of a pair -> bits of the float */
};

/* The pair's hash in hex, which is its key in memory and in the file. */
static struct text pair_key(const struct judge_pair *pair, char hex[HASH_HEX])
{
	struct hasher *h = hasher_new();
	hasher_text(h, pair->query);
	hasher_text(h, pair->passage);
	hash_hex(hasher_end(h), hex);
	return (struct text){hex, HASH_HEX - 1};
}

static int64_t bits_of(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	return (int64_t)bits;
}

/* "HEX NUMBER"; a line that is none is skipped: its pair is scored again. */
static void read_line(struct partial *p, const char *line, size_t len)
{
	char copy[96], *end;
	if (len < HASH_HEX + 1 || len >= sizeof copy || line[HASH_HEX - 1] != ' ')
		return;
	memcpy(copy, line, len);
	copy[len] = '\0';
	float score = strtof(copy + HASH_HEX, &end);
	if (*end == '\0')
		map_put(&p->scores, (struct text){copy, HASH_HEX - 1}, bits_of(score));
}

static struct text head_line(struct hash128 judge, struct buf *out)
{
	char hex[HASH_HEX];
	hash_hex(judge, hex);
	buf_addf(out, "{\"format\":1,\"judge\":\"%s\"}", hex);
	return buf_text(out);
}

/* What an earlier run left; false when there is nothing of this judge's. */
static bool read_file(struct partial *p, struct text head)
{
	struct fs_map map;
	if (!fs_exists(p->path) || !fs_map(p->path, &map, NULL))
		return false;
	bool is_ours = map.len > head.len && memcmp(map.data, head.s, head.len) == 0 &&
		map.data[head.len] == '\n';
	const char *at = map.data + head.len + 1, *end = map.data + map.len;
	for (const char *feed; is_ours && (feed = memchr(at, '\n', (size_t)(end - at)));
		at = feed + 1)
		read_line(p, at, (size_t)(feed - at));
	fs_unmap(&map);
	return is_ours;
}

struct partial *partial_open(const char *path, struct hash128 judge, struct err *err)
{
	struct partial *p = xcalloc(1, sizeof *p);
	struct buf head = BUF_INIT;
	head_line(judge, &head);
	p->path = xstrdup(path);
	p->scores = (struct map)MAP_INIT;
	bool is_ours = read_file(p, buf_text(&head)), ok = true;
	if (!is_ours && fs_exists(path)) {
		log_info("%s is by another judge or other options: begun anew", path);
		ok = fs_remove_tree(path, err);
	}
	if (ok)
		p->file = fs_append_open(path, err);
	ok = p->file && (is_ours || fs_append_line(p->file, buf_text(&head), err));
	buf_release(&head);
	if (!ok) {
		partial_close(p);
		return NULL;
	}
	return p;
}

void partial_close(struct partial *p)
{
	if (!p)
		return;
	fs_append_close(p->file);
	map_release(&p->scores);
	free(p->path);
	free(p);
}

bool partial_remove(struct partial *p, struct err *err)
{
	bool ok = unlink(p->path) == 0 || err_errno(err, "cannot remove %s", p->path);
	partial_close(p);
	return ok;
}

size_t partial_count(const struct partial *p)
{
	return map_size(&p->scores);
}

bool partial_get(const struct partial *p, const struct judge_pair *pair, float *ret)
{
	char hex[HASH_HEX];
	int64_t value;
	if (!map_get(&p->scores, pair_key(pair, hex), &value))
		return false;
	uint32_t bits = (uint32_t)value;
	memcpy(ret, &bits, sizeof *ret);
	return true;
}

bool partial_add(struct partial *p, const struct judge_pair *pairs, const size_t *which,
	const float *raw, size_t n, struct err *err)
{
	struct buf lines = BUF_INIT;
	for (size_t i = 0; i < n; i++) {
		char hex[HASH_HEX];
		struct text key = pair_key(&pairs[which[i]], hex);
		buf_addf(&lines, "%s%s %.9g", i ? "\n" : "", hex, (double)raw[i]);
		map_put(&p->scores, key, bits_of(raw[i]));
	}
	bool ok = n == 0 || fs_append_line(p->file, buf_text(&lines), err);
	buf_release(&lines);
	return ok;
}
