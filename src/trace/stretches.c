/* Where several tokenizers cut a text in common. */
#include <string.h>

#include "base/memory.h"
#include "trace/trace.h"

typedef struct walk {
    nt_result *trace;
    size_t *at; /* [n_compared] the next token of each */
} walk;

static const nt_token *next_of(const walk *w, size_t v) {
    const nt_compared *c = &w->trace->compared[v];
    return w->at[v] < c->n_tokens ? &c->tokens[w->at[v]] : NULL;
}

/* A token that has no bytes in the text: a template put it there. */
static bool is_put(const nt_token *token) {
    return token && token->start == token->end;
}

static bool all_done(const walk *w) {
    for (size_t v = 0; v < w->trace->n_compared; v++)
        if (next_of(w, v)) return false;
    return true;
}

/* Takes what templates put here; false when there is nothing of the kind. */
static bool take_put(walk *w) {
    bool any = false;
    for (size_t v = 0; v < w->trace->n_compared; v++) {
        for (; is_put(next_of(w, v)); w->at[v]++)
            any = true;
    }
    return any;
}

/* Takes tokens until all end at one place, which it returns; the first may begin behind `start`. */
static size_t take_stretch(walk *w, size_t start) {
    size_t end = start;
    for (bool more = true; more;) {
        more = false;
        for (size_t v = 0; v < w->trace->n_compared; v++) {
            const nt_token *token;
            while ((token = next_of(w, v)) && !is_put(token) &&
                   (token->start < end || end == start)) {
                if (token->end > end) end = token->end;
                w->at[v]++;
                more = true;
            }
        }
    }
    return end;
}

static bool same_cuts(const nt_result *trace, const nt_stretch *s) {
    for (size_t v = 1; v < trace->n_compared; v++) {
        if (s->n_tokens[v] != s->n_tokens[0]) return false;
        for (size_t i = 0; i < s->n_tokens[v]; i++) {
            const nt_token *a = &trace->compared[0].tokens[s->first[0] + i];
            const nt_token *b = &trace->compared[v].tokens[s->first[v] + i];
            if (a->start != b->start || a->end != b->end) return false;
        }
    }
    return true;
}

static int add(nt_result *trace, size_t start, size_t end, const size_t *before,
               const size_t *after) {
    size_t n = trace->n_compared;
    size_t *both = nt_arena_alloc(&trace->arena, 2 * n, sizeof *both);
    if (!both) return NT_E_MEMORY;
    for (size_t v = 0; v < n; v++) {
        both[v] = before[v];
        both[n + v] = after[v] - before[v];
    }
    nt_stretch stretch = {start, end, both, both + n, false};
    stretch.differs = !same_cuts(trace, &stretch);
    void *list = trace->stretches;
    NT_TRY(nt_arena_grow(&trace->arena, &list, &trace->capacity_stretches, trace->n_stretches + 1,
                         sizeof stretch));
    trace->stretches = list;
    trace->stretches[trace->n_stretches++] = stretch;
    return NT_OK;
}

int nt_trace_set_stretches(nt_result *trace) {
    size_t n = trace->n_compared, start = 0;
    size_t *at = nt_alloc(2 * n, sizeof *at);
    if (!at) return NT_E_MEMORY;
    size_t *before = at + n;
    walk w = {trace, at};
    int status = NT_OK;
    while (status == NT_OK && !all_done(&w)) {
        memcpy(before, at, n * sizeof *at);
        size_t end = take_put(&w) ? start : take_stretch(&w, start);
        status = add(trace, start, end, before, at);
        start = end;
    }
    nt_free(at);
    return status;
}
