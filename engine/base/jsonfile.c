#include "base/jsonfile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

/* Line and column (both from 1) of a byte. */
static void place(const char *data, size_t offset, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, start = 0;
	for (size_t i = 0; i < offset; i++)
		if (data[i] == '\n') {
			line++;
			start = i + 1;
		}
	*ret_line = line;
	*ret_column = offset - start + 1;
}

bool json_file_open(const char *path, struct json_file *ret, struct err *err)
{
	*ret = (struct json_file){0};
	struct fs_map m;
	if (!fs_map(path, &m, err))
		return false;
	struct json_why why;
	ret->parser = json_parser_new();
	ret->path = xstrdup(path);
	bool ok = m.len <= (size_t)1 << 30;
	if (!ok) {
		err_set(err, ERR_DATA, "%s is larger than 1 GiB", path);
	} else if (!json_parse(ret->parser, m.data, m.len, FS_PADDING, &ret->root, &why)) {
		size_t line, column;
		place(m.data, why.offset < m.len ? why.offset : m.len, &line, &column);
		ok = err_set(
			err, ERR_DATA, "%s:%zu:%zu: not JSON: %s", path, line, column, why.reason);
	}
	fs_unmap(&m);
	return ok;
}

void json_file_close(struct json_file *f)
{
	json_parser_free(f->parser);
	free(f->path);
	*f = (struct json_file){0};
}

/* A short quotation of what stands there, for the error. */
static void seen(json v, char *out, size_t size)
{
	const char *s;
	size_t len;
	double x;
	bool b;
	if (json_string(v, &s, &len))
		snprintf(out, size, "\"%.*s%s\"", (int)(len > 40 ? 40 : len), s,
			len > 40 ? "..." : "");
	else if (json_real(v, &x))
		snprintf(out, size, "%.17g", x);
	else if (json_bool(v, &b))
		snprintf(out, size, "%s", b ? "true" : "false");
	else
		snprintf(out, size, "%s", json_type_name(json_type(v)));
}

static bool wrong(json v, const char *key, const char *expected, struct err *err)
{
	char what[64];
	seen(v, what, sizeof what);
	return err_set(err, ERR_DATA, "%s is %s, expected %s", key, what, expected);
}

static bool is_absent(json v)
{
	return json_is(v, JSON_MISSING) || json_is(v, JSON_NULL);
}

bool json_want_int(json obj, const char *key, int64_t def, int64_t *ret, struct err *err)
{
	json v = json_get(obj, key);
	double x;
	if (is_absent(v))
		*ret = def;
	else if (!json_int(v, ret)) {
		/* 1e6 and 512.0 are whole numbers too. */
		if (!json_real(v, &x) || x != floor(x) || fabs(x) > 9e15)
			return wrong(v, key, "a whole number", err);
		*ret = (int64_t)x;
	}
	return true;
}

bool json_want_real(json obj, const char *key, double def, double *ret, struct err *err)
{
	json v = json_get(obj, key);
	if (is_absent(v))
		*ret = def;
	else if (!json_real(v, ret))
		return wrong(v, key, "a number", err);
	return true;
}

bool json_want_bool(json obj, const char *key, bool def, bool *ret, struct err *err)
{
	json v = json_get(obj, key);
	if (is_absent(v))
		*ret = def;
	else if (!json_bool(v, ret))
		return wrong(v, key, "true or false", err);
	return true;
}

bool json_want_text(json obj, const char *key, struct text def, struct text *ret, struct err *err)
{
	json v = json_get(obj, key);
	if (is_absent(v))
		*ret = def;
	else if (!json_string(v, &ret->s, &ret->len))
		return wrong(v, key, "a string", err);
	return true;
}
