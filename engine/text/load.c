/* tokenizer.json, version 1.0: the file of the Hugging Face library. Its truncation and padding are
 * leftovers of somebody's last call and never apply; its decoder is not needed to encode. */
#include "text/parts.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "text/spec.h"

static const struct segmenter_type *const segmenters[] = {
	&segmenter_wordpiece,
	&segmenter_unigram,
	&segmenter_bpe,
	&segmenter_wordlevel,
};

/* Files of the library's first versions leave the type out: the shape of the vocabulary tells. */
static struct text guess_type(json spec)
{
	if (json_is(json_get(spec, "vocab"), JSON_ARRAY))
		return TEXT("Unigram");
	if (json_is(json_get(spec, "merges"), JSON_ARRAY))
		return TEXT("BPE");
	if (json_is(json_get(spec, "continuing_subword_prefix"), JSON_STRING) &&
		json_is(json_get(spec, "merges"), JSON_MISSING))
		return TEXT("WordPiece");
	return TEXT("nothing");
}

static bool load_model(json spec, struct tokenizer *t, struct err *err)
{
	struct text type;
	if (json_is(spec, JSON_OBJECT) && json_is(json_get(spec, "type"), JSON_MISSING))
		type = guess_type(spec);
	else if (!spec_type(spec, &type, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(segmenters); i++)
		if (text_is(type, segmenters[i]->name)) {
			t->segmenter = segmenters[i]->load(spec, &t->vocab, err);
			return t->segmenter != NULL;
		}
	return spec_unknown(type, "WordPiece, Unigram, BPE, WordLevel", err);
}

/* The id that an added token gets: the model's own if it knows the string, else the next one behind
 * the model and the tokens before. */
static bool assign_id(
	struct tokenizer *t, const struct added_spec *spec, int32_t *ret, struct err *err)
{
	int shown = spec->content.len > 60 ? 60 : (int)spec->content.len;
	if (!trie_find(&t->vocab.trie, spec->content, ret)) {
		size_t next = t->vocab.n_tokens;
		if (!vocab_put(&t->vocab, spec->content, (int64_t)next, err))
			return false;
		*ret = (int32_t)next;
	}
	if (spec->file_id >= 0 && spec->file_id != *ret)
		log_warn(
			"added token \"%.*s\" has id %lld in the file, and %d by the rule that the "
			"Hugging Face library goes by: %d it is",
			shown, spec->content.s, (long long)spec->file_id, *ret, *ret);
	return true;
}

bool load_added(struct tokenizer *t, const struct added_spec *spec, struct err *err)
{
	struct added_token token = {0, spec->single_word, spec->lstrip, spec->rstrip};
	if (!assign_id(t, spec, &token.id, err))
		return false;
	if (!spec->normalized) {
		added_put(&t->raw, arena_text(&t->arena, spec->content), &token);
		return true;
	}
	struct normalize_io io = {.classes = &t->classes};
	struct buf string = BUF_INIT;
	normalize_begin(&io, spec->content, 0);
	normalizers_apply(&t->normalizers, 0, &io);
	chars_encode(io.from.c, io.from.n, &string);
	added_put(&t->normalized, arena_text(&t->arena, buf_text(&string)), &token);
	buf_release(&string);
	normalize_release(&io);
	return true;
}

bool load_added_end(struct tokenizer *t, struct err *err)
{
	struct text bad;
	if (added_end(&t->raw, &bad) && added_end(&t->normalized, &bad))
		return true;
	return err_set(err, ERR_DATA, "\"%.*s\" is %s", bad.len > 60 ? 60 : (int)bad.len, bad.s,
		bad.len ? "there twice" : "empty, perhaps after normalising");
}

static bool load_added_token(json spec, struct tokenizer *t, struct err *err)
{
	struct added_spec token;
	if (!json_is(spec, JSON_OBJECT))
		return err_set(err, ERR_DATA, "is %s, expected an object",
			json_type_name(json_type(spec)));
	if (!json_want_int(spec, "id", -1, &token.file_id, err) ||
		!json_want_text(spec, "content", TEXT_NONE, &token.content, err) ||
		!json_want_bool(spec, "single_word", false, &token.single_word, err) ||
		!json_want_bool(spec, "lstrip", false, &token.lstrip, err) ||
		!json_want_bool(spec, "rstrip", false, &token.rstrip, err) ||
		!json_want_bool(spec, "normalized", true, &token.normalized, err))
		return false;
	if (!token.content.s)
		return err_set(err, ERR_DATA, "has no content");
	return load_added(t, &token, err);
}

static bool load_added_tokens(json list, struct tokenizer *t, struct err *err)
{
	bool is_none = json_is(list, JSON_MISSING) || json_is(list, JSON_NULL);
	if (!is_none && !json_is(list, JSON_ARRAY))
		return err_set(err, ERR_DATA, "added_tokens is %s, expected a list",
			json_type_name(json_type(list)));
	size_t at = 0;
	for (struct json_iter it = json_each(list); json_next(&it); at++)
		if (!load_added_token(it.value, t, err))
			return err_prefix(err, "added_tokens[%zu]", at);
	return load_added_end(t, err) || err_prefix(err, "added_tokens");
}

bool load_tokenizer_root(json root, struct tokenizer *t, struct err *err)
{
	struct text version;
	if (!json_is(root, JSON_OBJECT))
		return err_set(err, ERR_DATA, "is %s, expected an object",
			json_type_name(json_type(root)));
	if (!json_want_text(root, "version", TEXT("1.0"), &version, err))
		return false;
	if (!text_is(version, "1.0"))
		return err_set(err, ERR_DATA, "version is \"%.*s\", expected 1.0",
			version.len > 40 ? 40 : (int)version.len, version.s);
	if (!normalizers_load(json_get(root, "normalizer"), &t->arena, &t->normalizers, err))
		return err_prefix(err, "normalizer");
	if (!pretokenizers_load(json_get(root, "pre_tokenizer"), &t->arena, &t->pretokenizers, err))
		return err_prefix(err, "pre_tokenizer");
	if (!load_model(json_get(root, "model"), t, err))
		return err_prefix(err, "model");
	if (!load_added_tokens(json_get(root, "added_tokens"), t, err))
		return false;
	if (!post_load(json_get(root, "post_processor"), t->vocab.n, &t->arena, &t->post, err))
		return err_prefix(err, "post_processor");
	return true;
}

bool load_tokenizer_json(const char *path, struct tokenizer *t, struct err *err)
{
	struct json_file f;
	bool ok = json_file_open(path, &f, err);
	if (ok && !load_tokenizer_root(f.root, t, err))
		ok = err_prefix(err, "%s", path);
	json_file_close(&f);
	return ok;
}
