#include "support.h"

#include <math.h>

#include "base/buf.h"
#include "base/fs.h"
#include "train/tfevents.h"

/* Reads a file of records back: lengths, both checksums, and the protobuf fields, by hand. */
struct reader {
	const unsigned char *p, *end;
};

static uint64_t le(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint32_t unmask(uint64_t v)
{
	uint32_t rotated = (uint32_t)v - 0xA282EAD8u;
	return (rotated << 15) | (rotated >> 17);
}

static struct reader next_record(struct reader *file)
{
	assert_true(file->end - file->p >= 16);
	size_t len = (size_t)le(file->p, 8);
	assert_int_equal(unmask(le(file->p + 8, 4)), crc32c(file->p, 8));
	const unsigned char *payload = file->p + 12;
	assert_int_equal(unmask(le(payload + len, 4)), crc32c(payload, len));
	file->p = payload + len + 4;
	return (struct reader){payload, payload + len};
}

static uint64_t varint(struct reader *r)
{
	uint64_t v = 0;
	for (int shift = 0;; shift += 7) {
		assert_true(r->p < r->end);
		v |= (uint64_t)(*r->p & 0x7F) << shift;
		if (!(*r->p++ & 0x80))
			return v;
	}
}

struct field {
	unsigned number, wire;
	uint64_t value; /* of wires 0, 1 and 5 */
	struct reader bytes; /* of wire 2 */
};

static bool next_field(struct reader *r, struct field *f)
{
	if (r->p >= r->end)
		return false;
	uint64_t key = varint(r);
	*f = (struct field){.number = (unsigned)(key >> 3), .wire = (unsigned)(key & 7)};
	if (f->wire == 0) {
		f->value = varint(r);
	} else if (f->wire == 2) {
		size_t len = (size_t)varint(r);
		f->bytes = (struct reader){r->p, r->p + len};
		r->p += len;
	} else {
		int bytes = f->wire == 1 ? 8 : 4;
		f->value = le(r->p, bytes);
		r->p += bytes;
	}
	return true;
}

static bool bytes_are(struct reader r, const char *want)
{
	return (size_t)(r.end - r.p) == strlen(want) && memcmp(r.p, want, strlen(want)) == 0;
}

static char *only_file(const char *dir, struct arena *a)
{
	struct err err = ERR_INIT;
	char **names;
	size_t n;
	assert_ok(fs_list(dir, a, &names, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_int_equal(strncmp(names[0], "events.out.tfevents.", 20), 0);
	return fs_join(a, dir, names[0]);
}

static void expect_scalar(struct reader summary, const char *tag, float want)
{
	struct field f;
	bool seen_tag = false, seen_value = false;
	while (next_field(&summary, &f)) {
		if (f.number == 1)
			seen_tag = bytes_are(f.bytes, tag);
		if (f.number == 2) {
			uint32_t bits = (uint32_t)f.value;
			float v;
			memcpy(&v, &bits, sizeof v);
			seen_value = v == want;
		}
	}
	assert_true(seen_tag && seen_value);
}

static void an_event_file_reads_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	char *dir = arena_printf(&a, "%s/events", test_scratch());
	assert_ok(fs_mkdirs(dir, &err), &err);
	struct tfevents *t = tfevents_open(dir, 41, &err);
	assert_ok(t, &err);
	const struct tf_scalar scalars[] = {{"train/loss", 0.5}, {"train/lr", 2e-5}};
	assert_ok(tfevents_add(t, 300, scalars, 2, &err), &err);
	tfevents_close(t);

	struct buf b = BUF_INIT;
	assert_ok(fs_read(only_file(dir, &a), &b, 0, &err), &err);
	struct reader file = {(unsigned char *)b.data, (unsigned char *)b.data + b.len};
	struct reader version = next_record(&file), resumed = next_record(&file),
		      event = next_record(&file);
	assert_true(file.p == file.end);
	struct field f;
	bool seen = false;
	while (next_field(&version, &f))
		seen = seen || (f.number == 3 && bytes_are(f.bytes, "brain.Event:2"));
	assert_true(seen);
	while (next_field(&resumed, &f)) {
		if (f.number == 2)
			assert_int_equal(f.value, 41);
		if (f.number == 7)
			assert_true(bytes_are(f.bytes, "\x08\x01"));
	}
	int n_values = 0;
	while (next_field(&event, &f)) {
		if (f.number == 2)
			assert_int_equal(f.value, 300);
		struct field value;
		while (f.number == 5 && next_field(&f.bytes, &value)) {
			const struct tf_scalar *want = &scalars[n_values++];
			assert_int_equal(value.number, 1);
			expect_scalar(value.bytes, want->tag, (float)want->value);
		}
	}
	assert_int_equal(n_values, 2);
	buf_release(&b);
	arena_release(&a);
}

static void the_checksum_is_castagnolis(void **state)
{
	(void)state;
	assert_int_equal(crc32c("123456789", 9), 0xE3069283u);
	assert_int_equal(crc32c("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_file_reads_back),
		cmocka_unit_test(the_checksum_is_castagnolis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
