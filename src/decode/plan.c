/* From options to a plan: every default taken, every contradiction refused, before any work. */
#include "decode/plan.h"

#include "base/random.h"

enum { DEFAULT_CHOICES = 5 };

void nt_plan_note(const nt_planning *p, const char *line) {
    if (p->plan->n_notes < NT_MAX_NOTES) p->plan->notes[p->plan->n_notes++] = line;
}

static void take_ends(nt_plan *plan, const nt_generate_options *o) {
    plan->eos = o->eos_token_id;
    plan->n_eos = o->n_eos_token_id;
    plan->stop_strings = o->stop_strings;
    plan->n_stop_strings = o->n_stop_strings;
    plan->stop = o->stop;
    plan->process = o->process;
    plan->payload = o->payload;
    plan->choices = o->choices ? (size_t)o->choices : DEFAULT_CHOICES;
}

static int take_seed(const nt_planning *p) {
    const nt_generate_options *o = p->options;
    nt_plan *plan = p->plan;
    if (!plan->sample) {
        if (o->seed_given) nt_plan_note(p, "seed does not count: nothing is drawn");
        if (o->rng == NT_RNG_TORCH) nt_plan_note(p, "rng does not count: nothing is drawn");
        return NT_OK;
    }
    if (o->rng == NT_RNG_TORCH || o->torch_rng) plan->rng = NT_RNG_TORCH;
    plan->torch_rng = o->torch_rng;
    if (o->batch_size) {
        plan->batch_size = (size_t)o->batch_size;
        plan->batch_index = (size_t)o->batch_index;
    }
    plan->seed = o->seed;
    if (o->torch_rng) return NT_OK;
    return o->seed_given ? NT_OK : nt_random_seed(&plan->seed);
}

int nt_plan_make(nt_plan *plan, const nt_generate_options *options, const nt_plan_for *of) {
    *plan = (nt_plan)NT_PLAN_INIT;
    nt_planning p = {plan, options, of};
    NT_TRY(nt_plan_check_values(options, of));
    plan->n_prompt = of->n_prompt;
    take_ends(plan, options);
    NT_TRY(nt_plan_method(&p));
    NT_TRY(nt_plan_lengths(&p));
    NT_TRY(nt_plan_processors(&p));
    return take_seed(&p);
}

bool nt_plan_is_eos(const nt_plan *plan, int32_t id) {
    for (size_t i = 0; i < plan->n_eos; i++)
        if (plan->eos[i] == id) return true;
    return false;
}
