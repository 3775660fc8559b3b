/* Many texts through one session: sorted, packed into chunks without padding, what several begin
 * with in common run once. The bits of a row never depend on its company (docs/numbers.md). */
#ifndef NT_BATCH_H
#define NT_BATCH_H

#include "wiring.h"

typedef struct nt_batch_text {
    const int32_t *ids; /* [n_ids], n_ids > 0, all checked */
    size_t n_ids;
    size_t wanted; /* rows t >= wanted are handed out */
} nt_batch_text;

/* Logits [V], finite, of row t of a text; on any of the session's threads, several at a time, each
 * (text, t) once. */
typedef void (*nt_batch_row_fn)(void *payload, size_t text, size_t t, const float *logits);

/* Progress counts rows as "tokens" out of all. Errors: NUMERIC (some text's), CANCELLED, MEMORY. */
int nt_batch_run(nt_session *session, const nt_batch_text *texts, size_t n, nt_batch_row_fn row,
                 void *payload, const nt_callbacks *callbacks);

#endif
