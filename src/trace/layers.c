/* What layers say and where heads look: each row is reduced while it is there, so that what is kept
 * grows with the text and the layers, never with the vocabulary. */
#include "trace/layers.h"

#include <math.h>
#include <string.h>

#include "trace/trace.h"

int nt_trace_begin_layers(nt_result *trace, size_t n_layers, size_t n_choices) {
    size_t n, T = trace->n_tokens;
    if (__builtin_mul_overflow(n_layers, T, &n)) return nt_fail_memory(SIZE_MAX);
    nt_layer_cell *cells = nt_arena_alloc(&trace->arena, n, sizeof *cells);
    nt_token *next = nt_arena_alloc(&trace->arena, T, sizeof *next);
    if (!cells || !next) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        cells[i] = (nt_layer_cell){.entropy = NAN, .next_logprob = NAN, .next_prob = NAN};
    for (size_t t = 0; t + 1 < T; t++)
        next[t] = trace->tokens[t + 1];
    if (T > 0) next[T - 1] = (nt_token){.id = -1, .bytes = ""};
    trace->layer_cells = cells;
    trace->layer_next = next;
    trace->n_layers = n_layers;
    trace->n_layer_choices = n_choices;
    return NT_OK;
}

int nt_trace_end_layers(nt_result *trace, int32_t id) {
    return nt_trace_token(&trace->layer_next[trace->n_tokens - 1], trace, id);
}

int nt_trace_set_layer(nt_result *trace, size_t layer, size_t t, const float *logits, size_t V,
                       nt_pick *picks) {
    nt_layer_cell cell = {0};
    nt_softmax sum = nt_softmax_of(logits, V);
    size_t k = trace->n_layer_choices < V ? trace->n_layer_choices : V;
    int32_t next = trace->layer_next[t].id;
    if (!sum.finite)
        return nt_fail(NT_E_NUMERIC,
                       "what layer %zu says at position %zu is not all finite numbers; the weights "
                       "may be damaged",
                       layer, t);
    nt_layer_choice *choices = nt_arena_alloc(&trace->arena, k, sizeof *choices);
    if (!choices) return NT_E_MEMORY;
    nt_pick_best(picks, k, logits, logits, V);
    for (size_t i = 0; i < k; i++) {
        NT_TRY(nt_trace_token(&choices[i].token, trace, picks[i].id));
        choices[i].logprob = nt_softmax_log(&sum, picks[i].raw);
        choices[i].prob = nt_exp(choices[i].logprob);
    }
    cell.likeliest = choices;
    cell.n_likeliest = k;
    cell.entropy = sum.entropy;
    cell.next_rank = nt_rank_of(logits, V, next);
    cell.next_logprob = nt_softmax_log(&sum, logits[next]);
    cell.next_prob = nt_exp(cell.next_logprob);
    trace->layer_cells[layer * trace->n_tokens + t] = cell;
    return NT_OK;
}

int nt_trace_add_attention(float **weights, nt_result *trace, int32_t layer, int32_t head) {
    size_t n, T = trace->n_tokens;
    *weights = NULL;
    if (__builtin_mul_overflow(T, T, &n)) return nt_fail_memory(SIZE_MAX);
    void *list = trace->attentions;
    NT_TRY(nt_arena_grow(&trace->arena, &list, &trace->capacity_attentions, trace->n_attentions + 1,
                         sizeof *trace->attentions));
    trace->attentions = list;
    *weights = nt_arena_alloc(&trace->arena, n, sizeof **weights);
    if (!*weights) return NT_E_MEMORY;
    trace->attentions[trace->n_attentions++] =
        (nt_head_weights){.layer = layer, .head = head, .weights = *weights};
    return NT_OK;
}

size_t nt_result_n_layers(const nt_result *result) {
    return result ? result->n_layers : 0;
}

const nt_layer_cell *nt_result_layer(const nt_result *result, size_t layer, size_t t) {
    if (layer >= nt_result_n_layers(result) || t >= result->n_tokens) return NULL;
    return &result->layer_cells[layer * result->n_tokens + t];
}

const nt_token *nt_result_layer_next(const nt_result *result, size_t t) {
    return nt_result_n_layers(result) && t < result->n_tokens ? &result->layer_next[t] : NULL;
}

size_t nt_result_n_attentions(const nt_result *result) {
    return result ? result->n_attentions : 0;
}

const nt_head_weights *nt_result_attention(const nt_result *result, size_t i) {
    return i < nt_result_n_attentions(result) ? &result->attentions[i] : NULL;
}
