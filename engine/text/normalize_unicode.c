/* The normal forms, as the Hugging Face library has them: those of Unicode 9 (decompositions and
 * compositions of older characters never change, so libutf8proc's are right for all but UC_FORMLESS
 * ones), with places that follow its bookkeeping of changes, sorted along with the marks.
 * (Unicode 15.0, section 3.11; unicode-normalization-alignments.) */
#include "text/normalize.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#define HANGUL_FIRST 0xAC00u
#define L_FIRST 0x1100u
#define V_FIRST 0x1161u
#define T_BEFORE 0x11A7u
#define DECOMPOSED_MAX 18 /* of U+FDFA */

struct form_unit {
	uint32_t c;
	int16_t change; /* see normalize_put() */
	uint8_t class; /* canonical combining class */
};

static uint8_t class_of(const struct uclass *u, uint32_t c)
{
	if (c < 0x300 || uclass_of(u, c) & UC_FORMLESS)
		return 0;
	return (uint8_t)uclass_combining(c);
}

static size_t decompose(const struct uclass *u, bool compatibility, uint32_t c, uint32_t *out)
{
	utf8proc_int32_t to[DECOMPOSED_MAX];
	int boundary = 0;
	out[0] = c;
	if (c < 0xA0 || uclass_of(u, c) & UC_FORMLESS)
		return 1;
	if (c - HANGUL_FIRST < 11172)
		return uclass_decompose(c, out);
	utf8proc_option_t how = UTF8PROC_DECOMPOSE;
	if (compatibility)
		how |= UTF8PROC_COMPAT;
	utf8proc_ssize_t n =
		utf8proc_decompose_char((utf8proc_int32_t)c, to, DECOMPOSED_MAX, how, &boundary);
	if (n < 1 || n > DECOMPOSED_MAX)
		return 1;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		out[i] = (uint32_t)to[i];
	return (size_t)n;
}

/* Marks in the order of their classes, equal ones keeping theirs. A counting sort: a run may be a
 * million long. */
static void sort_marks(struct form_unit *v, size_t n)
{
	bool sorted = true;
	for (size_t i = 1; i < n && sorted; i++)
		sorted = v[i - 1].class <= v[i].class;
	if (sorted)
		return;
	size_t first[257] = {0};
	for (size_t i = 0; i < n; i++)
		first[v[i].class + 1]++;
	for (size_t k = 1; k < ARRAY_LEN(first); k++)
		first[k] += first[k - 1];
	struct form_unit *copy = xmalloc(n * sizeof(*copy));
	memcpy(copy, v, n * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[first[copy[i].class]++] = copy[i];
	free(copy);
}

/* io->from decomposed and ordered, in io->units. */
static size_t decompose_all(bool compatibility, struct normalize_io *io)
{
	size_t n = 0, marks = 0; /* units; where the marks behind the last starter begin */
	for (size_t i = 0; i < io->from.n; i++) {
		uint32_t out[DECOMPOSED_MAX];
		size_t k = decompose(io->classes, compatibility, io->from.c[i], out);
		if (io->cap_units - n < k) {
			io->cap_units = 2 * (n + k) < 256 ? 256 : 2 * (n + k);
			io->units = xreallocarray(io->units, io->cap_units, sizeof(*io->units));
		}
		for (size_t j = 0; j < k; j++) {
			uint8_t class = class_of(io->classes, out[j]);
			if (class == 0) {
				sort_marks(io->units + marks, n - marks);
				marks = n + 1;
			}
			io->units[n++] = (struct form_unit){out[j], j > 0, class};
		}
	}
	sort_marks(io->units + marks, n - marks);
	return n;
}

/* The character that a and b are together, or 0. */
static uint32_t compose(const struct uclass *u, uint32_t a, uint32_t b)
{
	if (a - L_FIRST < 19 && b - V_FIRST < 21)
		return HANGUL_FIRST + ((a - L_FIRST) * 21 + (b - V_FIRST)) * 28;
	if (a - HANGUL_FIRST < 11172 && (a - HANGUL_FIRST) % 28 == 0 && b - T_BEFORE - 1 < 27)
		return a + (b - T_BEFORE);
	if (!(uclass_of(u, b) & UC_UNSTABLE))
		return 0;
	utf8proc_int32_t pair[3] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b, 0};
	if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_STABLE | UTF8PROC_COMPOSE) != 1)
		return 0;
	return uclass_of(u, (uint32_t)pair[0]) & UC_FORMLESS ? 0 : (uint32_t)pair[0];
}

/* Composes v[0..n) in place; how many are left. */
static size_t compose_all(const struct uclass *u, struct form_unit *v, size_t n)
{
	size_t out = 0, starter = SIZE_MAX;
	int last = -1; /* class of the mark that stands between the starter and here; -1: none */
	for (size_t i = 0; i < n; i++) {
		struct form_unit x = v[i];
		uint32_t both =
			starter != SIZE_MAX && last < x.class ? compose(u, v[starter].c, x.c) : 0;
		if (both) {
			v[starter].c = both;
			v[starter].change = (int16_t)(v[starter].change + x.change - 1);
			continue;
		}
		if (x.class == 0) {
			starter = out;
			last = -1;
		} else if (starter != SIZE_MAX) {
			last = x.class;
		}
		v[out++] = x;
	}
	return out;
}

/* What a form leaves as it is, whatever stands beside it. */
static bool is_inert(enum normal_form form, const struct uclass *u, uint32_t c)
{
	if (c < 0xA0)
		return true;
	unsigned class = uclass_of(u, c);
	if (form == FORM_NFC)
		return !(class & UC_UNSTABLE);
	return c - 0x4E00 < 0x51A6; /* the ideographs: no form changes them */
}

void normalize_form(enum normal_form form, struct normalize_io *io)
{
	size_t i = 0;
	while (i < io->from.n && is_inert(form, io->classes, io->from.c[i]))
		i++;
	if (i == io->from.n) {
		placed_copy(&io->to, &io->from, 0, io->from.n);
		return;
	}
	size_t n = decompose_all(form == FORM_NFKD || form == FORM_NFKC, io);
	if (form == FORM_NFC || form == FORM_NFKC)
		n = compose_all(io->classes, io->units, n);
	placed_reserve(&io->to, n);
	for (i = 0; i < n; i++)
		normalize_put(io, io->units[i].c, io->units[i].change);
}

static bool nfd_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)spec, (void)a, (void)err;
	ret->as.form = FORM_NFD;
	return true;
}

static bool nfc_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)spec, (void)a, (void)err;
	ret->as.form = FORM_NFC;
	return true;
}

static bool nfkd_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)spec, (void)a, (void)err;
	ret->as.form = FORM_NFKD;
	return true;
}

static bool nfkc_load(json spec, struct arena *a, struct normalizer *ret, struct err *err)
{
	(void)spec, (void)a, (void)err;
	ret->as.form = FORM_NFKC;
	return true;
}

static void form_apply(const struct normalizer *n, struct normalize_io *io)
{
	normalize_form(n->as.form, io);
}

const struct normalizer_type normalizer_nfd = {"NFD", nfd_load, form_apply, NULL};
const struct normalizer_type normalizer_nfc = {"NFC", nfc_load, form_apply, NULL};
const struct normalizer_type normalizer_nfkd = {"NFKD", nfkd_load, form_apply, NULL};
const struct normalizer_type normalizer_nfkc = {"NFKC", nfkc_load, form_apply, NULL};
