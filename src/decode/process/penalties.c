/* Penalties on tokens that have been there before. */
#include "decode/process/processor.h"

uint64_t *nt_row_counts(const nt_row *row, const int32_t *ids, size_t n) {
    uint64_t *counts = row->scratch;
    for (size_t i = 0; i < n; i++)
        if (nt_row_has(row, ids[i])) counts[ids[i]] = 0;
    for (size_t i = 0; i < n; i++)
        if (nt_row_has(row, ids[i])) counts[ids[i]]++;
    return counts;
}

/* Keskar et al. 2019: each of ids [n] once. */
static void penalize(const nt_row *row, const int32_t *ids, size_t n, float penalty) {
    uint64_t *counts = nt_row_counts(row, ids, n);
    for (size_t i = 0; i < n; i++) {
        if (!nt_row_has(row, ids[i]) || counts[ids[i]] == 0) continue;
        float *x = &row->logits[ids[i]];
        *x = *x < 0 ? *x * penalty : *x / penalty;
        counts[ids[i]] = 0;
    }
}

static bool wants_encoder_repetition_penalty(const nt_plan *plan) {
    return plan->encoder_repetition_penalty != 1;
}

/* The inverse, on what the prompt has: above 1 these become likelier. */
static int run_encoder_repetition_penalty(const nt_row *row, const nt_plan *plan) {
    penalize(row, row->ids, plan->n_prompt, (float)(1 / plan->encoder_repetition_penalty));
    return NT_OK;
}

const nt_processor nt_encoder_repetition_penalty = {
    "encoder_repetition_penalty", wants_encoder_repetition_penalty, run_encoder_repetition_penalty};

static bool wants_repetition_penalty(const nt_plan *plan) {
    return plan->repetition_penalty != 1;
}

static int run_repetition_penalty(const nt_row *row, const nt_plan *plan) {
    penalize(row, row->ids, row->n_ids, (float)plan->repetition_penalty);
    return NT_OK;
}

const nt_processor nt_repetition_penalty = {"repetition_penalty", wants_repetition_penalty,
                                            run_repetition_penalty};

/* OpenAI's two, on generated tokens alone, as there and in vLLM:
 * x - frequency_penalty * count - presence_penalty. */
static void subtract(const nt_row *row, const nt_plan *plan, float once, float each) {
    const int32_t *made = row->ids + plan->n_prompt;
    size_t n = row->n_ids - plan->n_prompt;
    uint64_t *counts = nt_row_counts(row, made, n);
    for (size_t i = 0; i < n; i++) {
        if (!nt_row_has(row, made[i]) || counts[made[i]] == 0) continue;
        row->logits[made[i]] -= once + each * (float)counts[made[i]];
        counts[made[i]] = 0;
    }
}

static bool wants_frequency_penalty(const nt_plan *plan) {
    return plan->frequency_penalty != 0;
}

static int run_frequency_penalty(const nt_row *row, const nt_plan *plan) {
    subtract(row, plan, 0, (float)plan->frequency_penalty);
    return NT_OK;
}

const nt_processor nt_frequency_penalty = {"frequency_penalty", wants_frequency_penalty,
                                           run_frequency_penalty};

static bool wants_presence_penalty(const nt_plan *plan) {
    return plan->presence_penalty != 0;
}

static int run_presence_penalty(const nt_row *row, const nt_plan *plan) {
    subtract(row, plan, (float)plan->presence_penalty, 0);
    return NT_OK;
}

const nt_processor nt_presence_penalty = {"presence_penalty", wants_presence_penalty,
                                          run_presence_penalty};
