#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/jsonfile.h"
#include "mine/judge_private.h"

#define DEFAULT_TOKENS 4096
#define YES_LENGTH 512
#define YES_NO_LENGTH 8192

/* What config.json's architectures say. */
struct looks {
	bool is_classifier, is_causal, is_qwen3;
};

static bool look(const char *dir, struct looks *ret, struct err *err)
{
	char *path = xasprintf("%s/config.json", dir);
	struct json_file f;
	*ret = (struct looks){0};
	bool ok = json_file_open(path, &f, err);
	if (ok) {
		struct text name;
		for (struct json_iter it = json_each(json_get(f.root, "architectures"));
			json_next(&it);) {
			if (!json_string(it.value, &name.s, &name.len))
				continue;
			ret->is_classifier |=
				memmem(name.s, name.len, "ForSequenceClassification", 25) != NULL;
			ret->is_causal |= memmem(name.s, name.len, "ForCausalLM", 11) != NULL;
			ret->is_qwen3 |= text_is(name, "Qwen3ForCausalLM");
		}
	}
	json_file_close(&f);
	free(path);
	return ok;
}

bool judge_is(const char *dir, bool *ret, struct err *err)
{
	struct looks l;
	char *config = xasprintf("%s/config.json", dir);
	char *modules = xasprintf("%s/modules.json", dir);
	bool ok = true;
	*ret = false;
	if (fs_exists(config) ||
		!fs_is_dir(dir)) { /* else an adapter, or nothing: the encoder says */
		ok = look(dir, &l, err);
		if (ok)
			*ret = l.is_classifier || (l.is_causal && !fs_exists(modules));
	}
	free(config);
	free(modules);
	return ok;
}

static bool choose_kind(struct judge *j, const char *dir, const char *family, struct err *err)
{
	struct looks l;
	bool is_auto = !family || strcmp(family, "auto") == 0;
	if (!look(dir, &l, err))
		return false;
	if (l.is_classifier && !is_auto)
		return err_set(err, ERR_USAGE,
			"--family is for causal language models; %s has a classification head",
			dir);
	if (!l.is_classifier && !l.is_causal)
		return err_set(err, ERR_DATA,
			"%s: has neither a classification head nor a language model's to score with",
			dir);
	j->kind = l.is_classifier               ? JUDGE_HEAD
		: is_auto                       ? (l.is_qwen3 ? JUDGE_YES_NO : JUDGE_YES)
		: strcmp(family, "yes-no") == 0 ? JUDGE_YES_NO
						: JUDGE_YES;
	return true;
}

static bool check_label(const struct judge *j, const char *dir, struct err *err)
{
	int64_t n_labels = model_n_labels(j->model);
	if (j->kind != JUDGE_HEAD)
		return j->opt.label == 0 ||
			err_set(err, ERR_USAGE,
				"--label is for classification heads; %s answers with a word", dir);
	if (j->opt.layers > 0)
		return err_set(err, ERR_USAGE,
			"--layers is for rerankers that answer with a word; %s has a classification "
			"head over its last layer",
			dir);
	if (j->opt.label >= n_labels)
		return err_set(err, ERR_USAGE,
			"--label %lld, but the head of %s has %lld output%s, counted from 0",
			(long long)j->opt.label, dir, (long long)n_labels,
			n_labels == 1 ? "" : "s");
	return true;
}

static bool find_answers(struct judge *j, const char *dir, struct err *err)
{
	static const char *const words[][2] = {
		[JUDGE_YES] = {"Yes", NULL}, [JUDGE_YES_NO] = {"yes", "no"}};
	for (int i = 0; j->kind != JUDGE_HEAD && i < 2 && words[j->kind][i]; i++) {
		int32_t id;
		if (!pair_answer_id(j->tokenizer, text_of(words[j->kind][i]), &id))
			return err_set(err, ERR_DATA, "%s: its tokenizer has no token for \"%s\"",
				dir, words[j->kind][i]);
		j->answer[i] = id;
	}
	return true;
}

static void settle_lengths(struct judge *j)
{
	static const int64_t usual[] = {
		[JUDGE_HEAD] = 0, [JUDGE_YES] = YES_LENGTH, [JUDGE_YES_NO] = YES_NO_LENGTH};
	int64_t most =
		j->kind == JUDGE_HEAD ? model_max_length(j->model) : model_positions(j->model);
	if (!j->opt.max_length)
		j->opt.max_length =
			usual[j->kind] > 0 && usual[j->kind] < most ? usual[j->kind] : most;
	if (!j->opt.batch_tokens)
		j->opt.batch_tokens = DEFAULT_TOKENS;
	if (j->opt.threads < 1)
		j->opt.threads = 1;
}

static bool make_budgets(struct judge *j, struct pair_budget_options *how, struct err *err)
{
	how->lengths =
		pair_lengths_scoring((size_t)j->opt.max_length, (size_t)j->opt.query_max_length);
	for (int i = 0; i < j->opt.threads; i++) {
		pair_budget_free(j->budget[i]);
		j->budget[i] = pair_budget_new(j->tokenizer, how, err);
		if (!j->budget[i])
			return false;
	}
	return true;
}

/* max_length does not hold everything that stands around a pair: a usual one gives way to the
 * model's positions, one that was asked for is refused. */
static bool fit_positions(struct judge *j, struct pair_budget_options *how, const char *dir,
	bool is_asked, struct err *err)
{
	int64_t most = (int64_t)pair_budget_most(j->budget[0]), room = model_positions(j->model);
	if (most <= room)
		return true;
	if (is_asked || most - room >= j->opt.max_length)
		return err_set(err, ERR_USAGE,
			"--max-length %lld asks for %lld tokens, more than the %lld positions of %s",
			(long long)j->opt.max_length, (long long)most, (long long)room, dir);
	j->opt.max_length -= most - room;
	return make_budgets(j, how, err);
}

static bool open_budgets(
	struct judge *j, const char *dir, const struct judge_options *opt, struct err *err)
{
	static const enum pair_rule rules[] = {[JUDGE_HEAD] = PAIR_LONGEST_FIRST,
		[JUDGE_YES] = PAIR_YES,
		[JUDGE_YES_NO] = PAIR_YES_NO};
	struct pair_budget_options how = {
		.rule = rules[j->kind],
		.dir = dir,
		.query_prefix = opt->query_prefix,
		.passage_prefix = opt->passage_prefix,
		.prompt = opt->instruction,
	};
	if (j->kind == JUDGE_HEAD && j->opt.query_max_length > 0)
		how.rule = PAIR_ONLY_SECOND;
	j->budget = xcalloc((size_t)j->opt.threads, sizeof *j->budget);
	if (!make_budgets(j, &how, err) || !fit_positions(j, &how, dir, opt->max_length > 0, err))
		return false;
	struct hasher *h = hasher_new();
	hasher_text(h, opt->query_prefix);
	hasher_text(h, opt->passage_prefix);
	hasher_text(h, opt->instruction);
	j->words = hasher_end(h);
	return true;
}

static bool check_room(const struct judge *j, struct err *err)
{
	struct ids none = IDS_INIT, both = IDS_INIT;
	tokenizer_join_pair(j->tokenizer, &none, &none, &(struct token_limits){0}, &both, NULL);
	size_t n_special = both.n;
	ids_release(&both);
	return j->kind != JUDGE_HEAD || (size_t)j->opt.max_length > n_special ||
		err_set(err, ERR_USAGE,
			"--max-length %lld leaves no room for texts beside %zu special tokens",
			(long long)j->opt.max_length, n_special);
}

static struct judge_options without_strings(const struct judge_options *opt)
{
	struct judge_options o = *opt;
	o.family = o.attention = NULL;
	o.query_prefix = o.passage_prefix = o.instruction = TEXT_NONE;
	return o;
}

struct judge *judge_open(
	const char *dir, tn_scope *root, const struct judge_options *opt, struct err *err)
{
	struct judge *j = xcalloc(1, sizeof *j);
	j->root = root;
	j->opt = without_strings(opt);
	bool ok = choose_kind(j, dir, opt->family, err);
	struct model_options how = {.use = MODEL_ENCODE,
		.dtype = opt->dtype,
		.attention = opt->attention,
		.wants_answers = j->kind != JUDGE_HEAD};
	if (ok)
		j->tokenizer = tokenizer_open(dir, err);
	if (j->tokenizer)
		j->model = model_open(dir, root, &how, err);
	ok = j->model && check_label(j, dir, err) && find_answers(j, dir, err);
	if (ok) {
		settle_lengths(j);
		ok = check_room(j, err) && open_budgets(j, dir, opt, err);
	}
	if (ok)
		return j;
	judge_close(j);
	return NULL;
}

void judge_close(struct judge *j)
{
	if (!j)
		return;
	for (int i = 0; j->budget && i < j->opt.threads; i++)
		pair_budget_free(j->budget[i]);
	free(j->budget);
	if (j->model)
		model_close(j->model);
	if (j->tokenizer)
		tokenizer_close(j->tokenizer);
	free(j);
}

struct hash128 judge_hash(const struct judge *j)
{
	struct hash128 model = model_hash(j->model), tokens = tokenizer_hash(j->tokenizer);
	struct hasher *h = hasher_new();
	hasher_add(h, &model, sizeof model);
	hasher_add(h, &tokens, sizeof tokens);
	hasher_add(h, &j->words, sizeof j->words);
	hasher_int(h, j->kind);
	hasher_int(h, model_dtype(j->model));
	hasher_int(h, j->opt.label);
	hasher_int(h, j->opt.layers);
	hasher_int(h, j->opt.max_length);
	hasher_int(h, j->opt.query_max_length);
	return hasher_end(h);
}

const char *judge_dtype(const struct judge *j)
{
	switch (model_dtype(j->model)) {
	case MODEL_BF16:
		return "bfloat16";
	case MODEL_F16:
		return "float16";
	case MODEL_F32:
	case MODEL_AUTO:
		break;
	}
	return "float32";
}

const char *judge_family(const struct judge *j)
{
	static const char *const names[] = {
		[JUDGE_HEAD] = "classification", [JUDGE_YES] = "yes", [JUDGE_YES_NO] = "yes-no"};
	return names[j->kind];
}

int64_t judge_max_length(const struct judge *j)
{
	return j->opt.max_length;
}

bool judge_run(struct judge *j, const int32_t *ids, const int32_t *types, struct tn_seqs seqs,
	float *out, struct err *err)
{
	struct token_batch batch = {.ids = ids, .types = types, .seqs = seqs};
	struct answers what = {.ids = j->answer,
		.n_ids = j->kind == JUDGE_YES_NO ? 2 : 1,
		.n_layers = j->opt.layers};
	size_t n = (size_t)seqs.n;
	size_t width = (size_t)(j->kind == JUDGE_HEAD ? model_n_labels(j->model) : what.n_ids);
	float *logits = xcalloc(n * width + 1, sizeof *logits);
	tn_scope *s = tn_push_no_grad(j->root);
	tensor y = j->kind == JUDGE_HEAD
		? model_classify(j->model, s, &batch, &FORWARD_ENCODE)
		: model_answers(j->model, s, &batch, &FORWARD_ENCODE, &what); /* [n,width] */
	bool ok = tn_read_f32(s, y, logits, n * width) ||
		err_set(err, ERR_FAILED, "scoring a batch of %lld tokens: %s",
			(long long)seqs.start[n], tn_message(s));
	tn_pop(s);
	for (size_t i = 0; ok && i < n; i++) {
		const float *row = logits + i * width;
		out[i] = j->kind == JUDGE_HEAD    ? row[j->opt.label]
			: j->kind == JUDGE_YES_NO ? row[0] - row[1]
						  : row[0];
	}
	free(logits);
	return ok;
}
