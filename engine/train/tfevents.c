#include "train/tfevents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"

struct tfevents {
	int fd;
	char *path;
	struct buf event, record; /* scratch, kept from call to call */
};

uint32_t crc32c(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t crc = 0xFFFFFFFFu;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
	}
	return ~crc;
}

/* TFRecord rotates each checksum so that checksums of data that hold checksums stay good. */
static uint32_t masked_crc(const void *data, size_t len)
{
	uint32_t crc = crc32c(data, len);
	return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

static void put_le(struct buf *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_addch(b, (char)(v >> (8 * i) & 0xFF));
}

/* Protocol buffers: a key is field * 8 + wire type; 0 = varint, 1 = 8 bytes, 2 = length + bytes,
 * 5 = 4 bytes. */
static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addch(b, (char)(v | 0x80));
	buf_addch(b, (char)v);
}

static void put_int(struct buf *b, unsigned field, int64_t v)
{
	put_varint(b, field << 3 | 0);
	put_varint(b, (uint64_t)v);
}

static void put_double(struct buf *b, unsigned field, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	put_varint(b, field << 3 | 1);
	put_le(b, bits, 8);
}

static void put_float(struct buf *b, unsigned field, double v)
{
	float f = (float)v;
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	put_varint(b, field << 3 | 5);
	put_le(b, bits, 4);
}

static void put_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	buf_add(b, data, len);
}

static double wall_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Starts t->event with what every event has. */
static void event_begin(struct tfevents *t, int64_t step)
{
	buf_clear(&t->event);
	put_double(&t->event, 1, wall_time());
	put_int(&t->event, 2, step);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		if (fault_hit(FAULT_WRITE))
			return false;
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool event_end(struct tfevents *t, struct err *err)
{
	struct buf *r = &t->record;
	buf_clear(r);
	put_le(r, t->event.len, 8);
	put_le(r, masked_crc(r->data, 8), 4);
	buf_addtext(r, buf_text(&t->event));
	put_le(r, masked_crc(t->event.data, t->event.len), 4);
	if (!write_all(t->fd, r->data, r->len))
		return err_errno(err, "%s: cannot write", t->path);
	return true;
}

static bool write_head(struct tfevents *t, int64_t first_step, struct err *err)
{
	static const char version[] = "brain.Event:2";
	event_begin(t, 0);
	put_bytes(&t->event, 3, version, sizeof version - 1);
	if (!event_end(t, err))
		return false;
	if (first_step <= 0)
		return true;
	static const char session_start[] = {1 << 3 | 0, 1}; /* SessionLog.status = START */
	event_begin(t, first_step);
	put_bytes(&t->event, 7, session_start, sizeof session_start);
	return event_end(t, err);
}

struct tfevents *tfevents_open(const char *dir, int64_t first_step, struct err *err)
{
	char host[65] = "host";
	if (gethostname(host, sizeof host - 1) != 0)
		strcpy(host, "host");
	struct tfevents *t = xcalloc(1, sizeof *t);
	t->path = xasprintf("%s/events.out.tfevents.%lld.%s.%ld", dir, (long long)wall_time(), host,
		(long)getpid());
	t->fd = fault_hit(FAULT_OPEN)
		? -1
		: open(t->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (t->fd < 0) {
		err_errno(err, "%s: cannot create", t->path);
		tfevents_close(t);
		return NULL;
	}
	if (!write_head(t, first_step, err)) {
		tfevents_close(t);
		return NULL;
	}
	return t;
}

bool tfevents_add(struct tfevents *t, int64_t step, const struct tf_scalar *scalars, size_t n,
	struct err *err)
{
	struct buf value = BUF_INIT, summary = BUF_INIT;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&value);
		put_bytes(&value, 1, scalars[i].tag, strlen(scalars[i].tag)); /* Value.tag */
		put_float(&value, 2, scalars[i].value); /* Value.simple_value */
		put_bytes(&summary, 1, value.data, value.len); /* Summary.value */
	}
	event_begin(t, step);
	put_bytes(&t->event, 5, summary.data, summary.len);
	buf_release(&value);
	buf_release(&summary);
	return event_end(t, err);
}

void tfevents_close(struct tfevents *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	buf_release(&t->event);
	buf_release(&t->record);
	free(t->path);
	free(t);
}
