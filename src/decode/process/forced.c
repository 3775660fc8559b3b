/* Steps at which nothing but given ids may come: forced_bos_token_id behind a prompt of one token,
 * forced_eos_token_id at the last. */
#include "decode/process/processor.h"

static void leave(const nt_row *row, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < row->V; i++)
        row->logits[i] = -INFINITY;
    for (size_t i = 0; i < n; i++)
        row->logits[ids[i]] = 0;
}

static bool wants_forced_bos(const nt_plan *plan) {
    return plan->forced_bos >= 0;
}

static int run_forced_bos(const nt_row *row, const nt_plan *plan) {
    if (row->n_ids == 1) leave(row, &plan->forced_bos, 1);
    return NT_OK;
}

const nt_processor nt_forced_bos = {"forced_bos_token_id", wants_forced_bos, run_forced_bos};

static bool wants_forced_eos(const nt_plan *plan) {
    return plan->n_forced_eos > 0;
}

static int run_forced_eos(const nt_row *row, const nt_plan *plan) {
    if (row->n_ids + 1 == plan->n_prompt + plan->max_new)
        leave(row, plan->forced_eos, plan->n_forced_eos);
    return NT_OK;
}

const nt_processor nt_forced_eos = {"forced_eos_token_id", wants_forced_eos, run_forced_eos};
