#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/utf8.h"
#include "text/parts.h"

#define FILE_MAX ((int64_t)256 << 20)

void ids_add(struct ids *v, int32_t id)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->id = xreallocarray(v->id, v->cap, sizeof(*v->id));
	}
	v->id[v->n++] = id;
}

void ids_append(struct ids *v, const int32_t *id, size_t n)
{
	if (v->cap - v->n < n) {
		v->cap = v->n + n > 2 * v->cap ? v->n + n : 2 * v->cap;
		v->id = xreallocarray(v->id, v->cap, sizeof(*v->id));
	}
	if (n)
		memcpy(v->id + v->n, id, n * sizeof(*id));
	v->n += n;
}

void ids_release(struct ids *v)
{
	free(v->id);
	*v = (struct ids)IDS_INIT;
}

void token_spans_add(struct token_spans *v, size_t begin, size_t end)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->s = xreallocarray(v->s, v->cap, sizeof(*v->s));
	}
	v->s[v->n++] = (struct token_span){(uint32_t)begin, (uint32_t)end};
}

void token_spans_release(struct token_spans *v)
{
	free(v->s);
	*v = (struct token_spans)TOKEN_SPANS_INIT;
}

size_t token_span_at(const struct token_span *s, size_t n, size_t byte)
{
	size_t i = 0;
	while (i < n && !(s[i].begin <= byte && byte < s[i].end))
		i++;
	return i;
}

/* The id of everything that decides how texts are cut. */
static bool hash_files(const char *const *paths, size_t n, struct hash128 *ret, struct err *err)
{
	struct hasher *h = hasher_new();
	bool ok = true;
	for (size_t i = 0; i < n && ok; i++) {
		struct hash128 file = {0, 0};
		ok = !fs_exists(paths[i]) || hash_file(paths[i], &file, err);
		hasher_add(h, &file, sizeof(file));
	}
	*ret = hasher_end(h);
	return ok;
}

/* The files of a folder that decide how texts are cut; files[0] says how it is read. */
struct source {
	enum { SOURCE_JSON, SOURCE_VOCAB, SOURCE_PIECES } kind;
	const char *files[3];
	size_t n;
};

/* The sentencepiece model of a folder, by the names that transformers gives it; NULL: none. */
static const char *find_sentencepiece(const char *dir, struct arena *a)
{
	static const char *const names[] = {"sentencepiece.bpe.model", "tokenizer.model",
		"spiece.model", "sentencepiece.model"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *path = fs_join(a, dir, names[i]);
		if (fs_exists(path))
			return path;
	}
	return NULL;
}

static bool find_source(const char *dir, struct arena *a, struct source *ret, struct err *err)
{
	const char *model = fs_join(a, dir, "tokenizer.json");
	const char *vocab = fs_join(a, dir, "vocab.txt");
	const char *pieces = find_sentencepiece(dir, a);
	const char *config = fs_join(a, dir, "tokenizer_config.json");
	if (fs_exists(model))
		*ret = (struct source){SOURCE_JSON, {model}, 1};
	else if (fs_exists(vocab))
		*ret = (struct source){SOURCE_VOCAB, {vocab, config}, 2};
	else if (pieces)
		*ret = (struct source){
			SOURCE_PIECES, {pieces, config, fs_join(a, dir, "config.json")}, 3};
	else
		return err_set(err, ERR_DATA,
			"%s has neither a tokenizer.json nor a vocab.txt nor a sentencepiece model, "
			"expected a Hugging Face model folder",
			dir);
	return true;
}

static bool load(const char *dir, struct tokenizer *t, struct err *err)
{
	struct source s;
	if (!find_source(dir, &t->arena, &s, err))
		return false;
	int64_t size = fs_size(s.files[0]);
	if (size > FILE_MAX)
		return err_set(err, ERR_DATA,
			"%s has %lld bytes, expected at most %lld: the largest tokenizers in use have "
			"a tenth of that",
			s.files[0], (long long)size, (long long)FILE_MAX);
	bool ok = s.kind == SOURCE_JSON ? load_tokenizer_json(s.files[0], t, err)
		: s.kind == SOURCE_VOCAB
		? load_vocab_txt(s.files[0], s.files[1], t, err)
		: load_sentencepiece(s.files[0], s.files[1], s.files[2], t, err);
	return ok && hash_files(s.files, s.n, &t->hash, err);
}

bool tokenizer_dir_hash(const char *dir, struct hash128 *ret, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct source s;
	bool ok = find_source(dir, &a, &s, err) && hash_files(s.files, s.n, ret, err);
	arena_release(&a);
	return ok;
}

struct tokenizer *tokenizer_open(const char *dir, struct err *err)
{
	struct tokenizer *t = xcalloc(1, sizeof(*t));
	uclass_init(&t->classes);
	if (!load(dir, t, err)) {
		tokenizer_close(t);
		return NULL;
	}
	shortcut_init(t);
	return t;
}

void tokenizer_close(struct tokenizer *t)
{
	if (!t)
		return;
	if (t->segmenter)
		t->segmenter->type->free(t->segmenter);
	vocab_release(&t->vocab);
	added_release(&t->raw);
	added_release(&t->normalized);
	normalizers_release(&t->normalizers);
	pretokenizers_release(&t->pretokenizers);
	uclass_release(&t->classes);
	arena_release(&t->arena);
	free(t);
}

void tokenizer_close_with(struct tokenizer *t, int32_t id)
{
	struct post_template *p = &t->post.single;
	const struct post_item *last = p->n > 0 ? &p->items[p->n - 1] : NULL;
	if (last && last->kind == POST_ID && last->id == id)
		return;
	size_t n = p->n > 0 ? p->n : 1; /* no template: the text alone */
	struct post_item *items = arena_calloc(&t->arena, n + 1, sizeof *items);
	if (p->n > 0)
		memcpy(items, p->items, p->n * sizeof *items);
	else
		items[0] = (struct post_item){.kind = POST_A};
	items[n] = (struct post_item){.kind = POST_ID, .id = id};
	*p = (struct post_template){items, n + 1, p->n_special + 1};
	struct hasher *h = hasher_new();
	hasher_add(h, &t->hash, sizeof t->hash);
	hasher_int(h, id);
	t->hash = hasher_end(h);
}

struct hash128 tokenizer_hash(const struct tokenizer *t)
{
	return t->hash;
}

size_t tokenizer_vocab_size(const struct tokenizer *t)
{
	return t->vocab.n;
}

struct text tokenizer_token(const struct tokenizer *t, int32_t id)
{
	return id >= 0 && (size_t)id < t->vocab.n ? t->vocab.tokens[id] : TEXT_NONE;
}

bool tokenizer_id(const struct tokenizer *t, struct text token, int32_t *ret)
{
	return added_find(&t->raw, token, ret) || trie_find(&t->vocab.trie, token, ret) ||
		added_find(&t->normalized, token, ret);
}

int32_t tokenizer_unk(const struct tokenizer *t)
{
	return t->segmenter->type->unk(t->segmenter);
}

const char *tokenizer_kind(const struct tokenizer *t)
{
	return t->segmenter->type->name;
}
