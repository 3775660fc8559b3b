/* Writing the trace. Everything lives in the trace's arena; on failure the caller frees the whole
 * trace, so nothing is unwound here, but counts are raised last and never pass what is whole. */
#include "trace/trace.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

int nt_trace_new(nt_result **out, nt_result_kind kind, const nt_vocab *vocab) {
    nt_result *trace = *out = nt_alloc(1, sizeof *trace);
    if (!trace) return NT_E_MEMORY;
    trace->kind = kind;
    if (vocab) trace->vocab = *vocab;
    trace->model = trace->precision = trace->isa = trace->text = "";
    trace->totals = (nt_totals){.loss = NAN, .perplexity = NAN};
    return NT_OK;
}

int nt_trace_string(const char **out, nt_result *trace, const char *string) {
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
    NT_TRY(nt_trace_string(&trace->model, trace, model));
    NT_TRY(nt_trace_string(&trace->precision, trace, precision));
    return nt_trace_string(&trace->isa, trace, isa);
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
    NT_TRY(nt_trace_string(&entry.model, trace, model));
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
    NT_TRY(nt_trace_string(&entry.name, trace, counted->name));
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
    NT_TRY(nt_trace_string(&copy.finish_reason, trace, output->finish_reason));
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
    NT_TRY(nt_trace_string(&view.name, trace, name));
    *data = nt_arena_alloc(&trace->arena, n, sizeof **data);
    if (!*data) return NT_E_MEMORY;
    view.data = *data;
    trace->tensors[trace->n_tensors++] = view;
    return NT_OK;
}

static int add_fact(nt_result *trace, const char *key, nt_fact fact) {
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->facts, &trace->capacity_facts,
                         trace->n_facts + 1, sizeof *trace->facts));
    NT_TRY(nt_trace_string(&fact.key, trace, key));
    trace->facts[trace->n_facts++] = fact;
    return NT_OK;
}

int nt_trace_fact_text(nt_result *trace, const char *key, const char *text) {
    nt_fact fact = {0};
    NT_TRY(nt_trace_string(&fact.text, trace, text));
    return add_fact(trace, key, fact);
}

int nt_trace_fact_number(nt_result *trace, const char *key, double number) {
    return add_fact(trace, key, (nt_fact){.number = number});
}

int nt_trace_fact_bool(nt_result *trace, const char *key, bool value) {
    return add_fact(trace, key, (nt_fact){.number = value, .is_bool = true});
}
