/* A folder with a sentencepiece model and no tokenizer.json: read as the tokenizer.json that
 * transformers would write for it. */
#include "text/parts.h"

#include "base/fs.h"
#include "base/jsonfile.h"
#include "text/sentencepiece.h"

/* A file of the folder, or nothing when it is not there. */
static bool open_optional(const char *path, struct json_file *ret, struct err *err)
{
	*ret = (struct json_file){0};
	return !fs_exists(path) || json_file_open(path, ret, err);
}

static bool load_json(struct text text, struct tokenizer *t, struct err *err)
{
	struct json_parser *p = json_parser_new();
	struct json_why why;
	json root;
	bool ok = json_parse(p, text.s, text.len, 0, &root, &why) ||
		err_set(err, ERR_DATA, "gives no tokenizer: %s", why.reason);
	ok = ok && load_tokenizer_root(root, t, err);
	json_parser_free(p);
	return ok;
}

static bool load_data(
	struct text data, json config, struct text model_type, struct tokenizer *t, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct sentencepiece sp;
	const struct sentencepiece_class *class = sentencepiece_class_of(config, model_type, err);
	bool ok = class && sentencepiece_read(data, &a, &sp, err) &&
		sentencepiece_to_json(&sp, class, config, &a, &text, err) &&
		load_json(buf_text(&text), t, err);
	buf_release(&text);
	arena_release(&a);
	return ok;
}

bool load_sentencepiece(const char *path, const char *config_path, const char *model_path,
	struct tokenizer *t, struct err *err)
{
	struct json_file config, model = {0};
	struct fs_map m = {0};
	struct text model_type = TEXT_NONE;
	bool ok = open_optional(config_path, &config, err) &&
		open_optional(model_path, &model, err) && fs_map(path, &m, err);
	if (ok) {
		if (!json_want_text(model.root, "model_type", TEXT_NONE, &model_type, err))
			ok = err_prefix(err, "%s", model_path);
		else if (!load_data((struct text){m.data, m.len}, config.root, model_type, t, err))
			ok = err_prefix(err, "%s", path);
		fs_unmap(&m);
	}
	json_file_close(&config);
	json_file_close(&model);
	return ok;
}
