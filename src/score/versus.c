/* One text seen by two. */
#include "score/versus.h"

#include <math.h>

#include "score/parts.h"
#include "trace/candidates.h"

int nt_versus_begin(nt_result *trace, const char *const label[2], size_t prompt_len) {
    size_t n = trace->n_tokens;
    if (prompt_len > n)
        return nt_fail(NT_E_ARGUMENT, "prompt_len is %zu; the text has %zu tokens", prompt_len, n);
    trace->prompt_len = prompt_len > 1 ? prompt_len : 1;
    trace->versus = nt_arena_alloc(&trace->arena, n ? n : 1, sizeof *trace->versus);
    if (!trace->versus) return NT_E_MEMORY;
    for (size_t s = 0; s < 2; s++)
        NT_TRY(nt_trace_string(&trace->versus_totals.label[s], trace, label[s]));
    for (size_t i = 0; i < n; i++)
        trace->versus[i] = (nt_versus_token){.logprob = {NAN, NAN},
                                             .entropy = {NAN, NAN},
                                             .divergence = {NAN, NAN},
                                             .likeliest_prob = {NAN, NAN},
                                             .likeliest = {{.id = -1}, {.id = -1}}};
    return NT_OK;
}

/* Sum of p_a (log p_a - log p_b) over the ids that a keeps; never below zero, as rounding has it.
 */
static double divergence_of(const float *a, const nt_softmax *of_a, const float *b,
                            const nt_softmax *of_b, size_t V) {
    double sum = 0;
    for (size_t i = 0; i < V; i++) {
        if (!(a[i] > -INFINITY)) continue;
        if (!(b[i] > -INFINITY)) return INFINITY;
        double log_a = nt_softmax_log(of_a, a[i]);
        sum += nt_exp(log_a) * (log_a - nt_softmax_log(of_b, b[i]));
    }
    return sum > 0 ? sum : 0;
}

int nt_versus_see(nt_result *trace, size_t t, const float *const rows[2], size_t V) {
    nt_versus_token *token = &trace->versus[t];
    nt_softmax of[2];
    int32_t id = trace->tokens[t].id;
    for (size_t s = 0; s < 2; s++) {
        of[s] = nt_softmax_of(rows[s], V);
        if (!of[s].finite)
            return nt_fail(NT_E_NUMERIC, "the logits behind token %zu are not finite numbers (%s)",
                           t - 1, trace->versus_totals.label[s]);
        int32_t best = nt_argmax(rows[s], V);
        NT_TRY(nt_trace_token(&token->likeliest[s], trace, best));
        token->likeliest_prob[s] = nt_exp(nt_softmax_log(&of[s], rows[s][best]));
        token->logprob[s] = nt_softmax_log(&of[s], rows[s][id]);
        token->entropy[s] = of[s].entropy;
        token->rank[s] = rows[s][id] > -INFINITY ? nt_rank_of(rows[s], V, id) : 0;
    }
    for (size_t s = 0; s < 2; s++)
        token->divergence[s] = divergence_of(rows[s], &of[s], rows[1 - s], &of[1 - s], V);
    token->counted = t >= trace->prompt_len;
    return NT_OK;
}

/* Mean and largest of what is finite. */
static void sum_divergence(nt_versus_totals *totals, const nt_result *trace, size_t s) {
    double sum = 0, most = NAN;
    size_t n = 0;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_versus_token *token = &trace->versus[i];
        if (!token->counted) continue;
        totals->n_infinite[s] += isinf(token->divergence[s]);
        if (isinf(token->divergence[s])) continue;
        sum += token->divergence[s];
        n++;
        if (!(token->divergence[s] <= most)) most = token->divergence[s];
    }
    totals->divergence[s] = n ? sum / (double)n : NAN;
    totals->divergence_max[s] = most;
}

void nt_versus_finish(nt_result *trace) {
    nt_versus_totals *totals = &trace->versus_totals;
    double logprob[2] = {0, 0};
    size_t n_counted = 0, n_bytes = 0;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_versus_token *token = &trace->versus[i];
        if (!token->counted) continue;
        n_counted++;
        n_bytes += nt_token_is_special(trace, i) ? 0 : trace->tokens[i].n_bytes;
        for (size_t s = 0; s < 2; s++)
            logprob[s] += token->logprob[s];
        totals->n_flips += token->likeliest[0].id != token->likeliest[1].id;
    }
    for (size_t s = 0; s < 2; s++) {
        totals->side[s] = nt_totals_of(logprob[s], n_counted, n_bytes);
        sum_divergence(totals, trace, s);
    }
    totals->agreement = n_counted ? 1 - (double)totals->n_flips / (double)n_counted : NAN;
}
