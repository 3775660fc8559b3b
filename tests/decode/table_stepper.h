/* A model that is a table: row p holds the logits after p + 1 tokens (the last row repeats), or
 * after token p. It counts live sequences, honours cancel, and can fail at a step or a fork. */
#ifndef TABLE_STEPPER_H
#define TABLE_STEPPER_H

#include "base/status.h"
#include "decode/stepper.h"

enum { TABLE_SEQUENCES = 1100 };

typedef struct table_model {
    const float *rows; /* [n_rows, V] */
    size_t n_rows, V;
    bool by_id;          /* rows by the last token instead of the length */
    size_t fail_at_step; /* 1 is the first; 0: never */
    size_t fail_at_fork; /* the same */
    bool fail_start;
    size_t n_steps, n_tokens, n_live, n_started, n_forks, most_rows;
    bool live[TABLE_SEQUENCES];
    size_t length[TABLE_SEQUENCES];
} table_model;

static int table_start(void *self, int32_t *sequence) {
    table_model *model = self;
    *sequence = 0; /* what a session gives where it fails */
    if (model->fail_start) return nt_fail(NT_E_MEMORY, "the table gives no sequence");
    for (int32_t i = 0; i < TABLE_SEQUENCES; i++) {
        if (model->live[i]) continue;
        model->live[i] = true;
        model->length[i] = 0;
        model->n_live++;
        model->n_started++;
        *sequence = i;
        return NT_OK;
    }
    return nt_fail(NT_E_MEMORY, "the table has no more sequences");
}

static void table_drop(void *self, int32_t sequence) {
    table_model *model = self;
    if (!model->live[sequence]) fail_msg("sequence %d is dropped and not live", (int)sequence);
    model->n_live--;
    model->live[sequence] = false;
}

static int table_fork(void *self, int32_t *child, int32_t parent) {
    table_model *model = self;
    *child = 0;
    if (++model->n_forks == model->fail_at_fork) return nt_fail(NT_E_MEMORY, "no fork");
    if (!model->live[parent]) return nt_fail(NT_E_ARGUMENT, "the parent is not live");
    NT_TRY(table_start(self, child));
    model->length[*child] = model->length[parent];
    return NT_OK;
}

static int table_step(void *self, const float **logits, const nt_step_row *rows, size_t n_rows,
                      const nt_callbacks *callbacks) {
    table_model *model = self;
    model->n_steps++;
    if (n_rows > model->most_rows) model->most_rows = n_rows;
    if (model->n_steps == model->fail_at_step) return nt_fail(NT_E_NUMERIC, "the table fails");
    if (callbacks && callbacks->cancel && callbacks->cancel(callbacks->payload))
        return nt_fail(NT_E_CANCELLED, "cancelled");
    for (size_t i = 0; i < n_rows; i++) {
        int32_t sequence = rows[i].sequence;
        if (!model->live[sequence]) return nt_fail(NT_E_ARGUMENT, "sequence is not live");
        model->length[sequence] += rows[i].n_ids;
        model->n_tokens += rows[i].n_ids;
        size_t last = (size_t)rows[i].ids[rows[i].n_ids - 1];
        size_t row = model->by_id ? last : model->length[sequence] - 1;
        if (row >= model->n_rows) row = model->n_rows - 1;
        logits[i] = model->rows + row * model->V;
    }
    return NT_OK;
}

static inline nt_stepper table_stepper(table_model *model, size_t context) {
    return (nt_stepper){model, model->V, context, table_start, table_step, table_fork, table_drop};
}

#endif
