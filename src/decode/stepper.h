/* What a search needs of a model, and all that it may know of it: a table of logits in a test is
 * as good as a network. */
#ifndef NT_DECODE_STEPPER_H
#define NT_DECODE_STEPPER_H

#include <stddef.h>
#include <stdint.h>

#include "nextoken.h"

/* One sequence's part of a step. */
typedef struct nt_step_row {
    int32_t sequence;
    const int32_t *ids; /* [n_ids] to append, n_ids > 0 */
    size_t n_ids;
    size_t n_logits; /* logits are wanted of the last n_logits positions; 0 means 1 */
} nt_step_row;

typedef struct nt_stepper {
    void *self;
    size_t V;       /* vocabulary */
    size_t context; /* most positions of a sequence */
    int (*start)(void *self, int32_t *sequence);
    /* Appends the rows' ids and points logits [sum of n_logits] at logits [V], row after row, of
     * each row's positions in order; they stay valid until the next step. */
    int (*step)(void *self, const float **logits, const nt_step_row *rows, size_t n_rows,
                const nt_callbacks *callbacks);
    int (*fork)(void *self, int32_t *child, int32_t parent);
    void (*drop)(void *self, int32_t sequence);
    /* Takes positions [length, ...) off the end of a sequence. */
    void (*cut)(void *self, int32_t sequence, size_t length);
} nt_stepper;

#endif
