/* When a sequence may end, and when it should: min_length, min_new_tokens and
 * exponential_decay_length_penalty. They act on the eos ids; without any they are not wanted. */
#include <float.h>

#include "decode/process/processor.h"

static bool wants_min_length(const nt_plan *plan) {
    return plan->min_length > 0 && plan->n_eos > 0;
}

static int run_min_length(const nt_row *row, const nt_plan *plan) {
    if (row->n_ids < plan->min_length) nt_row_remove(row, plan->eos, plan->n_eos);
    return NT_OK;
}

const nt_processor nt_min_length = {"min_length", wants_min_length, run_min_length};

static bool wants_min_new_tokens(const nt_plan *plan) {
    return plan->min_new > 0 && plan->n_eos > 0;
}

static int run_min_new_tokens(const nt_row *row, const nt_plan *plan) {
    if (row->n_ids - plan->n_prompt < plan->min_new) nt_row_remove(row, plan->eos, plan->n_eos);
    return NT_OK;
}

const nt_processor nt_min_new_tokens = {"min_new_tokens", wants_min_new_tokens, run_min_new_tokens};

static bool wants_exponential_decay(const nt_plan *plan) {
    return plan->decays && plan->n_eos > 0;
}

/* By squaring: multiplications alone, the same bits on every machine. */
static double power(double x, uint64_t n) {
    double product = 1;
    for (; n; n >>= 1, x *= x)
        if (n & 1) product *= x;
    return product;
}

static float within_float(double x) {
    x = x > (double)FLT_MAX ? (double)FLT_MAX : x;
    return x < (double)-FLT_MAX ? -FLT_MAX : (float)x;
}

/* x + |x| (factor^over - 1), over: how far the sequence is past the start. What float32 does not
 * hold is cut to what it does. */
static int run_exponential_decay(const nt_row *row, const nt_plan *plan) {
    int64_t over = (int64_t)(row->n_ids - plan->n_prompt) - plan->decay_start;
    if (over <= 0) return NT_OK;
    float growth = within_float(power(plan->decay_factor, (uint64_t)over) - 1);
    uint64_t *counts = nt_row_counts(row, plan->eos, plan->n_eos);
    for (size_t i = 0; i < plan->n_eos; i++) {
        float *x = &row->logits[plan->eos[i]];
        if (counts[plan->eos[i]] == 0 || !isfinite(*x)) continue;
        *x = within_float(*x + fabsf(*x) * growth);
        counts[plan->eos[i]] = 0;
    }
    return NT_OK;
}

const nt_processor nt_exponential_decay = {"exponential_decay_length_penalty",
                                           wants_exponential_decay, run_exponential_decay};
