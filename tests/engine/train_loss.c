#include "support.h"

#include <math.h>

#include "base/jsonfile.h"
#include "tensor.h"
#include "train/loss.h"

static tn_scope *root;

static int open_root(void **state)
{
	(void)state;
	char why[200];
	root = tn_open("cpu", 1, why, sizeof why);
	return root ? 0 : -1;
}

static int close_root(void **state)
{
	(void)state;
	tn_close(root);
	return 0;
}

/* Vectors of length 1 from x [n,d], their loss, and the gradient on x. */
static double run_loss(const float *x, int64_t n, int64_t d, const struct loss_batch *b,
	const struct loss_options *o, float *grad, struct loss_sums *sums)
{
	tn_scope *s = tn_push(root);
	tensor leaf = tn_param(s, tn_from_f32(s, x, SHAPE(n, d))); /* [n,d] */
	tensor loss = loss_compute(s, tn_normalize(s, leaf), b, o, sums);
	tn_backward(s, loss);
	double value = tn_item(s, loss);
	assert_true(tn_read_f32(s, tn_grad(s, leaf), grad, (size_t)(n * d)));
	assert_string_equal(tn_message(root), "");
	tn_pop(s);
	return value;
}

/* ---- Gold of PyTorch ---- */

static size_t read_floats(json list, float *out, size_t cap)
{
	size_t n = 0;
	for (struct json_iter it = json_each(list); json_next(&it);) {
		double v = 0.0;
		assert_true(n < cap && json_real(it.value, &v));
		out[n++] = (float)v;
	}
	return n;
}

struct gold {
	int64_t queries, group, dim;
	double temperature;
	float x[256], teacher[64];
};

static void check_case(const struct gold *g, json c)
{
	struct err err = ERR_INIT;
	struct loss_options o = {.temperature = g->temperature};
	struct text name;
	double want;
	int64_t dims[8];
	double weights[8];
	float grad[256], want_grad[256], list[8];
	int64_t rows = g->queries * (1 + g->group);
	assert_ok(json_want_text(c, "name", TEXT_NONE, &name, &err), &err);
	assert_ok(json_want_real(c, "loss", NAN, &want, &err), &err);
	assert_ok(json_want_bool(c, "in_batch", true, &o.in_batch, &err), &err);
	assert_ok(
		json_want_real(c, "teacher_temperature", 1.0, &o.teacher_temperature, &err), &err);
	assert_ok(json_want_real(c, "kd_alpha", 1.0, &o.kd_alpha, &err), &err);
	char *kind = xstrndup(name.s, name.len);
	assert_true(loss_parse(kind, &o.kind));
	o.n_mrl = read_floats(json_get(c, "mrl_dims"), list, 8);
	for (size_t i = 0; i < o.n_mrl; i++)
		dims[i] = (int64_t)list[i];
	o.mrl_dims = dims;
	if (read_floats(json_get(c, "mrl_weights"), list, 8) > 0)
		o.mrl_weights = weights;
	for (size_t i = 0; i < o.n_mrl; i++)
		weights[i] = (double)list[i];

	int64_t query[8], passage[32], group[9];
	for (int64_t i = 0; i < g->queries; i++)
		query[i] = i;
	for (int64_t j = 0; j < g->queries * g->group; j++)
		passage[j] = g->queries + j;
	for (int64_t i = 0; i <= g->queries; i++)
		group[i] = i * g->group;
	const struct loss_batch b = {.n_queries = g->queries,
		.n_passages = g->queries * g->group,
		.query = query,
		.passage = passage,
		.group = group,
		.teacher = g->teacher};
	double loss = run_loss(g->x, rows, g->dim, &b, &o, grad, NULL);
	size_t n = read_floats(json_get(c, "grad"), want_grad, 256);
	assert_int_equal(n, rows * g->dim);
	if (!(fabs(loss - want) <= 1e-5 * fmax(1.0, fabs(want))))
		fail_msg("%s: loss %.9g, PyTorch has %.9g", kind, loss, want);
	assert_close(grad, want_grad, n, 1e-5);
	free(kind);
}

static void losses_and_gradients_equal_pytorch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct json_file f;
	struct gold g;
	assert_ok(json_file_open(test_file("tests/fixtures/train_loss.json"), &f, &err), &err);
	assert_ok(json_want_int(f.root, "queries", 0, &g.queries, &err), &err);
	assert_ok(json_want_int(f.root, "group", 0, &g.group, &err), &err);
	assert_ok(json_want_int(f.root, "dim", 0, &g.dim, &err), &err);
	assert_ok(json_want_real(f.root, "temperature", 0.0, &g.temperature, &err), &err);
	read_floats(json_get(f.root, "x"), g.x, 256);
	read_floats(json_get(f.root, "teacher"), g.teacher, 64);
	size_t n = 0;
	for (struct json_iter it = json_each(json_get(f.root, "cases")); json_next(&it); n++)
		check_case(&g, it.value);
	assert_int_equal(n, 8);
	json_file_close(&f);
}

/* ---- Ragged groups, missing scores, masks: against a plain double-precision reading of loss.h ---- */

enum { B = 4, P = 8, U = 11, D = 5 };
static const int64_t query[B] = {0, 1, 2, 3};
/* Passage 7 is the text of passage 0; group sizes 3, 1, 2, 2. */
static const int64_t passage[P] = {4, 5, 6, 7, 8, 9, 10, 4};
static const int64_t group[B + 1] = {0, 3, 4, 6, 8};

static void dot_rows(const double *x, double s[B][P], double temperature)
{
	double length[U];
	for (int u = 0; u < U; u++) {
		double sum = 0.0;
		for (int k = 0; k < D; k++)
			sum += x[u * D + k] * x[u * D + k];
		length[u] = sqrt(sum);
	}
	for (int i = 0; i < B; i++)
		for (int j = 0; j < P; j++) {
			double dot = 0.0;
			for (int k = 0; k < D; k++)
				dot += x[query[i] * D + k] * x[passage[j] * D + k];
			s[i][j] = dot / (length[query[i]] * length[passage[j]]) / temperature;
		}
}

static double log_sum(const double *s, const bool *in)
{
	double sum = 0.0;
	for (int j = 0; j < P; j++)
		sum += in[j] ? exp(s[j]) : 0.0;
	return log(sum);
}

static double reference_row(
	const double *s, int i, const struct loss_batch *b, const struct loss_options *o)
{
	bool in[P], own[P];
	int64_t first = group[i], n = group[i + 1] - first;
	double t[P], z = 0.0;
	bool scored = b->teacher != NULL;
	for (int64_t k = 0; k < n; k++)
		scored = scored && isfinite(b->teacher[first + k]);
	for (int64_t k = 0; scored && k < n; k++)
		z += t[k] = exp((double)b->teacher[first + k] / o->teacher_temperature);
	bool m3 = o->kind == LOSS_M3_KD && scored;
	for (int j = 0; j < P; j++) {
		own[j] = j >= first && j < first + n;
		in[j] = own[j] || o->in_batch;
		if (b->masked && b->masked[i * P + j] && j != first && !(m3 && own[j]))
			in[j] = false;
	}
	double loss = m3 ? 0.0 : log_sum(s, in) - s[first];
	for (int64_t k = 0; scored && o->kind == LOSS_KL_DIV && k < n; k++)
		loss += o->kd_alpha * t[k] / z * (log_sum(s, own) - s[first + k]);
	for (int64_t k = 0; m3 && k < n; k++) {
		loss += t[k] / z * (log_sum(s, in) - s[first + k]);
		in[first + k] = false;
	}
	return loss;
}

static double reference(const double *x, const struct loss_batch *b, const struct loss_options *o)
{
	double s[B][P], sum = 0.0;
	dot_rows(x, s, o->temperature);
	for (int i = 0; i < B; i++)
		sum += reference_row(s[i], i, b, o);
	return sum / B;
}

static void check_against_reference(const struct loss_batch *b, const struct loss_options *o)
{
	float x[U * D], grad[U * D], want[U * D];
	double wide[U * D];
	for (int i = 0; i < U * D; i++) {
		x[i] = (float)sin(1.0 + 1.7 * i + 0.03 * i * i);
		wide[i] = (double)x[i];
	}
	double loss = run_loss(x, U, D, b, o, grad, NULL);
	double expected = reference(wide, b, o);
	if (!(fabs(loss - expected) <= 1e-5))
		fail_msg("%s: loss %.9g, expected %.9g", loss_name(o->kind), loss, expected);
	for (int i = 0; i < U * D; i++) {
		double keep = wide[i], h = 1e-5;
		wide[i] = keep + h;
		double up = reference(wide, b, o);
		wide[i] = keep - h;
		want[i] = (float)((up - reference(wide, b, o)) / (2.0 * h));
		wide[i] = keep;
	}
	assert_close(grad, want, U * D, 2e-5);
}

static void check_all_kinds(struct loss_batch b)
{
	for (enum loss_kind kind = LOSS_INFONCE; kind <= LOSS_M3_KD; kind++) {
		struct loss_options o = {.kind = kind,
			.in_batch = true,
			.temperature = 0.2,
			.teacher_temperature = 1.5,
			.kd_alpha = 0.7};
		check_against_reference(&b, &o);
		o.in_batch = false;
		check_against_reference(&b, &o);
	}
}

static struct loss_batch ragged(void)
{
	return (struct loss_batch){.n_queries = B,
		.n_passages = P,
		.query = query,
		.passage = passage,
		.group = group};
}

static void ragged_groups_have_the_right_gradients(void **state)
{
	(void)state;
	check_all_kinds(ragged());
}

static void rows_without_scores_add_infonce_only(void **state)
{
	(void)state;
	static const float teacher[P] = {3.0F, 1.0F, -2.0F, 5.0F, 0.5F, NAN, 1.0F, 4.0F};
	struct loss_batch b = ragged();
	b.teacher = teacher;
	check_all_kinds(b);

	struct loss_options o = {.kind = LOSS_KL_DIV,
		.in_batch = true,
		.temperature = 0.2,
		.teacher_temperature = 1.0,
		.kd_alpha = 1.0};
	float x[U * D], grad[U * D];
	for (int i = 0; i < U * D; i++)
		x[i] = (float)cos(i);
	struct loss_sums sums = {0};
	double loss = run_loss(x, U, D, &b, &o, grad, &sums);
	assert_int_equal(sums.n_unscored, 1); /* query 2, whose negative has no score */
	assert_int_equal(sums.n_queries, B);
	assert_true(fabs(sums.loss - B * loss) < 1e-5);
	assert_true(fabs(sums.nce + sums.kd - sums.loss) < 1e-4);
}

static void masked_passages_are_no_negatives(void **state)
{
	(void)state;
	static const float teacher[P] = {3.0F, 1.0F, -2.0F, 5.0F, 0.5F, 2.5F, 1.0F, 4.0F};
	static const uint8_t masked[B * P] = {0, 0, 1, 0, 0, 0, 0,
		1, /* one of its own negatives, and its positive elsewhere */
		0, 0, 0, 1, 0, 0, 0, 0, /* its own positive: never masked */
		1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	struct loss_batch b = ragged();
	b.masked = masked;
	check_all_kinds(b);
	b.teacher = teacher;
	check_all_kinds(b);
}

static void sums_say_how_near_positives_and_negatives_are(void **state)
{
	(void)state;
	/* Two queries on the axes; a positive at 45 degrees, a negative on the axis. */
	static const float x[5 * 2] = {1, 0, 0, 1, 1, 1, 1, 0, 0, 2};
	static const int64_t q[2] = {0, 1}, p[3] = {2, 3, 4}, g[3] = {0, 2, 3};
	const struct loss_batch b = {
		.n_queries = 2, .n_passages = 3, .query = q, .passage = p, .group = g};
	const struct loss_options o = {.kind = LOSS_INFONCE, .in_batch = true, .temperature = 1.0};
	struct loss_sums sums = {0};
	float grad[10];
	run_loss(x, 5, 2, &b, &o, grad, &sums);
	assert_true(fabs(sums.pos_sim - (sqrt(0.5) + 1.0)) < 1e-6);
	assert_true(fabs(sums.neg_sim - 1.0) < 1e-6);
	assert_int_equal(sums.n_with_neg, 1);
	assert_int_equal(sums.n_first, 1); /* query 0's negative is nearer than its positive */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_and_gradients_equal_pytorch),
		cmocka_unit_test(ragged_groups_have_the_right_gradients),
		cmocka_unit_test(rows_without_scores_add_infonce_only),
		cmocka_unit_test(masked_passages_are_no_negatives),
		cmocka_unit_test(sums_say_how_near_positives_and_negatives_are),
	};
	return cmocka_run_group_tests(tests, open_root, close_root);
}
