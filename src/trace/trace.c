/* Writing the trace. Everything lives in the trace's arena; on failure the caller frees the whole
 * trace, so nothing is unwound here, but counts are raised last and never pass what is whole. */
#include "trace/trace.h"

#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "trace/candidates.h"

int nt_trace_new(nt_result **out, nt_result_kind kind, const nt_vocab *vocab) {
    nt_result *trace = *out = nt_alloc(1, sizeof *trace);
    if (!trace) return NT_E_MEMORY;
    trace->kind = kind;
    if (vocab) trace->vocab = *vocab;
    trace->model = trace->precision = trace->isa = trace->text = "";
    trace->totals = (nt_totals){.loss = NAN, .perplexity = NAN};
    return NT_OK;
}

static int copy_string(const char **out, nt_result *trace, const char *string) {
    if (!string || !*string) {
        *out = "";
        return NT_OK;
    }
    const char *copy = nt_arena_copy(&trace->arena, string, strlen(string));
    if (!copy) return NT_E_MEMORY;
    *out = copy;
    return NT_OK;
}

int nt_trace_head(nt_result *trace, const char *model, const char *precision, const char *isa) {
    NT_TRY(copy_string(&trace->model, trace, model));
    NT_TRY(copy_string(&trace->precision, trace, precision));
    return copy_string(&trace->isa, trace, isa);
}

static int token_of(nt_token *out, nt_result *trace, const nt_vocab *vocab, int32_t id) {
    *out = (nt_token){.id = id, .bytes = ""};
    if (id < 0 || !vocab->bytes) return NT_OK;
    size_t n = 0;
    const char *bytes = vocab->bytes(vocab->self, id, &n);
    if (!bytes || n == 0) return NT_OK;
    if (n > UINT32_MAX) return nt_fail(NT_E_RANGE, "token %d is %zu bytes long", (int)id, n);
    const char *copy = nt_arena_copy(&trace->arena, bytes, n);
    if (!copy) return NT_E_MEMORY;
    out->bytes = copy;
    out->n_bytes = (uint32_t)n;
    return NT_OK;
}

int nt_trace_token(nt_token *out, nt_result *trace, int32_t id) {
    return token_of(out, trace, &trace->vocab, id);
}

static int tokens_of(nt_token **out, nt_result *trace, const nt_vocab *vocab, const int32_t *ids,
                     const size_t *starts, const size_t *ends, size_t n) {
    nt_token *tokens = nt_arena_alloc(&trace->arena, n, sizeof *tokens);
    if (!tokens) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        NT_TRY(token_of(&tokens[i], trace, vocab, ids[i]));
        if (starts && ends) {
            tokens[i].start = starts[i];
            tokens[i].end = ends[i];
        }
    }
    *out = tokens;
    return NT_OK;
}

int nt_trace_set_tokens(nt_result *trace, const int32_t *ids, const size_t *starts,
                        const size_t *ends, size_t n) {
    trace->n_tokens = 0;
    NT_TRY(tokens_of(&trace->tokens, trace, &trace->vocab, ids, starts, ends, n));
    trace->n_tokens = n;
    return NT_OK;
}

int nt_trace_add_compared(nt_result *trace, const char *model, const nt_vocab *vocab,
                          const int32_t *ids, const size_t *starts, const size_t *ends, size_t n) {
    nt_compared entry = {.n_tokens = n};
    nt_token *tokens;
    NT_TRY(copy_string(&entry.model, trace, model));
    NT_TRY(tokens_of(&tokens, trace, vocab, ids, starts, ends, n));
    entry.tokens = tokens;
    void *list = trace->compared;
    NT_TRY(nt_arena_grow(&trace->arena, &list, &trace->capacity_compared, trace->n_compared + 1,
                         sizeof entry));
    trace->compared = list;
    trace->compared[trace->n_compared++] = entry;
    return NT_OK;
}

int nt_trace_add_counted(nt_result *trace, const nt_counted *counted) {
    nt_counted entry = *counted;
    uint64_t *n_tokens = nt_arena_alloc(&trace->arena, trace->n_compared, sizeof *n_tokens);
    if (!n_tokens) return NT_E_MEMORY;
    if (trace->n_compared)
        memcpy(n_tokens, counted->n_tokens, trace->n_compared * sizeof *n_tokens);
    entry.n_tokens = n_tokens;
    NT_TRY(copy_string(&entry.name, trace, counted->name));
    void *list = trace->counted;
    NT_TRY(nt_arena_grow(&trace->arena, &list, &trace->capacity_counted, trace->n_counted + 1,
                         sizeof entry));
    trace->counted = list;
    trace->counted[trace->n_counted++] = entry;
    return NT_OK;
}

int nt_trace_set_text(nt_result *trace, const char *text, size_t n) {
    const char *copy = nt_arena_copy(&trace->arena, text, n);
    if (!copy) return NT_E_MEMORY;
    trace->text = copy;
    trace->n_text = n;
    return NT_OK;
}

static int broken(const nt_result *trace, const float *row, size_t V, const char *what) {
    for (size_t i = 0; i < V; i++) {
        if (isnan(row[i]) || row[i] == INFINITY) {
            return nt_fail(NT_E_NUMERIC,
                           "%s of step %zu are not finite numbers: token %zu has %s; check the "
                           "checkpoint's weights",
                           what, trace->n_steps, i, isnan(row[i]) ? "NaN" : "infinity");
        }
    }
    return nt_fail(NT_E_NUMERIC, "%s of step %zu are all -infinity: no token is left to choose",
                   what, trace->n_steps);
}

/* One row with what turns its logits into probabilities. */
typedef struct nt_rows {
    const float *raw, *processed; /* [V], the same array where no processor ran */
    nt_softmax raw_sum, processed_sum;
} nt_rows;

static int fill(nt_candidate *out, nt_result *trace, const nt_rows *rows, int32_t id,
                int32_t rank) {
    NT_TRY(nt_trace_token(&out->token, trace, id));
    out->rank = rank;
    out->logit = rows->raw[id];
    out->logprob = (double)rows->raw[id] - rows->raw_sum.logsum;
    out->prob = nt_exp(out->logprob);
    out->processed_prob = rows->processed == rows->raw
                              ? out->prob
                              : nt_exp((double)rows->processed[id] - rows->processed_sum.logsum);
    return NT_OK;
}

/* The k first candidates of the rows. work: picks [k], then 3 k numbers. */
static int add_candidates(nt_trace_step *step, nt_result *trace, const nt_rows *rows, size_t V,
                          size_t k) {
    step->candidates = nt_arena_alloc(&trace->arena, k, sizeof *step->candidates);
    if (!step->candidates) return NT_E_MEMORY;
    nt_pick *picks = nt_alloc(k, sizeof *picks + 3 * sizeof(int32_t));
    if (!picks) return NT_E_MEMORY;
    int32_t *ranks = (int32_t *)(picks + k);
    nt_pick_best(picks, k, rows->processed, rows->raw, V);
    if (rows->processed == rows->raw) {
        for (size_t i = 0; i < k; i++)
            ranks[i] = (int32_t)i + 1;
    } else {
        nt_rank_picks(ranks, picks, k, rows->raw, V, ranks + k);
    }
    int status = NT_OK;
    for (size_t i = 0; i < k && status == NT_OK; i++)
        status = fill(&step->candidates[i], trace, rows, picks[i].id, ranks[i]);
    nt_free(picks);
    if (status == NT_OK) step->n_candidates = k;
    return status;
}

int nt_trace_add_step(nt_result *trace, const float *logits, const float *processed, size_t V,
                      size_t k, int32_t chosen) {
    if (chosen >= 0 && (size_t)chosen >= V) {
        return nt_fail(NT_E_RANGE, "token id %d is outside the vocabulary of %zu ids", (int)chosen,
                       V);
    }
    nt_rows rows = {.raw = logits, .processed = processed ? processed : logits};
    rows.raw_sum = rows.processed_sum = nt_softmax_of(logits, V);
    if (!rows.raw_sum.finite) return broken(trace, logits, V, "the logits");
    if (processed) {
        rows.processed_sum = nt_softmax_of(processed, V);
        if (!rows.processed_sum.finite) return broken(trace, processed, V, "the processed logits");
    }
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->steps, &trace->capacity_steps,
                         trace->n_steps + 1, sizeof *trace->steps));
    nt_trace_step step = {.step = {.index = trace->n_steps, .entropy = rows.raw_sum.entropy}};
    for (size_t i = 0; i < V; i++)
        step.step.kept += rows.processed[i] > -INFINITY;
    if (k > V) k = V;
    if (k > 0) NT_TRY(add_candidates(&step, trace, &rows, V, k));
    step.step.chosen.token = (nt_token){.id = -1, .bytes = ""};
    if (chosen >= 0) {
        int32_t rank = (int32_t)nt_rank_of(logits, V, chosen);
        NT_TRY(fill(&step.step.chosen, trace, &rows, chosen, rank));
    }
    trace->n_vocab = (int32_t)V;
    trace->steps[trace->n_steps++] = step;
    return NT_OK;
}

int nt_trace_sort_steps(nt_result *trace) {
    size_t n_sequences = 0, n = trace->n_steps;
    for (size_t i = 0; i < n; i++)
        if (trace->steps[i].step.sequence >= n_sequences)
            n_sequences = trace->steps[i].step.sequence + 1;
    if (n_sequences < 2) return NT_OK;
    size_t *first = nt_alloc(n_sequences + 1, sizeof *first);
    nt_trace_step *copy = first ? nt_alloc(n, sizeof *copy) : NULL;
    if (copy) {
        memcpy(copy, trace->steps, n * sizeof *copy);
        for (size_t i = 0; i < n; i++)
            first[copy[i].step.sequence + 1]++;
        for (size_t s = 0; s < n_sequences; s++)
            first[s + 1] += first[s];
        for (size_t i = 0; i < n; i++)
            trace->steps[first[copy[i].step.sequence]++] = copy[i];
    }
    nt_free(copy);
    nt_free(first);
    return copy ? NT_OK : NT_E_MEMORY;
}

int nt_trace_add_output(nt_result *trace, const nt_output *output) {
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->outputs, &trace->capacity_outputs,
                         trace->n_outputs + 1, sizeof *trace->outputs));
    nt_output copy = *output;
    int32_t *ids = nt_arena_alloc(&trace->arena, output->n_ids, sizeof *ids);
    if (!ids) return NT_E_MEMORY;
    if (output->n_ids) memcpy(ids, output->ids, output->n_ids * sizeof *ids);
    copy.ids = ids;
    copy.text = nt_arena_copy(&trace->arena, output->text, output->n_text);
    if (!copy.text) return NT_E_MEMORY;
    NT_TRY(copy_string(&copy.finish_reason, trace, output->finish_reason));
    trace->outputs[trace->n_outputs++] = copy;
    return NT_OK;
}

int nt_trace_add_tensor(float **data, nt_result *trace, const char *name, size_t n_dims,
                        const size_t *shape) {
    *data = NULL;
    nt_tensor_view view = {.n_dims = n_dims};
    size_t max_dims = sizeof view.shape / sizeof *view.shape;
    if (n_dims > max_dims) {
        return nt_fail(NT_E_ARGUMENT, "array %s has %zu dimensions; at most %zu are kept", name,
                       n_dims, max_dims);
    }
    size_t n = 1;
    for (size_t i = 0; i < n_dims; i++) {
        view.shape[i] = shape[i];
        if (__builtin_mul_overflow(n, shape[i], &n)) return nt_fail_memory(SIZE_MAX);
    }
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->tensors, &trace->capacity_tensors,
                         trace->n_tensors + 1, sizeof *trace->tensors));
    NT_TRY(copy_string(&view.name, trace, name));
    *data = nt_arena_alloc(&trace->arena, n, sizeof **data);
    if (!*data) return NT_E_MEMORY;
    view.data = *data;
    trace->tensors[trace->n_tensors++] = view;
    return NT_OK;
}

static int add_fact(nt_result *trace, const char *key, nt_fact fact) {
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->facts, &trace->capacity_facts,
                         trace->n_facts + 1, sizeof *trace->facts));
    NT_TRY(copy_string(&fact.key, trace, key));
    trace->facts[trace->n_facts++] = fact;
    return NT_OK;
}

int nt_trace_fact_text(nt_result *trace, const char *key, const char *text) {
    nt_fact fact = {0};
    NT_TRY(copy_string(&fact.text, trace, text));
    return add_fact(trace, key, fact);
}

int nt_trace_fact_number(nt_result *trace, const char *key, double number) {
    return add_fact(trace, key, (nt_fact){.number = number});
}

int nt_trace_fact_bool(nt_result *trace, const char *key, bool value) {
    return add_fact(trace, key, (nt_fact){.number = value, .is_bool = true});
}
