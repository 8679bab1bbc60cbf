#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/export.h"
#include "model/jsoncopy.h"

/* Files that a tokenizer may consist of, copied as they are. */
static const char *const tokenizer_files[] = {
	"tokenizer.json",
	"special_tokens_map.json",
	"added_tokens.json",
	"vocab.txt",
	"vocab.json",
	"merges.txt",
	"sentencepiece.bpe.model",
	"spiece.model",
	"tokenizer.model",
	"chat_template.jinja",
};

static bool copy_file(const char *from, const char *to, struct err *err)
{
	struct fs_map m;
	if (!fs_map(from, &m, err))
		return false;
	bool ok = fs_write_atomic(to, m.data, m.len, err);
	fs_unmap(&m);
	return ok;
}

static bool write_text(
	struct arena *a, const char *dir, const char *name, struct buf *text, struct err *err)
{
	bool ok = fs_write_atomic(fs_join(a, dir, name), text->data, text->len, err);
	buf_clear(text);
	return ok;
}

/* A file of the base folder with some members changed; an empty object where there is none. */
static bool write_changed(struct arena *a, const char *from, const char *dir, const char *name,
	const struct json_change *changes, size_t n, struct err *err)
{
	struct json_file f = {0};
	struct buf b = BUF_INIT;
	const char *path = fs_join(a, from, name);
	json none = {0};
	bool has_file = fs_exists(path);
	bool ok = !has_file || json_file_open(path, &f, err);
	if (ok) {
		json_copy_changed(&b, has_file ? f.root : none, changes, n);
		ok = write_text(a, dir, name, &b, err);
	}
	if (has_file)
		json_file_close(&f);
	buf_release(&b);
	return ok;
}

/* The class is what the file holds now; dtype in the keys of transformers 5 and 4. */
static bool write_config(const struct model *m, struct arena *a, const char *dir, struct err *err)
{
	const struct architecture *arch = m->config.arch;
	const char *class = m->parts.head ? arch->classifier_class : arch->encoder_class;
	struct json_change changes[7] = {
		{"architectures", arena_printf(a, "[\"%s\"]", class)},
		{"dtype", "\"float32\""},
		{"torch_dtype", "\"float32\""},
		{"_name_or_path", NULL},
	};
	size_t n = 4;
	n += model_attention_changes(&m->config, changes + n);
	if (!arch->brings_code)
		changes[n++] = (struct json_change){"auto_map", NULL};
	return write_changed(a, m->config.body_dir, dir, "config.json", changes, n, err);
}

/* transformers 5 gives a tokenizer that is all in tokenizer.json a class of a name that older ones do
 * not know; its older name means the same to all of them. */
static bool has_new_class(struct arena *a, const char *dir)
{
	static const char name[] = "TokenizersBackend";
	const char *path = fs_join(a, dir, "tokenizer_config.json");
	struct json_file f = {0};
	struct err ignored = ERR_INIT;
	const char *class;
	size_t len;
	if (!fs_exists(path))
		return false;
	bool is = json_file_open(path, &f, &ignored) &&
		json_string(json_get(f.root, "tokenizer_class"), &class, &len) &&
		len == sizeof name - 1 && memcmp(class, name, len) == 0;
	json_file_close(&f);
	return is;
}

static bool write_tokenizer(
	const struct model *m, struct arena *a, const char *dir, struct err *err)
{
	const char *from = m->config.tokenizer_dir;
	for (size_t i = 0; i < ARRAY_LEN(tokenizer_files); i++) {
		const char *path = fs_join(a, from, tokenizer_files[i]);
		if (fs_exists(path) && !copy_file(path, fs_join(a, dir, tokenizer_files[i]), err))
			return false;
	}
	const struct json_change changes[] = {
		{"model_max_length", arena_printf(a, "%lld", (long long)m->config.max_length)},
		{"tokenizer_class", "\"PreTrainedTokenizerFast\""},
	};
	size_t n = has_new_class(a, from) ? 2 : 1;
	return write_changed(a, from, dir, "tokenizer_config.json", changes, n, err);
}

static const char *quoted(struct arena *a, const char *s)
{
	struct buf b = BUF_INIT;
	json_put_str(&b, s);
	const char *text = arena_strdup(a, b.data);
	buf_release(&b);
	return text;
}

/* The folder's prompts, with those that training used in place of its own. */
static const char *changed_prompts(const struct model *m, struct arena *a, json prompts)
{
	struct json_change changes[2];
	struct buf b = BUF_INIT;
	size_t n = 0;
	if (m->query_prompt)
		changes[n++] = (struct json_change){"query", quoted(a, m->query_prompt)};
	if (m->passage_prompt)
		changes[n++] = (struct json_change){"document", quoted(a, m->passage_prompt)};
	json_copy_changed(&b, prompts, changes, n);
	const char *text = arena_strdup(a, b.data);
	buf_release(&b);
	return text;
}

static bool write_prompts(const struct model *m, struct arena *a, const char *dir, struct err *err)
{
	static const char name[] = "config_sentence_transformers.json";
	struct json_change changes[] = {
		{"__version__",
			"{\"sentence_transformers\": \"5.1.0\", \"transformers\": \"4.55.0\", "
			"\"pytorch\": \"2.8.0\"}"},
		{"similarity_fn_name", "\"cosine\""},
		{"prompts", NULL},
	};
	size_t n = ARRAY_LEN(changes) - 1;
	if (m->query_prompt || m->passage_prompt) {
		const char *path = fs_join(a, m->config.prompts_dir, name);
		struct json_file f = {0};
		json prompts = {0};
		if (fs_exists(path)) {
			if (!json_file_open(path, &f, err)) {
				json_file_close(&f);
				return false;
			}
			prompts = json_get(f.root, "prompts");
		}
		changes[n++].text = changed_prompts(m, a, prompts);
		json_file_close(&f);
	}
	return write_changed(a, m->config.prompts_dir, dir, name, changes, n, err);
}

static bool write_sentence_transformers(
	struct model *m, struct arena *a, const char *dir, struct err *err)
{
	struct buf b = BUF_INIT;
	bool ok = export_modules(m, dir, err) && export_m3(m, dir, err);
	if (ok) {
		buf_addf(&b, "{\n  \"max_seq_length\": %lld,\n  \"do_lower_case\": false\n}\n",
			(long long)m->config.max_length);
		ok = write_text(a, dir, "sentence_bert_config.json", &b, err) &&
			write_prompts(m, a, dir, err);
	}
	buf_release(&b);
	return ok;
}

bool export_folder(struct model *m, const char *dir, struct err *err)
{
	struct arena a = ARENA_INIT;
	bool ok = write_config(m, &a, dir, err) && write_tokenizer(m, &a, dir, err) &&
		(m->parts.head || write_sentence_transformers(m, &a, dir, err));
	arena_release(&a);
	return ok;
}
