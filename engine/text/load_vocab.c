/* vocab.txt: a WordPiece vocabulary, one token a line, as BERT was published with. What the file
 * cannot say stands in tokenizer_config.json, or is BERT's default. */
#include "text/parts.h"

#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/utf8.h"

struct options {
	bool lower, strip_accents, cjk;
	struct text unk, cls, sep, pad, mask; /* in the arena */
};

/* A special token of tokenizer_config.json: a string, or an object with `content`. */
static bool want_special(json config, const char *key, struct text def, struct arena *a,
	struct text *ret, struct err *err)
{
	json v = json_get(config, key);
	bool ok = json_is(v, JSON_OBJECT) ? json_want_text(v, "content", def, ret, err)
					  : json_want_text(config, key, def, ret, err);
	if (!ok)
		return err_prefix(err, "%s", key);
	*ret = arena_text(a, *ret);
	return true;
}

static bool read_options(json config, struct arena *a, struct options *ret, struct err *err)
{
	return json_want_bool(config, "do_lower_case", true, &ret->lower, err) &&
		json_want_bool(config, "strip_accents", ret->lower, &ret->strip_accents, err) &&
		json_want_bool(config, "tokenize_chinese_chars", true, &ret->cjk, err) &&
		want_special(config, "unk_token", TEXT("[UNK]"), a, &ret->unk, err) &&
		want_special(config, "cls_token", TEXT("[CLS]"), a, &ret->cls, err) &&
		want_special(config, "sep_token", TEXT("[SEP]"), a, &ret->sep, err) &&
		want_special(config, "pad_token", TEXT("[PAD]"), a, &ret->pad, err) &&
		want_special(config, "mask_token", TEXT("[MASK]"), a, &ret->mask, err);
}

static bool read_config(const char *path, struct arena *a, struct options *ret, struct err *err)
{
	if (!fs_exists(path))
		return read_options((json){0}, a, ret, err);
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	if (ok && !read_options(f.root, a, ret, err))
		ok = err_prefix(err, "%s", path);
	json_file_close(&f);
	return ok;
}

static bool read_lines(const char *path, struct vocab *v, struct err *err)
{
	struct fs_map m;
	if (!fs_map(path, &m, err))
		return false;
	bool ok = true;
	int64_t id = 0;
	for (size_t at = 0; at < m.len && ok; id++) {
		const char *end = memchr(m.data + at, '\n', m.len - at);
		struct text line = {m.data + at, end ? (size_t)(end - m.data) - at : m.len - at};
		at += line.len + 1;
		if (line.len > 0 && line.s[line.len - 1] == '\r')
			line.len--;
		size_t bad = utf8_check(line.s, line.len);
		if (bad < line.len)
			ok = err_set(err, ERR_DATA, "%s:%lld:%zu: not UTF-8", path,
				(long long)id + 1, bad + 1);
		else if (!vocab_put(v, line, id, err))
			ok = err_prefix(err, "%s:%lld", path, (long long)id + 1);
	}
	if (ok && v->n == 0)
		ok = err_set(err, ERR_DATA, "%s is empty, expected one token a line", path);
	fs_unmap(&m);
	vocab_end(v, NULL);
	return ok;
}

/* The special tokens, which the vocabulary must have; each is also found in texts. */
static bool add_specials(
	struct tokenizer *t, const struct options *opt, int32_t *cls, int32_t *sep, struct err *err)
{
	const struct text names[] = {opt->unk, opt->pad, opt->mask, opt->cls, opt->sep};
	int32_t ids[ARRAY_LEN(names)];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct added_spec spec = {.content = names[i], .file_id = -1};
		bool is_known = false;
		for (size_t k = 0; k < i; k++)
			is_known |= text_equal(names[i], names[k]);
		if (!trie_find(&t->vocab.trie, names[i], &ids[i]))
			return err_set(err, ERR_DATA,
				"special token \"%.*s\" is not in the vocabulary",
				names[i].len > 60 ? 60 : (int)names[i].len, names[i].s);
		if (!is_known && !load_added(t, &spec, err))
			return false;
	}
	*cls = ids[3];
	*sep = ids[4];
	return load_added_end(t, err);
}

bool load_vocab_txt(const char *path, const char *config_path, struct tokenizer *t, struct err *err)
{
	struct options opt;
	if (!read_config(config_path, &t->arena, &opt, err) || !read_lines(path, &t->vocab, err))
		return false;
	t->normalizers.list = arena_calloc(&t->arena, 1, sizeof(*t->normalizers.list));
	t->normalizers.n = 1;
	normalizer_bert_init(&t->normalizers.list[0], opt.cjk, opt.strip_accents, opt.lower);
	t->pretokenizers.list = arena_calloc(&t->arena, 1, sizeof(*t->pretokenizers.list));
	t->pretokenizers.n = 1;
	t->pretokenizers.list[0].type = &pretokenizer_bert;
	t->segmenter = wordpiece_new(&t->vocab, opt.unk, TEXT("##"), 100, err);
	int32_t cls = 0, sep = 0;
	if (!t->segmenter || !add_specials(t, &opt, &cls, &sep, err))
		return err_prefix(err, "%s", path);
	post_bert(&t->arena, cls, sep, &t->post);
	return true;
}
