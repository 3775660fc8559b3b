/* A processor that the calling program brings along. */
#include "base/status.h"
#include "decode/process/processor.h"

static bool wants_callers_own(const nt_plan *plan) {
    return plan->process != NULL;
}

static int run_callers_own(const nt_row *row, const nt_plan *plan) {
    if (plan->process(plan->payload, row->ids, row->n_ids, row->logits, row->V) == 0) return NT_OK;
    return nt_fail(NT_E_CANCELLED, "the processor given by the caller stopped the generation");
}

const nt_processor nt_callers_own = {"process", wants_callers_own, run_callers_own};
