/* model_case.h - a folder under tests/fixtures with a tiny model that transformers saved, and what it
 * must give in its gold.safetensors: everything that the gold file holds is checked.
 *
 *	ids [T], start [n+1]        the batch; types [T] when there are token types
 *	states [L+1,T,H]            hidden states, embeddings first
 *	pooled.mean, .cls, .last    [n,H]
 *	logits [n,labels]           of a classification head
 *	loss.c                      the loss is sum(c * y), y the logits or the mean pooled states
 *	grad.NAME                   its gradients, under Hugging Face's names */
#ifndef TESTS_MODEL_CASE_H
#define TESTS_MODEL_CASE_H

/* Float32: all of it within 1e-5, for inference and for training, the texts alone and packed in
 * random orders in batches of 1, 7 and 64; gradients within 1e-4 of each tensor's largest value.
 * bfloat16: cosines of the last states above 0.999. */
void check_model_case(const char *dir);

#endif
