#include "support.h"

#include <math.h>

#include "train/batch.h"

/* Rows over the tiny vocabulary of tests/fixtures/model-base; each word here is one token. */
static const char rows_text[] =
	"{\"query\":\"the cat\",\"pos\":[\"a mat\"],\"neg\":[\"the mat\",\"b c d e f g h i\"],"
	"\"pos_scores\":[2],\"neg_scores\":[1,0]}\n"
	"{\"query\":\"the mat\",\"pos\":[\"a cat\"],\"neg\":[\"a mat\"]}\n"
	"{\"query\":\"the cat\",\"pos\":[\"a cat sat\"],\"neg\":[],\"prompt\":\"sat : \"}\n";

struct fixture {
	struct dataset *d;
	struct rows rows;
	struct tokenizer *tokenizer;
	struct prompts prompts;
	struct batcher *batcher;
	struct batch batch;
};

static void begin(struct fixture *f, const struct batch_options *opt)
{
	struct err err = ERR_INIT;
	char path[512];
	const char *paths[] = {path}, *model = test_file("tests/fixtures/model-base");
	*f = (struct fixture){0};
	snprintf(path, sizeof path, "%s/rows.jsonl", test_scratch());
	test_write(path, rows_text);
	f->d = dataset_open(paths, 1, &(struct dataset_options){0}, &err);
	assert_ok(f->d, &err);
	const struct rows_options how = {.threads = 1, .wants_known = true};
	assert_ok(rows_open(f->d, &how, &f->rows, &err), &err);
	f->tokenizer = tokenizer_open(model, &err);
	assert_ok(f->tokenizer, &err);
	assert_ok(prompts_open(model, NULL, NULL, &f->prompts, &err), &err);
	f->batcher = batcher_new(&f->rows, f->tokenizer, &f->prompts, opt);
}

static void end(struct fixture *f)
{
	batch_release(&f->batch);
	batcher_free(f->batcher);
	prompts_close(&f->prompts);
	tokenizer_close(f->tokenizer);
	rows_close(&f->rows);
	dataset_close(f->d);
}

static void make(struct fixture *f, int64_t first, int64_t n)
{
	struct err err = ERR_INIT;
	assert_ok(batcher_make(f->batcher, 0, first, n, &f->batch, &err), &err);
}

static const struct batch_options plain = {
	.draw = {.group_size = 3}, .query_max_length = 20, .passage_max_length = 8, .threads = 2};

static void equal_texts_are_packed_once(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, &plain);
	make(&f, 0, 3);
	const struct loss_batch *l = &f.batch.loss;
	assert_int_equal(l->n_queries, 3);
	assert_int_equal(l->n_passages, 6); /* 3 + 2 + 1: ragged */
	assert_int_equal(l->group[1], 3);
	assert_int_equal(l->group[2], 5);
	assert_int_equal(l->group[3], 6);
	/* Nine texts, one of which stands twice: "passage : a mat". "the mat" as a query and as a
	 * passage has two prompts. */
	assert_int_equal(f.batch.n_texts, 8);
	assert_int_equal(l->passage[0], l->passage[4]);
	assert_int_not_equal(l->passage[1], l->query[1]);
	assert_int_equal(f.batch.rows[2], 2);
	assert_int_equal(f.batch.tokens.seqs.start[f.batch.n_texts], f.batch.n_tokens);
	end(&f);
}

static void prompts_are_put_before_texts_and_counted(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, &plain);
	make(&f, 0, 3);
	const struct token_batch *t = &f.batch.tokens;
	const struct loss_batch *l = &f.batch.loss;
	/* [CLS] query : the cat [SEP]; the third row's own prompt stands before its query. */
	static const int32_t first[] = {2, 5, 7, 8, 9, 3}, third[] = {2, 10, 7, 8, 9, 3};
	const int64_t *start = t->seqs.start;
	assert_int_equal(start[l->query[0] + 1] - start[l->query[0]], 6);
	assert_memory_equal(t->ids + start[l->query[0]], first, sizeof first);
	assert_memory_equal(t->ids + start[l->query[2]], third, sizeof third);
	assert_int_equal(t->prompt_tokens[l->query[0]], 3); /* [CLS] query : */
	assert_int_equal(t->prompt_tokens[l->passage[0]], 3);
	end(&f);
}

static void long_texts_are_cut_and_counted_or_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct err err = ERR_INIT;
	begin(&f, &plain);
	make(&f, 0, 3);
	assert_int_equal(f.batch.n_cut, 1); /* passage : b c d e f g h i */
	assert_int_equal(f.batch.longest_passage, 8);
	assert_int_equal(f.batch.longest_query, 6);
	end(&f);
	struct batch_options strict = plain;
	strict.no_truncation = true;
	begin(&f, &strict);
	assert_false(batcher_make(f.batcher, 0, 0, 3, &f.batch, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_non_null(strstr(err.text, "rows.jsonl:1: a passage"));
	end(&f);
}

/* The same step without a cache, with an empty one, and with what that one kept. */
static void a_token_cache_changes_no_batch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct fixture f, cached;
	begin(&f, &plain);
	make(&f, 0, 3);
	for (int round = 0; round < 2; round++) {
		struct batch_options opt = plain;
		opt.cache = token_cache_open(test_scratch(), tokenizer_hash(f.tokenizer),
			TOKEN_CACHE_BYTES, opt.threads, &err);
		assert_ok(opt.cache, &err);
		begin(&cached, &opt);
		make(&cached, 0, 3);
		const struct token_batch *a = &f.batch.tokens, *b = &cached.batch.tokens;
		assert_int_equal(cached.batch.n_texts, f.batch.n_texts);
		assert_int_equal(cached.batch.n_tokens, f.batch.n_tokens);
		assert_int_equal(cached.batch.n_cut, f.batch.n_cut);
		assert_memory_equal(a->ids, b->ids, (size_t)f.batch.n_tokens * sizeof *a->ids);
		assert_int_equal(token_cache_stats(opt.cache).n_made == 0, round == 1);
		end(&cached);
		token_cache_close(opt.cache);
	}
	end(&f);
}

static void check_mask(enum mask_kind kind, const char *want)
{
	struct fixture f;
	struct batch_options opt = plain;
	opt.mask = kind;
	begin(&f, &opt);
	make(&f, 0, 3);
	if (kind == MASK_NONE)
		assert_null(f.batch.loss.masked);
	for (size_t i = 0; f.batch.loss.masked && i < 18; i++)
		if (f.batch.loss.masked[i] != want[i] - '0')
			fail_msg("cell %zu of mask %d", i, (int)kind);
	end(&f);
}

static void masks_hide_equal_and_known_positives(void **state)
{
	(void)state;
	/* Passages: a mat, the mat, b c ...; a cat, a mat; a cat sat. Queries 0 and 2 are the same
	 * words, so each one's positive is known to be the other's. */
	check_mask(MASK_NONE, NULL);
	check_mask(MASK_EQUAL,
		"000010"
		"000000"
		"000000");
	check_mask(MASK_KNOWN,
		"000011"
		"000000"
		"100010");
}

static void scores_come_along_when_they_are_wanted(void **state)
{
	(void)state;
	struct fixture f;
	struct batch_options opt = plain;
	begin(&f, &opt);
	make(&f, 0, 1);
	assert_null(f.batch.loss.teacher);
	end(&f);
	opt.draw.wants_scores = true;
	begin(&f, &opt);
	make(&f, 0, 2);
	const float *t = f.batch.loss.teacher;
	assert_true(t[0] == 2.0F && t[1] == 1.0F && t[2] == 0.0F && isnan(t[3]) && isnan(t[4]));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_are_packed_once),
		cmocka_unit_test(prompts_are_put_before_texts_and_counted),
		cmocka_unit_test(long_texts_are_cut_and_counted_or_refused),
		cmocka_unit_test(a_token_cache_changes_no_batch),
		cmocka_unit_test(masks_hide_equal_and_known_positives),
		cmocka_unit_test(scores_come_along_when_they_are_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
