/* Any bytes as a text of any of the small tokenizers: the first byte chooses the tokenizer, the
 * second what is done. FUZZ_TOKENIZERS: tests/fixtures/tokenizer. */
#include "fuzz.h"

#include "json.h"

#define MOST 256

static struct held {
	char *spec; /* a tokenizer.json, or a folder when it begins with '/' */
	struct tokenizer *t;
	struct tokenizer_run *r;
} held[MOST];
static size_t n_held;

static void hold(const char *s, size_t len)
{
	if (n_held < MOST)
		held[n_held++].spec = xstrndup(s, len);
}

/* options.jsonl: a tokenizer a line; and the folders beside it. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	const char *dir = getenv("FUZZ_TOKENIZERS");
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct buf lines = BUF_INIT;
	char **names;
	size_t n;
	log_to(NULL, LOG_LEVEL_ERROR);
	fuzz_require(dir && dir[0] == '/', "FUZZ_TOKENIZERS is not set");
	fuzz_require(fs_list(dir, &a, &names, &n, &err), err.text);
	for (size_t i = 0; i < n; i++) {
		const char *path = fs_join(&a, dir, names[i]);
		if (fs_is_dir(path))
			hold(path, strlen(path));
	}
	fuzz_require(fs_read(fs_join(&a, dir, "options.jsonl"), &lines, 0, &err), err.text);
	struct json_parser *p = json_parser_new();
	for (char *line = lines.data, *end; (end = strchr(line, '\n')); line = end + 1) {
		json row;
		const char *s;
		size_t len;
		if (json_parse(p, line, (size_t)(end - line), 0, &row, NULL) &&
			json_string(json_get(row, "tokenizer"), &s, &len))
			hold(s, len);
	}
	json_parser_free(p);
	buf_release(&lines);
	arena_release(&a);
	fuzz_require(n_held > 50, "the small tokenizers are missing");
	return 0;
}

static struct held *choose(uint8_t byte)
{
	struct held *h = &held[byte % n_held];
	struct err err = ERR_INIT;
	if (h->t)
		return h;
	bool is_folder = h->spec[0] == '/';
	if (!is_folder)
		fuzz_put("tokenizer.json", h->spec, strlen(h->spec));
	h->t = tokenizer_open(is_folder ? h->spec : fuzz_folder(), &err);
	fuzz_require(h->t, err.text);
	h->r = tokenizer_run_new(h->t);
	return h;
}

static void pairs_and_parts(struct held *h, uint8_t how, struct text text)
{
	struct text a = {text.s, text.len / 2}, b = {text.s + a.len, text.len - a.len};
	struct token_limits limits = {.max_length = how % 32u + 8,
		.cut = (enum token_cut)(how / 32 % 3),
		.cut_left = how & 128,
		.stride = how % 4u};
	struct ids ids = IDS_INIT, types = IDS_INIT, again = IDS_INIT;
	struct token_spans spans = TOKEN_SPANS_INIT;
	struct token_parts parts = {0};
	size_t whole = tokenizer_encode_pair(h->r, a, b, &limits, &ids, &types);
	fuzz_require(types.n == ids.n && whole >= ids.n, "types do not fit ids");
	types.n = 0;
	fuzz_require(
		tokenizer_encode_pair_spans(h->r, a, b, &limits, &again, &types, &spans) == whole &&
			again.n == ids.n && spans.n == ids.n,
		"a pair with places is another pair");
	tokenizer_encode_parts(h->r, text, TEXT_NONE, &limits, &parts);
	again.n = 0;
	tokenizer_encode(h->r, text, &limits, &again);
	fuzz_require(parts.n > 0 && parts.ends[0] == again.n &&
			(again.n == 0 ||
				memcmp(parts.ids.id, again.id, again.n * sizeof *again.id) == 0),
		"the first part is not what cutting leaves");
	ids_release(&ids);
	ids_release(&types);
	ids_release(&again);
	token_spans_release(&spans);
	token_parts_release(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct held *h = choose(data[0]);
	struct text text = {(const char *)data + 2, size - 2};
	if (data[1] == 0)
		fuzz_encode(h->r, h->t, text);
	else
		pairs_and_parts(h, data[1], text);
	return 0;
}
