/* What processors did to candidates, as views tell it. */
#include "view/changes.h"

#include <math.h>
#include <string.h>

#include "view/input.h"

const char *nt_view_removed_by(const nt_candidate *candidate) {
    if (candidate->processed_logit != -INFINITY) return NULL;
    for (size_t i = candidate->n_changes; i-- > 0;)
        if (candidate->changes[i].after == -INFINITY) return candidate->changes[i].option;
    return NULL;
}

size_t nt_names_add(nt_names *names, const char *name) {
    size_t i = 0;
    while (i < names->n && strcmp(names->names[i], name) != 0)
        i++;
    if (i == names->n && i < NT_MOST_NAMES) names->names[names->n++] = name;
    return i;
}

static void add_names(nt_names *names, const nt_candidate *candidates, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < candidates[i].n_changes; c++)
            nt_names_add(names, candidates[i].changes[c].option);
}

void nt_names_of_step(nt_names *names, const nt_trace_step *step) {
    add_names(names, step->candidates, step->n_candidates);
    add_names(names, step->demoted, step->n_demoted);
    if (step->step.chosen.token.id >= 0) add_names(names, &step->step.chosen, 1);
}

bool nt_view_everywhere(const char *option) {
    return strcmp(option, "temperature") == 0 || strcmp(option, "renormalize_logits") == 0;
}

static bool acted(const nt_candidate *candidates, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (candidates[i].n_changes > 0 || candidates[i].processed_prob != candidates[i].prob)
            return true;
    return false;
}

bool nt_view_step_acted(const nt_trace_step *step) {
    return step->n_demoted > 0 || acted(step->candidates, step->n_candidates) ||
           acted(&step->step.chosen, step->step.chosen.token.id >= 0);
}

bool nt_view_processed(const nt_result *trace) {
    bool any = nt_view_sampled(trace);
    for (size_t s = 0; s < trace->n_steps && !any; s++)
        any = nt_view_step_acted(&trace->steps[s]);
    return any;
}

static bool is_method(const nt_result *trace, const char *a, const char *b) {
    return trace->method && (strcmp(trace->method, a) == 0 || strcmp(trace->method, b) == 0);
}

bool nt_view_assisted(const nt_result *trace) {
    return is_method(trace, "assisted", "prompt_lookup");
}

bool nt_view_beams(const nt_result *trace) {
    return is_method(trace, "beam_search", "beam_sample");
}
