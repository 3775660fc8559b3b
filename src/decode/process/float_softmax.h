/* Softmax of a row in float32, rounded where torch rounds it: the difference from the largest, its
 * exp, and the quotient. The sum is taken in double and rounded once; torch adds in float32 in the
 * order of its vectors, which differs between machines and is off by up to some 5e-6. */
#ifndef NT_DECODE_FLOAT_SOFTMAX_H
#define NT_DECODE_FLOAT_SOFTMAX_H

#include <stdbool.h>
#include <stddef.h>

/* The largest of logits [V]; NaN where one is NaN or +inf; -inf where all are. */
float nt_peak(const float *logits, size_t V);
/* e[i] = exp(logits[i] - peak), and their sum. */
double nt_exponentials(float *e, const float *logits, size_t V, float peak);
/* p [V] = softmax of logits [V]; where that is no distribution: false, and p is left alone. */
bool nt_float_softmax(float *p, const float *logits, size_t V);

#endif
