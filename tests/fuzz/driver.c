/* A small fuzzer for machines without libFuzzer: the files of the seed folders, changed at random, as
 * long or as often as it is told. It knows nothing of coverage.
 *
 *	fuzz_NAME [-max_total_time=S] [-runs=N] [-max_len=N] [-seed=N] FOLDER... */
#include <time.h>

#include "base/rng.h"
#include "fuzz.h"

struct seeds {
	struct buf *file;
	size_t n;
};

static void read_folder(const char *dir, struct seeds *s)
{
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	char **names;
	size_t n;
	fuzz_require(fs_list(dir, &a, &names, &n, &err), err.text);
	s->file = xreallocarray(s->file, s->n + n + 1, sizeof *s->file);
	for (size_t i = 0; i < n; i++) {
		s->file[s->n] = (struct buf)BUF_INIT;
		fuzz_require(
			fs_read(fs_join(&a, dir, names[i]), &s->file[s->n++], 0, &err), err.text);
	}
	arena_release(&a);
}

static size_t pick(struct rng *rng, size_t n)
{
	return n ? (size_t)(rng_next(rng) % n) : 0;
}

/* A few stretches are overwritten, left out, doubled, or taken from another seed. */
static void change(struct rng *rng, const struct seeds *s, struct buf *b)
{
	struct buf out = BUF_INIT;
	for (size_t round = 1 + pick(rng, 4); round > 0; round--) {
		size_t at = pick(rng, b->len + 1), len = pick(rng, 1 + pick(rng, 16));
		len = len > b->len - at ? b->len - at : len;
		buf_clear(&out);
		buf_add(&out, b->data ? b->data : "", at);
		switch (pick(rng, 4)) {
		case 0:
			for (size_t i = 0; i <= len; i++)
				buf_addch(&out, (char)rng_next(rng));
			break;
		case 1:
			break;
		case 2:
			buf_add(&out, b->data + at, len);
			buf_add(&out, b->data + at, len);
			break;
		default:
			if (s->n > 0) {
				const struct buf *o = &s->file[pick(rng, s->n)];
				size_t from = pick(rng, o->len + 1);
				buf_add(&out, o->data + from,
					len > o->len - from ? o->len - from : len);
			}
		}
		buf_add(&out, b->data + at + len, b->len - at - len);
		struct buf swap = *b;
		*b = out;
		out = swap;
	}
	buf_release(&out);
}

int main(int argc, char **argv)
{
	struct seeds s = {NULL, 0};
	long seconds = 0, runs = 0, seed = 1, max_len = 4096, done = 0;
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		if (sscanf(argv[i], "-max_total_time=%ld", &seconds) != 1 &&
			sscanf(argv[i], "-runs=%ld", &runs) != 1 &&
			sscanf(argv[i], "-seed=%ld", &seed) != 1 &&
			sscanf(argv[i], "-max_len=%ld", &max_len) != 1 && argv[i][0] != '-')
			read_folder(argv[i], &s);
	struct rng rng = rng_new((uint64_t)seed, 0);
	time_t end = time(NULL) + seconds;
	struct buf input = BUF_INIT;
	for (; (runs == 0 || done < runs) && (seconds == 0 || time(NULL) < end); done++) {
		buf_clear(&input);
		if (s.n > 0)
			buf_addtext(&input, buf_text(&s.file[pick(&rng, s.n)]));
		change(&rng, &s, &input);
		if (input.len > (size_t)max_len)
			input.len = (size_t)max_len;
		LLVMFuzzerTestOneInput((const uint8_t *)(input.data ? input.data : ""), input.len);
	}
	fprintf(stderr, "Done %ld runs from %zu seeds\n", done, s.n);
	buf_release(&input);
	for (size_t i = 0; i < s.n; i++)
		buf_release(&s.file[i]);
	free(s.file);
	return 0;
}
