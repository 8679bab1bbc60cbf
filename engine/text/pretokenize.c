#include "text/pretokenize.h"

#include <stdlib.h>

#include "text/spec.h"

void pieces_add(struct pieces *v, size_t begin, size_t end)
{
	if (begin == end)
		return;
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->p = xreallocarray(v->p, v->cap, sizeof(*v->p));
	}
	v->p[v->n++] = (struct piece){begin, end};
}

void pretokenize_begin(
	struct pretokenize_io *io, const struct placed *from, size_t begin, size_t end)
{
	io->text.n = io->list.n = 0;
	placed_copy(&io->text, from, begin, end);
	pieces_add(&io->list, 0, end - begin);
}

void pretokenize_release(struct pretokenize_io *io)
{
	placed_release(&io->text);
	placed_release(&io->new_text);
	placed_release(&io->scratch);
	free(io->list.p);
	free(io->new_list.p);
	buf_release(&io->utf8);
}

static const struct pretokenizer_type *const types[] = {
	&pretokenizer_bert,
	&pretokenizer_byte_level,
	&pretokenizer_metaspace,
	&pretokenizer_split,
	&pretokenizer_punctuation,
	&pretokenizer_digits,
	&pretokenizer_whitespace,
	&pretokenizer_whitespace_split,
	&pretokenizer_char_delimiter,
	&pretokenizer_unicode_scripts,
	&pretokenizer_fixed_length,
};

static bool load_one(json spec, struct arena *a, void *ret, struct err *err)
{
	struct pretokenizer *p = ret;
	struct text type;
	if (!spec_type(spec, &type, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (text_is(type, types[i]->name)) {
			p->type = types[i];
			return !p->type->load || p->type->load(spec, a, p, err);
		}
	return spec_unknown(type,
		"BertPreTokenizer, ByteLevel, Metaspace, Split, Punctuation, Digits, Whitespace, "
		"WhitespaceSplit, CharDelimiterSplit, UnicodeScripts, FixedLength, Sequence",
		err);
}

bool pretokenizers_load(json spec, struct arena *a, struct pretokenizers *ret, struct err *err)
{
	struct spec_list list = {
		.members = "pretokenizers", .size = sizeof(*ret->list), .load = load_one};
	bool ok = spec_flatten(spec, &list, a, err);
	ret->list = list.items;
	ret->n = list.n;
	return ok;
}

void pretokenizers_release(struct pretokenizers *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		if (chain->list[i].type->release)
			chain->list[i].type->release(&chain->list[i]);
	chain->n = 0;
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
			struct placed text = io->text;
			io->text = io->new_text;
			io->new_text = text;
		}
	}
}

static void open_piece(struct splitter *s, size_t begin, size_t end)
{
	if (s->is_open)
		pieces_add(s->out, s->begin, s->end);
	s->begin = begin;
	s->end = end;
	s->is_open = true;
}

void splitter_put(struct splitter *s, size_t begin, size_t end, bool is_match)
{
	bool joins = false;
	switch (s->behavior) {
	case SPLIT_REMOVED:
		if (is_match)
			return;
		break;
	case SPLIT_ISOLATED:
		break;
	case SPLIT_CONTIGUOUS:
		joins = is_match == s->is_match;
		break;
	case SPLIT_WITH_PREVIOUS:
		joins = is_match && !s->is_match;
		break;
	case SPLIT_WITH_NEXT:
		joins = !is_match && s->is_match;
		break;
	}
	s->is_match = is_match;
	if (joins && s->is_open)
		s->end = end;
	else
		open_piece(s, begin, end);
}

void splitter_end(struct splitter *s)
{
	if (s->is_open)
		pieces_add(s->out, s->begin, s->end);
	s->is_open = s->is_match = false;
}
