#include "text/sentencepiece.h"

#include <string.h>

#include "base/utf8.h"
#include "text/vocab.h"

/* The wire format of protocol buffers: each field is a key (number and kind) and a value. */
enum wire_kind { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct wire {
	const unsigned char *at, *end;
};
struct field {
	uint32_t number;
	enum wire_kind kind;
	uint64_t value; /* of a varint, or of 32 bits */
	struct text bytes;
};

/* Fields that are read; the others are passed over. */
enum { MODEL_PIECE = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };
enum { TRAINER_MODEL_TYPE = 3, TRAINER_UNK_PIECE = 45 };
enum { NORMALIZER_CHARSMAP = 2 };

static struct wire wire_of(struct text t)
{
	const unsigned char *s = (const unsigned char *)t.s;
	return (struct wire){s, s + t.len};
}

static bool read_varint(struct wire *w, uint64_t *ret)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
		unsigned char byte = *w->at++;
		v |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool read_fixed(struct wire *w, size_t size, uint64_t *ret)
{
	if ((size_t)(w->end - w->at) < size)
		return false;
	*ret = 0;
	for (size_t i = 0; i < size; i++)
		*ret |= (uint64_t)w->at[i] << (8 * i);
	w->at += size;
	return true;
}

static bool read_bytes(struct wire *w, struct text *ret)
{
	uint64_t len;
	if (!read_varint(w, &len) || len > (uint64_t)(w->end - w->at))
		return false;
	*ret = (struct text){(const char *)w->at, (size_t)len};
	w->at += len;
	return true;
}

/* False: the bytes are no field. */
static bool read_field(struct wire *w, struct field *ret)
{
	uint64_t key;
	*ret = (struct field){0};
	if (!read_varint(w, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX)
		return false;
	ret->number = (uint32_t)(key >> 3);
	ret->kind = (enum wire_kind)(key & 7);
	switch (ret->kind) {
	case WIRE_VARINT:
		return read_varint(w, &ret->value);
	case WIRE_64:
		return read_fixed(w, 8, &ret->value);
	case WIRE_BYTES:
		return read_bytes(w, &ret->bytes);
	case WIRE_32:
		return read_fixed(w, 4, &ret->value);
	default:
		return false;
	}
}

static bool damaged(const char *what, struct err *err)
{
	return err_set(err, ERR_DATA,
		"%s does not end where it should: the file is cut off, or no sentencepiece model",
		what);
}

static bool read_piece(struct text data, size_t id, struct piece_entry *ret, struct err *err)
{
	struct wire w = wire_of(data);
	struct piece_entry p = {.s = TEXT_NONE, .type = PIECE_NORMAL};
	struct field f;
	while (w.at < w.end) {
		if (!read_field(&w, &f))
			return damaged("it", err) || err_prefix(err, "piece %zu", id);
		uint32_t bits = (uint32_t)f.value;
		if (f.number == PIECE_TEXT && f.kind == WIRE_BYTES)
			p.s = f.bytes;
		else if (f.number == PIECE_SCORE && f.kind == WIRE_32)
			memcpy(&p.score, &bits, sizeof p.score);
		else if (f.number == PIECE_TYPE && f.kind == WIRE_VARINT)
			p.type = (enum piece_type)f.value;
	}
	if (p.s.len == 0)
		return err_set(err, ERR_DATA, "piece %zu is empty", id);
	if (utf8_check(p.s.s, p.s.len) < p.s.len)
		return err_set(err, ERR_DATA, "piece %zu is not UTF-8", id);
	if (!(p.score > -1e30f && p.score < 1e30f))
		return err_set(err, ERR_DATA, "piece %zu has a score that is no number", id);
	if (p.type < PIECE_NORMAL || p.type > PIECE_BYTE)
		return err_set(
			err, ERR_DATA, "piece %zu has type %d, expected 1 to 6", id, (int)p.type);
	*ret = p;
	return true;
}

static bool read_trainer(struct text data, struct sentencepiece *sp, struct err *err)
{
	struct wire w = wire_of(data);
	struct field f;
	uint64_t type = SENTENCEPIECE_UNIGRAM;
	while (w.at < w.end) {
		if (!read_field(&w, &f))
			return damaged("trainer_spec", err);
		if (f.number == TRAINER_MODEL_TYPE && f.kind == WIRE_VARINT)
			type = f.value;
		else if (f.number == TRAINER_UNK_PIECE && f.kind == WIRE_BYTES)
			sp->unk_piece = f.bytes;
	}
	if (type != SENTENCEPIECE_UNIGRAM && type != SENTENCEPIECE_BPE)
		return err_set(err, ERR_DATA,
			"trainer_spec.model_type is %llu, expected 1 (Unigram) or 2 (BPE)",
			(unsigned long long)type);
	sp->type = (enum sentencepiece_type)type;
	return true;
}

static bool read_normalizer(struct text data, struct sentencepiece *sp, struct err *err)
{
	struct wire w = wire_of(data);
	struct field f;
	while (w.at < w.end) {
		if (!read_field(&w, &f))
			return damaged("normalizer_spec", err);
		if (f.number == NORMALIZER_CHARSMAP && f.kind == WIRE_BYTES)
			sp->charsmap = f.bytes;
	}
	return true;
}

static bool read_part(
	const struct field *f, struct piece_entry *room, struct sentencepiece *sp, struct err *err)
{
	if (f->kind != WIRE_BYTES)
		return true;
	switch (f->number) {
	case MODEL_PIECE:
		return read_piece(f->bytes, sp->n, &room[sp->n], err) && ++sp->n;
	case MODEL_TRAINER:
		return read_trainer(f->bytes, sp, err);
	case MODEL_NORMALIZER:
		return read_normalizer(f->bytes, sp, err);
	default:
		return true;
	}
}

/* How many pieces there are, so that their list is made once. */
static bool count_pieces(struct text data, size_t *ret, struct err *err)
{
	struct wire w = wire_of(data);
	struct field f;
	size_t n = 0;
	while (w.at < w.end) {
		if (!read_field(&w, &f))
			return damaged("it", err);
		n += f.number == MODEL_PIECE && f.kind == WIRE_BYTES;
	}
	if (n == 0)
		return err_set(err, ERR_DATA, "it holds no pieces");
	if (n > VOCAB_IDS_MAX)
		return err_set(err, ERR_DATA, "it holds %zu pieces, expected at most %zu", n,
			VOCAB_IDS_MAX);
	*ret = n;
	return true;
}

bool sentencepiece_read(
	struct text data, struct arena *a, struct sentencepiece *ret, struct err *err)
{
	size_t n = 0;
	if (!count_pieces(data, &n, err))
		return false;
	/* Classes put a few pieces of their own beside the file's. */
	struct piece_entry *room = arena_calloc(a, n + 8, sizeof *room);
	struct sentencepiece sp = {
		.pieces = room, .type = SENTENCEPIECE_UNIGRAM, .unk_piece = TEXT("<unk>")};
	struct wire w = wire_of(data);
	struct field f;
	while (w.at < w.end)
		if (!read_field(&w, &f) || !read_part(&f, room, &sp, err))
			return false;
	*ret = sp;
	return true;
}
