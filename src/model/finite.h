/* Logits are looked through before anyone sees them. */
#ifndef NT_MODEL_FINITE_H
#define NT_MODEL_FINITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/threads.h"

/* Whether logits [n, V], n <= NT_HEAD_ROWS, are finite; else the first row that is not, and the
 * first such id in it. */
bool nt_logits_finite(nt_pool *pool, const float *logits, size_t n, size_t V, size_t *at,
                      size_t *id);

#endif
