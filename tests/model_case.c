#include "model_case.h"

#include <math.h>

#include "base/rng.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "support.h"
#include "tensor.h"

#define TOLERANCE 1e-5
#define MOST_TEXTS 64

struct test_case {
	const char *dir;
	struct safetensors gold;
	int32_t *ids, *types; /* [T]; types NULL: none */
	int64_t *start; /* [n+1] */
	int64_t n;
	tn_scope *root;
	struct model *m;
};

static bool has(const struct test_case *c, const char *name)
{
	return safetensors_find(&c->gold, text_of(name)) != NULL;
}

/* An aligned copy: a mapped tensor may begin at any byte. */
static void *copy(const struct test_case *c, const char *name, size_t size, size_t *ret_n)
{
	const struct st_tensor *t = safetensors_find(&c->gold, text_of(name));
	if (!t)
		fail_msg("%s: gold has no %s", c->dir, name);
	void *out = xmalloc(t->bytes + 1);
	memcpy(out, t->data, t->bytes);
	*ret_n = t->bytes / size;
	return out;
}

static int32_t *small_ints(const struct test_case *c, const char *name)
{
	size_t n;
	int64_t *wide = copy(c, name, sizeof *wide, &n);
	int32_t *out = xcalloc(n + 1, sizeof *out);
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)wide[i];
	free(wide);
	return out;
}

static void open_case(
	struct test_case *c, const char *dir, enum model_use use, enum model_dtype dtype)
{
	struct err err = ERR_INIT;
	struct model_options opt = {.use = use, .dtype = dtype};
	char path[300], why[200];
	size_t n;
	*c = (struct test_case){.dir = dir};
	snprintf(path, sizeof path, "%s/gold.safetensors", dir);
	assert_ok(safetensors_open(test_file(path), &c->gold, &err), &err);
	c->ids = small_ints(c, "ids");
	c->types = has(c, "types") ? small_ints(c, "types") : NULL;
	c->start = copy(c, "start", sizeof *c->start, &n);
	c->n = (int64_t)n - 1;
	c->root = tn_open("cpu", 1, why, sizeof why);
	assert_non_null(c->root);
	c->m = model_open(test_file(dir), c->root, &opt, &err);
	assert_ok(c->m != NULL, &err);
}

static void close_case(struct test_case *c)
{
	model_close(c->m);
	assert_int_equal(tn_live(c->root), 0);
	tn_close(c->root);
	safetensors_close(&c->gold);
	free(c->ids);
	free(c->types);
	free(c->start);
}

static struct token_batch whole_batch(const struct test_case *c)
{
	return (struct token_batch){.ids = c->ids, .types = c->types, .seqs = {c->start, c->n}};
}

static float *values(tn_scope *s, tensor t, size_t n)
{
	float *out = xmalloc((n + 1) * sizeof *out);
	if (!tn_read_f32(s, t, out, n))
		fail_msg("%s", tn_message(s));
	return out;
}

static void near(const struct test_case *c, const char *what, const float *got, const float *want,
	size_t n, double tolerance)
{
	double worst = 0.0;
	for (size_t i = 0; i < n; i++) {
		double d = fabs((double)got[i] - (double)want[i]);
		worst = d <= worst ? worst : d;
	}
	print_message("%s: %s: %.2e\n", c->dir, what, worst);
	if (!(worst <= tolerance))
		fail_msg("%s: %s: largest difference %g, allowed %g", c->dir, what, worst,
			tolerance);
}

static void compare(
	const struct test_case *c, tn_scope *s, tensor t, const char *name, double tolerance)
{
	size_t n;
	float *want = copy(c, name, sizeof *want, &n), *got = values(s, t, n);
	near(c, name, got, want, n, tolerance);
	free(want);
	free(got);
}

static void check_states(struct test_case *c)
{
	struct token_batch b = whole_batch(c);
	struct forward how = FORWARD_ENCODE;
	tn_scope *s = tn_push_no_grad(c->root);
	tensor states[64];
	size_t n_states = model_states(c->m, s, &b, &how, states);
	compare(c, s, tn_stack(s, states, (int)n_states, 0), "states", TOLERANCE);
	tn_pop(s);
}

/* Output of a batch, whatever the model is: logits or last states, a row a text or a token. */
static tensor output(struct test_case *c, tn_scope *s, const struct token_batch *b)
{
	struct forward how = FORWARD_ENCODE;
	return model_n_labels(c->m) ? model_classify(c->m, s, b, &how)
				    : model_hidden(c->m, s, b, &how);
}

/* Rows that text i has in the output. */
static int64_t rows_of(const struct test_case *c, int64_t i)
{
	return model_n_labels(c->m) ? 1 : c->start[i + 1] - c->start[i];
}

/* Texts order[0..m) as one batch: each must give what it gives alone. */
static void check_order(struct test_case *c, const int64_t *order, int64_t m, float *const *alone)
{
	int64_t start[MOST_TEXTS + 1] = {0}, n_rows = 0;
	for (int64_t i = 0; i < m; i++)
		start[i + 1] = start[i] + c->start[order[i] + 1] - c->start[order[i]];
	int32_t *ids = xcalloc((size_t)start[m] + 1, sizeof *ids);
	int32_t *types = xcalloc((size_t)start[m] + 1, sizeof *types);
	for (int64_t i = 0; i < m; i++) {
		size_t bytes = (size_t)(start[i + 1] - start[i]) * sizeof *ids;
		memcpy(ids + start[i], c->ids + c->start[order[i]], bytes);
		if (c->types)
			memcpy(types + start[i], c->types + c->start[order[i]], bytes);
		n_rows += rows_of(c, order[i]);
	}
	struct token_batch b = {.ids = ids, .types = c->types ? types : NULL, .seqs = {start, m}};
	tn_scope *s = tn_push_no_grad(c->root);
	tensor y = output(c, s, &b);
	int64_t width = tn_dim(s, y, 1), at = 0;
	float *got = values(s, y, (size_t)(n_rows * width));
	for (int64_t i = 0; i < m; i++) {
		int64_t n = rows_of(c, order[i]) * width;
		assert_close(got + at, alone[order[i]], (size_t)n, TOLERANCE);
		at += n;
	}
	tn_pop(s);
	free(got);
	free(ids);
	free(types);
}

static void check_batches(struct test_case *c)
{
	static const int64_t sizes[] = {1, 7, 64};
	float *alone[MOST_TEXTS] = {0};
	struct rng rng = rng_new(11, 0);
	tn_scope *s = tn_push_no_grad(c->root);
	for (int64_t i = 0; i < c->n; i++) {
		int64_t start[2] = {0, c->start[i + 1] - c->start[i]};
		struct token_batch b = {.ids = c->ids + c->start[i],
			.types = c->types ? c->types + c->start[i] : NULL,
			.seqs = {start, 1}};
		tensor y = output(c, s, &b);
		alone[i] = values(s, y, (size_t)tn_numel(s, y));
	}
	tn_pop(s);
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		int64_t order[MOST_TEXTS];
		for (int64_t i = 0; i < sizes[k]; i++)
			order[i] = (int64_t)rng_below(&rng, (uint64_t)c->n);
		check_order(c, order, sizes[k], alone);
	}
	for (int64_t i = 0; i < c->n; i++)
		free(alone[i]);
}

static void compare_gradients(struct test_case *c, const struct safetensors *ours)
{
	size_t n_compared = 0;
	double worst = 0.0;
	for (size_t i = 0; i < c->gold.n; i++) {
		const char *name = c->gold.t[i].name;
		if (strncmp(name, "grad.", 5) != 0)
			continue;
		const struct st_tensor *t = safetensors_find(ours, text_of(name + 5));
		if (!t)
			fail_msg("%s: no gradient of %s was written", c->dir, name + 5);
		size_t n;
		float *want = copy(c, name, sizeof *want, &n), *got = xmalloc(t->bytes + 1);
		assert_int_equal(t->bytes, n * sizeof *want);
		memcpy(got, t->data, t->bytes);
		double largest = 1e-2; /* a key's bias has rounding alone */
		for (size_t k = 0; k < n; k++)
			largest = fmax(largest, fabs((double)want[k]));
		for (size_t k = 0; k < n; k++)
			worst = fmax(worst, fabs((double)got[k] - (double)want[k]) / largest);
		if (!(worst <= 1e-4))
			fail_msg("%s: gradient of %s: %g of its largest value", c->dir, name + 5,
				worst);
		n_compared++;
		free(want);
		free(got);
	}
	print_message("%s: %zu gradients: %.2e\n", c->dir, n_compared, worst);
	assert_int_equal(n_compared, ours->n);
}

static void check_gradients(struct test_case *c)
{
	struct err err = ERR_INIT;
	struct safetensors ours;
	char path[512];
	struct token_batch b = whole_batch(c);
	struct forward how = {.train = true, .dropout = 0.0};
	tn_scope *s = tn_push(c->root);
	size_t n;
	float *weights = copy(c, "loss.c", sizeof *weights, &n);
	tensor y = model_n_labels(c->m) ? model_classify(c->m, s, &b, &how)
					: model_embed(c->m, s, &b, &how);
	if (model_n_labels(c->m) == 0)
		compare(c, s, y, "pooled.mean", TOLERANCE);
	int64_t width = tn_dim(s, y, 1);
	tn_backward(s, tn_sum(s, tn_mul(s, y, tn_from_f32(s, weights, SHAPE(c->n, width)))));
	snprintf(path, sizeof path, "%s/gradients.safetensors", test_scratch());
	assert_ok(model_write_gradients(c->m, path, &err), &err);
	assert_ok(safetensors_open(path, &ours, &err), &err);
	compare_gradients(c, &ours);
	safetensors_close(&ours);
	tn_pop(s);
	free(weights);
}

/* Direction of the last states in bf16, token by token, and of all logits together. */
static void check_bf16(struct test_case *c)
{
	size_t n;
	bool is_classifier = model_n_labels(c->m) > 0;
	float *want = copy(c, is_classifier ? "logits" : "states", sizeof *want, &n);
	struct token_batch b = whole_batch(c);
	tn_scope *s = tn_push_no_grad(c->root);
	tensor y = output(c, s, &b);
	size_t size = (size_t)tn_numel(s, y);
	size_t row = is_classifier ? size : (size_t)tn_dim(s, y, 1);
	float *got = values(s, y, size);
	const float *last = want + (n - size);
	double worst = 1.0;
	for (size_t i = 0; i < size; i += row) {
		double dot = 0.0, a = 0.0, d = 0.0;
		for (size_t k = i; k < i + row; k++) {
			dot += (double)got[k] * (double)last[k];
			a += (double)got[k] * (double)got[k];
			d += (double)last[k] * (double)last[k];
		}
		worst = fmin(worst, dot / sqrt(a * d));
	}
	print_message("%s: bfloat16: cosine %.5f\n", c->dir, worst);
	if (!(worst > 0.999))
		fail_msg("%s: bfloat16: cosine %g", c->dir, worst);
	tn_pop(s);
	free(want);
	free(got);
}

void check_model_case(const char *dir)
{
	struct test_case c;
	for (int use = MODEL_ENCODE; use <= MODEL_TRAIN; use++) {
		open_case(&c, dir, (enum model_use)use, MODEL_F32);
		struct token_batch b = whole_batch(&c);
		if (has(&c, "states"))
			check_states(&c);
		if (has(&c, "logits")) {
			tn_scope *s = tn_push_no_grad(c.root);
			compare(&c, s, output(&c, s, &b), "logits", TOLERANCE);
			tn_pop(s);
		}
		if (use == MODEL_ENCODE)
			check_batches(&c);
		else if (has(&c, "loss.c"))
			check_gradients(&c);
		close_case(&c);
	}
	open_case(&c, dir, MODEL_ENCODE, MODEL_BF16);
	check_bf16(&c);
	close_case(&c);
}
