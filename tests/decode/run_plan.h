/* A plan run on a prompt, for tests of one method. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "decode/generate.h"

/* What a test says of a plan, with everything else off. */
static inline nt_plan plan_with(nt_plan said) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = said.sample ? NT_METHOD_SAMPLE : NT_METHOD_GREEDY;
    plan.sample = said.sample;
    plan.max_new = said.max_new;
    plan.choices = said.choices;
    plan.eos = said.eos;
    plan.n_eos = said.n_eos;
    plan.stop_strings = said.stop_strings;
    plan.n_stop_strings = said.n_stop_strings;
    plan.seed = said.seed;
    plan.n_sequences = plan.n_returned = said.n_sequences ? said.n_sequences : 1;
    return plan;
}

static inline int run_plan(nt_result *trace, const nt_stepper *stepper,
                           const nt_detokenizer *detokenizer, const int32_t *prompt,
                           size_t n_prompt, const nt_plan *given, const nt_callbacks *callbacks) {
    nt_plan plan = *given;
    plan.n_prompt = n_prompt;
    nt_decoding decoding = {.plan = &plan,
                            .stepper = stepper,
                            .detokenizer = detokenizer,
                            .prompt = prompt,
                            .callbacks = callbacks};
    return nt_decode_run(trace, &decoding);
}

#endif
