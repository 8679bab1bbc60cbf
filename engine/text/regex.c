#include "text/regex.h"

#include <stdint.h>
#include <stdlib.h>

#include <oniguruma.h>

#include "base/mem.h"

struct regex {
	regex_t *onig;
};

struct regex *regex_new(struct text pattern, struct err *err)
{
	OnigEncoding utf8 = ONIG_ENCODING_UTF8;
	OnigErrorInfo info;
	struct regex *r = xcalloc(1, sizeof(*r));
	const OnigUChar *s = (const OnigUChar *)pattern.s;
	onig_initialize(&utf8, 1);
	int code = onig_new(
		&r->onig, s, s + pattern.len, ONIG_OPTION_NONE, utf8, ONIG_SYNTAX_DEFAULT, &info);
	if (code == ONIG_NORMAL)
		return r;
	OnigUChar why[ONIG_MAX_ERROR_MESSAGE_LEN];
	int len = onig_error_code_to_str(why, code, &info);
	err_set(err, ERR_DATA, "\"%.*s\" is no regular expression: %.*s",
		pattern.len > 200 ? 200 : (int)pattern.len, pattern.s, len, (const char *)why);
	r->onig = NULL;
	regex_free(r);
	return NULL;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	if (r->onig)
		onig_free(r->onig);
	free(r);
}

/* How many bytes the character at s has, 1 at the end. */
static size_t char_len(const OnigUChar *s, const OnigUChar *end)
{
	if (s >= end)
		return 1;
	return *s < 0x80 ? 1 : *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : 4;
}

void regex_each(const struct regex *r, struct text t, regex_fn fn, void *ctx)
{
	if (t.len == 0)
		return;
	OnigRegion *region = onig_region_new();
	const OnigUChar *s = (const OnigUChar *)t.s, *end = s + t.len;
	size_t from = 0, last = SIZE_MAX; /* where to look next; where the last match ended */
	while (from <= t.len) {
		onig_region_clear(region);
		if (onig_search(r->onig, s, end, s + from, end, region, ONIG_OPTION_NONE) < 0)
			break;
		size_t begin = (size_t)region->beg[0], stop = (size_t)region->end[0];
		if (begin == stop && stop == last) {
			/* An empty match right behind another one does not count. */
			from += char_len(s + from, end);
			continue;
		}
		from = last = stop;
		fn(ctx, begin, stop);
	}
	onig_region_free(region, 1);
}
