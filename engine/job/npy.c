#include "job/npy.h"

#include <stdio.h>

#include "base/buf.h"

/* Of every file here, so that a count can be written anew. */
#define HEAD 128

/* Format 1.0: magic, version, length of the header in two bytes, a Python literal, padded so that
 * the data begin at a multiple of 64. */
static void put_head(struct buf *head, const char *dtype, const char *shape)
{
	buf_add(head, "\x93NUMPY\x01\x00\x00\x00", 10);
	buf_addf(head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, shape);
	while (head->len < HEAD - 1)
		buf_addch(head, ' ');
	buf_addch(head, '\n');
	head->data[8] = (char)(HEAD - 10);
}

static struct fs_out *open_with(
	const char *path, const char *dtype, const char *shape, struct err *err)
{
	struct fs_out *f = fs_out_open(path, err);
	if (!f)
		return NULL;
	struct buf head = BUF_INIT;
	put_head(&head, dtype, shape);
	fs_out_text(f, buf_text(&head));
	buf_release(&head);
	return f;
}

struct fs_out *npy_open(const char *path, int64_t rows, int64_t columns, struct err *err)
{
	char shape[48];
	snprintf(shape, sizeof shape, "%lld, %lld", (long long)rows, (long long)columns);
	return open_with(path, "<f4", shape, err);
}

void npy_set_rows(struct fs_out *f, int64_t rows, int64_t columns)
{
	char shape[48];
	struct buf head = BUF_INIT;
	snprintf(shape, sizeof shape, "%lld, %lld", (long long)rows, (long long)columns);
	put_head(&head, "<f4", shape);
	fs_out_patch(f, 0, head.data, head.len);
	buf_release(&head);
}

struct fs_out *npy_open_i64(const char *path, int64_t n, struct err *err)
{
	char shape[48];
	snprintf(shape, sizeof shape, "%lld,", (long long)n);
	return open_with(path, "<i8", shape, err);
}
