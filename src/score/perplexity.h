/* Perplexity of a text as its windows come in: sums of bounded size. */
#ifndef NT_SCORE_PERPLEXITY_H
#define NT_SCORE_PERPLEXITY_H

#include "trace/trace.h"

typedef struct nt_perplexity_sum {
    double sum, shifted, shifted_squares; /* of -logprob; the two less the first one seen */
    double first;
    size_t n, n_bytes, n_windows;
    double recipe; /* as transformers' documentation weighs its windows: by their tokens less one */
    size_t n_recipe; /* where a window's first target has tokens before it, all of them otherwise */
} nt_perplexity_sum; /* all zero: nothing yet */

/* The next window: logprobs [n] of its targets, which have n_bytes bytes in all. overlaps: tokens
 * before the first target's predecessor belong to an earlier window (all windows but the first,
 * and none where stride and size are equal). */
void nt_perplexity_add(nt_perplexity_sum *sum, const double *logprobs, size_t n, size_t n_bytes,
                       bool overlaps);
/* Totals of what came in, and the recipe's own figure. NaN where nothing was counted. */
nt_totals nt_perplexity_totals(const nt_perplexity_sum *sum, double *recipe_loss);

#endif
