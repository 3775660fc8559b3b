/* The list of processors in the order that transformers 5.23 runs them in (GenerationMixin's
 * _get_logits_processor), and running them. */
#include "decode/process/processor.h"

#include <string.h>

#include "base/memory.h"

static const nt_processor *const order[NT_N_PROCESSORS] = {
    /* warpers: only when drawing */
    &nt_temperature,
    &nt_top_k,
    &nt_top_p,
};

int nt_processors_begin(nt_processors *processors, const nt_plan *plan, size_t V) {
    *processors = (nt_processors){.plan = plan, .row.V = V};
    for (size_t i = 0; i < NT_N_PROCESSORS; i++)
        if (order[i]->wanted(plan)) processors->wanted[processors->n++] = order[i];
    if (!plan->sample && processors->n == 0) return NT_OK;
    nt_row *row = &processors->row;
    row->logits = nt_alloc(V, sizeof *row->logits);
    row->weights = row->logits ? nt_alloc(V, sizeof *row->weights) : NULL;
    row->scratch = row->weights ? nt_alloc(V, 2 * sizeof *row->scratch) : NULL;
    return row->scratch ? NT_OK : NT_E_MEMORY;
}

void nt_processors_free(nt_processors *processors) {
    nt_free(processors->row.logits);
    nt_free(processors->row.weights);
    nt_free(processors->row.scratch);
}

const float *nt_processors_run(nt_processors *processors, const float *logits) {
    const nt_row *row = &processors->row;
    if (processors->n == 0) return NULL;
    memcpy(row->logits, logits, row->V * sizeof *logits);
    for (size_t i = 0; i < processors->n; i++)
        processors->wanted[i]->run(row, processors->plan);
    return row->logits;
}
