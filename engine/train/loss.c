#include "train/loss.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Every loss here is a sum of terms of one form: -1/B sum_ij weight_ij log softmax_j(s_ij +
 * mask_ij). A masked cell gets FAR instead of minus infinity, because 0 * infinity would be NaN. */
#define FAR (-1e30F)

struct term {
	float *mask; /* [B,P] 0 or FAR */
	float *weight; /* [B,P] */
	double factor; /* of the term in the loss */
	bool is_kd;
};

struct terms {
	struct term *list;
	size_t n;
};

static const char *const names[] = {
	[LOSS_INFONCE] = "infonce",
	[LOSS_KL_DIV] = "kl_div",
	[LOSS_M3_KD] = "m3_kd_loss",
};

bool loss_parse(const char *name, enum loss_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum loss_kind)i;
			return true;
		}
	}
	return false;
}

const char *loss_name(enum loss_kind kind)
{
	return names[kind];
}

static int64_t group_size(const struct loss_batch *b, int64_t i)
{
	return b->group[i + 1] - b->group[i];
}

/* t_i [n]: softmax of the group's teacher scores over the temperature. False: a score is missing.
 */
static bool teacher_softmax(const struct loss_batch *b, int64_t i, double temperature, double *t)
{
	if (!b->teacher)
		return false;
	const float *scores = b->teacher + b->group[i];
	int64_t n = group_size(b, i);
	double highest = -INFINITY, sum = 0.0;
	for (int64_t k = 0; k < n; k++) {
		if (!isfinite(scores[k]))
			return false;
		highest = fmax(highest, (double)scores[k]);
	}
	for (int64_t k = 0; k < n; k++)
		sum += t[k] = exp(((double)scores[k] - highest) / temperature);
	for (int64_t k = 0; k < n; k++)
		t[k] /= sum;
	return true;
}

static struct term *add_term(
	struct terms *t, const struct loss_batch *b, double factor, struct arena *a)
{
	size_t cells = (size_t)(b->n_queries * b->n_passages);
	struct term *term = &t->list[t->n++];
	*term = (struct term){
		.mask = arena_calloc(a, cells, sizeof(float)),
		.weight = arena_calloc(a, cells, sizeof(float)),
		.factor = factor,
	};
	return term;
}

/* What query i competes with: the batch or its group, without what the caller masks. */
static void mask_row(
	const struct loss_batch *b, int64_t i, bool in_batch, bool keep_group, float *row)
{
	const uint8_t *masked = b->masked ? b->masked + i * b->n_passages : NULL;
	for (int64_t j = 0; j < b->n_passages; j++) {
		bool own = j >= b->group[i] && j < b->group[i + 1];
		bool out = (!own && !in_batch) ||
			(masked && masked[j] && j != b->group[i] && !(own && keep_group));
		row[j] = out ? FAR : 0.0F;
	}
}

static void add_infonce(
	struct terms *t, const struct loss_batch *b, const struct loss_options *o, struct arena *a)
{
	struct term *term = add_term(t, b, 1.0, a);
	for (int64_t i = 0; i < b->n_queries; i++) {
		int64_t row = i * b->n_passages;
		mask_row(b, i, o->in_batch, false, term->mask + row);
		term->weight[row + b->group[i]] = 1.0F;
	}
}

/* Returns how many queries lack a score. */
static int64_t add_kl_div(
	struct terms *t, const struct loss_batch *b, const struct loss_options *o, struct arena *a)
{
	struct term *term = add_term(t, b, o->kd_alpha, a);
	term->is_kd = true;
	double *target = arena_alloc(a, (size_t)b->n_passages * sizeof *target);
	int64_t unscored = 0;
	for (int64_t i = 0; i < b->n_queries; i++) {
		int64_t row = i * b->n_passages, first = b->group[i];
		for (int64_t j = 0; j < b->n_passages; j++)
			term->mask[row + j] = j >= first && j < b->group[i + 1] ? 0.0F : FAR;
		if (!teacher_softmax(b, i, o->teacher_temperature, target)) {
			unscored++;
			continue;
		}
		for (int64_t k = 0; k < group_size(b, i); k++)
			term->weight[row + first + k] = (float)target[k];
	}
	return unscored;
}

/* One term for each place k in a group; passages before k have been peeled off. */
static int64_t add_m3(
	struct terms *t, const struct loss_batch *b, const struct loss_options *o, struct arena *a)
{
	int64_t largest = 0, unscored = 0;
	for (int64_t i = 0; i < b->n_queries; i++)
		largest = group_size(b, i) > largest ? group_size(b, i) : largest;
	struct term *term = t->list + t->n;
	for (int64_t k = 0; k < largest; k++)
		add_term(t, b, 1.0, a)->is_kd = true;
	double *target = arena_alloc(a, (size_t)b->n_passages * sizeof *target);
	for (int64_t i = 0; i < b->n_queries; i++) {
		int64_t row = i * b->n_passages, first = b->group[i];
		bool scored = teacher_softmax(b, i, o->teacher_temperature, target);
		if (!scored) {
			unscored++;
			target[0] = 1.0;
		}
		for (int64_t k = 0; k < largest; k++) {
			mask_row(b, i, o->in_batch, scored, term[k].mask + row);
			if (k >= group_size(b, i) || (k > 0 && !scored))
				continue;
			for (int64_t peeled = 0; peeled < k; peeled++)
				term[k].mask[row + first + peeled] = FAR;
			term[k].weight[row + first + k] = (float)target[k];
		}
	}
	return unscored;
}

static struct terms make_terms(const struct loss_batch *b, const struct loss_options *o,
	int64_t *ret_unscored, struct arena *a)
{
	struct terms t = {arena_alloc(a, (size_t)(b->n_passages + 2) * sizeof(struct term)), 0};
	*ret_unscored = 0;
	if (o->kind == LOSS_M3_KD) {
		*ret_unscored = add_m3(&t, b, o, a);
		return t;
	}
	add_infonce(&t, b, o, a);
	if (o->kind == LOSS_KL_DIV)
		*ret_unscored = add_kl_div(&t, b, o, a);
	return t;
}

/* sims [B,P] cosines -> the loss, []. share: of this objective in the whole (Matryoshka). */
static tensor objective(tn_scope *out, tensor sims, const struct loss_batch *b,
	const struct loss_options *o, const struct terms *t, double share, struct loss_sums *sums)
{
	tn_scope *s = tn_push(out);
	int64_t B = b->n_queries, P = b->n_passages;
	tensor logits = tn_scale(s, sims, 1.0 / o->temperature); /* [B,P] */
	tensor total = TN_NONE; /* [] */
	for (size_t i = 0; i < t->n; i++) {
		const struct term *term = &t->list[i];
		tensor mask = tn_from_f32(s, term->mask, SHAPE(B, P)); /* [B,P] */
		tensor weight = tn_from_f32(s, term->weight, SHAPE(B, P)); /* [B,P] */
		tensor log_p = tn_log_softmax(s, tn_add(s, logits, mask)); /* [B,P] */
		tensor part = tn_scale(s, tn_sum(s, tn_mul(s, weight, log_p)), -1.0 / (double)B);
		if (sums)
			*(term->is_kd ? &sums->kd : &sums->nce) +=
				share * (double)B * tn_item(s, part);
		part = tn_scale(s, part, share * term->factor); /* [] */
		total = i == 0 ? part : tn_add(s, total, part);
	}
	tn_keep(out, total);
	tn_pop(s);
	return total;
}

/* The first dim numbers of each vector, at length 1 again. x [N,d] -> [N,dim] */
static tensor cut(tn_scope *s, tensor x, int64_t dim)
{
	return tn_normalize(s, tn_narrow(s, x, -1, 0, dim));
}

static tensor similarities(tn_scope *s, tensor q, tensor p)
{
	return tn_matmul(s, q, tn_transpose(s, p, 0, 1)); /* [B,d] [P,d] -> [B,P] */
}

/* What people watch: from the cosines on the host, sims [B,P]. */
static void add_similarities(const struct loss_batch *b, const struct term *first,
	const float *sims, struct loss_sums *sums)
{
	for (int64_t i = 0; i < b->n_queries; i++) {
		const float *row = sims + i * b->n_passages;
		const float *mask = first->mask + i * b->n_passages;
		int64_t pos = b->group[i];
		double own = 0.0;
		bool is_first = true;
		for (int64_t j = pos + 1; j < b->group[i + 1]; j++)
			own += (double)row[j];
		for (int64_t j = 0; j < b->n_passages; j++)
			is_first = is_first && (j == pos || mask[j] < 0.0F || row[j] < row[pos]);
		sums->pos_sim += (double)row[pos];
		if (group_size(b, i) > 1) {
			sums->neg_sim += own / (double)(group_size(b, i) - 1);
			sums->n_with_neg++;
		}
		sums->n_first += is_first;
	}
}

static void add_sums(tn_scope *s, tensor sims, tensor loss, const struct loss_batch *b,
	const struct terms *t, int64_t unscored, struct loss_sums *sums, struct arena *a)
{
	size_t cells = (size_t)(b->n_queries * b->n_passages);
	float *host = arena_alloc(a, cells * sizeof *host);
	sums->n_queries += b->n_queries;
	sums->n_unscored += unscored;
	sums->loss += (double)b->n_queries * tn_item(s, loss);
	for (size_t i = 0; b->masked && i < cells; i++)
		sums->n_masked += b->masked[i];
	if (tn_read_f32(s, sims, host, cells))
		add_similarities(b, t->list, host, sums);
}

tensor loss_compute(tn_scope *out, tensor vectors, const struct loss_batch *b,
	const struct loss_options *o, struct loss_sums *sums)
{
	struct arena a = ARENA_INIT;
	tn_scope *s = tn_push(out);
	tensor q = tn_index_select(s, vectors, 0, b->query, b->n_queries); /* [B,d] */
	tensor p = tn_index_select(s, vectors, 0, b->passage, b->n_passages); /* [P,d] */
	tensor sims = similarities(s, q, p); /* [B,P] */
	int64_t unscored;
	struct terms t = make_terms(b, o, &unscored, &a);
	tensor loss = TN_NONE; /* [] */
	if (o->n_mrl == 0)
		loss = objective(s, sims, b, o, &t, 1.0, sums);
	for (size_t i = 0; i < o->n_mrl; i++) {
		double share = o->mrl_weights ? o->mrl_weights[i] : 1.0 / (double)o->n_mrl;
		tensor at_dim = similarities(
			s, cut(s, q, o->mrl_dims[i]), cut(s, p, o->mrl_dims[i])); /* [B,P] */
		tensor part = objective(s, at_dim, b, o, &t, share, sums);
		loss = i == 0 ? part : tn_add(s, loss, part);
	}
	if (sums)
		add_sums(s, sims, loss, b, &t, unscored, sums, &a);
	tn_keep(out, loss);
	tn_pop(s);
	arena_release(&a);
	return loss;
}
