/* Split: at a string or at what a regular expression matches, which a scanner knows or Oniguruma
 * finds. */
#include "text/pretokenize.h"

#include <string.h>

#include "base/jsonfile.h"
#include "text/normalize.h"
#include "text/regex.h"

bool split_behavior_load(
	json spec, enum split_behavior def, enum split_behavior *ret, struct err *err)
{
	static const char *const names[] = {
		"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
	struct text name;
	if (!json_want_text(spec, "behavior", text_of(names[def]), &name, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_is(name, names[i])) {
			*ret = (enum split_behavior)i;
			return true;
		}
	return err_set(err, ERR_DATA,
		"behavior is \"%.*s\", expected Removed, Isolated, MergedWithPrevious, "
		"MergedWithNext or Contiguous",
		name.len > 40 ? 40 : (int)name.len, name.s);
}

static bool split_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	json pattern = json_get(spec, "pattern");
	struct text string, regex;
	if (!json_want_text(pattern, "String", TEXT_NONE, &string, err) ||
		!json_want_text(pattern, "Regex", TEXT_NONE, &regex, err))
		return err_prefix(err, "pattern");
	if (!split_behavior_load(spec, SPLIT_ISOLATED, &ret->as.split.behavior, err) ||
		!json_want_bool(spec, "invert", false, &ret->as.split.invert, err))
		return false;
	if (string.s) {
		ret->as.split.string = chars_in_arena(a, string);
		return true;
	}
	if (!regex.s)
		return err_set(err, ERR_DATA, "pattern is neither a String nor a Regex");
	if (ret->as.split.behavior == SPLIT_ISOLATED)
		ret->as.split.scan = scan_for(regex);
	if (ret->as.split.scan)
		return true;
	ret->as.split.regex = regex_new(regex, err);
	return ret->as.split.regex || err_prefix(err, "pattern.Regex");
}

static void split_release(struct pretokenizer *p)
{
	regex_free(p->as.split.regex);
}

static void split_string(const struct chars *what, bool invert, const uint32_t *c, struct piece p,
	struct splitter *s)
{
	size_t begin = p.begin;
	for (size_t i = p.begin; what->n > 0 && i + what->n <= p.end;) {
		if (memcmp(c + i, what->c, what->n * sizeof(*c)) != 0) {
			i++;
			continue;
		}
		if (begin < i)
			splitter_put(s, begin, i, invert);
		splitter_put(s, i, i + what->n, !invert);
		begin = i += what->n;
	}
	if (begin < p.end)
		splitter_put(s, begin, p.end, invert);
}

/* A walk along the matches of a regex. */
struct split_walk {
	struct scan_walk at;
	struct splitter *s;
	size_t first; /* code point where the piece begins */
	bool invert;
};

static void put_match(void *ctx, size_t begin, size_t end)
{
	struct split_walk *w = ctx;
	size_t i = w->at.i;
	scan_walk_to(&w->at, begin);
	if (i < w->at.i)
		splitter_put(w->s, w->first + i, w->first + w->at.i, w->invert);
	i = w->at.i;
	scan_walk_to(&w->at, end);
	splitter_put(w->s, w->first + i, w->first + w->at.i, !w->invert);
}

static void split_regex(const struct pretokenizer *p, struct text t, struct split_walk *w)
{
	regex_each(p->as.split.regex, t, put_match, w);
	size_t i = w->at.i;
	scan_walk_to(&w->at, t.len);
	if (i < w->at.i)
		splitter_put(w->s, w->first + i, w->first + w->at.i, w->invert);
}

static void split_scan(
	const struct pretokenizer *p, const struct uclass *u, struct text t, struct split_walk *w)
{
	while (w->at.byte < t.len) {
		size_t i = w->at.i;
		scan_walk_to(&w->at, p->as.split.scan(u, t, w->at.byte));
		splitter_put(w->s, w->first + i, w->first + w->at.i, true);
	}
}

static void split_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	struct splitter s = {.out = &io->new_list, .behavior = p->as.split.behavior};
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		if (!p->as.split.scan && !p->as.split.regex) {
			split_string(&p->as.split.string, p->as.split.invert, io->text.c, from, &s);
		} else {
			buf_clear(&io->utf8);
			const uint32_t *c = io->text.c + from.begin;
			if (p->as.split.scan)
				chars_encode(c, from.end - from.begin, &io->utf8);
			else
				regex_spell(io->classes, c, from.end - from.begin, &io->utf8);
			struct text t = buf_text(&io->utf8);
			struct split_walk w = {{t, 0, 0}, &s, from.begin, p->as.split.invert};
			if (p->as.split.scan)
				split_scan(p, io->classes, t, &w);
			else
				split_regex(p, t, &w);
		}
		splitter_end(&s);
	}
}

const struct pretokenizer_type pretokenizer_split = {
	"Split", false, split_load, split_apply, split_release};
