/* A model that is a table: row p holds the logits after p + 1 tokens (the last row repeats), or
 * after token p, or after what a hash of the whole sequence says. It counts live sequences, honours
 * cancel, and can fail at a step or a fork. */
#ifndef TABLE_STEPPER_H
#define TABLE_STEPPER_H

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "decode/stepper.h"

enum { TABLE_SEQUENCES = 1100 };

typedef struct table_model {
    const float *rows; /* [n_rows, V] */
    size_t n_rows, V;
    bool by_id;          /* rows by the last token instead of the length */
    bool by_prefix;      /* rows by table_row_of of all tokens */
    size_t fail_at_step; /* 1 is the first; 0: never */
    size_t fail_at_fork; /* the same */
    bool fail_start;
    size_t n_steps, n_tokens, n_live, n_started, n_forks, n_cuts, most_rows, most_live;
    bool live[TABLE_SEQUENCES];
    size_t length[TABLE_SEQUENCES];
    int32_t *ids[TABLE_SEQUENCES]; /* [length] */
} table_model;

/* Which row follows ids [n]: tools/oracle/tables.py has the same. */
static inline size_t table_row_of(const int32_t *ids, size_t n, size_t n_rows) {
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint64_t)(ids[i] + 1)) * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((hash >> 33) % n_rows);
}

static int table_start(void *self, int32_t *sequence) {
    table_model *model = self;
    *sequence = 0; /* what a session gives where it fails */
    if (model->fail_start) return nt_fail(NT_E_MEMORY, "the table gives no sequence");
    for (int32_t i = 0; i < TABLE_SEQUENCES; i++) {
        if (model->live[i]) continue;
        model->live[i] = true;
        model->length[i] = 0;
        model->n_live++;
        if (model->n_live > model->most_live) model->most_live = model->n_live;
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
    free(model->ids[sequence]);
    model->ids[sequence] = NULL;
}

static void table_append(table_model *model, int32_t sequence, const int32_t *ids, size_t n) {
    size_t length = model->length[sequence];
    if (n == 0) return;
    int32_t *bigger = realloc(model->ids[sequence], (length + n) * sizeof *bigger);
    if (!bigger) abort();
    memcpy(bigger + length, ids, n * sizeof *ids);
    model->ids[sequence] = bigger;
    model->length[sequence] += n;
}

static int table_fork(void *self, int32_t *child, int32_t parent) {
    table_model *model = self;
    *child = 0;
    if (++model->n_forks == model->fail_at_fork) return nt_fail(NT_E_MEMORY, "no fork");
    if (!model->live[parent]) return nt_fail(NT_E_ARGUMENT, "the parent is not live");
    NT_TRY(table_start(self, child));
    table_append(model, *child, model->ids[parent], model->length[parent]);
    return NT_OK;
}

static void table_cut(void *self, int32_t sequence, size_t length) {
    table_model *model = self;
    if (!model->live[sequence]) fail_msg("sequence %d is cut and not live", (int)sequence);
    if (length > model->length[sequence]) fail_msg("sequence %d is cut longer", (int)sequence);
    model->length[sequence] = length;
    model->n_cuts++;
}

/* The logits behind the first n ids of a sequence. */
static const float *table_logits(const table_model *model, int32_t sequence, size_t n) {
    const int32_t *ids = model->ids[sequence];
    size_t row = model->by_prefix ? table_row_of(ids, n, model->n_rows)
                 : model->by_id   ? (size_t)ids[n - 1]
                                  : n - 1;
    if (row >= model->n_rows) row = model->n_rows - 1;
    return model->rows + row * model->V;
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
        size_t wanted = rows[i].n_logits ? rows[i].n_logits : 1;
        if (!model->live[sequence]) return nt_fail(NT_E_ARGUMENT, "sequence is not live");
        if (rows[i].n_ids == 0 || wanted > rows[i].n_ids) fail_msg("a row asks for too much");
        table_append(model, sequence, rows[i].ids, rows[i].n_ids);
        model->n_tokens += rows[i].n_ids;
        for (size_t n = model->length[sequence] - wanted + 1; n <= model->length[sequence]; n++)
            *logits++ = table_logits(model, sequence, n);
    }
    return NT_OK;
}

static inline nt_stepper table_stepper(table_model *model, size_t context) {
    return (nt_stepper){.self = model,
                        .V = model->V,
                        .context = context,
                        .start = table_start,
                        .step = table_step,
                        .fork = table_fork,
                        .drop = table_drop,
                        .cut = table_cut};
}

#endif
