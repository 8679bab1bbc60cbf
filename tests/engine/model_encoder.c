/* Texts to vectors: beside sentence-transformers' encode() on the same folder, and what the encoder
 * promises on its own. */
#include "support.h"

#include "base/fs.h"
#include "base/jsonfile.h"
#include "model/encoder.h"
#include "model/safetensors.h"

#define N_TEXTS 6
#define DIM 24

/* As tests/fixtures/model-base/texts.json has them. */
static const char *const texts[N_TEXTS] = {"The cat sat on a mat.", "한국어 문장이 서울", "",
	"a b c d e f g h i j k l m n o p q r s t u v w x y z", "the cat sat on a mat.",
	"zebra 서울"};

static const char *base_dir(void)
{
	return test_file("tests/fixtures/model-base");
}

static struct encoder *open_encoder(struct encoder_options opt)
{
	struct err err = ERR_INIT;
	opt.device = "cpu";
	opt.dtype = MODEL_F32;
	opt.threads = opt.threads ? opt.threads : 1;
	struct encoder *e = encoder_open(base_dir(), &opt, &err);
	assert_ok(e != NULL, &err);
	return e;
}

static void encode_all(
	struct encoder *e, enum encode_role role, float *out, struct encode_stats *stats)
{
	struct err err = ERR_INIT;
	struct text t[N_TEXTS];
	for (size_t i = 0; i < N_TEXTS; i++)
		t[i] = text_of(texts[i]);
	assert_ok(encoder_encode_texts(e, role, t, N_TEXTS, out, stats, &err), &err);
}

static void gold(const char *name, float out[N_TEXTS * DIM])
{
	struct err err = ERR_INIT;
	struct safetensors st;
	assert_ok(safetensors_open(
			  test_file("tests/fixtures/model-base/gold.safetensors"), &st, &err),
		&err);
	const struct st_tensor *t = safetensors_find(&st, text_of(name));
	assert_non_null(t);
	assert_int_equal(t->bytes, N_TEXTS * DIM * sizeof(float));
	memcpy(out, t->data, t->bytes);
	safetensors_close(&st);
}

static void vectors_equal_sentence_transformers(void **state)
{
	(void)state;
	float want[N_TEXTS * DIM], got[N_TEXTS * DIM];
	struct encoder *e = open_encoder((struct encoder_options)ENCODER_OPTIONS_INIT);
	assert_int_equal(encoder_dim(e), DIM);
	gold("vectors.plain", want);
	encode_all(e, ENCODE_PLAIN, got, NULL);
	assert_close(got, want, N_TEXTS * DIM, 1e-5);
	gold("vectors.query", want);
	encode_all(e, ENCODE_QUERY, got, NULL);
	assert_close(got, want, N_TEXTS * DIM, 1e-5);
	encoder_close(e);
}

static void batches_and_threads_do_not_matter(void **state)
{
	(void)state;
	float want[N_TEXTS * DIM], got[N_TEXTS * DIM];
	gold("vectors.plain", want);
	for (int64_t tokens = 1; tokens < 64; tokens *= 4)
		for (int threads = 1; threads <= 2; threads++) {
			struct encoder_options opt = ENCODER_OPTIONS_INIT;
			opt.batch_tokens = tokens;
			opt.threads = threads;
			struct encoder *e = open_encoder(opt);
			encode_all(e, ENCODE_PLAIN, got, NULL);
			assert_close(got, want, N_TEXTS * DIM, 1e-5);
			encoder_close(e);
		}
}

static void stats_count_texts_cuts_and_tokens(void **state)
{
	(void)state;
	float out[N_TEXTS * DIM];
	struct encode_stats stats = {0};
	struct encoder *e = open_encoder((struct encoder_options)ENCODER_OPTIONS_INIT);
	encode_all(e, ENCODE_PLAIN, out, &stats);
	assert_int_equal(stats.n_texts, N_TEXTS);
	assert_int_equal(stats.n_unique, N_TEXTS); /* two differ in case alone */
	assert_int_equal(stats.n_cached, 0);
	assert_int_equal(stats.n_cut, 1); /* the alphabet: 28 tokens, the limit is 20 */
	encode_all(e, ENCODE_PLAIN, out, &stats);
	assert_int_equal(stats.n_texts, 2 * N_TEXTS);
	assert_int_equal(stats.n_cut, 2);
	encoder_close(e);
}

static void equal_texts_are_encoded_once(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encode_stats stats = {0};
	float out[3 * DIM];
	struct encode_item items[] = {
		{TEXT("a "), TEXT("cat")}, {TEXT(""), TEXT("a cat")}, {TEXT("a "), TEXT("cat")}};
	struct encoder *e = open_encoder((struct encoder_options)ENCODER_OPTIONS_INIT);
	assert_ok(encoder_encode(e, ENCODE_PLAIN, items, 3, out, &stats, &err), &err);
	assert_int_equal(stats.n_unique, 2);
	assert_memory_equal(out, out + 2 * DIM, DIM * sizeof *out);
	assert_close(out, out + DIM, DIM, 1e-6);
	encoder_close(e);
}

static void no_truncation_names_the_text_and_its_tokens(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	float out[N_TEXTS * DIM];
	struct text t[N_TEXTS];
	for (size_t i = 0; i < N_TEXTS; i++)
		t[i] = text_of(texts[i]);
	opt.no_truncation = true;
	struct encoder *e = open_encoder(opt);
	assert_false(encoder_encode_texts(e, ENCODE_PLAIN, t, N_TEXTS, out, NULL, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_non_null(strstr(err.text, "text 4 has 28 tokens, the limit is 20"));
	encoder_close(e);
}

static void lengths_follow_the_role(void **state)
{
	(void)state;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	float out[N_TEXTS * DIM];
	opt.max_length = 32; /* all positions; the folder says 20 */
	opt.query_max_length = 6;
	struct encoder *e = open_encoder(opt);
	struct encode_stats stats = {0};
	encode_all(e, ENCODE_PASSAGE, out, &stats);
	assert_int_equal(stats.n_cut, 0);
	encode_all(e, ENCODE_QUERY, out, &stats);
	assert_true(stats.n_cut >= 3);
	encoder_close(e);
}

static void a_length_without_positions_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	opt.device = "cpu";
	opt.query_max_length = 33;
	assert_null(encoder_open(base_dir(), &opt, &err));
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "--query-max-length is 33"));
}

static void cached_vectors_are_the_same_bits(void **state)
{
	(void)state;
	char cache[512];
	float first[N_TEXTS * DIM], second[N_TEXTS * DIM];
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	struct encode_stats stats = {0};
	snprintf(cache, sizeof cache, "%s/cache", test_scratch());
	opt.cache_dir = cache;
	struct encoder *e = open_encoder(opt);
	encode_all(e, ENCODE_PLAIN, first, &stats);
	assert_int_equal(stats.n_cached, 0);
	encoder_close(e);
	e = open_encoder(opt);
	stats = (struct encode_stats){0};
	encode_all(e, ENCODE_PLAIN, second, &stats);
	assert_int_equal(stats.n_cached, N_TEXTS);
	assert_int_equal(stats.n_tokens, 0);
	assert_memory_equal(first, second, sizeof first);
	stats = (struct encode_stats){0};
	encode_all(e, ENCODE_QUERY, second, &stats); /* another prompt, other vectors */
	assert_int_equal(stats.n_cached, 0);
	assert_memory_not_equal(first, second, sizeof first);
	encoder_close(e);
	opt.pooling = "cls"; /* another space */
	e = open_encoder(opt);
	stats = (struct encode_stats){0};
	encode_all(e, ENCODE_PLAIN, second, &stats);
	assert_int_equal(stats.n_cached, 0);
	encoder_close(e);
}

static void a_reranker_gives_no_vectors(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	struct encode_item item = {TEXT(""), TEXT("a cat")};
	float out[DIM];
	opt.device = "cpu";
	opt.threads = 1;
	struct encoder *e = encoder_open(test_file("tests/fixtures/model-classifier"), &opt, &err);
	assert_ok(e != NULL, &err);
	assert_false(encoder_encode(e, ENCODE_PLAIN, &item, 1, out, NULL, &err));
	assert_non_null(strstr(err.text, "is a reranker"));
	encoder_close(e);
}

static void copy(const char *dir, const char *file)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	char from[512], to[512];
	snprintf(from, sizeof from, "%s/%s", base_dir(), file);
	snprintf(to, sizeof to, "%s/%s", dir, file);
	assert_ok(fs_read(from, &b, 0, &err) && fs_write_atomic(to, b.data, b.len, &err), &err);
	buf_release(&b);
}

static void a_folder_without_its_tokenizer_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	char dir[512];
	snprintf(dir, sizeof dir, "%s/mute", test_scratch());
	assert_ok(fs_mkdirs(dir, &err), &err);
	copy(dir, "config.json");
	copy(dir, "model.safetensors");
	opt.device = "cpu";
	assert_null(encoder_open(dir, &opt, &err));
	assert_non_null(strstr(err.text, "mute"));
	assert_non_null(strstr(err.text, "tokenizer.json"));
}

static void a_tokenizer_of_another_model_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct encoder_options opt = ENCODER_OPTIONS_INIT;
	char dir[512], path[600];
	snprintf(dir, sizeof dir, "%s/mixed", test_scratch());
	assert_ok(fs_mkdirs(dir, &err), &err);
	copy(dir, "config.json");
	copy(dir, "model.safetensors");
	struct buf b = BUF_INIT;
	snprintf(path, sizeof path, "%s/vocab.txt", base_dir());
	assert_ok(fs_read(path, &b, 0, &err), &err);
	buf_adds(&b, "one\nmore\n");
	snprintf(path, sizeof path, "%s/vocab.txt", dir);
	assert_ok(fs_write_atomic(path, b.data, b.len, &err), &err);
	buf_release(&b);
	opt.device = "cpu";
	assert_null(encoder_open(dir, &opt, &err));
	assert_non_null(strstr(err.text, "vocab_size is 60"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_equal_sentence_transformers),
		cmocka_unit_test(batches_and_threads_do_not_matter),
		cmocka_unit_test(stats_count_texts_cuts_and_tokens),
		cmocka_unit_test(equal_texts_are_encoded_once),
		cmocka_unit_test(no_truncation_names_the_text_and_its_tokens),
		cmocka_unit_test(lengths_follow_the_role),
		cmocka_unit_test(a_length_without_positions_is_refused),
		cmocka_unit_test(cached_vectors_are_the_same_bits),
		cmocka_unit_test(a_reranker_gives_no_vectors),
		cmocka_unit_test(a_folder_without_its_tokenizer_is_refused),
		cmocka_unit_test(a_tokenizer_of_another_model_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
