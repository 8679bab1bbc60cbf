/* loss.h - in: the vectors of a micro-batch and which of them belong to which query; out: the mean
 * loss over its queries.
 *
 * Notation: query i of B has a group of passages g(i) = group[i] .. group[i+1]-1 of P, its positive
 * first; s_ij = q_i . p_j / temperature (vectors have length 1). Groups may differ in size.
 *
 *   infonce       L = -1/B sum_i log( e^{s_i,pos(i)} / sum_j e^{s_ij} ), j over all passages of the
 *                 batch that are not masked for i (van den Oord et al. 2018, eq. 4; as
 *                 FlagEmbedding's compute_in_batch_neg_loss), or over g(i) alone with in_batch =
 *                 false (its compute_no_in_batch_neg_loss).
 *   kl_div        infonce + alpha * KD, KD = -1/B sum_i sum_{j in g(i)} t_ij log
 * softmax_{g(i)}(s_i)_j, t_i = softmax over g(i) of teacher / teacher_temperature (FlagEmbedding's
 *                 distill_loss "kl_div", whose teacher temperature and alpha are 1). A query that
 *                 lacks a score adds nothing to KD.
 *   m3_kd_loss    L = 1/B sum_i sum_k t_ik * -log( e^{s_ik} / sum_{j not in the first k of g(i)}
 *                 e^{s_ij} ), k over g(i), j over the batch: FlagEmbedding's "m3_kd_loss" (Chen et
 *                 al. 2024, BGE M3, section 3.3). A query that lacks a score adds its infonce.
 *
 * Matryoshka (Kusupati et al. 2022): the vectors are cut to each of mrl_dims, normalised again, and
 * the loss is the mean over the dims (as FlagEmbedding), or the sum weighted by mrl_weights. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tensor.h"

enum loss_kind { LOSS_INFONCE, LOSS_KL_DIV, LOSS_M3_KD };

struct loss_options {
	enum loss_kind kind;
	bool in_batch; /* passages of other queries are negatives too */
	double temperature, teacher_temperature, kd_alpha;
	const int64_t *mrl_dims; /* n_mrl of them; 0: the full vectors */
	const double *mrl_weights; /* as many, or NULL: the mean */
	size_t n_mrl;
};

bool loss_parse(const char *name, enum loss_kind *ret); /* "infonce", "kl_div", "m3_kd_loss" */
const char *loss_name(enum loss_kind kind);

struct loss_batch {
	int64_t n_queries, n_passages; /* B, P */
	const int64_t *query; /* [B] row of the vectors that is query i */
	const int64_t *passage; /* [P] likewise; equal texts share a row */
	const int64_t *group; /* [B+1] */
	const float *teacher; /* [P] raw scores, NAN = none; NULL = none at all */
	const uint8_t *masked; /* [B,P] 1: passage j is no negative of query i; NULL = none */
};

/* Sums over the queries of one micro-batch, so that micro-batches add up. */
struct loss_sums {
	int64_t n_queries, n_unscored, n_masked; /* n_masked: cells of [B,P] */
	double loss, nce, kd; /* nce, kd: the parts, kd before alpha; of the mean over dims */
	double pos_sim, neg_sim; /* neg_sim: each query's own negatives, then their mean */
	int64_t n_with_neg; /* queries that have negatives of their own */
	int64_t n_first; /* queries whose positive beats every passage that counts for them */
};

/* vectors [U,d], normalised -> mean loss over the queries, []. sums is added to; it may be NULL. A
 * failure is sticky in out's context. */
tensor loss_compute(tn_scope *out, tensor vectors, const struct loss_batch *b,
	const struct loss_options *o, struct loss_sums *sums);

#endif
