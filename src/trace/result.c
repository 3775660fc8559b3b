/* The public face of the trace: reading a result. A NULL result and an index past the end are
 * answered with NULL or 0. */
#include <string.h>

#include "base/memory.h"
#include "trace/trace.h"

void nt_result_free(nt_result *result) {
    if (!result) return;
    for (size_t i = 0; i < result->n_inner; i++)
        nt_result_free(result->inner[i]);
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

size_t nt_result_n_demoted(const nt_result *result, size_t step) {
    return step < nt_result_n_steps(result) ? result->steps[step].n_demoted : 0;
}

const nt_candidate *nt_result_demoted(const nt_result *result, size_t step, size_t i) {
    if (i >= nt_result_n_demoted(result, step)) return NULL;
    return &result->steps[step].demoted[i];
}

size_t nt_result_n_beams(const nt_result *result) {
    return result ? result->n_beams : 0;
}

const nt_beam *nt_result_beam(const nt_result *result, size_t i) {
    return i < nt_result_n_beams(result) ? &result->beams[i] : NULL;
}

size_t nt_result_n_rows(const nt_result *result) {
    return result ? result->n_rows : 0;
}

const nt_step *nt_result_row(const nt_result *result, size_t i) {
    return i < nt_result_n_rows(result) ? &result->rows[i].step : NULL;
}

size_t nt_result_n_row_candidates(const nt_result *result, size_t row) {
    return row < nt_result_n_rows(result) ? result->rows[row].n_candidates : 0;
}

const nt_candidate *nt_result_row_candidate(const nt_result *result, size_t row, size_t i) {
    if (i >= nt_result_n_row_candidates(result, row)) return NULL;
    return &result->rows[row].candidates[i];
}

size_t nt_result_n_row_demoted(const nt_result *result, size_t row) {
    return row < nt_result_n_rows(result) ? result->rows[row].n_demoted : 0;
}

const nt_candidate *nt_result_row_demoted(const nt_result *result, size_t row, size_t i) {
    if (i >= nt_result_n_row_demoted(result, row)) return NULL;
    return &result->rows[row].demoted[i];
}

static bool is_decoded(const nt_result *result) {
    return result && (result->kind == NT_RESULT_GENERATE || result->kind == NT_RESULT_STEPS);
}

const nt_effort *nt_result_effort(const nt_result *result) {
    return is_decoded(result) ? &result->effort : NULL;
}

const nt_proof *nt_result_proof(const nt_result *result) {
    return is_decoded(result) ? result->proof : NULL;
}

const nt_option_info *nt_result_option(const nt_result *result, const char **value) {
    bool explains = result && result->kind == NT_RESULT_EXPLAIN;
    if (value) *value = explains ? result->option_value : NULL;
    return explains ? result->option : NULL;
}

const nt_result *nt_result_inner(const nt_result *result, size_t i) {
    return result && i < result->n_inner ? result->inner[i] : NULL;
}

const char *nt_result_method(const nt_result *result, uint64_t *seed) {
    bool decoded = is_decoded(result);
    if (seed) *seed = decoded && result->seeded ? result->seed : 0;
    return decoded ? result->method : NULL;
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

const nt_versus_token *nt_result_versus(const nt_result *result, size_t i) {
    return i < nt_result_n_tokens(result) && result->versus ? &result->versus[i] : NULL;
}

const nt_versus_totals *nt_result_versus_totals(const nt_result *result) {
    return result && result->versus ? &result->versus_totals : NULL;
}

const nt_totals *nt_result_totals(const nt_result *result) {
    bool summed =
        result && (result->kind == NT_RESULT_SCORE || result->kind == NT_RESULT_PERPLEXITY);
    return summed ? &result->totals : NULL;
}

size_t nt_result_n_units(const nt_result *result, nt_by by) {
    if (!result || result->kind != NT_RESULT_SCORE) return 0;
    return by == NT_BY_WORD ? result->n_words : by == NT_BY_CHAR ? result->n_chars : 0;
}

const nt_unit *nt_result_unit(const nt_result *result, nt_by by, size_t i) {
    if (i >= nt_result_n_units(result, by)) return NULL;
    return by == NT_BY_WORD ? &result->words[i] : &result->chars[i];
}

size_t nt_result_n_continuations(const nt_result *result) {
    return result && result->kind == NT_RESULT_CONTINUATIONS ? result->n_continuations : 0;
}

const nt_continuation *nt_result_continuation(const nt_result *result, size_t i) {
    return i < nt_result_n_continuations(result) ? &result->continuations[i] : NULL;
}

size_t nt_result_n_compared(const nt_result *result) {
    return result ? result->n_compared : 0;
}

const nt_compared *nt_result_compared(const nt_result *result, size_t i) {
    return i < nt_result_n_compared(result) ? &result->compared[i] : NULL;
}

size_t nt_result_n_stretches(const nt_result *result) {
    return result ? result->n_stretches : 0;
}

const nt_stretch *nt_result_stretch(const nt_result *result, size_t i) {
    return i < nt_result_n_stretches(result) ? &result->stretches[i] : NULL;
}

size_t nt_result_n_counted(const nt_result *result) {
    return result ? result->n_counted : 0;
}

const nt_counted *nt_result_counted(const nt_result *result, size_t i) {
    return i < nt_result_n_counted(result) ? &result->counted[i] : NULL;
}

const nt_tensor_view *nt_result_tensor(const nt_result *result, const char *name) {
    if (!result || !name) return NULL;
    for (size_t i = 0; i < result->n_tensors; i++)
        if (strcmp(result->tensors[i].name, name) == 0) return &result->tensors[i];
    return NULL;
}

size_t nt_result_n_tensor_infos(const nt_result *result) {
    return result ? result->n_infos : 0;
}

const nt_tensor_info *nt_result_tensor_info(const nt_result *result, size_t i) {
    return i < nt_result_n_tensor_infos(result) ? &result->infos[i] : NULL;
}

size_t nt_result_n_tensor_diffs(const nt_result *result) {
    return result ? result->n_diffs : 0;
}

const nt_tensor_diff *nt_result_tensor_diff(const nt_result *result, size_t i) {
    return i < nt_result_n_tensor_diffs(result) ? &result->diffs[i] : NULL;
}

size_t nt_result_n_diff_sums(const nt_result *result) {
    return result ? result->n_sums : 0;
}

const nt_diff_sum *nt_result_diff_sum(const nt_result *result, size_t i) {
    return i < nt_result_n_diff_sums(result) ? &result->sums[i] : NULL;
}
