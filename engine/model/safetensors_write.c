#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

struct st_sink {
	struct fs_out *file;
	size_t n_bytes; /* of the entry at hand */
};

void st_sink_add(struct st_sink *out, const void *data, size_t len)
{
	fs_out_add(out->file, data, len);
	out->n_bytes += len;
}

struct order {
	const struct st_entry *entry;
	size_t i; /* as given */
};

/* The order of the format's own library: widest type first (its enum, backwards), then the name. */
static int by_dtype_and_name(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->entry->dtype != y->entry->dtype)
		return x->entry->dtype > y->entry->dtype ? -1 : 1;
	return strcmp(x->entry->name, y->entry->name);
}

static size_t entry_bytes(const struct st_entry *e)
{
	size_t bytes = st_dtype_size(e->dtype);
	for (int i = 0; i < e->ndim; i++)
		bytes *= (size_t)e->shape[i];
	return bytes;
}

static void put_header(struct buf *b, const struct order *order, size_t n)
{
	size_t at = 0;
	buf_adds(b, "{\"__metadata__\":{\"format\":\"pt\"}");
	for (size_t i = 0; i < n; i++) {
		const struct st_entry *e = order[i].entry;
		json_put_key(b, e->name);
		buf_addf(b, "{\"dtype\":\"%s\",\"shape\":[", st_dtype_name(e->dtype));
		for (int d = 0; d < e->ndim; d++)
			buf_addf(b, "%s%lld", d ? "," : "", (long long)e->shape[d]);
		size_t end = at + entry_bytes(e);
		buf_addf(b, "],\"data_offsets\":[%zu,%zu]}", at, end);
		at = end;
	}
	buf_addch(b, '}');
	while (b->len % 8 != 0)
		buf_addch(b, ' ');
}

static bool put_entries(const struct order *order, size_t n, st_put_fn put, void *ctx,
	struct st_sink *out, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct st_entry *e = order[i].entry;
		out->n_bytes = 0;
		if (!put(ctx, order[i].i, out, err))
			return false;
		if (out->n_bytes != entry_bytes(e))
			return err_set(err, ERR_FAILED,
				"tensor %s came with %zu bytes, its shape asks for %zu", e->name,
				out->n_bytes, entry_bytes(e));
	}
	return true;
}

bool safetensors_write(const char *path, const struct st_entry *entries, size_t n, st_put_fn put,
	void *ctx, struct err *err)
{
	struct order *order = xcalloc(n + 1, sizeof *order);
	struct buf header = BUF_INIT;
	struct st_sink out = {NULL, 0};
	bool ok = false;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){&entries[i], i};
	qsort(order, n, sizeof *order, by_dtype_and_name);
	put_header(&header, order, n);
	unsigned char len[8];
	for (int i = 0; i < 8; i++)
		len[i] = (unsigned char)((uint64_t)header.len >> (8 * i));
	out.file = fs_out_open(path, err);
	if (!out.file)
		goto out;
	fs_out_add(out.file, len, sizeof len);
	fs_out_text(out.file, buf_text(&header));
	if (!put_entries(order, n, put, ctx, &out, err)) {
		fs_out_abort(out.file);
		err_prefix(err, "%s", path);
		goto out;
	}
	ok = fs_out_commit(out.file, err);
out:
	buf_release(&header);
	free(order);
	return ok;
}
