#include "eval/sts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/rng.h"
#include "eval/metrics.h"
#include "mine/search.h"

#define RESAMPLES 1000

enum { COL_A, COL_B, COL_SCORE, N_COLS };
static const char *const columns[N_COLS] = {"sentence1", "sentence2", "score"};

void sts_close(struct sts *s)
{
	arena_release(&s->arena);
	*s = (struct sts){.arena = ARENA_INIT};
}

static bool parse_score(struct text t, double *ret)
{
	char digits[64], *end;
	if (t.len == 0 || t.len >= sizeof digits)
		return false;
	memcpy(digits, t.s, t.len);
	digits[t.len] = '\0';
	*ret = strtod(digits, &end);
	return *end == '\0' && isfinite(*ret);
}

/* The i-th tab-separated field; TEXT_NONE when there are fewer. */
static struct text field(struct text line, size_t i)
{
	for (; i > 0; i--) {
		const char *tab = memchr(line.s, '\t', line.len);
		if (!tab)
			return TEXT_NONE;
		line = (struct text){tab + 1, line.len - (size_t)(tab + 1 - line.s)};
	}
	const char *tab = memchr(line.s, '\t', line.len);
	return (struct text){line.s, tab ? (size_t)(tab - line.s) : line.len};
}

static bool find_columns(struct text head, size_t at[N_COLS], struct err *err)
{
	for (size_t c = 0; c < N_COLS; c++) {
		struct text name;
		for (at[c] = 0; (name = field(head, at[c])).s; at[c]++)
			if (text_is(name, columns[c]))
				break;
		if (!name.s)
			return err_set(err, ERR_DATA,
				"no column %s in the first line, expected the names genre ... "
				"score, sentence1, sentence2 between tabs",
				columns[c]);
	}
	return true;
}

static bool read_tsv(
	struct text line, const size_t at[N_COLS], struct text out[N_COLS], struct err *err)
{
	for (size_t c = 0; c < N_COLS; c++) {
		out[c] = field(line, at[c]);
		if (!out[c].s)
			return err_set(err, ERR_DATA, "no field %zu (%s)", at[c] + 1, columns[c]);
	}
	return true;
}

static bool read_json(struct json_parser *p, struct text line, struct text out[N_COLS],
	double *ret_score, struct err *err)
{
	json root;
	struct json_why why;
	if (!json_parse(p, line.s, line.len, 0, &root, &why))
		return err_set(err, ERR_DATA, "not JSON: %s", why.reason);
	for (size_t c = 0; c < COL_SCORE; c++)
		if (!json_string(json_get(root, columns[c]), &out[c].s, &out[c].len))
			return err_set(err, ERR_DATA, "%s is %s, expected a string", columns[c],
				json_type_name(json_type(json_get(root, columns[c]))));
	json score = json_get(root, "score");
	return json_real(score, ret_score) ||
		err_set(err, ERR_DATA, "score is %s, expected a number",
			json_type_name(json_type(score)));
}

/* A file being read. */
struct reading {
	struct sts *s;
	struct json_parser *parser; /* NULL: TSV */
	size_t at[N_COLS];
	bool has_head;
};

static bool add_line(struct reading *r, struct text line, struct err *err)
{
	struct text t[N_COLS] = {TEXT_NONE};
	struct sts *s = r->s;
	if (r->parser) {
		if (!read_json(r->parser, line, t, &s->score[s->n], err))
			return false;
	} else if (!r->has_head) {
		r->has_head = true;
		return find_columns(line, r->at, err);
	} else if (!read_tsv(line, r->at, t, err)) {
		return false;
	} else if (!parse_score(t[COL_SCORE], &s->score[s->n])) {
		return err_set(err, ERR_DATA, "score is \"%.*s\", expected a number",
			(int)(t[COL_SCORE].len < 40 ? t[COL_SCORE].len : 40), t[COL_SCORE].s);
	}
	s->a[s->n] = arena_text(&s->arena, t[COL_A]);
	s->b[s->n++] = arena_text(&s->arena, t[COL_B]);
	return true;
}

static size_t count_lines(const struct fs_map *file)
{
	size_t n = 1;
	for (const char *at = file->data, *end = at + file->len;
		(at = memchr(at, '\n', (size_t)(end - at))); at++)
		n++;
	return n;
}

static bool read_lines(
	struct reading *r, const char *path, const struct fs_map *file, struct err *err)
{
	const char *at = file->data, *end = at + file->len;
	if (file->len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		at += 3;
	for (size_t line_no = 1; at < end; line_no++) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		struct text line = {at, (size_t)((feed ? feed : end) - at)};
		at = feed ? feed + 1 : end;
		if (line.len && line.s[line.len - 1] == '\r')
			line.len--;
		if (line.len && !add_line(r, line, err))
			return err_prefix(err, "%s:%zu", path, line_no);
	}
	return r->s->n > 0 || err_set(err, ERR_DATA, "%s: no pair of sentences", path);
}

bool sts_open(const char *path, struct sts *ret, struct err *err)
{
	struct fs_map file;
	*ret = (struct sts){.arena = ARENA_INIT};
	if (!fs_map(path, &file, err))
		return false;
	size_t most = count_lines(&file), len = strlen(path), blank = 0;
	while (blank < file.len && strchr(" \t\r\n", file.data[blank]))
		blank++;
	bool is_json = (len > 6 && strcmp(path + len - 6, ".jsonl") == 0) ||
		(blank < file.len && file.data[blank] == '{');
	struct reading r = {.s = ret, .parser = is_json ? json_parser_new() : NULL};
	ret->a = arena_calloc(&ret->arena, most, sizeof *ret->a);
	ret->b = arena_calloc(&ret->arena, most, sizeof *ret->b);
	ret->score = arena_calloc(&ret->arena, most, sizeof *ret->score);
	bool ok = read_lines(&r, path, &file, err);
	if (r.parser)
		json_parser_free(r.parser);
	fs_unmap(&file);
	if (!ok)
		sts_close(ret);
	return ok;
}

/* ORDER similarities */
enum { COSINE, DOT, EUCLIDEAN, MANHATTAN, N_SIMILARITIES };
static const char *const names[2 * N_SIMILARITIES] = {"spearman_cosine", "pearson_cosine",
	"spearman_dot", "pearson_dot", "spearman_euclidean", "pearson_euclidean",
	"spearman_manhattan", "pearson_manhattan"};

static void similarities(const float *a, const float *b, size_t dim, double out[N_SIMILARITIES])
{
	double aa = 0, bb = 0, ab = 0, square = 0, sum = 0;
	for (size_t i = 0; i < dim; i++) {
		double x = (double)a[i], y = (double)b[i];
		aa += x * x;
		bb += y * y;
		ab += x * y;
		square += (x - y) * (x - y);
		sum += fabs(x - y);
	}
	out[COSINE] = aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : 0.0;
	out[DOT] = ab;
	out[EUCLIDEAN] = -sqrt(square);
	out[MANHATTAN] = -sum;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* 95 % intervals of the correlations of one similarity: pairs drawn with replacement. */
static void intervals(
	const double *sim, const double *gold, size_t n, uint64_t seed, double *low, double *high)
{
	double *x = xcalloc(n, sizeof *x), *y = xcalloc(n, sizeof *y);
	double(*r)[RESAMPLES] = xcalloc(2, sizeof *r);
	struct rng rng = rng_new(seed, 2);
	for (size_t b = 0; b < RESAMPLES; b++) {
		for (size_t i = 0; i < n; i++) {
			size_t k = rng_below(&rng, n);
			x[i] = sim[k];
			y[i] = gold[k];
		}
		r[0][b] = metric_spearman(x, y, n);
		r[1][b] = metric_pearson(x, y, n);
	}
	for (size_t c = 0; c < 2; c++) {
		qsort(r[c], RESAMPLES, sizeof r[c][0], by_size);
		low[c] = r[c][RESAMPLES * 25 / 1000];
		high[c] = r[c][RESAMPLES * 975 / 1000];
	}
	free(r);
	free(y);
	free(x);
}

/* vectors: those of all first sentences, then those of all second ones. */
static void correlate(
	const struct sts *data, const float *vectors, size_t dim, uint64_t seed, struct report *ret)
{
	double *sims = xcalloc((size_t)N_SIMILARITIES * data->n, sizeof *sims);
	for (size_t i = 0; i < data->n; i++) {
		double s[N_SIMILARITIES];
		similarities(vectors + i * dim, vectors + (data->n + i) * dim, dim, s);
		for (size_t k = 0; k < N_SIMILARITIES; k++)
			sims[k * data->n + i] = s[k];
		ret->ids[i] = text_of(arena_printf(&ret->arena, "%zu", i + 1));
		ret->cells[i * ret->n_columns] = s[COSINE];
		ret->cells[i * ret->n_columns + 1] = data->score[i];
	}
	for (size_t k = 0; k < N_SIMILARITIES; k++) {
		const double *x = sims + k * data->n;
		ret->values[2 * k] = metric_spearman(x, data->score, data->n);
		ret->values[2 * k + 1] = metric_pearson(x, data->score, data->n);
	}
	intervals(sims, data->score, data->n, seed, ret->low, ret->high);
	free(sims);
}

bool sts_measure(struct encoder *e, const struct sts *data, const char *set, uint64_t seed,
	struct report *ret, struct encode_stats *stats, struct err *err)
{
	static const char *const per_pair[] = {"cosine", "score"};
	size_t dim = (size_t)encoder_dim(e), n = data->n;
	struct text *all = xcalloc(2 * n, sizeof *all);
	float *vectors = try_malloc(2 * n, dim * sizeof *vectors, "sentence vectors", err);
	memcpy(all, data->a, n * sizeof *all);
	memcpy(all + n, data->b, n * sizeof *all);
	bool ok = vectors && encoder_encode_texts(e, ENCODE_QUERY, all, 2 * n, vectors, stats, err);
	if (ok) {
		report_init(ret, set, names, ARRAY_LEN(names), per_pair, 2, n);
		correlate(data, vectors, dim, seed, ret);
	}
	free(vectors);
	free(all);
	return ok;
}
