#include "model/rope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonfile.h"
#include "base/mem.h"
#include "model/config.h"

#define REQUIRED (-1) /* below every range: the key must be there */

static const struct {
	const char *name;
	enum rope_kind kind;
} kinds[] = {
	{"default", ROPE_DEFAULT},
	{"linear", ROPE_LINEAR},
	{"dynamic", ROPE_DYNAMIC},
	{"ntk", ROPE_NTK},
	{"yarn", ROPE_YARN},
	{"llama3", ROPE_LLAMA3},
};

/* The object with this layer's parameters; JSON_MISSING when there is none. */
static json parameters(json root, const struct rope_keys *keys)
{
	json old = json_get(root, "rope_scaling"), all = json_get(root, "rope_parameters");
	if (json_is(old, JSON_OBJECT) && !json_is(all, JSON_OBJECT))
		all = keys->unscaled ? (json){0} : old;
	json of_layer = keys->layer ? json_get(all, keys->layer) : (json){0};
	if (json_is(of_layer, JSON_OBJECT))
		return of_layer;
	bool is_nested = json_is(json_get(all, "full_attention"), JSON_OBJECT) ||
		json_is(json_get(all, "sliding_attention"), JSON_OBJECT);
	return is_nested ? (json){0} : all;
}

static bool read_kind(json p, const char *path, enum rope_kind *ret, struct err *err)
{
	struct text name, old;
	if (!json_want_text(p, "type", TEXT("default"), &old, err) ||
		!json_want_text(p, "rope_type", old, &name, err))
		return err_prefix(err, "%s", path);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_is(name, kinds[i].name)) {
			*ret = kinds[i].kind;
			return true;
		}
	return err_set(err, ERR_DATA,
		"%s: rope_type is \"%.*s\", expected default, linear, dynamic, ntk, yarn or llama3",
		path, TEXT_ARG(name));
}

/* 0.1 ln(factor) + 1 (Peng et al. 2023, eq. 22), unless the file says otherwise. */
static double mscale(double factor, double k)
{
	return factor <= 1.0 ? 1.0 : 0.1 * k * log(factor) + 1.0;
}

static bool read_yarn(json p, const char *path, struct rope *r, struct err *err)
{
	double k, all;
	struct config_range ratio = {"factor", 1e-3, 1e6, r->positions / r->original};
	if (!config_real(p, path, ratio, &r->factor, err) ||
		!config_real(p, path, (struct config_range){"beta_fast", 1e-3, 1e6, 32}, &r->high,
			err) ||
		!config_real(
			p, path, (struct config_range){"beta_slow", 1e-3, 1e6, 1}, &r->low, err) ||
		!config_real(p, path, (struct config_range){"mscale", 0, 1e3, 0}, &k, err) ||
		!config_real(
			p, path, (struct config_range){"mscale_all_dim", 0, 1e3, 0}, &all, err))
		return false;
	double gain = k > 0.0 && all > 0.0 ? mscale(r->factor, k) / mscale(r->factor, all)
					   : mscale(r->factor, 1.0);
	struct config_range given = {"attention_factor", 1e-6, 1e6, gain};
	return config_real(p, path, given, &r->gain, err) &&
		(json_want_bool(p, "truncate", true, &r->truncates, err) ||
			err_prefix(err, "%s", path));
}

static bool read_llama3(json p, const char *path, struct rope *r, struct err *err)
{
	if (!config_real(p, path, (struct config_range){"low_freq_factor", 1e-3, 1e6, REQUIRED},
		    &r->low, err) ||
		!config_real(p, path,
			(struct config_range){"high_freq_factor", 1e-3, 1e6, REQUIRED}, &r->high,
			err))
		return false;
	if (r->high <= r->low)
		return err_set(err, ERR_DATA,
			"%s: high_freq_factor is %g, expected more than low_freq_factor (%g)", path,
			r->high, r->low);
	return true;
}

static bool read_scaling(json root, json p, const char *path, struct rope *r, struct err *err)
{
	struct config_range own = {"original_max_position_embeddings", 1, 1e9, r->positions};
	if (!config_real(p, path, own, &r->original, err))
		return false;
	own.def = r->original;
	if (!config_real(root, path, own, &r->original, err))
		return false;
	if (r->kind == ROPE_YARN)
		return read_yarn(p, path, r, err);
	struct config_range factor = {"factor", 1e-3, 1e6, REQUIRED};
	if (!config_real(p, path, factor, &r->factor, err))
		return false;
	if (!json_is(json_get(p, "mixed_b"), JSON_MISSING) &&
		!json_is(json_get(p, "mixed_b"), JSON_NULL))
		return err_set(
			err, ERR_DATA, "%s: mixed_b of rope_scaling is not known here", path);
	return r->kind != ROPE_LLAMA3 || read_llama3(p, path, r, err);
}

bool rope_read(json root, const char *path, const struct rope_keys *keys, int64_t dim,
	int64_t positions, struct rope *ret, struct err *err)
{
	json p = parameters(root, keys);
	struct rope r = {.dim = dim, .positions = (double)positions, .factor = 1.0, .gain = 1.0};
	double share;
	struct config_range theta = {keys->theta_key, 1.0001, 1e12, keys->theta},
			    whole = {"partial_rotary_factor", 0, 1, 1};
	if (!read_kind(p, path, &r.kind, err) || !config_real(root, path, theta, &r.theta, err))
		return false;
	theta = (struct config_range){"rope_theta", 1.0001, 1e12, r.theta};
	if (!config_real(p, path, theta, &r.theta, err) ||
		!config_real(root, path, whole, &share, err))
		return false;
	whole.def = share;
	if (!config_real(p, path, whole, &share, err))
		return false;
	if (share != 1.0)
		return err_set(err, ERR_DATA,
			"%s: partial_rotary_factor is %g; heads that turn in part are not known "
			"here",
			path, share);
	if (dim < 2 || dim % 2 != 0)
		return err_set(err, ERR_DATA,
			"%s: heads of %lld cannot turn, expected an even size", path,
			(long long)dim);
	if (r.kind == ROPE_DYNAMIC && dim < 4)
		return err_set(err, ERR_DATA,
			"%s: rope_type is dynamic, which needs heads of at least 4, not %lld", path,
			(long long)dim);
	if (r.kind != ROPE_DEFAULT && !read_scaling(root, p, path, &r, err))
		return false;
	*ret = r;
	return true;
}

int64_t rope_reach(const struct rope *r)
{
	double reach = r->positions;
	if (r->kind == ROPE_DYNAMIC && r->factor > 1.0)
		reach = r->positions * r->factor;
	if (r->kind == ROPE_YARN && r->original * r->factor > reach)
		reach = r->original * r->factor;
	return reach > 1e9 ? (int64_t)1e9 : (int64_t)reach;
}

static float power(double base, int64_t i, int64_t dim)
{
	float exponent = (float)(2 * i) / (float)dim;
	return (float)pow((double)(float)base, (double)exponent);
}

/* The dimension whose wave turns n times within the original positions: Peng et al. 2023, eq. 15
 * and 17. */
static double yarn_dimension(const struct rope *r, double n)
{
	return (double)r->dim * log(r->original / (n * 2.0 * M_PI)) / (2.0 * log(r->theta));
}

static void yarn_frequencies(const struct rope *r, float *freq)
{
	double low = yarn_dimension(r, r->high), high = yarn_dimension(r, r->low);
	if (r->truncates) {
		low = floor(low);
		high = ceil(high);
	}
	low = fmax(low, 0.0);
	high = fmin(high, (double)(r->dim - 1));
	if (low == high)
		high += 0.001;
	for (int64_t i = 0; i < r->dim / 2; i++) {
		float slow = ((float)i - (float)low) / (float)(high - low);
		slow = fminf(fmaxf(slow, 0.0F), 1.0F);
		float p = power(r->theta, i, r->dim), kept = 1.0F - slow;
		freq[i] = 1.0F / ((float)r->factor * p) * (1.0F - kept) + 1.0F / p * kept;
	}
}

static float llama3_frequency(const struct rope *r, float freq)
{
	float wave = (float)(2.0 * M_PI) / freq;
	float factor = (float)r->factor;
	if (wave > (float)(r->original / r->low))
		return freq / factor;
	if (wave < (float)(r->original / r->high))
		return freq;
	float smooth = ((float)r->original / wave - (float)r->low) / (float)(r->high - r->low);
	return (1.0F - smooth) * freq / factor + smooth * freq;
}

/* Of a text of `length` tokens, [dim/2]. */
static void frequencies(const struct rope *r, int64_t length, float *freq)
{
	double theta = r->theta, share = (double)r->dim / (double)(r->dim - 2);
	if (r->kind == ROPE_YARN) {
		yarn_frequencies(r, freq);
		return;
	}
	if (r->kind == ROPE_DYNAMIC && (double)length > r->positions)
		theta *= pow(r->factor * (double)length / r->positions - (r->factor - 1.0), share);
	if (r->kind == ROPE_NTK)
		theta *= r->factor;
	for (int64_t i = 0; i < r->dim / 2; i++) {
		freq[i] = 1.0F / power(theta, i, r->dim);
		if (r->kind == ROPE_LINEAR)
			freq[i] /= (float)r->factor;
		if (r->kind == ROPE_NTK)
			freq[i] /= (float)pow(r->factor, 2.0 / (double)r->dim);
		if (r->kind == ROPE_LLAMA3)
			freq[i] = llama3_frequency(r, freq[i]);
	}
}

/* Rows of the places 0 .. n of a text of `length` tokens. */
static void fill(const struct rope *r, int64_t length, int64_t n, float *cos_, float *sin_)
{
	int64_t half = r->dim / 2;
	float *freq = xcalloc((size_t)half, sizeof *freq);
	frequencies(r, length, freq);
	for (int64_t place = 0; place < n; place++)
		for (int64_t i = 0; i < half; i++) {
			double angle = (double)((float)place * freq[i]);
			cos_[place * half + i] = (float)(cos(angle) * r->gain);
			sin_[place * half + i] = (float)(sin(angle) * r->gain);
		}
	free(freq);
}

/* Has this text frequencies of its own? */
static bool stands_apart(const struct rope *r, int64_t length)
{
	return r->kind == ROPE_DYNAMIC && (double)length > r->positions;
}

void rope_tables_init(struct rope_tables *t, tn_scope *s, const struct rope *r, struct tn_seqs seqs)
{
	int64_t shared = 1, n_rows, half = r->dim / 2;
	for (int64_t i = 0; i < seqs.n; i++) {
		int64_t length = seqs.start[i + 1] - seqs.start[i];
		if (!stands_apart(r, length) && length > shared)
			shared = length;
	}
	n_rows = shared;
	t->rows = xcalloc((size_t)seqs.start[seqs.n] + 1, sizeof *t->rows);
	for (int64_t i = 0; i < seqs.n; i++) {
		int64_t length = seqs.start[i + 1] - seqs.start[i];
		int64_t first = stands_apart(r, length) ? n_rows : 0;
		for (int64_t k = 0; k < length; k++)
			t->rows[seqs.start[i] + k] = first + k;
		n_rows += first ? length : 0;
	}
	size_t n = (size_t)(n_rows * half);
	float *c = xcalloc(n, sizeof *c), *d = xcalloc(n, sizeof *d);
	fill(r, shared, shared, c, d);
	for (int64_t i = 0; i < seqs.n; i++) {
		int64_t length = seqs.start[i + 1] - seqs.start[i];
		if (!stands_apart(r, length))
			continue;
		int64_t at = t->rows[seqs.start[i]] * half;
		fill(r, length, length, c + at, d + at);
	}
	t->cos = tn_from_f32(s, c, SHAPE(n_rows, half));
	t->sin = tn_from_f32(s, d, SHAPE(n_rows, half));
	free(c);
	free(d);
}

void rope_tables_release(struct rope_tables *t)
{
	free(t->rows);
	t->rows = NULL;
}

tensor rope_turn(
	tn_scope *s, tensor qkv, const struct rope_tables *t, const struct tn_attention *how)
{
	struct tn_rotary turn = {.cos = t->cos, .sin = t->sin, .rows = t->rows};
	return tn_rotary(s, qkv, how, &turn);
}
