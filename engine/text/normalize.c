#include "text/normalize.h"

#include <string.h>

#include "base/jsonfile.h"
#include "text/spec.h"

/* Strip: white space at either end. */

static bool strip_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)a;
	return json_want_bool(spec, "strip_left", false, &ret->as.strip.left, err) &&
		json_want_bool(spec, "strip_right", false, &ret->as.strip.right, err);
}

static void strip_apply(const struct normalizer *n, struct normalize_io *io)
{
	const uint32_t *c = io->from.c;
	size_t begin = 0, end = io->from.n;
	if (n->as.strip.left)
		while (begin < end && uclass_of(io->classes, c[begin]) & UC_SPACE)
			begin++;
	if (n->as.strip.right)
		while (end > begin && uclass_of(io->classes, c[end - 1]) & UC_SPACE)
			end--;
	chars_append(&io->to, c + begin, end - begin);
	io->new_front = io->n_front > begin ? io->n_front - begin : 0;
}

/* Replace: a string, or a run of one character. */

static struct chars chars_of(struct arena *a, struct text t)
{
	struct chars v = CHARS_INIT;
	chars_decode(&v, t);
	struct chars copy = {arena_alloc(a, v.n * sizeof(*v.c)), v.n, v.n};
	if (v.n)
		memcpy(copy.c, v.c, v.n * sizeof(*v.c));
	chars_release(&v);
	return copy;
}

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
		!json_want_text(pattern, "Regex", TEXT_NONE, &regex, err) ||
		!json_want_text(spec, "content", TEXT(""), &content, err))
		return err_prefix(err, "pattern");
	if (regex.s && !is_run_regex(regex))
		return err_set(err, ERR_DATA,
			"pattern.Regex is \"%.*s\", and the only regex of a Replace that this "
			"version knows is one character repeated, as in \" {2,}\"",
			TEXT_ARG(regex));
	if (!regex.s && string.len == 0)
		return err_set(err, ERR_DATA,
			"pattern is neither a String of at least one character nor a Regex");
	ret->as.replace.is_run = regex.s != NULL;
	ret->as.replace.from = chars_of(a, regex.s ? (struct text){regex.s, 1} : string);
	ret->as.replace.to = chars_of(a, content);
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

static void replace_apply(const struct normalizer *n, struct normalize_io *io)
{
	const struct chars *from = &io->from, *to = &n->as.replace.to;
	uint32_t first = n->as.replace.from.c[0];
	for (size_t i = 0; i < from->n;) {
		size_t len = from->c[i] == first ? match(n, from->c + i, from->n - i) : 0;
		size_t before = io->to.n;
		if (len == 0) {
			chars_add(&io->to, from->c[i]);
			len = 1;
		} else {
			chars_append(&io->to, to->c, to->n);
		}
		/* What replaces several characters stands for the last of them. */
		normalize_front(io, i + len - 1, before);
		i += len;
	}
}

static bool lowercase_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)spec, (void)a, (void)ret, (void)err;
	return true;
}

static void lowercase_apply(const struct normalizer *n, struct normalize_io *io)
{
	(void)n;
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t c = io->from.c[i], out[2];
		size_t before = io->to.n;
		if (uclass_of(io->classes, c) & UC_CASED)
			chars_append(&io->to, out, uclass_to_lower(c, out));
		else
			chars_add(&io->to, c);
		normalize_front(io, i, before);
	}
}

const struct normalizer_type normalizer_strip = {"Strip", strip_load, strip_apply};
const struct normalizer_type normalizer_replace = {"Replace", replace_load, replace_apply};
static const struct normalizer_type lowercase = {"Lowercase", lowercase_load, lowercase_apply};

static const struct normalizer_type *const types[] = {
	&normalizer_bert,
	&normalizer_precompiled,
	&normalizer_strip,
	&normalizer_replace,
	&lowercase,
};

static bool load_one(json spec, struct arena *a, void *ret, struct err *err)
{
	struct normalizer *n = ret;
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (text_is(type, types[i]->name)) {
			n->type = types[i];
			return n->type->load(spec, a, n, err);
		}
	return spec_unknown(type,
		"BertNormalizer, Precompiled, Strip, Replace, Lowercase, "
		"Sequence",
		err);
}

bool normalizers_load(json spec, struct arena *a, struct normalizers *ret, struct err *err)
{
	struct spec_list list = {
		.members = "normalizers", .size = sizeof(*ret->list), .load = load_one};
	if (!spec_flatten(spec, &list, a, err))
		return false;
	ret->list = list.items;
	ret->n = list.n;
	return true;
}

void normalize_begin(struct normalize_io *io, struct text t)
{
	io->from.n = 0;
	io->n_front = 1;
	chars_decode(&io->from, t);
}

void normalizer_apply(const struct normalizer *n, struct normalize_io *io)
{
	io->to.n = 0;
	io->new_front = 0;
	n->type->apply(n, io);
	io->n_front = io->new_front;
	struct chars swap = io->from;
	io->from = io->to;
	io->to = swap;
}

void normalizers_apply(const struct normalizers *chain, size_t first, struct normalize_io *io)
{
	for (size_t i = first; i < chain->n; i++)
		normalizer_apply(&chain->list[i], io);
}
