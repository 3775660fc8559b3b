/* Beams: a tree that grows as the search does, and the paths through it to the outputs. */
#include <math.h>

#include "trace/trace.h"

int nt_trace_add_beam(nt_result *trace, const nt_beam *beam) {
    nt_beam copy = *beam;
    if (copy.parent < -1 || (copy.parent >= 0 && (size_t)copy.parent >= trace->n_beams)) {
        return nt_fail(NT_E_RANGE, "beam %zu continues beam %lld, which is not before it",
                       trace->n_beams, (long long)copy.parent);
    }
    NT_TRY(nt_trace_string(&copy.finish_reason, trace, beam->finish_reason));
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->beams, &trace->capacity_beams,
                         trace->n_beams + 1, sizeof *trace->beams));
    trace->beams[trace->n_beams++] = copy;
    return NT_OK;
}

/* The row that a beam was chosen from: what stood behind its parent. NULL: nobody kept it. */
static const nt_trace_step *row_before(const nt_result *trace, int64_t parent) {
    int64_t row = parent < 0 ? 0 : trace->beams[parent].row;
    return row >= 0 && (size_t)row < trace->n_rows ? &trace->rows[row] : NULL;
}

static nt_trace_step step_of(const nt_result *trace, const nt_beam *beam, size_t output) {
    const nt_trace_step *row = row_before(trace, beam->parent);
    nt_trace_step step = {.step = {.entropy = NAN, .draw = NAN, .drafted = -1}};
    if (row) step = *row;
    step.step.chosen = beam->token;
    step.step.index = beam->index;
    step.step.sequence = output;
    step.step.beam = beam->parent;
    return step;
}

int nt_trace_follow_beams(nt_result *trace) {
    for (size_t o = 0; o < trace->n_outputs; o++) {
        int64_t last = trace->outputs[o].beam;
        size_t n = 0;
        if (last >= 0 && (size_t)last >= trace->n_beams) {
            return nt_fail(NT_E_RANGE, "output %zu ends in beam %lld of %zu", o, (long long)last,
                           trace->n_beams);
        }
        for (int64_t b = last; b >= 0; b = trace->beams[b].parent) /* parents stand before */
            n++;
        if (n == 0) continue;
        NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->steps, &trace->capacity_steps,
                             trace->n_steps + n, sizeof *trace->steps));
        nt_trace_step *steps = trace->steps + trace->n_steps;
        trace->n_steps += n;
        for (int64_t b = last; b >= 0; b = trace->beams[b].parent)
            steps[--n] = step_of(trace, &trace->beams[b], o);
    }
    return NT_OK;
}
