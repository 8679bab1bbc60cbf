/* A sentencepiece model as the tokenizer.json that transformers would write for it: Unigram or BPE
 * with the pieces of the file, and around them the steps of the class. (transformers,
 * convert_slow_tokenizer.py: SpmConverter and its heirs.) */
#include <stdlib.h>
#include <string.h>

#include "base/jsonfile.h"
#include "base/map.h"
#include "text/sentencepiece.h"

#define MARK "\xe2\x96\x81" /* U+2581, the space of sentencepiece */

/* A token of tokenizer_config.json: a string, or an object with `content`. */
static struct text config_token(json config, const char *key, struct text def)
{
	json v = json_get(config, key);
	struct text t = TEXT_NONE;
	if (json_is(v, JSON_OBJECT))
		v = json_get(v, "content");
	return json_string(v, &t.s, &t.len) ? t : def;
}

static bool config_flag(json config, const char *key, bool def)
{
	bool v = def;
	return json_bool(json_get(config, key), &v) ? v : def;
}

static size_t id_of(const struct sentencepiece *sp, struct text s)
{
	for (size_t i = 0; i < sp->n; i++)
		if (text_equal(sp->pieces[i].s, s))
			return i;
	return sp->n;
}

static void put_base64(struct text data, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)data.s;
	for (size_t i = 0; i < data.len; i += 3) {
		size_t left = data.len - i;
		uint32_t v = (uint32_t)s[i] << 16 | (left > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
			(left > 2 ? s[i + 2] : 0u);
		const char quad[] = {digits[v >> 18], digits[v >> 12 & 63],
			left > 1 ? digits[v >> 6 & 63] : '=', left > 2 ? digits[v & 63] : '='};
		buf_add(out, quad, sizeof quad);
	}
}

/* One item of a template: a special token, or a text. name.s NULL ends a list. */
struct item {
	struct text name;
	int type;
	bool is_special;
};

static void put_template(const struct sentencepiece *sp, const struct item *single,
	const struct item *pair, struct buf *out)
{
	const struct {
		const char *key;
		const struct item *items;
	} lists[] = {{"single", single}, {"pair", pair}};
	json_put_key(out, "post_processor");
	buf_adds(out, "{\"type\":\"TemplateProcessing\"");
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		json_put_key(out, lists[k].key);
		buf_addch(out, '[');
		for (const struct item *it = lists[k].items; it->name.s; it++) {
			buf_addf(out, "%s{\"%s\":{\"id\":", it == lists[k].items ? "" : ",",
				it->is_special ? "SpecialToken" : "Sequence");
			json_put_text(out, it->name);
			buf_addf(out, ",\"type_id\":%d}}", it->type);
		}
		buf_addch(out, ']');
	}
	json_put_key(out, "special_tokens");
	buf_addch(out, '{');
	bool is_first = true;
	for (const struct item *it = pair; it->name.s; it++) {
		bool is_known = !it->is_special;
		for (const struct item *old = pair; old < it; old++)
			is_known |= text_equal(old->name, it->name);
		if (is_known)
			continue;
		if (!is_first)
			buf_addch(out, ',');
		json_put_text(out, it->name);
		buf_addf(out, ":{\"ids\":[%zu]}", id_of(sp, it->name));
		is_first = false;
	}
	buf_adds(out, "}}");
}

static struct item text_item(bool is_second, int type)
{
	return (struct item){is_second ? TEXT("B") : TEXT("A"), type, false};
}

static struct item special_item(struct text name)
{
	return (struct item){name, 0, true};
}

static void put_xlm_roberta(const struct sentencepiece *sp, json config, struct buf *out)
{
	(void)config;
	const struct item cls = special_item(TEXT("<s>")), sep = special_item(TEXT("</s>"));
	const struct item end = special_item(TEXT_NONE);
	const struct item a = text_item(false, 0), b = text_item(true, 0);
	const struct item single[] = {cls, a, sep, end};
	const struct item pair[] = {cls, a, sep, sep, b, sep, end};
	json_put_key(out, "normalizer");
	buf_adds(out, "{\"type\":\"Sequence\",\"normalizers\":[");
	if (sp->charsmap.len) {
		buf_adds(out, "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
		put_base64(sp->charsmap, out);
		buf_adds(out, "\"},");
	}
	buf_adds(out,
		"{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true},"
		"{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\"" MARK
		"\"}]}");
	json_put_key(out, "pre_tokenizer");
	buf_adds(out,
		"{\"type\":\"Metaspace\",\"replacement\":\"" MARK
		"\",\"prepend_scheme\":\"always\",\"split\":true}");
	put_template(sp, single, pair, out);
}

/* [bos] A [eos], as add_bos_token (true) and add_eos_token (false) ask for. */
static void put_bos_eos(const struct sentencepiece *sp, json config, struct text bos_name,
	struct text eos_name, struct buf *out)
{
	const struct item bos = special_item(config_token(config, "bos_token", bos_name));
	const struct item eos = special_item(config_token(config, "eos_token", eos_name));
	struct item single[4], pair[7];
	bool has_bos = config_flag(config, "add_bos_token", true);
	bool has_eos = config_flag(config, "add_eos_token", false);
	size_t n = 0, m = 0;
	for (int text = 0; text < 2; text++) {
		size_t begin = m;
		if (has_bos)
			pair[m++] = bos;
		pair[m++] = text_item(text == 1, 0);
		if (has_eos)
			pair[m++] = eos;
		for (size_t i = begin; i < m; i++)
			pair[i].type = text;
		for (size_t i = begin; text == 0 && i < m; i++)
			single[n++] = pair[i];
	}
	single[n] = pair[m] = special_item(TEXT_NONE);
	put_template(sp, single, pair, out);
}

static void put_llama(const struct sentencepiece *sp, json config, struct buf *out)
{
	bool has_prefix = config_flag(config, "add_prefix_space", true);
	json_put_key(out, "normalizer");
	if (config_flag(config, "legacy", true)) {
		buf_adds(out, "{\"type\":\"Sequence\",\"normalizers\":[");
		if (has_prefix)
			buf_adds(out, "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"},");
		buf_adds(out,
			"{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" MARK
			"\"}]}");
	} else {
		buf_adds(out, "null");
		json_put_key(out, "pre_tokenizer");
		buf_addf(out,
			"{\"type\":\"Metaspace\",\"replacement\":\"" MARK
			"\",\"prepend_scheme\":\"%s\",\"split\":false}",
			has_prefix ? "first" : "never");
	}
	put_bos_eos(sp, config, TEXT("<s>"), TEXT("</s>"), out);
}

static void put_gemma(const struct sentencepiece *sp, json config, struct buf *out)
{
	json_put_key(out, "normalizer");
	buf_adds(out,
		"{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" MARK "\"}");
	json_put_key(out, "pre_tokenizer");
	buf_adds(out,
		"{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":"
		"\"MergedWithPrevious\",\"invert\":false}");
	put_bos_eos(sp, config, TEXT("<bos>"), TEXT("<eos>"), out);
}

static void set_piece(struct sentencepiece *sp, size_t id, struct text s)
{
	sp->pieces[id] = (struct piece_entry){s, 0, PIECE_CONTROL};
}

/* fairseq's layout: four specials, the pieces from the fourth on, and <mask>. */
static void arrange_xlm_roberta(struct sentencepiece *sp, json config, struct arena *a)
{
	(void)config;
	(void)a;
	size_t n_kept = sp->n > 3 ? sp->n - 3 : 0;
	memmove(sp->pieces + 4, sp->pieces + 3, n_kept * sizeof *sp->pieces);
	set_piece(sp, 0, TEXT("<s>"));
	set_piece(sp, 1, TEXT("<pad>"));
	set_piece(sp, 2, TEXT("</s>"));
	set_piece(sp, 3, TEXT("<unk>"));
	set_piece(sp, 4 + n_kept, TEXT("<mask>"));
	sp->n = n_kept + 5;
}

static void arrange_llama(struct sentencepiece *sp, json config, struct arena *a)
{
	(void)config;
	(void)a;
	for (size_t i = 0; i < 3 && i < sp->n; i++)
		sp->pieces[i].score = 0;
}

/* The first releases had no tab and spelled it as a byte. */
static void arrange_gemma(struct sentencepiece *sp, json config, struct arena *a)
{
	const struct text names[] = {config_token(config, "pad_token", TEXT("<pad>")),
		config_token(config, "eos_token", TEXT("<eos>")),
		config_token(config, "bos_token", TEXT("<bos>"))};
	for (size_t i = 0; i < 3 && i < sp->n; i++)
		sp->pieces[i] =
			(struct piece_entry){arena_text(a, names[i]), 0, sp->pieces[i].type};
	size_t tab = id_of(sp, TEXT("<0x09>"));
	if (id_of(sp, TEXT("\t")) == sp->n && tab < sp->n)
		sp->pieces[tab] = (struct piece_entry){TEXT("\t"), 0, PIECE_NORMAL};
}

static const char *const xlm_roberta_specials[] = {"<s>", "<pad>", "</s>", "<unk>", "<mask>", NULL};
static const char *const llama_specials[] = {"<unk>", "<s>", "</s>", NULL};
static const char *const gemma_specials[] = {"<pad>", "<eos>", "<bos>", "<unk>", NULL};

static const struct sentencepiece_class classes[] = {
	{"XLMRobertaTokenizer", " xlm-roberta xlm-roberta-xl ", put_xlm_roberta,
		arrange_xlm_roberta, xlm_roberta_specials, false},
	{"LlamaTokenizer", " llama mistral ", put_llama, arrange_llama, llama_specials, true},
	{"GemmaTokenizer", " gemma gemma2 gemma3 gemma3_text ", put_gemma, arrange_gemma,
		gemma_specials, true},
};

static bool is_named(const struct sentencepiece_class *c, struct text name)
{
	size_t len = strlen(c->name);
	return name.len >= len && memcmp(name.s, c->name, len) == 0 &&
		(name.len == len || text_is((struct text){name.s + len, name.len - len}, "Fast"));
}

static bool serves(const struct sentencepiece_class *c, struct text model_type)
{
	for (const char *at = c->model_types + 1; *at; at += strcspn(at, " ") + 1)
		if (text_equal((struct text){at, strcspn(at, " ")}, model_type))
			return true;
	return false;
}

const struct sentencepiece_class *sentencepiece_class_of(
	json config, struct text model_type, struct err *err)
{
	struct text name = config_token(config, "tokenizer_class", TEXT_NONE);
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (name.s ? is_named(&classes[i], name)
			   : model_type.s && serves(&classes[i], model_type))
			return &classes[i];
	struct text shown = name.s ? name : model_type.s ? model_type : TEXT("nothing");
	err_set(err, ERR_DATA,
		"%s is %.*s, and this version reads a sentencepiece model only for "
		"XLMRobertaTokenizer, LlamaTokenizer and GemmaTokenizer; save the folder with a "
		"tokenizer.json",
		name.s || !model_type.s ? "tokenizer_class" : "model_type",
		shown.len > 60 ? 60 : (int)shown.len, shown.s);
	return NULL;
}

static void put_added(struct text content, size_t id, json flags, bool lstrip, struct buf *out)
{
	static const char *const names[] = {"single_word", "rstrip", "normalized", "special"};
	buf_addf(out, "%s{\"id\":%zu,\"content\":", out->data[out->len - 1] == '[' ? "" : ",", id);
	json_put_text(out, content);
	json_put_key(out, "lstrip");
	buf_adds(out, config_flag(flags, "lstrip", lstrip) ? "true" : "false");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_put_key(out, names[i]);
		buf_adds(out, config_flag(flags, names[i], i == 3) ? "true" : "false");
	}
	buf_addch(out, '}');
}

/* tokenizer_config.json's added_tokens_decoder, then what the class and the file add by themselves. */
static void put_all_added(const struct sentencepiece *sp, const struct sentencepiece_class *class,
	json config, struct buf *out)
{
	struct map seen = MAP_INIT;
	json_put_key(out, "added_tokens");
	buf_addch(out, '[');
	for (struct json_iter it = json_each(json_get(config, "added_tokens_decoder"));
		json_next(&it);) {
		struct text content = config_token(it.value, "content", TEXT_NONE);
		char *key = xstrndup(it.key, it.key_len);
		if (content.len && map_put(&seen, content, 1))
			put_added(content, strtoul(key, NULL, 10), it.value, false, out);
		free(key);
	}
	for (const char *const *name = class->specials; *name; name++) {
		struct text s = text_of(*name);
		size_t id = id_of(sp, s);
		if (id < sp->n && map_put(&seen, s, 1))
			put_added(s, id, (json){0}, text_is(s, "<mask>"), out);
	}
	for (size_t id = 0; id < sp->n; id++) {
		const struct piece_entry *p = &sp->pieces[id];
		if ((p->type == PIECE_CONTROL || p->type == PIECE_USER_DEFINED) &&
			map_put(&seen, p->s, 1))
			put_added(p->s, id, (json){0}, false, out);
	}
	buf_addch(out, ']');
	map_release(&seen);
}

static void put_model(
	const struct sentencepiece *sp, const struct sentencepiece_class *class, struct buf *out)
{
	bool is_bpe = sp->type == SENTENCEPIECE_BPE;
	json_put_key(out, "model");
	buf_addf(out, "{\"type\":\"%s\",\"byte_fallback\":%s,\"vocab\":%c",
		is_bpe ? "BPE" : "Unigram", class->has_byte_fallback ? "true" : "false",
		is_bpe ? '{' : '[');
	for (size_t i = 0; i < sp->n; i++) {
		buf_adds(out, i ? "," : "");
		buf_adds(out, is_bpe ? "" : "[");
		json_put_text(out, sp->pieces[i].s);
		buf_addch(out, is_bpe ? ':' : ',');
		if (is_bpe)
			json_put_int(out, (int64_t)i);
		else
			json_put_real(out, (double)sp->pieces[i].score);
		buf_adds(out, is_bpe ? "" : "]");
	}
	buf_addch(out, is_bpe ? '}' : ']');
	if (is_bpe) {
		buf_adds(out, ",\"dropout\":null,\"fuse_unk\":true");
		json_put_key(out, "unk_token");
		json_put_text(out, sp->unk_piece);
		sentencepiece_put_merges(sp, out);
	} else {
		json_put_key(out, "unk_id");
		json_put_int(out, (int64_t)id_of(sp, TEXT("<unk>")));
	}
	buf_addch(out, '}');
}

bool sentencepiece_to_json(struct sentencepiece *sp, const struct sentencepiece_class *class,
	json config, struct arena *a, struct buf *out, struct err *err)
{
	class->arrange(sp, config, a);
	if (id_of(sp, TEXT("<unk>")) == sp->n)
		return err_set(err, ERR_DATA, "it has no piece <unk>, which %s needs", class->name);
	buf_addch(out, '{');
	json_put_key(out, "version");
	buf_adds(out, "\"1.0\"");
	put_all_added(sp, class, config, out);
	class->put_steps(sp, config, out);
	put_model(sp, class, out);
	buf_addch(out, '}');
	return buf_ok(out) || err_set(err, ERR_DATA, "it is too large");
}
