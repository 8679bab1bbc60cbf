/* Replace: a string, a run of one character, or what a regular expression matches. What is put in
 * has the place of the last character that it replaces. */
#include "text/normalize.h"

#include <string.h>

#include "base/jsonfile.h"
#include "text/regex.h"

/* The one shape of regex that encoders use here: a character that means itself, then {2,}. */
static bool is_run_regex(struct text t)
{
	return t.len == 5 && memcmp(t.s + 1, "{2,}", 4) == 0 && (unsigned char)t.s[0] < 0x80 &&
		!strchr("\\^$.|?*+()[]{}", t.s[0]);
}

static bool replace_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	json pattern = json_get(spec, "pattern");
	struct text string, regex, content;
	if (!json_want_text(pattern, "String", TEXT_NONE, &string, err) ||
		!json_want_text(pattern, "Regex", TEXT_NONE, &regex, err))
		return err_prefix(err, "pattern");
	if (!json_want_text(spec, "content", TEXT(""), &content, err))
		return false;
	if (!regex.s && !string.s)
		return err_set(err, ERR_DATA, "pattern is neither a String nor a Regex");
	ret->as.replace.to = chars_in_arena(a, content);
	ret->as.replace.is_run = regex.s && is_run_regex(regex);
	if (regex.s && !ret->as.replace.is_run) {
		ret->as.replace.regex = regex_new(regex, err);
		return ret->as.replace.regex || err_prefix(err, "pattern.Regex");
	}
	ret->as.replace.from = chars_in_arena(a, regex.s ? (struct text){regex.s, 1} : string);
	return true;
}

/* Length of the match at c[0], 0 if there is none. */
static size_t match(const struct normalizer *n, const uint32_t *c, size_t left)
{
	const struct chars *from = &n->as.replace.from;
	if (n->as.replace.is_run) {
		size_t len = 0;
		while (len < left && c[len] == from->c[0])
			len++;
		return len >= 2 ? len : 0;
	}
	if (left < from->n || memcmp(c, from->c, from->n * sizeof(*c)) != 0)
		return 0;
	return from->n;
}

static void put_content(const struct normalizer *n, struct normalize_io *io, uint32_t at)
{
	for (size_t k = 0; k < n->as.replace.to.n; k++)
		placed_add(&io->to, n->as.replace.to.c[k], at);
}

static void replace_string(const struct normalizer *n, struct normalize_io *io)
{
	const struct placed *from = &io->from;
	uint32_t first = n->as.replace.from.c[0];
	for (size_t i = 0; i < from->n;) {
		size_t len = from->c[i] == first ? match(n, from->c + i, from->n - i) : 0;
		if (len == 0) {
			placed_add(&io->to, from->c[i], from->at[i]);
			len = 1;
		} else {
			put_content(n, io, from->at[i + len - 1]);
		}
		i += len;
	}
}

/* A walk along the matches of a regex: bytes of the UTF-8 text, code points of io->from. */
struct replace_walk {
	const struct normalizer *n;
	struct normalize_io *io;
	size_t byte, i;
};

/* Moves i to the code point that begins at `byte`. */
static void walk_to(struct replace_walk *w, size_t byte)
{
	for (; w->byte < byte; w->i++) {
		uint32_t c = w->io->from.c[w->i];
		w->byte += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	}
}

static void replace_match(void *ctx, size_t begin, size_t end)
{
	struct replace_walk *w = ctx;
	size_t i = w->i;
	walk_to(w, begin);
	placed_copy(&w->io->to, &w->io->from, i, w->i);
	walk_to(w, end);
	put_content(w->n, w->io, w->i ? w->io->from.at[w->i - 1] : normalize_front(w->io));
}

static void replace_apply(const struct normalizer *n, struct normalize_io *io)
{
	if (!n->as.replace.regex) {
		if (n->as.replace.from.n > 0)
			replace_string(n, io);
		else /* the empty string is found nowhere */
			placed_copy(&io->to, &io->from, 0, io->from.n);
		return;
	}
	struct replace_walk w = {n, io, 0, 0};
	buf_clear(&io->utf8);
	regex_spell(io->classes, io->from.c, io->from.n, &io->utf8);
	regex_each(n->as.replace.regex, buf_text(&io->utf8), replace_match, &w);
	placed_copy(&io->to, &io->from, w.i, io->from.n);
}

static void replace_release(struct normalizer *n)
{
	regex_free(n->as.replace.regex);
}

const struct normalizer_type normalizer_replace = {
	"Replace", replace_load, replace_apply, replace_release};
