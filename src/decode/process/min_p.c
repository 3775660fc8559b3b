/* min_p: ids less likely than min_p times the likeliest go, but never the `keep` likeliest. */
#include <math.h>

#include "decode/process/float_softmax.h"
#include "decode/process/order.h"
#include "trace/candidates.h"

static bool wants_min_p(const nt_plan *plan) {
    return plan->sample && plan->min_p >= 0;
}

static int run_min_p(const nt_row *row, const nt_plan *plan) {
    float *p = (float *)row->weights;
    if (!nt_float_softmax(p, row->logits, row->V)) return NT_OK;
    float least = (float)plan->min_p * p[nt_argmax(row->logits, row->V)];
    size_t stay = 0;
    for (size_t i = 0; i < row->V; i++)
        stay += p[i] >= least;
    if (stay < plan->keep) {
        nt_keep_largest(row, plan->keep);
        return NT_OK;
    }
    for (size_t i = 0; i < row->V; i++)
        row->logits[i] = p[i] < least ? -INFINITY : row->logits[i];
    return NT_OK;
}

const nt_processor nt_min_p = {"min_p", wants_min_p, run_min_p};
