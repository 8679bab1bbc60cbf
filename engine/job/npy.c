#include "job/npy.h"

#include <stdio.h>

#include "base/buf.h"

/* Format 1.0: magic, version, length of the header in two bytes, a Python literal, padded so that
 * the data begin at a multiple of 64. */
struct fs_out *npy_open(const char *path, int64_t rows, int64_t columns, struct err *err)
{
	struct fs_out *f = fs_out_open(path, err);
	if (!f)
		return NULL;
	struct buf head = BUF_INIT;
	buf_add(&head, "\x93NUMPY\x01\x00\x00\x00", 10);
	buf_addf(&head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
		(long long)rows, (long long)columns);
	while (head.len % 64 != 63)
		buf_addch(&head, ' ');
	buf_addch(&head, '\n');
	size_t len = head.len - 10;
	head.data[8] = (char)(len & 0xff);
	head.data[9] = (char)(len >> 8);
	fs_out_text(f, buf_text(&head));
	buf_release(&head);
	return f;
}
