/* Ids that never come (suppress_tokens), or not as the first new one (begin_suppress_tokens). */
#include "decode/process/processor.h"

static bool wants_suppress(const nt_plan *plan) {
    return plan->n_suppress > 0;
}

static int run_suppress(const nt_row *row, const nt_plan *plan) {
    nt_row_remove(row, plan->suppress, plan->n_suppress);
    return NT_OK;
}

const nt_processor nt_suppress_tokens = {"suppress_tokens", wants_suppress, run_suppress};

static bool wants_begin_suppress(const nt_plan *plan) {
    return plan->n_begin_suppress > 0;
}

/* Behind a prompt of one token a forced bos is the first new token, and these ids are not the
 * second. */
static int run_begin_suppress(const nt_row *row, const nt_plan *plan) {
    bool bos_first = plan->n_prompt <= 1 && plan->forced_bos >= 0;
    if (row->n_ids == plan->n_prompt + bos_first)
        nt_row_remove(row, plan->begin_suppress, plan->n_begin_suppress);
    return NT_OK;
}

const nt_processor nt_begin_suppress_tokens = {"begin_suppress_tokens", wants_begin_suppress,
                                               run_begin_suppress};
