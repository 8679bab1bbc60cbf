#include "model/zip.h"

#include "base/buf.h"

#define LOCAL_MAGIC 0x04034b50u
#define ENTRY_MAGIC 0x02014b50u
#define END_MAGIC 0x06054b50u
#define END64_MAGIC 0x06064b50u
#define LOCATOR64_MAGIC 0x07064b50u
#define LOCAL_SIZE 30u
#define ENTRY_SIZE 46u
#define END_SIZE 22u
#define END64_SIZE 56u
#define LOCATOR64_SIZE 20u
#define COMMENT_MOST 65535u

struct archive {
	const char *path;
	struct text bytes;
	uint64_t n, at, len; /* entries, and where the directory of them lies */
};

static uint64_t number(const char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static bool fits(const struct archive *z, uint64_t at, uint64_t len)
{
	return at <= z->bytes.len && len <= z->bytes.len - at;
}

static bool broken(const struct archive *z, const char *what, struct err *err)
{
	return err_set(err, ERR_DATA, "%s: %s: truncated, or no zip archive; fetch it again",
		z->path, what);
}

/* The directory's place for archives that 32 bits do not hold. */
static bool find_end64(struct archive *z, uint64_t end, struct err *err)
{
	if (end < LOCATOR64_SIZE)
		return broken(z, "there is no place for the zip64 locator", err);
	const char *locator = z->bytes.s + end - LOCATOR64_SIZE;
	if (number(locator, 4) != LOCATOR64_MAGIC)
		return broken(z, "the zip64 locator is missing", err);
	uint64_t at = number(locator + 8, 8);
	if (!fits(z, at, END64_SIZE) || number(z->bytes.s + at, 4) != END64_MAGIC)
		return broken(z, "the zip64 end record is missing", err);
	z->n = number(z->bytes.s + at + 32, 8);
	z->len = number(z->bytes.s + at + 40, 8);
	z->at = number(z->bytes.s + at + 48, 8);
	return true;
}

static bool find_directory(struct archive *z, struct err *err)
{
	uint64_t len = z->bytes.len;
	if (len < END_SIZE)
		return broken(z, "it is too short", err);
	uint64_t lowest = len > END_SIZE + COMMENT_MOST ? len - END_SIZE - COMMENT_MOST : 0;
	uint64_t end = len - END_SIZE;
	while (end > lowest && number(z->bytes.s + end, 4) != END_MAGIC)
		end--;
	const char *p = z->bytes.s + end;
	if (number(p, 4) != END_MAGIC)
		return broken(z, "the archive's end record is missing", err);
	z->n = number(p + 10, 2);
	z->len = number(p + 12, 4);
	z->at = number(p + 16, 4);
	if ((z->n == 0xffff || z->at == 0xffffffff || z->len == 0xffffffff) &&
		!find_end64(z, end, err))
		return false;
	if (!fits(z, z->at, z->len) || z->n > z->len / ENTRY_SIZE)
		return broken(z, "the directory of entries lies outside the file", err);
	return true;
}

/* Sizes and offset that the entry itself leaves to its zip64 field: in this order, each only where
 * its short form says 2^32 - 1. */
static void read_zip64(const char *extra, uint64_t len, uint64_t *const values[3])
{
	while (len >= 4) {
		uint64_t id = number(extra, 2), size = number(extra + 2, 2);
		if (size > len - 4)
			return;
		const char *p = extra + 4;
		for (int i = 0; id == 1 && i < 3; i++)
			if (*values[i] == 0xffffffff && size >= (uint64_t)(p - extra - 4) + 8) {
				*values[i] = number(p, 8);
				p += 8;
			}
		extra += 4 + size;
		len -= 4 + size;
	}
}

/* One entry at p, of which `left` bytes are the directory's; returns its length, 0 on failure. */
static uint64_t read_entry(const struct archive *z, const char *p, uint64_t left,
	struct zip_entry *ret, struct err *err)
{
	if (left < ENTRY_SIZE || number(p, 4) != ENTRY_MAGIC) {
		broken(z, "an entry of its directory is damaged", err);
		return 0;
	}
	uint64_t flags = number(p + 8, 2), method = number(p + 10, 2);
	uint64_t packed = number(p + 20, 4), size = number(p + 24, 4), at = number(p + 42, 4);
	uint64_t name = number(p + 28, 2), extra = number(p + 30, 2);
	uint64_t whole = ENTRY_SIZE + name + extra + number(p + 32, 2);
	if (whole > left) {
		broken(z, "an entry of its directory is damaged", err);
		return 0;
	}
	uint64_t *const wide[3] = {&size, &packed, &at};
	read_zip64(p + ENTRY_SIZE + name, extra, wide);
	ret->name = (struct text){p + ENTRY_SIZE, (size_t)name};
	if (method != 0 || (flags & 1) != 0 || packed != size) {
		err_set(err, ERR_DATA, "%s: entry %.*s is compressed or encrypted, expected stored",
			z->path, TEXT_ARG(ret->name));
		return 0;
	}
	const char *local = z->bytes.s + at;
	if (!fits(z, at, LOCAL_SIZE) || number(local, 4) != LOCAL_MAGIC) {
		broken(z, "an entry does not lie where the directory says", err);
		return 0;
	}
	uint64_t begin = at + LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
	if (!fits(z, begin, size)) {
		broken(z, "an entry ends behind the file", err);
		return 0;
	}
	ret->data = z->bytes.s + begin;
	ret->len = (size_t)size;
	return whole;
}

bool zip_read(
	const char *path, struct text bytes, struct arena *a, struct zip *ret, struct err *err)
{
	struct archive z = {.path = path, .bytes = bytes};
	if (!find_directory(&z, err))
		return false;
	*ret = (struct zip){.entry = arena_calloc(a, (size_t)z.n + 1, sizeof *ret->entry)};
	uint64_t at = 0;
	while (ret->n < z.n) {
		uint64_t len =
			read_entry(&z, bytes.s + z.at + at, z.len - at, &ret->entry[ret->n], err);
		if (len == 0)
			return false;
		at += len;
		ret->n++;
	}
	return true;
}

const struct zip_entry *zip_find(const struct zip *z, struct text name)
{
	for (size_t i = 0; i < z->n; i++)
		if (text_equal(z->entry[i].name, name))
			return &z->entry[i];
	return NULL;
}

/* Writing. */

static void put(struct buf *out, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_addch(out, (char)(v >> (8 * i)));
}

/* The checksum of zip: polynomial 0xedb88320, bit by bit, since what is written here is small. */
static uint32_t checksum(const char *data, size_t len)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

/* What local header and directory say alike: version, flags, method, date, checksum, sizes. */
static void put_common(struct buf *out, const struct zip_entry *e, uint32_t crc)
{
	put(out, 20, 2);
	put(out, 0, 2);
	put(out, 0, 2);
	put(out, 0, 2);
	put(out, 0x21, 2); /* the first day that the format knows */
	put(out, crc, 4);
	put(out, e->len, 4);
	put(out, e->len, 4);
	put(out, e->name.len, 2);
}

static void put_local(struct buf *out, const struct zip_entry *e, uint32_t crc, size_t begin)
{
	size_t head = out->len - begin + LOCAL_SIZE + e->name.len + 4;
	size_t fill = (64 - head % 64) % 64;
	put(out, LOCAL_MAGIC, 4);
	put_common(out, e, crc);
	put(out, fill + 4, 2);
	buf_addtext(out, e->name);
	put(out, 0x4246, 2); /* torch's own field: filler */
	put(out, fill, 2);
	for (size_t i = 0; i < fill; i++)
		buf_addch(out, 'Z');
	buf_add(out, e->data, e->len);
}

bool zip_write(struct buf *out, const struct zip_entry *entries, size_t n, struct err *err)
{
	struct buf directory = BUF_INIT;
	size_t begin = out->len;
	for (size_t i = 0; i < n; i++) {
		const struct zip_entry *e = &entries[i];
		uint32_t crc = checksum(e->data, e->len);
		size_t at = out->len - begin;
		put_local(out, e, crc, begin);
		put(&directory, ENTRY_MAGIC, 4);
		put(&directory, 20, 2);
		put_common(&directory, e, crc);
		put(&directory, 0, 2 + 2 + 2 + 2);
		put(&directory, 0, 4);
		put(&directory, at, 4);
		buf_addtext(&directory, e->name);
	}
	size_t at = out->len - begin;
	buf_addtext(out, buf_text(&directory));
	put(out, END_MAGIC, 4);
	put(out, 0, 4);
	put(out, n, 2);
	put(out, n, 2);
	put(out, directory.len, 4);
	put(out, at, 4);
	put(out, 0, 2);
	bool ok = buf_ok(out) && buf_ok(&directory) && out->len - begin < 0xffffffff;
	buf_release(&directory);
	return ok ||
		err_set(err, ERR_FAILED, "an archive of more than 4 GB cannot be written here");
}
