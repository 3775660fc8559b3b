/* The public face of the trace: reading a result. A NULL result and an index past the end are
 * answered with NULL or 0. */
#include <string.h>

#include "base/memory.h"
#include "trace/trace.h"

void nt_result_free(nt_result *result) {
    if (!result) return;
    nt_arena_free(&result->arena);
    nt_free(result);
}

nt_result_kind nt_result_get_kind(const nt_result *result) {
    return result ? result->kind : NT_RESULT_TOKENS;
}

size_t nt_result_n_tokens(const nt_result *result) {
    return result ? result->n_tokens : 0;
}

const nt_token *nt_result_token(const nt_result *result, size_t i) {
    return i < nt_result_n_tokens(result) ? &result->tokens[i] : NULL;
}

const char *nt_result_text(const nt_result *result, size_t *n) {
    if (n) *n = result ? result->n_text : 0;
    return result ? result->text : "";
}

size_t nt_result_n_steps(const nt_result *result) {
    return result ? result->n_steps : 0;
}

const nt_step *nt_result_step(const nt_result *result, size_t i) {
    return i < nt_result_n_steps(result) ? &result->steps[i].step : NULL;
}

size_t nt_result_n_candidates(const nt_result *result, size_t step) {
    return step < nt_result_n_steps(result) ? result->steps[step].n_candidates : 0;
}

const nt_candidate *nt_result_candidate(const nt_result *result, size_t step, size_t i) {
    if (i >= nt_result_n_candidates(result, step)) return NULL;
    return &result->steps[step].candidates[i];
}

size_t nt_result_n_outputs(const nt_result *result) {
    return result ? result->n_outputs : 0;
}

const nt_output *nt_result_output(const nt_result *result, size_t i) {
    return i < nt_result_n_outputs(result) ? &result->outputs[i] : NULL;
}

const nt_scored *nt_result_scored(const nt_result *result, size_t i) {
    if (i >= nt_result_n_tokens(result) || !result->scored) return NULL;
    return &result->scored[i];
}

const nt_totals *nt_result_totals(const nt_result *result) {
    return result && result->kind == NT_RESULT_SCORE ? &result->totals : NULL;
}

const nt_tensor_view *nt_result_tensor(const nt_result *result, const char *name) {
    if (!result || !name) return NULL;
    for (size_t i = 0; i < result->n_tensors; i++)
        if (strcmp(result->tensors[i].name, name) == 0) return &result->tensors[i];
    return NULL;
}
