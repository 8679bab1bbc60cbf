/* Pre-tokenisers that rewrite the text: Metaspace and ByteLevel. */
#include "text/pretokenize.h"

#include "base/jsonfile.h"
#include "base/utf8.h"
#include "text/bytelevel.h"

/* Metaspace: spaces become a visible character, one may be put in front, and each begins a piece.
 * add_prefix_space is the older spelling of prepend_scheme. */

static bool load_scheme(json spec, struct pretokenizer *ret, struct err *err)
{
	static const char *const names[] = {"always", "first", "never"};
	struct text scheme;
	bool add_prefix;
	if (!json_want_text(spec, "prepend_scheme", TEXT("always"), &scheme, err) ||
		!json_want_bool(spec, "add_prefix_space", true, &add_prefix, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!text_is(scheme, names[i]))
			continue;
		ret->as.metaspace.prepend = (enum prepend_scheme)i;
		if (add_prefix || ret->as.metaspace.prepend == PREPEND_NEVER)
			return true;
		if (!json_is(json_get(spec, "prepend_scheme"), JSON_MISSING))
			return err_set(err, ERR_DATA,
				"add_prefix_space is false, which contradicts prepend_scheme");
		ret->as.metaspace.prepend = PREPEND_NEVER;
		return true;
	}
	return err_set(err, ERR_DATA, "prepend_scheme is \"%.*s\", expected always, first or never",
		scheme.len > 40 ? 40 : (int)scheme.len, scheme.s);
}

static bool metaspace_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	struct text replacement;
	if (!json_want_text(spec, "replacement", TEXT_NONE, &replacement, err) ||
		!json_want_bool(spec, "split", true, &ret->as.metaspace.split, err) ||
		!load_scheme(spec, ret, err))
		return false;
	size_t len = 0;
	if (replacement.len > 0)
		ret->as.metaspace.replacement = utf8_decode(replacement.s, replacement.len, &len);
	return (len > 0 && len == replacement.len) ||
		err_set(err, ERR_DATA, "replacement is not one character");
}

static void metaspace_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	uint32_t mark = p->as.metaspace.replacement;
	enum prepend_scheme scheme = p->as.metaspace.prepend;
	struct placed *out = &io->new_text;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		const uint32_t *c = io->text.c + from.begin, *at = io->text.at + from.begin;
		size_t n = from.end - from.begin, begin = out->n;
		bool marked = c[0] == ' ' || c[0] == mark;
		if (!marked &&
			(scheme == PREPEND_ALWAYS ||
				(scheme == PREPEND_FIRST && (at[0] & ~PLACE_EMPTY) == 0)))
			placed_add(out, mark, at[0]);
		placed_reserve(out, n);
		uint32_t *to = out->c + out->n;
		for (size_t i = 0; i < n; i++) {
			to[i] = c[i] == ' ' ? mark : c[i];
			out->at[out->n + i] = at[i];
			if (p->as.metaspace.split && to[i] == mark) {
				pieces_add(&io->new_list, begin, out->n + i);
				begin = out->n + i;
			}
		}
		out->n += n;
		pieces_add(&io->new_list, begin, out->n);
	}
}

/* ByteLevel: a space in front unless there is one, GPT-2's cuts, then the alphabet of bytes. */

static bool byte_level_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	return json_want_bool(
		       spec, "add_prefix_space", true, &ret->as.byte_level.add_prefix_space, err) &&
		json_want_bool(spec, "use_regex", true, &ret->as.byte_level.use_regex, err);
}

/* Spells from[begin..end) behind io->new_text, as one piece. */
static void spell_piece(
	struct pretokenize_io *io, const struct placed *from, size_t begin, size_t end)
{
	size_t before = io->new_text.n;
	bytelevel_spell(from, begin, end, &io->new_text);
	pieces_add(&io->new_list, before, io->new_text.n);
}

static void byte_level_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	struct placed *piece = &io->scratch;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		piece->n = 0;
		if (p->as.byte_level.add_prefix_space && io->text.c[from.begin] != ' ')
			placed_add(piece, ' ', io->text.at[from.begin]);
		placed_copy(piece, &io->text, from.begin, from.end);
		if (!p->as.byte_level.use_regex) {
			spell_piece(io, piece, 0, piece->n);
			continue;
		}
		buf_clear(&io->utf8);
		chars_encode(piece->c, piece->n, &io->utf8);
		struct text t = buf_text(&io->utf8);
		struct scan_walk w = {.text = t};
		while (w.byte < t.len) {
			size_t begin = w.i;
			scan_walk_to(&w, scan_gpt2(io->classes, t, w.byte));
			spell_piece(io, piece, begin, w.i);
		}
	}
}

const struct pretokenizer_type pretokenizer_metaspace = {
	"Metaspace", true, metaspace_load, metaspace_apply, NULL};
const struct pretokenizer_type pretokenizer_byte_level = {
	"ByteLevel", true, byte_level_load, byte_level_apply, NULL};
