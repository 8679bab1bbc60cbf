#include "text/normalize.h"

#include <stdlib.h>
#include <string.h>

#include "text/spec.h"

static const struct normalizer_type *const types[] = {
	&normalizer_bert,
	&normalizer_precompiled,
	&normalizer_nfc,
	&normalizer_nfd,
	&normalizer_nfkc,
	&normalizer_nfkd,
	&normalizer_strip,
	&normalizer_strip_accents,
	&normalizer_replace,
	&normalizer_lowercase,
	&normalizer_prepend,
	&normalizer_nmt,
	&normalizer_byte_level,
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
			return !n->type->load || n->type->load(spec, a, n, err);
		}
	return spec_unknown(type,
		"BertNormalizer, Precompiled, NFC, NFD, NFKC, NFKD, Strip, StripAccents, Replace, "
		"Lowercase, Prepend, Nmt, ByteLevel, Sequence",
		err);
}

bool normalizers_load(json spec, struct arena *a, struct normalizers *ret, struct err *err)
{
	struct spec_list list = {
		.members = "normalizers", .size = sizeof(*ret->list), .load = load_one};
	bool ok = spec_flatten(spec, &list, a, err);
	ret->list = list.items;
	ret->n = list.n;
	return ok;
}

void normalizers_release(struct normalizers *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		if (chain->list[i].type->release)
			chain->list[i].type->release(&chain->list[i]);
	chain->n = 0;
}

void normalize_begin(struct normalize_io *io, struct text t, size_t at)
{
	io->from.n = 0;
	io->at = at;
	placed_decode(&io->from, t, at);
}

void normalize_release(struct normalize_io *io)
{
	placed_release(&io->from);
	placed_release(&io->to);
	free(io->units);
	buf_release(&io->utf8);
}

void normalize_swap(struct normalize_io *io)
{
	struct placed swap = io->from;
	io->from = io->to;
	io->to = swap;
	io->to.n = 0;
	io->next = 0;
}

void normalizer_apply(const struct normalizer *n, struct normalize_io *io)
{
	io->to.n = 0;
	io->next = 0;
	if (io->from.n == 0)
		return;
	n->type->apply(n, io);
	normalize_swap(io);
}

void normalizers_apply(const struct normalizers *chain, size_t first, struct normalize_io *io)
{
	for (size_t i = first; i < chain->n; i++)
		normalizer_apply(&chain->list[i], io);
}

struct chars chars_in_arena(struct arena *a, struct text t)
{
	struct chars v = CHARS_INIT;
	chars_decode(&v, t);
	struct chars copy = {arena_alloc(a, v.n * sizeof(*v.c)), v.n, v.n};
	if (v.n)
		memcpy(copy.c, v.c, v.n * sizeof(*v.c));
	chars_release(&v);
	return copy;
}
