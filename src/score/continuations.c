/* Given endings of one text, side by side. */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "score/score.h"

static int copy_tokens(nt_continuation *out, nt_result *trace, const nt_result *scored) {
    size_t n = scored->n_tokens - scored->prompt_len;
    nt_token *tokens = nt_arena_alloc(&trace->arena, n, sizeof *tokens);
    nt_scored *numbers = nt_arena_alloc(&trace->arena, n, sizeof *numbers);
    if (!tokens || !numbers) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        numbers[i] = scored->scored[scored->prompt_len + i];
        tokens[i] = scored->tokens[scored->prompt_len + i];
        tokens[i].bytes = nt_arena_copy(&trace->arena, tokens[i].bytes, tokens[i].n_bytes);
        if (!tokens[i].bytes) return NT_E_MEMORY;
    }
    out->tokens = tokens;
    out->scored = numbers;
    out->n_tokens = n;
    return NT_OK;
}

static int copy_one(nt_continuation *out, nt_result *trace, const nt_result *scored,
                    const char *text, size_t i) {
    size_t n_text = strlen(text);
    if (scored->totals.n_counted == 0 ||
        scored->totals.n_counted != scored->n_tokens - scored->prompt_len) {
        return nt_fail(NT_E_ARGUMENT,
                       "continuation %zu has no token that stands behind another; give it text, "
                       "and something to continue",
                       i + 1);
    }
    out->text = nt_arena_copy(&trace->arena, text, n_text);
    if (!out->text) return NT_E_MEMORY;
    NT_TRY(copy_tokens(out, trace, scored));
    out->logprob = scored->totals.logprob;
    out->per_byte = n_text ? out->logprob / (double)n_text : NAN;
    out->greedy = true;
    for (size_t t = 0; t < out->n_tokens; t++)
        out->greedy = out->greedy && out->scored[t].rank == 1;
    return NT_OK;
}

static void compare(nt_continuation *all, size_t n) {
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        most = all[i].logprob > most ? all[i].logprob : most;
    for (size_t i = 0; i < n; i++)
        sum += nt_exp(all[i].logprob - most);
    for (size_t i = 0; i < n; i++) {
        all[i].share = nt_exp(all[i].logprob - most) / sum;
        all[i].place = 1;
        for (size_t j = 0; j < n; j++) {
            bool before =
                j < i ? all[j].logprob >= all[i].logprob : all[j].logprob > all[i].logprob;
            all[i].place += before;
        }
    }
}

int nt_continuations_from(nt_result *trace, nt_result *const *scored, const char *const *texts,
                          size_t n) {
    nt_continuation *all = nt_arena_alloc(&trace->arena, n, sizeof *all);
    if (!all) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        NT_TRY(copy_one(&all[i], trace, scored[i], texts[i], i));
    compare(all, n);
    trace->continuations = all;
    trace->n_continuations = n;
    return NT_OK;
}
