#include "text/regex.h"

#include <stdint.h>
#include <stdlib.h>

#include <oniguruma.h>

#include "base/mem.h"
#include "base/utf8.h"

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

/* Of the class of a recent character: one that Oniguruma has long known and patterns do not name. */
static uint32_t stand_in(unsigned class, bool is_long)
{
	static const struct {
		unsigned class;
		uint32_t three, four; /* by the bytes of the spelling */
	} table[] = {
		{UC_UPPER, 0x1E00, 0x10400},
		{UC_LOWER, 0x1E01, 0x10428},
		{UC_CASELESS, 0xA000, 0x10000},
		{UC_MARK, 0x1DC4, 0x101FD},
		{UC_WORD, 0xA620, 0x1D7CE}, /* of the numbers that are left, the digits */
		{UC_NUMBER, 0x2080, 0x10107},
		{UC_SYMBOL, 0x2E3A, 0x1F000},
	};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(table) && !(class & table[i].class))
		i++;
	return is_long ? table[i].four : table[i].three;
}

void regex_spell(const struct uclass *u, const uint32_t *c, size_t n, struct buf *out)
{
	char *at = buf_reserve(out, 4 * n);
	if (!at)
		return;
	const char *begin = at;
	for (size_t i = 0; i < n; i++) {
		unsigned class = uclass_of(u, c[i]);
		bool is_recent = class & UC_RECENT && c[i] >= 0x800;
		at += utf8_encode(is_recent ? stand_in(class, c[i] >= 0x10000) : c[i], at);
	}
	out->len += (size_t)(at - begin);
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
