/* Ids against the Hugging Face tokenizers library: gold.jsonl of each fixture (see
 * tests/parity/make_tokenizer_gold.py), and the classes of every scalar value. */
#include "support.h"

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/utf8.h"
#include "text/normalize.h"
#include "text/pretokenize.h"
#include "text/tokenizer.h"

struct gold_row {
	struct text text, pair;
	json ids, types;
	struct token_limits limits;
};

static struct gold_row read_row(json row)
{
	struct gold_row g = {.pair = TEXT_NONE};
	struct err err = ERR_INIT;
	int64_t max_length = 0;
	assert_ok(json_want_text(row, "text", TEXT_NONE, &g.text, &err), &err);
	assert_ok(json_want_text(row, "pair", TEXT_NONE, &g.pair, &err), &err);
	assert_ok(json_want_int(row, "max_length", 0, &max_length, &err), &err);
	g.limits.max_length = (size_t)max_length;
	g.ids = json_get(row, "ids");
	g.types = json_get(row, "types");
	return g;
}

static void assert_same(json want, const struct ids *got, const char *what, size_t line)
{
	size_t i = 0;
	bool same = json_count(want) == got->n;
	for (struct json_iter it = json_each(want); same && json_next(&it); i++) {
		int64_t id = -1;
		same = json_int(it.value, &id) && id == got->id[i];
	}
	if (!same)
		fail_msg(
			"line %zu of the gold file: %s differ, the first at %zu (%zu here, %zu there)",
			line, what, i, got->n, json_count(want));
}

static void check_row(struct tokenizer_run *r, const struct gold_row *g, size_t line)
{
	struct ids ids = IDS_INIT, types = IDS_INIT;
	size_t whole = g->pair.s
		? tokenizer_encode_pair(r, g->text, g->pair, &g->limits, &ids, &types)
		: tokenizer_encode(r, g->text, &g->limits, &ids);
	assert_same(g->ids, &ids, "ids", line);
	if (g->pair.s)
		assert_same(g->types, &types, "types", line);
	assert_true(whole >= ids.n);
	ids_release(&ids);
	ids_release(&types);
}

/* Every row twice with one run: the second time chunks come from the cache. */
static void check_gold(const char *dir, const char *gold)
{
	struct err err = ERR_INIT;
	struct tokenizer *t = tokenizer_open(dir, &err);
	assert_ok(t != NULL, &err);
	struct tokenizer_run *r = tokenizer_run_new(t);
	struct json_parser *p = json_parser_new();
	for (int round = 0; round < 2; round++) {
		struct fs_map m;
		assert_ok(fs_map(gold, &m, &err), &err);
		size_t line = 0;
		for (size_t at = 0; at < m.len; line++) {
			const char *end = memchr(m.data + at, '\n', m.len - at);
			assert_non_null(end);
			size_t len = (size_t)(end - m.data) - at;
			json row;
			assert_true(json_parse(p, m.data + at, len, 0, &row, NULL));
			struct gold_row g = read_row(row);
			check_row(r, &g, line + 1);
			at += len + 1;
		}
		assert_true(line > 100);
		fs_unmap(&m);
	}
	json_parser_free(p);
	tokenizer_run_free(r);
	tokenizer_close(t);
}

static void small_tokenizers_give_the_ids_of_hugging_face(void **state)
{
	(void)state;
	static const char *const names[] = {"wordpiece", "wordpiece-cased", "wordpiece-added",
		"vocab-txt", "unigram", "unigram-strip", "unigram-plain", "unigram-words",
		"unigram-bytes", "unigram-never", "spm-xlm-roberta", "spm-llama", "spm-mistral",
		"spm-gemma"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char dir[64], gold[96];
		snprintf(dir, sizeof dir, "tests/fixtures/tokenizer/%s", names[i]);
		snprintf(gold, sizeof gold, "%s/gold.jsonl", dir);
		print_message("%s\n", names[i]);
		check_gold(test_file(dir), test_file(gold));
	}
}

static void default_models_give_the_ids_of_hugging_face(void **state)
{
	(void)state;
	static const char *const names[] = {"minilm-en", "me5-small"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char gold[64];
		snprintf(gold, sizeof gold, "tests/fixtures/tokenizer/gold-%s.jsonl", names[i]);
		if (!test_model(names[i]))
			skip();
		check_gold(test_model(names[i]), test_file(gold));
	}
}

/* What `step` makes of "a" + c + "b", for one c: UTF-8 appended to out. */
typedef void (*class_fn)(struct normalize_io *n, struct pretokenize_io *p, struct buf *out);

static void normalize_with(
	bool clean, bool cjk, bool strip, bool lower, struct normalize_io *io, struct buf *out)
{
	struct normalizer n;
	normalizer_bert_init(&n, cjk, strip, lower);
	n.as.bert.clean = clean;
	normalizer_apply(&n, io);
	chars_encode(io->from.c, io->from.n, out);
}

static void clean(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	(void)p;
	normalize_with(true, false, false, false, n, out);
}

static void cjk(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	(void)p;
	normalize_with(false, true, false, false, n, out);
}

static void strip(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	(void)p;
	normalize_with(false, false, true, false, n, out);
}

static void lower(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	(void)p;
	normalize_with(false, false, false, true, n, out);
}

static void cut_with(const struct pretokenizer_type *type, struct normalize_io *n,
	struct pretokenize_io *p, struct buf *out)
{
	struct pretokenizer step = {.type = type};
	struct pretokenizers chain = {&step, 1};
	pretokenize_begin(p, &n->from, 0, n->from.n);
	pretokenizers_apply(&chain, p);
	for (size_t i = 0; i < p->list.n; i++) {
		if (i)
			buf_addch(out, '\1');
		chars_encode(
			p->text.c + p->list.p[i].begin, p->list.p[i].end - p->list.p[i].begin, out);
	}
}

static void bert(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	cut_with(&pretokenizer_bert, n, p, out);
}

static void spaces(struct normalize_io *n, struct pretokenize_io *p, struct buf *out)
{
	cut_with(&pretokenizer_whitespace_split, n, p, out);
}

static void check_class(json hashes, const char *name, class_fn fn, const struct uclass *u)
{
	struct normalize_io n = {.classes = u};
	struct pretokenize_io p = {.classes = u};
	struct buf out = BUF_INIT;
	uint32_t c = 0;
	for (struct json_iter it = json_each(hashes); json_next(&it);) {
		buf_clear(&out);
		for (uint32_t end = c + 4096; c < end; c++) {
			const uint32_t text[] = {'a', c, 'b'};
			if (c >= 0xD800 && c < 0xE000)
				continue;
			if (out.len)
				buf_addch(&out, '\0');
			n.from.n = 0;
			for (uint32_t i = 0; i < 3; i++)
				placed_add(&n.from, text[i], i);
			fn(&n, &p, &out);
		}
		char got[17];
		const char *want = NULL;
		size_t len = 0;
		snprintf(got, sizeof got, "%016llx", (unsigned long long)hash64(out.data, out.len));
		assert_true(json_string(it.value, &want, &len));
		if (len != 16 || memcmp(want, got, 16) != 0)
			fail_msg("%s: some scalar value of U+%04X to U+%04X has another class",
				name, c - 4096, c - 1);
	}
	assert_int_equal(c, 0x110000);
	normalize_release(&n);
	pretokenize_release(&p);
	buf_release(&out);
}

static void every_scalar_value_has_the_classes_of_hugging_face(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		class_fn fn;
	} classes[] = {{"clean", clean}, {"cjk", cjk}, {"strip", strip}, {"lower", lower},
		{"bert", bert}, {"spaces", spaces}};
	struct err err = ERR_INIT;
	struct json_file f;
	struct uclass u;
	uclass_init(&u);
	assert_ok(
		json_file_open(test_file("tests/fixtures/tokenizer/classes.json"), &f, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		check_class(json_get(f.root, classes[i].name), classes[i].name, classes[i].fn, &u);
	json_file_close(&f);
	uclass_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_tokenizers_give_the_ids_of_hugging_face),
		cmocka_unit_test(default_models_give_the_ids_of_hugging_face),
		cmocka_unit_test(every_scalar_value_has_the_classes_of_hugging_face),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
