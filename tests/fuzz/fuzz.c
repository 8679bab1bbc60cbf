#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "text/parts.h"

static char folder[200];
static char present[64]; /* the file that fuzz_put() put */

static void remove_folder(void)
{
	struct err err = ERR_INIT;
	if (!fs_remove_tree(folder, &err))
		fprintf(stderr, "%s\n", err.text);
}

const char *fuzz_folder(void)
{
	if (folder[0])
		return folder;
	bool has_memory = access("/dev/shm", W_OK) == 0;
	snprintf(
		folder, sizeof folder, "%s/vecsmith-fuzz-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
	fuzz_require(mkdtemp(folder) != NULL, "no folder can be made");
	atexit(remove_folder);
	return folder;
}

void fuzz_put(const char *name, const void *data, size_t size)
{
	char path[300];
	if (present[0] && strcmp(present, name) != 0) {
		snprintf(path, sizeof path, "%s/%s", fuzz_folder(), present);
		unlink(path);
	}
	snprintf(present, sizeof present, "%s", name);
	snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fuzz_require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "cannot write the input");
	close(fd);
}

struct tokenizer *fuzz_open(void)
{
	static struct uclass classes;
	char path[300], config[300];
	struct err err = ERR_INIT;
	if (!classes.pages)
		uclass_init(&classes);
	snprintf(path, sizeof path, "%s/%s", fuzz_folder(), present);
	snprintf(config, sizeof config, "%s/tokenizer_config.json", fuzz_folder());
	struct tokenizer *t = xcalloc(1, sizeof *t);
	t->classes = classes;
	bool ok = strcmp(present, "tokenizer.json") == 0
		? load_tokenizer_json(path, t, &err)
		: load_sentencepiece(path, config, "", t, &err);
	fuzz_require(ok || (err.text[0] && !strchr(err.text, '\n')), "no sentence");
	if (ok) {
		shortcut_init(t);
		return t;
	}
	fuzz_close(t);
	return NULL;
}

void fuzz_close(struct tokenizer *t)
{
	t->classes.pages = NULL; /* they stay */
	tokenizer_close(t);
}

static bool same(const struct ids *a, const struct ids *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->id, b->id, a->n * sizeof *a->id) == 0);
}

static bool is_boundary(struct text t, uint32_t at)
{
	return at <= t.len && (at == t.len || ((unsigned char)t.s[at] & 0xC0) != 0x80);
}

void fuzz_encode(struct tokenizer_run *r, const struct tokenizer *t, struct text text)
{
	static const struct token_limits all = {0}, bare = {.no_special = true};
	struct ids whole = IDS_INIT, again = IDS_INIT, long_way = IDS_INIT, joined = IDS_INIT;
	struct token_spans spans = TOKEN_SPANS_INIT;
	tokenizer_encode(r, text, &all, &whole);
	tokenizer_encode(r, text, &all, &again); /* from the cache of words */
	tokenizer_encode_spans(r, text, &all, &long_way, &spans);
	fuzz_require(same(&whole, &again), "the second time gives other ids");
	fuzz_require(same(&whole, &long_way), "with places there are other ids");
	fuzz_require(spans.n == whole.n, "not a place for each token");
	for (size_t i = 0; i < spans.n; i++) {
		struct token_span s = spans.s[i];
		fuzz_require(s.begin <= s.end && s.end <= text.len, "a place outside of the text");
		fuzz_require((size_t)whole.id[i] < tokenizer_vocab_size(t),
			"an id outside of the vocabulary");
	}
	again.n = 0;
	tokenizer_encode(r, text, &bare, &again);
	tokenizer_join(t, &again, &all, &joined);
	fuzz_require(same(&whole, &joined), "joined by hand it is another sequence");
	bool is_valid = utf8_check(text.s, text.len) == text.len;
	for (size_t i = 0; is_valid && i < spans.n; i++)
		fuzz_require(
			is_boundary(text, spans.s[i].begin) && is_boundary(text, spans.s[i].end),
			"a place inside of a character");
	ids_release(&whole);
	ids_release(&again);
	ids_release(&long_way);
	ids_release(&joined);
	token_spans_release(&spans);
}
