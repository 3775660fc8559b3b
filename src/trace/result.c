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

const char *nt_result_text(const nt_result *result, size_t *n) {
    if (n) *n = result ? result->n_text : 0;
    return result ? result->text : "";
}

/* ---- Lists: how many, and the i-th ----------------------------------------------------------- */

#define LIST(count, at, type, n, items)                                                            \
    size_t count(const nt_result *result) {                                                        \
        return result ? result->n : 0;                                                             \
    }                                                                                              \
    const type *at(const nt_result *result, size_t i) {                                            \
        return i < count(result) ? &result->items[i] : NULL;                                       \
    }

LIST(nt_result_n_tokens, nt_result_token, nt_token, n_tokens, tokens)
LIST(nt_result_n_beams, nt_result_beam, nt_beam, n_beams, beams)
LIST(nt_result_n_outputs, nt_result_output, nt_output, n_outputs, outputs)
LIST(nt_result_n_compared, nt_result_compared, nt_compared, n_compared, compared)
LIST(nt_result_n_stretches, nt_result_stretch, nt_stretch, n_stretches, stretches)
LIST(nt_result_n_counted, nt_result_counted, nt_counted, n_counted, counted)
LIST(nt_result_n_tensor_infos, nt_result_tensor_info, nt_tensor_info, n_infos, infos)
LIST(nt_result_n_tensor_diffs, nt_result_tensor_diff, nt_tensor_diff, n_diffs, diffs)
LIST(nt_result_n_diff_sums, nt_result_diff_sum, nt_diff_sum, n_sums, sums)
LIST(nt_result_n_measured, nt_result_measured, nt_measured, n_measured, measured)

/* ---- Steps; rows are steps of a search's branches -------------------------------------------- */

static const nt_trace_step *step_at(const nt_result *result, size_t i) {
    return i < nt_result_n_steps(result) ? &result->steps[i] : NULL;
}

static const nt_trace_step *row_at(const nt_result *result, size_t i) {
    return i < nt_result_n_rows(result) ? &result->rows[i] : NULL;
}

/* Each takes NULL for a step that is not there. */
static const nt_step *of(const nt_trace_step *s) {
    return s ? &s->step : NULL;
}

static size_t n_candidates(const nt_trace_step *s) {
    return s ? s->n_candidates : 0;
}

static const nt_candidate *candidate(const nt_trace_step *s, size_t i) {
    return i < n_candidates(s) ? &s->candidates[i] : NULL;
}

static size_t n_demoted(const nt_trace_step *s) {
    return s ? s->n_demoted : 0;
}

static const nt_candidate *demoted(const nt_trace_step *s, size_t i) {
    return i < n_demoted(s) ? &s->demoted[i] : NULL;
}

size_t nt_result_n_steps(const nt_result *result) {
    return result ? result->n_steps : 0;
}

const nt_step *nt_result_step(const nt_result *result, size_t i) {
    return of(step_at(result, i));
}

size_t nt_result_n_candidates(const nt_result *result, size_t step) {
    return n_candidates(step_at(result, step));
}

const nt_candidate *nt_result_candidate(const nt_result *result, size_t step, size_t i) {
    return candidate(step_at(result, step), i);
}

size_t nt_result_n_demoted(const nt_result *result, size_t step) {
    return n_demoted(step_at(result, step));
}

const nt_candidate *nt_result_demoted(const nt_result *result, size_t step, size_t i) {
    return demoted(step_at(result, step), i);
}

size_t nt_result_n_rows(const nt_result *result) {
    return result ? result->n_rows : 0;
}

const nt_step *nt_result_row(const nt_result *result, size_t i) {
    return of(row_at(result, i));
}

size_t nt_result_n_row_candidates(const nt_result *result, size_t row) {
    return n_candidates(row_at(result, row));
}

const nt_candidate *nt_result_row_candidate(const nt_result *result, size_t row, size_t i) {
    return candidate(row_at(result, row), i);
}

size_t nt_result_n_row_demoted(const nt_result *result, size_t row) {
    return n_demoted(row_at(result, row));
}

const nt_candidate *nt_result_row_demoted(const nt_result *result, size_t row, size_t i) {
    return demoted(row_at(result, row), i);
}

/* ---- What a kind of result has --------------------------------------------------------------- */

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

const nt_bench_info *nt_result_bench(const nt_result *result) {
    return result ? result->bench : NULL;
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

const nt_tensor_view *nt_result_tensor(const nt_result *result, const char *name) {
    if (!result || !name) return NULL;
    for (size_t i = 0; i < result->n_tensors; i++)
        if (strcmp(result->tensors[i].name, name) == 0) return &result->tensors[i];
    return NULL;
}
