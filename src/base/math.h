/* exp, log, cos and sin in double, the same bits on every machine (additions, multiplications and
 * divisions only, no contraction, no libm): what turns logits into log-probabilities. */
#ifndef NT_BASE_MATH_H
#define NT_BASE_MATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Relative error below 1e-15 over the normal range; exp(-inf) = 0, exp(NaN) = NaN. */
double nt_exp(double x);
/* out[i] = nt_exp(x[i] - max) over [n] for x[i] <= max, to the bit but faster. Differences below
 * -708 give 0, and so does NaN. */
void nt_exp_below(double *out, const float *x, size_t n, double max);
/* log(0) = -inf, log(x < 0) = NaN. */
double nt_log(double x);
/* out = {cos(x), sin(x)}, absolute error below 3e-16 for |x| <= 2^24 (NaN beyond). */
void nt_turn(double out[2], double x);

/* What one row of logits says, in one pass order for every machine. */
typedef struct nt_softmax {
    double max;     /* largest logit */
    double logsum;  /* log of sum of exp(x[i]), so that logprob(i) = x[i] - logsum */
    double rest;    /* logsum - max, all of it also where max is so large that adding loses it */
    double entropy; /* nats; ids at -inf add nothing */
    bool finite;    /* no NaN, no +inf, at least one id above -inf */
} nt_softmax;

/* Over x [n]. Without `finite` the numbers are NaN. */
nt_softmax nt_softmax_of(const float *x, size_t n);
/* The log-probability of one of x, also where biases have made x so large that logsum is max. */
static inline double nt_softmax_log(const nt_softmax *softmax, float x) {
    return ((double)x - softmax->max) - softmax->rest;
}

/* log of the sum of exp(x[at[i]]) over at [n]; max is x's largest number. -inf for n = 0, and where
 * all of them are. x as a finite nt_softmax. */
double nt_log_sum_at(const float *x, const int32_t *at, size_t n, double max);
/* log(exp(a) + exp(b)); -inf is 0. */
double nt_log_add(double a, double b);

#endif
