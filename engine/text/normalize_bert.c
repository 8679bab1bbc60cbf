/* BertNormalizer: clean, set Chinese characters apart, strip accents, lower the case, in this
 * order. As each step looks at one character at a time, they run as one pass; only canonical
 * reordering, a part of NFD that strip_accents implies, looks at neighbours. */
#include "text/normalize.h"

#include <stdlib.h>
#include <string.h>

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

/* Marks that survive stripping are put in the order of their combining classes, equal ones keeping
 * theirs (Unicode 15.0, section 3.11, D109). A counting sort: a run may be a million long. */
static void sort_marks(uint32_t *c, size_t n)
{
	bool sorted = true;
	for (size_t i = 1; i < n && sorted; i++)
		sorted = uclass_combining(c[i - 1]) <= uclass_combining(c[i]);
	if (sorted)
		return;
	size_t first[257] = {0};
	for (size_t i = 0; i < n; i++)
		first[uclass_combining(c[i]) + 1]++;
	for (size_t k = 1; k < ARRAY_LEN(first); k++)
		first[k] += first[k - 1];
	uint32_t *copy = xmalloc(n * sizeof(*copy));
	memcpy(copy, c, n * sizeof(*c));
	for (size_t i = 0; i < n; i++)
		c[first[uclass_combining(copy[i])]++] = copy[i];
	free(copy);
}

struct bert_pass {
	const struct normalizer *n;
	const struct uclass *classes;
	struct chars *to;
	size_t marks; /* where in `to` the marks behind the last starter begin */
};

static void put_lower(struct bert_pass *p, uint32_t c)
{
	uint32_t out[2];
	if (p->n->as.bert.lower && uclass_of(p->classes, c) & UC_CASED)
		chars_append(p->to, out, uclass_to_lower(c, out));
	else
		chars_add(p->to, c);
}

/* One code point of a decomposition: dropped, a mark that waits for its place, or a starter. */
static void put_decomposed(struct bert_pass *p, uint32_t c)
{
	unsigned class = uclass_of(p->classes, c);
	bool stripped = class & UC_STRIPPED;
	bool is_mark = stripped ? uclass_combining(c) != 0 : (class & UC_REORDERS) != 0;
	if (!is_mark) {
		sort_marks(p->to->c + p->marks, p->to->n - p->marks);
		if (!stripped)
			put_lower(p, c);
		p->marks = p->to->n;
	} else if (!stripped) {
		chars_add(p->to, c);
	}
}

static void put(struct bert_pass *p, uint32_t c, unsigned class)
{
	if (!p->n->as.bert.strip_accents) {
		put_lower(p, c);
		return;
	}
	uint32_t out[4] = {c};
	size_t n = 1;
	if (class & UC_DECOMPOSES || c - 0xAC00u < 11172)
		n = uclass_decompose(c, out);
	for (size_t i = 0; i < n; i++)
		put_decomposed(p, out[i]);
}

static void bert_apply(const struct normalizer *n, struct normalize_io *io)
{
	struct bert_pass p = {n, io->classes, &io->to, 0};
	chars_reserve(&io->to, io->from.n + 2);
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t c = io->from.c[i];
		unsigned class = uclass_of(io->classes, c);
		if (n->as.bert.clean) {
			if (class & UC_OTHER)
				continue;
			if (class & UC_SPACE)
				c = ' ';
		}
		size_t before = io->to.n;
		if (n->as.bert.cjk && class & UC_CJK) {
			put(&p, ' ', 0);
			put(&p, c, class);
			put(&p, ' ', 0);
		} else {
			put(&p, c, class);
		}
		normalize_front(io, i, before);
	}
	if (n->as.bert.strip_accents)
		sort_marks(io->to.c + p.marks, io->to.n - p.marks);
}

const struct normalizer_type normalizer_bert = {"BertNormalizer", bert_load, bert_apply};
