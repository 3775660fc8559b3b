/* Scoring: the log-probability of given tokens. */
#ifndef NT_SCORE_SCORE_H
#define NT_SCORE_SCORE_H

#include "trace/trace.h"

/* Feeds the logits of ids [n] row by row: each(payload, t, logits [V]) for t in 0 .. n - 1. */
typedef struct nt_logit_source {
    void *self;
    size_t V;
    int (*run)(void *self, const int32_t *ids, size_t n,
               int (*each)(void *payload, size_t t, const float *logits), void *payload,
               const nt_callbacks *callbacks);
} nt_logit_source;

/* Scores the tokens of a trace (kind SCORE, tokens set): fills scored and totals. Sums run in
 * double, in order. prompt_len tokens at the start (at least 1: the first has nothing before it)
 * are left out of the sums. */
int nt_score_tokens(nt_result *trace, const nt_logit_source *source, size_t prompt_len,
                    const nt_callbacks *callbacks);

/* nt_loss: mean of -log p(labels[t + 1] | ids[0 .. t]), labels of -100 left out. */
int nt_loss_of(double *loss, size_t *n_counted, const nt_logit_source *source, const int32_t *ids,
               const int32_t *labels, size_t n, const nt_callbacks *callbacks);

#endif
