/* The list of processors in the order that transformers 5.23 runs them in (GenerationMixin's
 * _get_logits_processor), and running them. */
#include "decode/process/processor.h"

#include <string.h>

#include "base/memory.h"

/* Ours stand beside their kin: logit_bias, and the two penalties in the order of OpenAI's formula.
 * Before all of them the beams' rows become log-probabilities. */
static const nt_processor *const order[] = {
    &nt_guidance_scale,
    &nt_sequence_bias,
    &nt_logit_bias, /* ours */
    &nt_encoder_repetition_penalty,
    &nt_repetition_penalty,
    &nt_frequency_penalty, /* ours */
    &nt_presence_penalty,  /* ours */
    &nt_no_repeat_ngram,
    &nt_encoder_no_repeat_ngram,
    &nt_bad_words,
    &nt_min_length,
    &nt_min_new_tokens,
    &nt_forced_bos,
    &nt_forced_eos,
    &nt_remove_invalid_values,
    &nt_exponential_decay,
    &nt_suppress_tokens,
    &nt_begin_suppress_tokens,
    &nt_callers_own, /* where a custom LogitsProcessor stands */
    /* warpers: only when ids are drawn */
    &nt_temperature,
    &nt_top_h,
    &nt_top_k,
    &nt_top_p,
    &nt_min_p,
    &nt_typical_p,
    &nt_epsilon_cutoff,
    &nt_eta_cutoff,
    /* always last, drawn or not */
    &nt_renormalize_logits,
};

_Static_assert(sizeof order / sizeof *order <= NT_MAX_PROCESSORS, "all may be wanted at once");

bool nt_warper_value(double *value, const nt_plan *plan, const char *option) {
    const struct {
        const nt_processor *warper;
        double value;
    } warpers[] = {
        {&nt_temperature, plan->temperature},
        {&nt_top_h, plan->top_h},
        {&nt_top_k, (double)plan->top_k},
        {&nt_top_p, plan->top_p},
        {&nt_min_p, plan->min_p},
        {&nt_typical_p, plan->typical_p},
        {&nt_epsilon_cutoff, plan->epsilon_cutoff},
        {&nt_eta_cutoff, plan->eta_cutoff},
    };
    for (size_t i = 0; option && i < sizeof warpers / sizeof *warpers; i++) {
        *value = warpers[i].value;
        if (strcmp(option, warpers[i].warper->name) == 0) return true;
    }
    return false;
}

static float *new_memory(const nt_processors *processors) {
    size_t n_rows = processors->n + processors->from_log_softmax;
    return nt_alloc_large(processors->row.V, n_rows * sizeof(float));
}

int nt_processors_begin(nt_processors *processors, const nt_plan *plan, size_t V) {
    *processors = (nt_processors){.plan = plan, .row.V = V};
    processors->from_log_softmax =
        plan->method == NT_METHOD_BEAM_SEARCH || plan->method == NT_METHOD_BEAM_SAMPLE;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (order[i]->wanted(plan)) processors->wanted[processors->n++] = order[i];
    if (processors->n + processors->from_log_softmax > 0) {
        processors->memory = new_memory(processors);
        if (!processors->memory) return NT_E_MEMORY;
    }
    if (processors->n == 0) return NT_OK;
    processors->row.weights = nt_alloc(V, sizeof *processors->row.weights);
    processors->row.scratch = nt_alloc(V, 2 * sizeof *processors->row.scratch);
    processors->n_scratch = 2 * V;
    return processors->row.weights && processors->row.scratch ? NT_OK : NT_E_MEMORY;
}

void nt_processors_free(nt_processors *processors) {
    nt_free(processors->memory);
    nt_free(processors->row.weights);
    nt_free(processors->row.scratch);
    *processors = (nt_processors){0};
}

static int room_for(nt_processors *processors, size_t n_ids) {
    void *scratch = processors->row.scratch;
    NT_TRY(nt_grow(&scratch, &processors->n_scratch, n_ids, sizeof *processors->row.scratch));
    processors->row.scratch = scratch;
    return NT_OK;
}

/* The next stage's row. */
static float *add_stage(nt_processors *processors, const char *option) {
    float *row = processors->memory + (processors->n_stages - 1) * processors->row.V;
    processors->stages[processors->n_stages++] = (nt_stage){option, row};
    return row;
}

int nt_processors_run(nt_processors *processors, const float *logits, const float *unguided,
                      const int32_t *ids, size_t n_ids) {
    nt_row *row = &processors->row;
    row->ids = ids;
    row->n_ids = n_ids;
    row->unguided = unguided;
    processors->stages[0] = (nt_stage){NULL, logits};
    processors->n_stages = 1;
    if (processors->n) NT_TRY(room_for(processors, n_ids));
    if (processors->from_log_softmax)
        processors->raw_sum = nt_log_softmax(add_stage(processors, NULL), logits, row->V);
    for (size_t i = 0; i < processors->n; i++) {
        const float *before = nt_processed(processors);
        row->logits = add_stage(processors, processors->wanted[i]->name);
        memcpy(row->logits, before, row->V * sizeof *before);
        NT_TRY(processors->wanted[i]->run(row, processors->plan));
    }
    return NT_OK;
}

int nt_processors_give(nt_processors *processors, float **memory) {
    float *next = *memory ? *memory : new_memory(processors);
    if (!next) return NT_E_MEMORY;
    *memory = processors->memory;
    processors->memory = next;
    return NT_OK;
}
