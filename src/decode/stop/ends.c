#include "decode/stop/ends.h"

#include "base/clock.h"

void nt_ends_begin(nt_ends *ends, const nt_plan *plan, const nt_writing *writing) {
    *ends = (nt_ends){.plan = plan, .writing = writing, .deadline = nt_clock() + plan->max_time};
}

bool nt_ends_in_string(const nt_ends *ends, int32_t *at, int32_t id) {
    return nt_writing_stops(ends->writing, at, id) > 0;
}

const char *nt_ends_after(const nt_ends *ends, const int32_t *ids, size_t n_ids, bool in_string) {
    const nt_plan *plan = ends->plan;
    if (nt_plan_is_eos(plan, ids[n_ids - 1])) return "stop";
    if (in_string) return "stop_string";
    if (n_ids - plan->n_prompt >= plan->max_new) return "length";
    if (ends->deadline < INFINITY && nt_clock() > ends->deadline) return "time";
    return plan->stop && plan->stop(plan->payload, ids, n_ids) != 0 ? "callback" : NULL;
}
