/* The forward pass over a device: rows of any sequences in, logits out. What it does follows from
 * what a network has (a gate, rotary positions, a window), never from which family it is of. */
#ifndef NT_MODEL_FORWARD_H
#define NT_MODEL_FORWARD_H

#include "base/threads.h"
#include "model/kv.h"
#include "model/network.h"
#include "model/points.h"
#include "model/workspace.h" /* NT_CHUNK, NT_HEAD_ROWS */

/* What runs a network: device, KV cache, workspace, points. Belongs to one thread. */
typedef struct nt_runner nt_runner;

int nt_runner_new(nt_runner **out, const nt_network *network, int threads);
void nt_runner_free(nt_runner *runner);
nt_kv *nt_runner_kv(nt_runner *runner);
nt_points *nt_runner_points(nt_runner *runner);
const nt_network *nt_runner_network(const nt_runner *runner);

/* Threads for work on rows of logits beside the pass itself; idle while nt_logits_fn runs. */
nt_pool *nt_runner_pool(nt_runner *runner);

enum { NT_ALONE = -1 }; /* in place of a sequence: a text of its own, which is not kept */

/* One sequence's part of a call. */
typedef struct nt_input {
    int32_t sequence;
    const int32_t *ids; /* [n_ids], n_ids > 0 */
    size_t n_ids;
    size_t wanted; /* logits are wanted of t >= wanted: 0 all, n_ids - 1 the last, n_ids none */
    bool padding;  /* looks at what the sequence holds alone, which may be nothing; is not kept */
} nt_input;

/* Logits [V] of one row: t counts from the first id of input `input`. */
typedef struct nt_logits_row {
    size_t input, t;
    const float *logits;
} nt_logits_row;

/* Receives rows [n], n <= NT_HEAD_ROWS, valid during the call only and all finite numbers. Rows of
 * an input come in order. Not NT_OK ends the pass. */
typedef int (*nt_logits_fn)(void *payload, const nt_logits_row *rows, size_t n);

/* Receives one row on one of the runner's threads, others at the same time, in no order: each while
 * it is still in that processor's cache. All finite numbers. */
typedef void (*nt_logits_each_fn)(void *payload, const nt_logits_row *row);

/* Appends every input's ids to its sequence and runs the pass in chunks of bounded memory. An input
 * that stands ALONE begins at position 0 and leaves nothing behind; where it fits (NT_CHUNK ids) it
 * runs whole in one chunk, with keys and values of one layer only, so that any number of them may
 * be given. logits may be NULL when nothing is wanted. On any error all sequences are as they were.
 * Errors: RANGE, CONTEXT, NUMERIC, CANCELLED, MEMORY, ARGUMENT (no ids, one sequence twice, logits
 * wanted and NULL). cancel is asked before each block, progress told after each chunk. */
int nt_runner_step(nt_runner *runner, const nt_input *inputs, size_t n_inputs, nt_logits_fn logits,
                   void *payload, const nt_callbacks *callbacks);

/* The same for work on each row by itself; each is called where a row is wanted. */
int nt_runner_step_each(nt_runner *runner, const nt_input *inputs, size_t n_inputs,
                        nt_logits_each_fn each, void *payload, const nt_callbacks *callbacks);

/* What the head would make of states [n, D] of any layer: final norm and head (the logit lens).
 * rows' `input` is 0 and t counts the states. May be called from a capture, while a pass runs;
 * edits and captures do not act on it. One call for many states reads the head once a block of
 * them. Errors: NUMERIC, MEMORY, what logits returned. */
int nt_runner_read_out(nt_runner *runner, const float *states, size_t n, nt_logits_fn logits,
                       void *payload);

#endif
