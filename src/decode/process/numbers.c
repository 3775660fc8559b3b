/* Rows as numbers: log_softmax, remove_invalid_values and renormalize_logits. */
#include <float.h>

#include "base/math.h"
#include "decode/process/processor.h"

nt_softmax nt_log_softmax(float *out, const float *x, size_t V) {
    nt_softmax all = nt_softmax_of(x, V);
    float max = (float)all.max, log_of_sum = (float)all.rest; /* NaN where unfit */
    for (size_t i = 0; i < V; i++)
        out[i] = (x[i] - max) - log_of_sum;
    return all;
}

static bool wants_remove_invalid_values(const nt_plan *plan) {
    return plan->remove_invalid_values;
}

static int run_remove_invalid_values(const nt_row *row, const nt_plan *plan) {
    (void)plan;
    for (size_t i = 0; i < row->V; i++) {
        float x = row->logits[i];
        x = x > FLT_MAX ? FLT_MAX : x;
        x = x < -FLT_MAX ? -FLT_MAX : x;
        row->logits[i] = x == x ? x : 0;
    }
    return NT_OK;
}

const nt_processor nt_remove_invalid_values = {"remove_invalid_values", wants_remove_invalid_values,
                                               run_remove_invalid_values};

static bool wants_renormalize_logits(const nt_plan *plan) {
    return plan->renormalize_logits;
}

static int run_renormalize_logits(const nt_row *row, const nt_plan *plan) {
    (void)plan;
    nt_log_softmax(row->logits, row->logits, row->V);
    return NT_OK;
}

const nt_processor nt_renormalize_logits = {"renormalize_logits", wants_renormalize_logits,
                                            run_renormalize_logits};
