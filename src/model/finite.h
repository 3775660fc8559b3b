/* Logits are looked through before anyone sees them. */
#ifndef NT_MODEL_FINITE_H
#define NT_MODEL_FINITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/threads.h"

/* What may see row i of them as soon as it has been looked through, on the thread that did, while
 * it is near; n == 1 is done on the calling thread. */
typedef struct nt_logits_reader {
    void (*read)(void *payload, size_t i);
    void *payload;
} nt_logits_reader;

/* Whether logits [n, V], n <= NT_HEAD_ROWS, are finite; else the first row that is not, and the
 * first such id in it. reader (NULL: none) sees
 * those that are, also where another is not. */
bool nt_logits_finite(nt_pool *pool, const float *logits, size_t n, size_t V, size_t *at,
                      size_t *id, const nt_logits_reader *reader);

#endif
