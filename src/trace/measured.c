/* Lines of a bench: written as they are known, and their names. */
#include "trace/trace.h"

static const char *const job_names[] = {"limits", "decode",   "prompt", "score", "beams",
                                        "batch",  "tokenize", "start",  "memory"};

const char *nt_bench_job_name(nt_bench_job job) {
    for (size_t i = 0; i < sizeof job_names / sizeof *job_names; i++)
        if ((unsigned)job == 1u << i) return job_names[i];
    return NULL;
}

int nt_trace_add_measured(nt_result *trace, const nt_measured *line) {
    nt_measured copy = *line;
    NT_TRY(nt_trace_string(&copy.name, trace, line->name));
    double *values = nt_arena_alloc(&trace->arena, line->n_values + 1, sizeof *values);
    if (!values) return NT_E_MEMORY;
    for (size_t i = 0; i < line->n_values; i++)
        values[i] = line->values[i];
    copy.values = values;
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->measured, &trace->capacity_measured,
                         trace->n_measured + 1, sizeof *trace->measured));
    trace->measured[trace->n_measured++] = copy;
    return NT_OK;
}
