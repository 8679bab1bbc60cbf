/* Pre-tokenisers that cut by the class of single characters. */
#include "text/pretokenize.h"

#include "base/jsonfile.h"
#include "base/utf8.h"

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
			pieces_add(&io->new_list, begin, i);
			if (!is_space)
				pieces_add(&io->new_list, i, i + 1);
			begin = i + 1;
		}
		pieces_add(&io->new_list, begin, p.end);
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

/* Whitespace: the runs of \w and the runs of what is neither \w nor white space. */
static void whitespace_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	(void)p;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		size_t begin = from.begin;
		unsigned last = UC_SPACE;
		for (size_t i = from.begin; i < from.end; i++) {
			unsigned class = uclass_of(io->classes, io->text.c[i]);
			class = class & UC_WORD ? UC_WORD : class & UC_SPACE;
			if (class != last) {
				if (last != UC_SPACE)
					pieces_add(&io->new_list, begin, i);
				begin = i;
			}
			last = class;
		}
		if (last != UC_SPACE)
			pieces_add(&io->new_list, begin, from.end);
	}
}

/* Cuts at every character of a class, each a match by itself. */
static void split_class(struct pretokenize_io *io, unsigned class, enum split_behavior behavior)
{
	struct splitter s = {.out = &io->new_list, .behavior = behavior};
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece p = io->list.p[k];
		size_t begin = p.begin;
		for (size_t i = p.begin; i < p.end; i++) {
			if (!(uclass_of(io->classes, io->text.c[i]) & class))
				continue;
			if (begin < i)
				splitter_put(&s, begin, i, false);
			splitter_put(&s, i, i + 1, true);
			begin = i + 1;
		}
		if (begin < p.end)
			splitter_put(&s, begin, p.end, false);
		splitter_end(&s);
	}
}

static bool punctuation_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	return split_behavior_load(spec, SPLIT_ISOLATED, &ret->as.behavior, err);
}

static void punctuation_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	split_class(io, UC_PUNCT, p->as.behavior);
}

static bool digits_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	return json_want_bool(spec, "individual_digits", false, &ret->as.individual, err);
}

static void digits_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	split_class(io, UC_NUMERIC, p->as.individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
}

static bool char_delimiter_load(
	json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	struct text t;
	size_t len = 0;
	if (!json_want_text(spec, "delimiter", TEXT_NONE, &t, err))
		return false;
	if (t.len > 0)
		ret->as.delimiter = utf8_decode(t.s, t.len, &len);
	return (len > 0 && len == t.len) ||
		err_set(err, ERR_DATA, "delimiter is not one character");
}

static void char_delimiter_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		size_t begin = from.begin;
		for (size_t i = from.begin; i < from.end; i++) {
			if (io->text.c[i] != p->as.delimiter)
				continue;
			pieces_add(&io->new_list, begin, i);
			begin = i + 1;
		}
		pieces_add(&io->new_list, begin, from.end);
	}
}

static bool fixed_length_load(json spec, struct arena *a, struct pretokenizer *ret, struct err *err)
{
	(void)a;
	int64_t length;
	if (!json_want_int(spec, "length", 5, &length, err))
		return false;
	ret->as.length = (size_t)length;
	return length > 0 ||
		err_set(err, ERR_DATA, "length is %lld, expected 1 or more", (long long)length);
}

static void fixed_length_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		size_t begin = from.begin;
		for (; from.end - begin > p->as.length; begin += p->as.length)
			pieces_add(&io->new_list, begin, begin + p->as.length);
		pieces_add(&io->new_list, begin, from.end);
	}
}

/* A piece a script; Han, Hiragana and Katakana are one. What belongs to any script stays with what
 * is in front of it, and is dropped where there is nothing (unicode_scripts/pre_tokenizer.rs). The
 * table has the space among the latter, and U+30FC among Han. */
static void unicode_scripts_apply(const struct pretokenizer *p, struct pretokenize_io *io)
{
	(void)p;
	for (size_t k = 0; k < io->list.n; k++) {
		const struct piece from = io->list.p[k];
		size_t begin = from.end;
		int last = 0;
		for (size_t i = from.begin; i < from.end; i++) {
			int script = uclass_script(io->text.c[i]);
			if (script == 0)
				continue;
			if (script != last) {
				if (last)
					pieces_add(&io->new_list, begin, i);
				begin = i;
			}
			last = script;
		}
		pieces_add(&io->new_list, begin, from.end);
	}
}

const struct pretokenizer_type pretokenizer_bert = {
	"BertPreTokenizer", false, NULL, bert_apply, NULL};
const struct pretokenizer_type pretokenizer_whitespace_split = {
	"WhitespaceSplit", false, NULL, whitespace_split_apply, NULL};
const struct pretokenizer_type pretokenizer_whitespace = {
	"Whitespace", false, NULL, whitespace_apply, NULL};
const struct pretokenizer_type pretokenizer_punctuation = {
	"Punctuation", false, punctuation_load, punctuation_apply, NULL};
const struct pretokenizer_type pretokenizer_digits = {
	"Digits", false, digits_load, digits_apply, NULL};
const struct pretokenizer_type pretokenizer_char_delimiter = {
	"CharDelimiterSplit", false, char_delimiter_load, char_delimiter_apply, NULL};
const struct pretokenizer_type pretokenizer_fixed_length = {
	"FixedLength", false, fixed_length_load, fixed_length_apply, NULL};
const struct pretokenizer_type pretokenizer_unicode_scripts = {
	"UnicodeScripts", false, NULL, unicode_scripts_apply, NULL};
