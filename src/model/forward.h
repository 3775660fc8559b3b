/* The forward pass of the GPT-2 family over a device: rows of any sequences in, logits out. */
#ifndef NT_MODEL_FORWARD_H
#define NT_MODEL_FORWARD_H

#include "model/kv.h"
#include "model/network.h"
#include "model/points.h"

/* What runs a network: device, KV cache, workspace, points. Belongs to one thread. */
typedef struct nt_runner nt_runner;

int nt_runner_new(nt_runner **out, const nt_network *network, int threads);
void nt_runner_free(nt_runner *runner);
nt_kv *nt_runner_kv(nt_runner *runner);
nt_points *nt_runner_points(nt_runner *runner);
const nt_network *nt_runner_network(const nt_runner *runner);

/* One sequence's part of a call. */
typedef struct nt_input {
    int32_t sequence;
    const int32_t *ids; /* [n_ids], n_ids > 0 */
    size_t n_ids;
    nt_want want;
} nt_input;

/* Receives logits [V] of one row; valid during the call only. `input` indexes the inputs, t counts
 * from the first id of that input. Rows of an input come in order. Not NT_OK ends the pass. */
typedef int (*nt_logits_fn)(void *payload, size_t input, size_t t, const float *logits);

/* Appends every input's ids to its sequence and runs the pass in chunks of bounded memory.
 * logits may be NULL when nothing is wanted. On any error all sequences are as they were.
 * Errors: RANGE, CONTEXT, NUMERIC, CANCELLED, MEMORY, ARGUMENT (no ids, one sequence twice, logits
 * wanted and NULL). cancel is asked before each block, progress told after each chunk. */
int nt_runner_step(nt_runner *runner, const nt_input *inputs, size_t n_inputs, nt_logits_fn logits,
                   void *payload, const nt_callbacks *callbacks);

#endif
