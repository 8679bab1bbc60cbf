/* Weights in pickles: read without executing anything, whatever the file says. */
#include "support.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/rng.h"
#include "model/facts.h"
#include "model/torchfile.h"
#include "model/zip.h"

/* A tensor's opcodes up to its arguments' end: storage "0" of n floats, then offset, size, stride. */
#define STORAGE(n)                                                                                 \
	"((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"                                        \
	"0X\3\0\0\0cpuK" n "tQ"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define TAIL                                                                                       \
	"\x89"                                                                                     \
	"ccollections\nOrderedDict\n)RtR"
#define DICT "\x80\x02}(X\1\0\0\0w"

static const char *path_of(const char *name)
{
	static char path[600];
	snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
	return path;
}

static void write_file(const char *pickle, size_t len, size_t n_floats)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	float data[16];
	for (size_t i = 0; i < ARRAY_LEN(data); i++)
		data[i] = (float)i;
	struct zip_entry e[] = {{TEXT("x/data.pkl"), pickle, len},
		{TEXT("x/data/0"), (const char *)data, n_floats * sizeof *data}};
	assert_ok(zip_write(&out, e, ARRAY_LEN(e), &err) &&
			fs_write_atomic(path_of("x.pt"), out.data, out.len, &err),
		&err);
	buf_release(&out);
}

static bool read_file(struct safetensors *st, struct err *err)
{
	*st = (struct safetensors)SAFETENSORS_INIT;
	return torchfile_add(st, path_of("x.pt"), &(struct st_select){0}, err);
}

static void refused(const char *word)
{
	struct err err = ERR_INIT;
	struct safetensors st;
	bool ok = read_file(&st, &err);
	safetensors_close(&st);
	if (ok || !strstr(err.text, "x.pt") || !strstr(err.text, word) || strchr(err.text, '\n'))
		fail_msg("'%s' should say %s", err.text, word);
}

static void code_in_a_pickle_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		struct text ops;
		const char *word;
	} cases[] = {
		{TEXT_INIT("\x80\x02"
			   "cposix\nsystem\n(X\4\0\0\0truetR."),
			"posix.system"},
		{TEXT_INIT("\x80\x04\x8c\x08"
			   "builtins\x8c\4eval\x93."),
			"builtins.eval"},
		{TEXT_INIT("\x80\x02"
			   "c__main__\nrun\n)R."),
			"__main__.run"},
		{TEXT_INIT("\x80\x02"
			   "ctorch._utils\n_rebuild_device_tensor_from_numpy\n)R."),
			"_rebuild_device_tensor_from_numpy"},
		{TEXT_INIT("\x80\x02(iposix\nsystem\n."), "opcode 0x69"},
		{TEXT_INIT("\x80\x02"
			   "ccollections\nOrderedDict\n)\x81."),
			"opcode 0x81"},
		{TEXT_INIT("\x80\x02(oposix\n."), "opcode 0x6f"},
		{TEXT_INIT("\x80\x05\x97."), "opcode 0x97"},
		{TEXT_INIT("\x80\x02P0\n."), "opcode 0x50"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(cases[i].ops.s, cases[i].ops.len, 4);
		refused(cases[i].word);
	}
}

static void pickles_that_lie_are_refused(void **state)
{
	(void)state;
	static const struct {
		struct text ops;
		const char *word;
	} cases[] = {
		{TEXT_INIT(""), "ends in the middle"},
		{TEXT_INIT("\x80"), "ends in the middle"},
		{TEXT_INIT("\x80\x02"
			   "N."),
			"no dictionary of tensors"},
		{TEXT_INIT("\x80\x02}."), "no tensor by name"},
		{TEXT_INIT("\x80\x02."), "finds no value"},
		{TEXT_INIT("\x80\x02t."), "a mark is missing"},
		{TEXT_INIT("\x80\x02h\5."), "never made"},
		{TEXT_INIT("\x80\x02}q\5."), "numbered"},
		{TEXT_INIT("\x80\x02}r\xff\xff\xff\x7f."), "numbered"},
		{TEXT_INIT("\x80\x02X\xff\xff\xff\xff."), "ends in the middle"},
		{TEXT_INIT("\x80\x02K\1K\2s."), "a collection is missing"},
		{TEXT_INIT("\x80\x02(K\1)R."), "no function"},
		{TEXT_INIT("\x80\x02K\1Q."), "no storage"},
		{TEXT_INIT("\x80\x02]K\1b."), "no dictionary"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(cases[i].ops.s, cases[i].ops.len, 4);
		refused(cases[i].word);
	}
}

static void tensors_outside_their_storage_are_refused(void **state)
{
	(void)state;
	static const struct {
		struct text ops;
		size_t n_floats;
		const char *word;
	} cases[] = {
		{TEXT_INIT(DICT REBUILD STORAGE("\6") "K\0(K\2K\3t(K\3K\1t" TAIL "u."), 5,
			"reaches beyond its storage"},
		{TEXT_INIT(DICT REBUILD STORAGE("\4") "K\0(K\2K\3t(K\3K\1t" TAIL "u."), 6,
			"reaches beyond its storage"},
		{TEXT_INIT(DICT REBUILD STORAGE("\6") "K\1(K\2K\3t(K\3K\1t" TAIL "u."), 6,
			"reaches beyond its storage"},
		{TEXT_INIT(DICT REBUILD STORAGE(
			 "\6") "K\0(\x8a\4\0\0\0\x40\x8a\4\0\0\0\x40\x8a\4\0\0\0\x40t"
			       "(K\0K\0K\0t" TAIL "u."),
			6, "reaches beyond its storage"},
		{TEXT_INIT(DICT REBUILD STORAGE("\6") "K\0(\x8a\4\0\0\0\x40t(K\0t" TAIL "u."), 6,
			"repeat elements"},
		{TEXT_INIT(DICT REBUILD STORAGE("\6") "K\0(\x8a\1\xfft(K\1t" TAIL "u."), 6,
			"not described by"},
		{TEXT_INIT(DICT REBUILD "(K\1K\0)tRu."), 6, "not described by"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(cases[i].ops.s, cases[i].ops.len, cases[i].n_floats);
		refused(cases[i].word);
	}
}

static void strides_are_followed(void **state)
{
	(void)state;
	static const char turned[] = DICT REBUILD STORAGE("\6") "K\0(K\3K\2t(K\1K\3t" TAIL "u.";
	static const float want[] = {0, 3, 1, 4, 2, 5};
	struct err err = ERR_INIT;
	struct safetensors st;
	write_file(turned, sizeof turned - 1, 6);
	assert_ok(read_file(&st, &err), &err);
	const struct st_tensor *t = safetensors_find(&st, TEXT("w"));
	assert_non_null(t);
	assert_int_equal(t->shape[0], 3);
	assert_int_equal(t->bytes, sizeof want);
	assert_memory_equal(t->data, want, sizeof want);
	safetensors_close(&st);
}

static void what_is_written_reads_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct safetensors st;
	const float w[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8};
	const float *data[] = {w, b};
	struct st_entry e[] = {{.name = "weight", .dtype = ST_F32, .shape = {2, 3}, .ndim = 2},
		{.name = "bias", .dtype = ST_F32, .shape = {2}, .ndim = 1}};
	assert_ok(torchfile_write(path_of("x.pt"), e, data, 2, &err), &err);
	assert_ok(read_file(&st, &err), &err);
	assert_int_equal(st.n, 2);
	assert_memory_equal(safetensors_find(&st, TEXT("weight"))->data, w, sizeof w);
	assert_memory_equal(safetensors_find(&st, TEXT("bias"))->data, b, sizeof b);
	assert_int_equal((uintptr_t)safetensors_find(&st, TEXT("weight"))->data % 64, 0);
	safetensors_close(&st);
}

static struct buf real_file(void)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	assert_ok(
		fs_read(test_file("tests/fixtures/encoders/bert-2/pytorch_model.bin"), &b, 0, &err),
		&err);
	return b;
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct buf b = real_file();
	for (size_t len = 0; len < b.len; len += len < 64 ? 1 : 499) {
		struct err err = ERR_INIT;
		assert_ok(fs_write_atomic(path_of("x.pt"), b.data, len, &err), &err);
		refused("");
	}
	buf_release(&b);
}

/* Nothing to compare with: the sanitizers watch. */
static void damaged_bytes_never_crash(void **state)
{
	(void)state;
	struct buf b = real_file();
	struct rng rng = rng_new(5, 0);
	size_t n_refused = 0;
	for (int round = 0; round < 600; round++) {
		struct err err = ERR_INIT;
		struct safetensors st;
		size_t at = round % 2 ? rng_below(&rng, 4000) : b.len - 1 - rng_below(&rng, 3000);
		char old = b.data[at];
		b.data[at] = (char)rng_next(&rng);
		assert_ok(fs_write_atomic(path_of("x.pt"), b.data, b.len, &err), &err);
		n_refused += !read_file(&st, &err);
		safetensors_close(&st);
		b.data[at] = old;
	}
	assert_true(n_refused > 50);
	buf_release(&b);
}

static void compressed_archives_and_old_files_are_named(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf b = real_file();
	for (size_t i = 0; i + 46 < b.len; i++)
		if (memcmp(b.data + i, "PK\1\2", 4) == 0) {
			b.data[i + 10] = 8; /* deflated */
			break;
		}
	assert_ok(fs_write_atomic(path_of("x.pt"), b.data, b.len, &err), &err);
	refused("compressed or encrypted");
	buf_release(&b);
	test_write(path_of("x.pt"), "\x80\x02\x8a\nl\xfc\x9c");
	refused("torch before 1.6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_in_a_pickle_is_refused_by_name),
		cmocka_unit_test(pickles_that_lie_are_refused),
		cmocka_unit_test(tensors_outside_their_storage_are_refused),
		cmocka_unit_test(strides_are_followed),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(damaged_bytes_never_crash),
		cmocka_unit_test(compressed_archives_and_old_files_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
