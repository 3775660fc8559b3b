/* What else could have stood there: the likeliest ids at each place of a text, as steps of the
 * trace. Memory is made before the rows come, since they come on several threads at once. */
#include <math.h>

#include "score/parts.h"

int nt_scoring_keep(nt_scoring *scoring, size_t k) {
    nt_result *trace = scoring->trace;
    size_t n = trace->n_tokens;
    if (k > scoring->V) k = scoring->V;
    if (k == 0 || n == 0) return NT_OK;
    scoring->picks = nt_arena_alloc(&trace->arena, n, k * sizeof *scoring->picks);
    nt_candidate *candidates = nt_arena_alloc(&trace->arena, n, k * sizeof *candidates);
    trace->steps = nt_arena_alloc(&trace->arena, n, sizeof *trace->steps);
    if (!scoring->picks || !candidates || !trace->steps) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        nt_candidate chosen = {.token = trace->tokens[i], .logit = NAN, .processed_logit = NAN};
        chosen.logprob = chosen.prob = chosen.processed_prob = NAN;
        trace->steps[i].step = (nt_step){
            .index = i, .chosen = chosen, .entropy = NAN, .draw = NAN, .beam = -1, .drafted = -1};
        trace->steps[i].candidates = candidates + i * k;
    }
    trace->n_steps = trace->capacity_steps = n;
    scoring->k = k;
    return NT_OK;
}

static void fill(nt_candidate *out, float logit, int64_t rank, const nt_softmax *sum) {
    out->rank = (int32_t)rank;
    out->logit = out->processed_logit = logit;
    out->logprob = (double)logit - sum->logsum;
    out->prob = out->processed_prob = nt_exp(out->logprob);
}

void nt_alternatives_row(nt_scoring *scoring, size_t i, const float *logits,
                         const nt_softmax *sum) {
    nt_trace_step *step = &scoring->trace->steps[i];
    nt_pick *picks = scoring->picks + i * scoring->k;
    nt_pick_best(picks, scoring->k, logits, logits, scoring->V);
    for (size_t c = 0; c < scoring->k; c++) {
        step->candidates[c].token.id = picks[c].id;
        fill(&step->candidates[c], picks[c].raw, (int64_t)c + 1, sum);
    }
    step->n_candidates = scoring->k;
    for (size_t v = 0; v < scoring->V; v++)
        step->step.kept += logits[v] > -INFINITY;
    step->step.entropy = sum->entropy;
    fill(&step->step.chosen, logits[step->step.chosen.token.id], scoring->trace->scored[i].rank,
         sum);
}

int nt_alternatives_finish(nt_scoring *scoring) {
    nt_result *trace = scoring->trace;
    for (size_t i = 0; i < trace->n_steps; i++) {
        for (size_t c = 0; c < trace->steps[i].n_candidates; c++) {
            nt_token *token = &trace->steps[i].candidates[c].token;
            NT_TRY(nt_trace_token(token, trace, token->id));
        }
    }
    return NT_OK;
}
