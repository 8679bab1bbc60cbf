#include "text/pair_budget.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/jsonfile.h"
#include "base/mem.h"

#define NO_ID (-1)

const struct text pair_yes_prompt = TEXT_INIT(
	"Given a query A and a passage B, determine whether the passage contains an answer to the "
	"query by providing a prediction of either 'Yes' or 'No'.");
const struct text pair_yes_no_instruction =
	TEXT_INIT("Given a web search query, retrieve relevant passages that answer the query");

static const struct text yes_no_head = TEXT_INIT(
	"<|im_start|>system\nJudge whether the Document meets the requirements based on the Query "
	"and the Instruct provided. Note that the answer can only be \"yes\" or "
	"\"no\".<|im_end|>\n<|im_start|>user\n");
static const struct text yes_no_tail =
	TEXT_INIT("<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");

struct pair_budget {
	const struct tokenizer *tokenizer;
	struct tokenizer_run *run;
	enum pair_rule rule;
	struct pair_lengths lengths;
	struct arena arena;
	struct text query_prefix, passage_prefix, prompt;
	struct buf scratch, last; /* a text with its prefix; the query that `query` was made of */
	bool has_last;
	struct ids query, passage;
	struct ids head, tail, line; /* what stands around; "\n" */
	size_t n_special; /* of the pair template */
};

struct pair_lengths pair_lengths_scoring(size_t max_length, size_t query_max_length)
{
	return (struct pair_lengths){
		.query = query_max_length ? query_max_length : max_length * 3 / 4,
		.passage = max_length,
		.whole = max_length,
	};
}

struct pair_lengths pair_lengths_training(size_t query_max_length, size_t passage_max_length)
{
	return (struct pair_lengths){
		.query = query_max_length + passage_max_length / 4,
		.passage = passage_max_length + query_max_length / 2,
		.whole = query_max_length + passage_max_length,
		.holds_prompt = true,
	};
}

/* Appends the ids of t alone, at most max of them (0: all). Returns how many there are. */
static size_t bare_ids(struct tokenizer_run *run, struct text t, size_t max, struct ids *out)
{
	struct token_limits limits = {.no_special = true};
	size_t before = out->n;
	tokenizer_encode(run, t, &limits, out);
	size_t n = out->n - before;
	if (max > 0 && n > max)
		out->n = before + max;
	return n;
}

/* The id of a special token that a configuration names, as a string or an object with `content`;
 * NO_ID when it names none, or one that the tokenizer does not know. */
static bool read_special(
	json config, const char *key, const struct tokenizer *t, int32_t *ret, struct err *err)
{
	struct text name;
	json v = json_get(config, key);
	bool ok = json_is(v, JSON_OBJECT)
		? json_want_text(v, "content", TEXT_NONE, &name, err) || err_prefix(err, "%s", key)
		: json_want_text(config, key, TEXT_NONE, &name, err);
	if (ok && (!name.s || !tokenizer_id(t, name, ret)))
		*ret = NO_ID;
	return ok;
}

/* The id that a pair begins with: bos_token, unless it does duty for padding too. */
static bool read_bos(struct pair_budget *b, const char *dir, struct err *err)
{
	const char *path = fs_join(&b->arena, dir, "tokenizer_config.json");
	if (!fs_exists(path))
		return true;
	struct json_file f;
	int32_t bos = NO_ID, pad = NO_ID;
	bool ok = json_file_open(path, &f, err);
	if (ok &&
		!(read_special(f.root, "bos_token", b->tokenizer, &bos, err) &&
			read_special(f.root, "pad_token", b->tokenizer, &pad, err)))
		ok = err_prefix(err, "%s", path);
	json_file_close(&f);
	if (ok && bos != NO_ID && bos != pad)
		ids_add(&b->head, bos);
	return ok;
}

static bool no_room(const struct pair_budget *b, size_t taken, struct err *err)
{
	return err_set(err, ERR_USAGE,
		"a length of %zu tokens leaves none for the passage: the query and what stands "
		"around take up to %zu; raise --max-length or lower --query-max-length",
		b->lengths.whole, taken);
}

/* PAIR_YES: `whole` becomes what [bos] query "\n" passage may have. */
static bool prepare_yes(struct pair_budget *b, const char *dir, struct err *err)
{
	bare_ids(b->run, TEXT("\n"), 0, &b->line);
	ids_append(&b->tail, b->line.id, b->line.n);
	bare_ids(b->run, b->prompt, 0, &b->tail);
	if (dir && !read_bos(b, dir, err))
		return false;
	size_t taken = b->head.n + b->lengths.query + b->line.n;
	if (b->lengths.whole == 0)
		return true;
	if (b->lengths.holds_prompt) {
		if (b->lengths.whole <= taken + b->tail.n)
			return no_room(b, taken + b->tail.n, err);
		b->lengths.whole -= b->tail.n;
	} else {
		b->lengths.whole += b->tail.n;
	}
	return b->lengths.whole > taken || no_room(b, taken, err);
}

/* PAIR_YES_NO: `whole` becomes what the middle may have. */
static bool prepare_yes_no(struct pair_budget *b, struct err *err)
{
	bare_ids(b->run, yes_no_head, 0, &b->head);
	bare_ids(b->run, yes_no_tail, 0, &b->tail);
	size_t taken = b->head.n + b->tail.n;
	if (b->lengths.whole == 0)
		return true;
	if (b->lengths.whole <= taken)
		return no_room(b, taken, err);
	b->lengths.whole -= taken;
	return true;
}

static bool prepare_template(struct pair_budget *b, struct err *err)
{
	struct ids none = IDS_INIT, both = IDS_INIT;
	b->n_special = tokenizer_join_pair(
		b->tokenizer, &none, &none, &(struct token_limits){0}, &both, NULL);
	ids_release(&both);
	size_t taken = b->lengths.query + b->n_special;
	return b->rule == PAIR_LONGEST_FIRST || b->lengths.whole == 0 || b->lengths.whole > taken ||
		no_room(b, taken, err);
}

static struct text or_default(struct arena *a, struct text given, struct text def)
{
	return arena_text(a, given.s ? given : def);
}

struct pair_budget *pair_budget_new(
	const struct tokenizer *t, const struct pair_budget_options *opt, struct err *err)
{
	bool is_yes = opt->rule == PAIR_YES;
	struct pair_budget *b = xcalloc(1, sizeof *b);
	b->tokenizer = t;
	b->run = tokenizer_run_new(t);
	b->rule = opt->rule;
	b->lengths = opt->lengths;
	b->query_prefix = or_default(&b->arena, opt->query_prefix, is_yes ? TEXT("A: ") : TEXT(""));
	b->passage_prefix =
		or_default(&b->arena, opt->passage_prefix, is_yes ? TEXT("B: ") : TEXT(""));
	b->prompt = or_default(
		&b->arena, opt->prompt, is_yes ? pair_yes_prompt : pair_yes_no_instruction);
	bool ok = is_yes                   ? prepare_yes(b, opt->dir, err)
		: opt->rule == PAIR_YES_NO ? prepare_yes_no(b, err)
					   : prepare_template(b, err);
	if (ok)
		return b;
	pair_budget_free(b);
	return NULL;
}

void pair_budget_free(struct pair_budget *b)
{
	if (!b)
		return;
	tokenizer_run_free(b->run);
	buf_release(&b->scratch);
	buf_release(&b->last);
	ids_release(&b->query);
	ids_release(&b->passage);
	ids_release(&b->head);
	ids_release(&b->tail);
	ids_release(&b->line);
	arena_release(&b->arena);
	free(b);
}

static struct text prefixed(struct pair_budget *b, struct text prefix, struct text t)
{
	if (prefix.len == 0)
		return t;
	buf_clear(&b->scratch);
	buf_addtext(&b->scratch, prefix);
	buf_addtext(&b->scratch, t);
	return buf_text(&b->scratch);
}

bool pair_budget_splits(const struct pair_budget *b)
{
	return b->rule != PAIR_YES_NO;
}

void pair_budget_text(struct pair_budget *b, bool is_query, struct text t, struct ids *out)
{
	bare_ids(b->run, prefixed(b, is_query ? b->query_prefix : b->passage_prefix, t), 0, out);
}

static void add(const struct ids *part, size_t n, struct ids *out, struct ids *types)
{
	ids_append(out, part->id, n);
	for (size_t i = 0; types && i < n; i++)
		ids_add(types, 0);
}

/* A shorter view of the same ids; most 0: no limit. */
static struct ids view(const struct ids *v, size_t most)
{
	return (struct ids){v->id, most > 0 && v->n > most ? most : v->n, 0};
}

/* The passage gives way until `taken` more ids fit. */
static void cut_passage(const struct pair_budget *b, struct ids *passage, size_t taken)
{
	size_t whole = b->lengths.whole;
	if (whole > 0 && passage->n + taken > whole)
		passage->n = whole > taken ? whole - taken : 0;
}

static void join_yes(const struct pair_budget *b, struct ids query, struct ids passage,
	struct ids *out, struct ids *types)
{
	cut_passage(b, &passage, b->head.n + query.n + b->line.n);
	add(&b->head, b->head.n, out, types);
	add(&query, query.n, out, types);
	add(&b->line, b->line.n, out, types);
	add(&passage, passage.n, out, types);
	add(&b->tail, b->tail.n, out, types);
}

size_t pair_budget_join(const struct pair_budget *b, const struct ids *query,
	const struct ids *passage, struct ids *out, struct ids *types)
{
	bool is_longest = b->rule == PAIR_LONGEST_FIRST;
	struct token_limits limits = {.max_length = is_longest ? b->lengths.whole : 0};
	struct ids q = view(query, is_longest ? 0 : b->lengths.query);
	struct ids p = view(passage, is_longest ? 0 : b->lengths.passage);
	size_t n = query->n + passage->n;
	if (b->rule == PAIR_YES) {
		join_yes(b, q, p, out, types);
		return n + b->head.n + b->line.n + b->tail.n;
	}
	if (!is_longest)
		cut_passage(b, &p, q.n + b->n_special);
	tokenizer_join_pair(b->tokenizer, &q, &p, &limits, out, types);
	return n + b->n_special;
}

size_t pair_budget_most(const struct pair_budget *b)
{
	if (b->lengths.whole == 0)
		return 0;
	switch (b->rule) {
	case PAIR_YES:
		return b->lengths.whole + b->tail.n;
	case PAIR_YES_NO:
		return b->lengths.whole + b->head.n + b->tail.n;
	case PAIR_LONGEST_FIRST:
	case PAIR_ONLY_SECOND:
		break;
	}
	return b->lengths.whole;
}

static size_t encode_yes_no(struct pair_budget *b, struct text query, struct text passage,
	struct ids *out, struct ids *types)
{
	struct token_limits limits = {.max_length = b->lengths.whole};
	const struct text parts[] = {TEXT("<Instruct>: "), b->prompt, TEXT("\n<Query>: "),
		b->query_prefix, query, TEXT("\n<Document>: "), b->passage_prefix, passage};
	buf_clear(&b->scratch);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_addtext(&b->scratch, parts[i]);
	b->passage.n = 0;
	size_t n = tokenizer_encode(b->run, buf_text(&b->scratch), &limits, &b->passage);
	add(&b->head, b->head.n, out, types);
	add(&b->passage, b->passage.n, out, types);
	add(&b->tail, b->tail.n, out, types);
	return n + b->head.n + b->tail.n;
}

size_t pair_budget_encode(struct pair_budget *b, struct text query, struct text passage,
	struct ids *out, struct ids *types)
{
	if (b->rule == PAIR_YES_NO)
		return encode_yes_no(b, query, passage, out, types);
	if (!b->has_last || !text_equal(buf_text(&b->last), query)) {
		buf_clear(&b->last);
		buf_addtext(&b->last, query);
		b->has_last = true;
		b->query.n = 0;
		pair_budget_text(b, true, query, &b->query);
	}
	b->passage.n = 0;
	pair_budget_text(b, false, passage, &b->passage);
	return pair_budget_join(b, &b->query, &b->passage, out, types);
}

bool pair_answer_id(const struct tokenizer *t, struct text word, int32_t *ret)
{
	struct tokenizer_run *run = tokenizer_run_new(t);
	struct ids ids = IDS_INIT;
	bare_ids(run, word, 0, &ids);
	bool ok = ids.n > 0;
	if (ok)
		*ret = ids.id[0];
	ids_release(&ids);
	tokenizer_run_free(run);
	return ok;
}
