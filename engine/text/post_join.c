/* Cutting to a length, and joining with special tokens. */
#include "text/post.h"

#include "base/utf8.h"

/* How many ids of each text stay when `max` are left for both: the longer one is cut first; when
 * that is not enough each gets half, the odd one going to the longer (tokenizers,
 * utils/truncation.rs, LongestFirst). */
static void cut_longest(size_t *n_a, size_t *n_b, size_t max)
{
	bool swapped = *n_a > *n_b;
	size_t shorter = swapped ? *n_b : *n_a, longer;
	if (shorter > max)
		longer = shorter;
	else
		longer = max - shorter > shorter ? max - shorter : shorter;
	if (shorter + longer > max) {
		shorter = max / 2;
		longer = shorter + max % 2;
	}
	*n_a = swapped ? longer : shorter;
	*n_b = swapped ? shorter : longer;
}

static void keep(struct post_side *s, size_t n, bool cut_left)
{
	s->begin = cut_left ? s->n - n : 0;
	s->end = s->begin + n;
}

size_t post_cut(const struct post *p, struct post_side *a, struct post_side *b,
	const struct token_limits *limits)
{
	const struct post_template *t = b ? &p->pair : &p->single;
	size_t n_special = limits->no_special ? 0 : t->n_special;
	size_t n_a = a->n, n_b = b ? b->n : 0, both = n_a + n_b;
	size_t max = limits->max_length > n_special ? limits->max_length - n_special : 0;
	if (limits->max_length > 0 && both > max) {
		size_t *one = limits->cut == CUT_ONLY_FIRST ? &n_a : b ? &n_b : NULL;
		if (limits->cut == CUT_LONGEST_FIRST || max == 0)
			cut_longest(&n_a, &n_b, max);
		else if (one && *one > both - max)
			*one -= both - max;
	}
	keep(a, n_a, limits->cut_left);
	if (b)
		keep(b, n_b, limits->cut_left);
	return both + n_special;
}

/* By how much a part is further than the one before. */
static size_t step_of(size_t kept, const struct token_limits *limits)
{
	return kept > limits->stride ? kept - limits->stride : 1;
}

size_t post_count_parts(const struct post_side *s, const struct token_limits *limits)
{
	size_t kept = s->end - s->begin;
	if (kept == s->n || kept == 0)
		return 1;
	size_t step = step_of(kept, limits);
	return 1 + (s->n - kept + step - 1) / step;
}

void post_choose_part(struct post_side *s, const struct token_limits *limits, size_t kept, size_t i)
{
	size_t far = i * step_of(kept, limits); /* from the end where the first part is */
	if (limits->cut_left) {
		s->end = s->n - far;
		s->begin = s->end > kept ? s->end - kept : 0;
	} else {
		s->begin = far;
		s->end = s->n - far > kept ? far + kept : s->n;
	}
}

/* The place n characters behind `at`, or `end` if that comes first. */
static uint32_t forward(struct text t, uint32_t at, uint32_t end, uint32_t n)
{
	for (; n > 0 && at < end; n--) {
		size_t len;
		utf8_decode(t.s + at, t.len - at, &len);
		at += (uint32_t)len;
	}
	return at < end ? at : end;
}

/* The place n characters in front of `at`; `at` when there are not so many in the text. */
static uint32_t backward(struct text t, uint32_t at, uint32_t n)
{
	uint32_t to = at;
	for (; n > 0; n--) {
		if (to == 0)
			return at;
		for (to--; to > 0 && ((unsigned char)t.s[to] & 0xC0) == 0x80;)
			to--;
	}
	return to;
}

/* ByteLevel's trim_offsets (pre_tokenizers/byte_level.rs, process_offsets). */
static struct place trim(struct place p, const struct post_trim *how, struct text t, bool is_first)
{
	bool is_ours = how->add_prefix_space && p.lead == 1 && (is_first || p.begin == 0);
	if (p.lead > 0 && !is_ours)
		p.begin = forward(t, p.begin, p.end, p.lead);
	if (p.trail > 0) {
		uint32_t end = backward(t, p.end, p.trail);
		p.end = end > p.begin ? end : p.begin;
	}
	return p;
}

static void put_spans(const struct post *p, const struct post_side *s, struct token_spans *spans)
{
	for (size_t k = s->begin; k < s->end; k++) {
		struct place place = s->places[k];
		for (size_t i = 0; i < p->n_trims; i++)
			place = trim(place, &p->trims[i], s->text, k == s->begin);
		token_spans_add(spans, place.begin, place.end);
	}
}

void post_put(const struct post *p, const struct post_side *a, const struct post_side *b,
	bool no_special, struct ids *out, struct ids *types, struct token_spans *spans)
{
	const struct post_template *t = b ? &p->pair : &p->single;
	for (size_t i = 0; i < t->n; i++) {
		const struct post_item *item = &t->items[i];
		const struct post_side *side = item->kind == POST_A ? a : b;
		size_t before = out->n;
		if (item->kind != POST_ID) {
			ids_append(out, side->ids + side->begin, side->end - side->begin);
			if (spans)
				put_spans(p, side, spans);
		} else if (!no_special) {
			ids_add(out, item->id);
			if (spans)
				token_spans_add(spans, 0, 0);
		}
		for (size_t k = before; types && k < out->n; k++)
			ids_add(types, item->type);
	}
}
