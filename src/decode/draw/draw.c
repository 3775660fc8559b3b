/* Draws from a row of logits. */
#include "base/math.h"
#include "decode/process/processor.h"
#include "trace/candidates.h"

void nt_draw_ready(double *sums, const float *logits, size_t V) {
    nt_exp_below(sums, logits, V, logits[nt_argmax(logits, V)]);
    for (size_t i = 1; i < V; i++)
        sums[i] += sums[i - 1];
}

int32_t nt_draw(const double *sums, size_t V, double u) {
    double all = sums[V - 1], target = u * all;
    size_t low = 0, high = V - 1; /* the first sum above target; where u * all rounds up to all, */
    while (low < high) {          /* the first that is all of it */
        size_t middle = low + (high - low) / 2;
        if (sums[middle] > target || sums[middle] >= all)
            high = middle;
        else
            low = middle + 1;
    }
    return (int32_t)low;
}
