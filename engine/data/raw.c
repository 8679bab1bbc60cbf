#include "data/raw.h"

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* p stands behind the opening quote; the result behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		if (!quote)
			return end;
		size_t n_slashes = 0;
		while (quote - n_slashes > p && quote[-1 - (ptrdiff_t)n_slashes] == '\\')
			n_slashes++;
		if (n_slashes % 2 == 0)
			return quote + 1;
		p = quote + 1;
	}
	return end;
}

static const char *skip_nested(const char *p, const char *end)
{
	size_t depth = 0;
	while (p < end) {
		char c = *p++;
		if (c == '"')
			p = skip_string(p, end);
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return p;
}

static bool ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_value(const char *p, const char *end)
{
	if (p == end)
		return p;
	if (*p == '"')
		return skip_string(p + 1, end);
	if (*p == '{' || *p == '[')
		return skip_nested(p, end);
	while (p < end && !ends_scalar(*p))
		p++;
	return p;
}

struct raw_iter raw_iter(struct text value)
{
	struct raw_iter it = {NULL, NULL, false};
	if (value.len == 0)
		return it;
	const char *end = value.s + value.len;
	const char *p = skip_blank(value.s, end);
	if (p < end && (*p == '{' || *p == '[')) {
		it.is_object = *p == '{';
		it.at = p + 1;
		it.end = end;
	}
	return it;
}

bool raw_next(struct raw_iter *it, struct raw_member *ret)
{
	const char *p = skip_blank(it->at, it->end);
	if (p < it->end && *p == ',')
		p = skip_blank(p + 1, it->end);
	if (p >= it->end || *p == '}' || *p == ']')
		return false;
	ret->key = TEXT_NONE;
	if (it->is_object) {
		const char *key = p;
		p = skip_value(p, it->end);
		ret->key = (struct text){key, (size_t)(p - key)};
		p = skip_blank(p, it->end);
		if (p < it->end && *p == ':')
			p = skip_blank(p + 1, it->end);
	}
	const char *value = p;
	p = skip_value(p, it->end);
	ret->value = (struct text){value, (size_t)(p - value)};
	if (p == it->at) /* no JSON: end rather than stand still */
		return false;
	it->at = p;
	return true;
}

struct text raw_at(struct text value, size_t i)
{
	struct raw_member m;
	for (struct raw_iter it = raw_iter(value); raw_next(&it, &m); i--)
		if (i == 0)
			return m.value;
	return TEXT_NONE;
}
