/* top_k: ids below the k-th largest logit go; those equal to it stay. */
#include <math.h>

#include "decode/process/order.h"

static bool wants_top_k(const nt_plan *plan) {
    return plan->sample && plan->top_k > 0;
}

static int run_top_k(const nt_row *row, const nt_plan *plan) {
    size_t k = plan->top_k > plan->keep ? plan->top_k : plan->keep;
    if (k >= row->V) return NT_OK;
    float least = nt_kth_largest(row, k);
    for (size_t i = 0; i < row->V; i++)
        row->logits[i] = row->logits[i] < least ? -INFINITY : row->logits[i];
    return NT_OK;
}

const nt_processor nt_top_k = {"top_k", wants_top_k, run_top_k};
