/* BertNormalizer: clean, set Chinese characters apart, strip accents, lower the case, in this
 * order. */
#include "text/normalize.h"

#include "base/jsonfile.h"

void normalizer_bert_init(struct normalizer *n, bool cjk, bool strip_accents, bool lower)
{
	n->type = &normalizer_bert;
	n->as.bert.clean = true;
	n->as.bert.cjk = cjk;
	n->as.bert.strip_accents = strip_accents;
	n->as.bert.lower = lower;
}

static bool bert_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)a;
	return json_want_bool(spec, "clean_text", true, &ret->as.bert.clean, err) &&
		json_want_bool(spec, "handle_chinese_chars", true, &ret->as.bert.cjk, err) &&
		json_want_bool(spec, "lowercase", true, &ret->as.bert.lower, err) &&
		json_want_bool(spec, "strip_accents", ret->as.bert.lower,
			&ret->as.bert.strip_accents, err);
}

static void clean(const struct normalizer *n, struct normalize_io *io)
{
	placed_reserve(&io->to, io->from.n + 2);
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t c = io->from.c[i], at = io->from.at[i];
		unsigned class = uclass_of(io->classes, c);
		if (n->as.bert.clean) {
			if (class & UC_OTHER)
				continue;
			if (class & UC_SPACE)
				c = ' ';
		}
		bool is_cjk = n->as.bert.cjk && class & UC_CJK;
		if (is_cjk)
			placed_add(&io->to, ' ', at);
		placed_add(&io->to, c, at);
		if (is_cjk)
			placed_add(&io->to, ' ', at);
	}
}

/* NFD without the marks; most texts have nothing to take apart. */
static void strip_accents(struct normalize_io *io)
{
	size_t i = 0;
	for (; i < io->from.n; i++) {
		uint32_t c = io->from.c[i];
		if (c < 0xA0)
			continue;
		if (uclass_of(io->classes, c) & (UC_DECOMPOSES | UC_STRIPPED | UC_REORDERS) ||
			c - 0xAC00u < 11172)
			break;
	}
	if (i == io->from.n)
		return;
	normalize_form(FORM_NFD, io);
	normalize_swap(io);
	for (i = 0; i < io->from.n; i++)
		if (!(uclass_of(io->classes, io->from.c[i]) & UC_STRIPPED))
			placed_add(&io->to, io->from.c[i], io->from.at[i]);
	normalize_swap(io);
}

static void bert_apply(const struct normalizer *n, struct normalize_io *io)
{
	clean(n, io);
	normalize_swap(io);
	if (n->as.bert.strip_accents)
		strip_accents(io);
	if (n->as.bert.lower)
		normalizer_lowercase.apply(NULL, io);
	else
		placed_copy(&io->to, &io->from, 0, io->from.n);
}

const struct normalizer_type normalizer_bert = {"BertNormalizer", bert_load, bert_apply, NULL};
