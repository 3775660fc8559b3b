/* Sums over the windows of a text. Squares are those of distances from the first loss, so that the
 * variance does not drown in the mean. */
#include "score/perplexity.h"

#include <math.h>

#include "score/parts.h"

void nt_perplexity_add(nt_perplexity_sum *sum, const double *logprobs, size_t n, size_t n_bytes,
                       bool overlaps) {
    double window = 0;
    sum->n_windows++;
    sum->n_bytes += n_bytes;
    if (n == 0) return;
    if (sum->n == 0) sum->first = 0 - logprobs[0];
    for (size_t i = 0; i < n; i++) {
        double loss = 0 - logprobs[i], off = loss - sum->first;
        window += loss;
        sum->sum += loss;
        sum->shifted += off;
        sum->shifted_squares += off * off;
    }
    sum->n += n;
    size_t weight = overlaps ? n - 1 : n;
    if (weight == 0) return;
    sum->recipe += window / (double)n * (double)weight;
    sum->n_recipe += weight;
}

nt_totals nt_perplexity_totals(const nt_perplexity_sum *sum, double *recipe_loss) {
    double n = (double)sum->n;
    nt_totals totals = nt_totals_of(0 - sum->sum, sum->n, sum->n_bytes);
    if (sum->n > 1) {
        double squares = sum->shifted_squares - sum->shifted * sum->shifted / n;
        totals.loss_stderr = sqrt((squares < 0 ? 0 : squares) / (n - 1) / n);
    }
    totals.perplexity_stderr = totals.perplexity * totals.loss_stderr;
    *recipe_loss = sum->n_recipe ? sum->recipe / (double)sum->n_recipe : NAN;
    return totals;
}
