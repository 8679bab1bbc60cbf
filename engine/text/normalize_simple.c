/* Normalisers that look at one character at a time. */
#include "text/normalize.h"

#include "base/jsonfile.h"
#include "base/utf8.h"
#include "text/bytelevel.h"

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
	placed_copy(&io->to, &io->from, begin, end);
}

static void lowercase_apply(const struct normalizer *n, struct normalize_io *io)
{
	(void)n;
	placed_reserve(&io->to, io->from.n);
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t c = io->from.c[i], out[2];
		size_t k = 1;
		out[0] = c;
		if (uclass_of(io->classes, c) & UC_CASED)
			k = uclass_to_lower(c, out);
		for (size_t j = 0; j < k; j++)
			placed_add(&io->to, out[j], io->from.at[i]);
	}
}

static void strip_accents_apply(const struct normalizer *n, struct normalize_io *io)
{
	(void)n;
	for (size_t i = 0; i < io->from.n; i++)
		if (!(uclass_of(io->classes, io->from.c[i]) & UC_COMBINING))
			placed_add(&io->to, io->from.c[i], io->from.at[i]);
}

/* Nmt: sentencepiece's older map of control characters and spaces. */

static bool nmt_drops(uint32_t c)
{
	return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
		c == 0x8F || c == 0x9F;
}

static bool nmt_is_space(uint32_t c)
{
	return c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
		(c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
		c == 0xFEFF || c == 0xFFFD;
}

static void nmt_apply(const struct normalizer *n, struct normalize_io *io)
{
	(void)n;
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t c = io->from.c[i];
		if (!nmt_drops(c))
			placed_add(&io->to, nmt_is_space(c) ? ' ' : c, io->from.at[i]);
	}
}

static void byte_level_apply(const struct normalizer *n, struct normalize_io *io)
{
	(void)n;
	bytelevel_spell(&io->from, 0, io->from.n, &io->to);
}

/* Prepend: a string in front of a text that is not empty. */

static bool prepend_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	struct text t;
	if (!json_want_text(spec, "prepend", TEXT_NONE, &t, err))
		return false;
	if (!t.s)
		return err_set(err, ERR_DATA, "has no prepend");
	ret->as.prepend = chars_in_arena(a, t);
	return true;
}

static void prepend_apply(const struct normalizer *n, struct normalize_io *io)
{
	for (size_t i = 0; i < n->as.prepend.n; i++)
		placed_add(&io->to, n->as.prepend.c[i], io->from.at[0]);
	placed_copy(&io->to, &io->from, 0, io->from.n);
	if (n->as.prepend.n == 0) /* then it takes the first one's place away */
		io->to.at[0] = normalize_front(io);
}

const struct normalizer_type normalizer_strip = {"Strip", strip_load, strip_apply, NULL};
const struct normalizer_type normalizer_strip_accents = {
	"StripAccents", NULL, strip_accents_apply, NULL};
const struct normalizer_type normalizer_lowercase = {"Lowercase", NULL, lowercase_apply, NULL};
const struct normalizer_type normalizer_nmt = {"Nmt", NULL, nmt_apply, NULL};
const struct normalizer_type normalizer_byte_level = {"ByteLevel", NULL, byte_level_apply, NULL};
const struct normalizer_type normalizer_prepend = {"Prepend", prepend_load, prepend_apply, NULL};
