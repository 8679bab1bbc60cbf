#include "text/pretokenize.h"

#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/utf8.h"
#include "text/spec.h"

void pieces_add(struct pieces *v, size_t begin, size_t end, bool is_front)
{
	if (begin == end)
		return;
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->p = xreallocarray(v->p, v->cap, sizeof(*v->p));
	}
	v->p[v->n++] = (struct piece){begin, end, is_front};
}

void pieces_release(struct pieces *v)
{
	free(v->p);
	*v = (struct pieces){NULL, 0, 0};
}

static bool nothing_to_load(json spec, struct pretokenizer *ret, struct err *err)
{
	(void)spec, (void)ret, (void)err;
	return true;
}

/* Drops white space; with `punctuation`, each such character is a piece of its own. */
static void split_words(struct pretokenize_io *io, bool punctuation)
{
	const uint32_t *c = io->text.c;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece p = io->list.p[k];
		size_t begin = p.begin;
		for (size_t i = p.begin; i < p.end; i++) {
			unsigned class = uclass_of(io->classes, c[i]);
			bool is_space = class & UC_SPACE;
			if (!is_space && !(punctuation && class & UC_PUNCT))
				continue;
			pieces_add(&io->new_list, begin, i, p.is_front && begin == p.begin);
			if (!is_space)
				pieces_add(&io->new_list, i, i + 1, p.is_front && i == p.begin);
			begin = i + 1;
		}
		pieces_add(&io->new_list, begin, p.end, p.is_front && begin == p.begin);
	}
}

static void bert_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	(void)p;
	split_words(io, true);
}

static void whitespace_split_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	(void)p;
	split_words(io, false);
}

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
		ret->metaspace.prepend = (enum prepend_scheme)i;
		if (add_prefix || ret->metaspace.prepend == PREPEND_NEVER)
			return true;
		if (!json_is(json_get(spec, "prepend_scheme"), JSON_MISSING))
			return err_set(err, ERR_DATA,
				"add_prefix_space is false, which contradicts prepend_scheme");
		ret->metaspace.prepend = PREPEND_NEVER;
		return true;
	}
	return err_set(err, ERR_DATA, "prepend_scheme is \"%.*s\", expected always, first or never",
		scheme.len > 40 ? 40 : (int)scheme.len, scheme.s);
}

static bool metaspace_load(json spec, struct pretokenizer *ret, struct err *err)
{
	struct text replacement;
	if (!json_want_text(spec, "replacement", TEXT_NONE, &replacement, err) ||
		!json_want_bool(spec, "split", true, &ret->metaspace.split, err) ||
		!load_scheme(spec, ret, err))
		return false;
	size_t len = 0;
	if (replacement.len > 0)
		ret->metaspace.replacement = utf8_decode(replacement.s, replacement.len, &len);
	return (len > 0 && len == replacement.len) ||
		err_set(err, ERR_DATA, "replacement is not one character");
}

static void metaspace_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	uint32_t mark = p->metaspace.replacement;
	struct chars *out = &io->new_text;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		const uint32_t *c = io->text.c + from.begin;
		size_t n = from.end - from.begin, begin = out->n;
		bool marked = c[0] == ' ' || c[0] == mark;
		bool is_front = from.is_front;
		if (!marked &&
			(p->metaspace.prepend == PREPEND_ALWAYS ||
				(p->metaspace.prepend == PREPEND_FIRST && is_front)))
			chars_add(out, mark);
		uint32_t *to = chars_reserve(out, n);
		for (size_t i = 0; i < n; i++) {
			to[i] = c[i] == ' ' ? mark : c[i];
			if (p->metaspace.split && to[i] == mark) {
				pieces_add(&io->new_list, begin, out->n + i, is_front);
				is_front = is_front && begin == out->n + i;
				begin = out->n + i;
			}
		}
		out->n += n;
		pieces_add(&io->new_list, begin, out->n, is_front);
	}
}

const struct pretokenizer_type pretokenizer_bert = {
	"BertPreTokenizer", false, nothing_to_load, bert_apply};
const struct pretokenizer_type pretokenizer_whitespace_split = {
	"WhitespaceSplit", false, nothing_to_load, whitespace_split_apply};
const struct pretokenizer_type pretokenizer_metaspace = {
	"Metaspace", true, metaspace_load, metaspace_apply};

static const struct pretokenizer_type *const types[] = {
	&pretokenizer_bert,
	&pretokenizer_whitespace_split,
	&pretokenizer_metaspace,
};

static bool load_one(json spec, struct arena *a, void *ret, struct err *err)
{
	(void)a;
	struct pretokenizer *p = ret;
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (text_is(type, types[i]->name)) {
			p->type = types[i];
			return p->type->load(spec, p, err);
		}
	return spec_unknown(type, "BertPreTokenizer, WhitespaceSplit, Metaspace, Sequence", err);
}

bool pretokenizers_load(json spec, struct arena *a, struct pretokenizers *ret, struct err *err)
{
	struct spec_list list = {
		.members = "pretokenizers", .size = sizeof(*ret->list), .load = load_one};
	if (!spec_flatten(spec, &list, a, err))
		return false;
	ret->list = list.items;
	ret->n = list.n;
	return true;
}

void pretokenizers_apply(const struct pretokenizers *chain, struct pretokenize_io *io)
{
	for (size_t i = 0; i < chain->n; i++) {
		const struct pretokenizer *p = &chain->list[i];
		io->new_list.n = 0;
		io->new_text.n = 0;
		p->type->apply(p, io);
		struct pieces list = io->list;
		io->list = io->new_list;
		io->new_list = list;
		if (p->type->rewrites) {
			struct chars text = io->text;
			io->text = io->new_text;
			io->new_text = text;
		}
	}
}
