#include "model/finite.h"

#include <float.h>
#include <math.h>

#include "model/workspace.h" /* NT_HEAD_ROWS */

/* Looks for the first broken logit of each row of a block. */
typedef struct search {
    const float *logits; /* [n, V] */
    size_t n, V;
    size_t broken[NT_HEAD_ROWS]; /* [n] out: its id, V where there is none */
    const nt_logits_reader *reader;
} search;

static size_t first_broken(const float *x, size_t V) {
    int broken = 0;
    for (size_t i = 0; i < V; i++) /* to the end in any case: so it becomes vector code */
        broken |= !(fabsf(x[i]) <= FLT_MAX);
    if (!broken) return V;
    size_t i = 0;
    while (isfinite(x[i]))
        i++;
    return i;
}

static void search_part(void *payload, int thread, int n_threads) {
    search *s = payload;
    size_t begin, end;
    nt_partition(&begin, &end, s->n, 1, thread, n_threads);
    for (size_t i = begin; i < end; i++) {
        s->broken[i] = first_broken(s->logits + i * s->V, s->V);
        if (s->reader && s->broken[i] == s->V) s->reader->read(s->reader->payload, i);
    }
}

bool nt_logits_finite(nt_pool *pool, const float *logits, size_t n, size_t V, size_t *at,
                      size_t *id, const nt_logits_reader *reader) {
    search s = {.logits = logits, .n = n, .V = V, .reader = reader};
    if (n == 1)
        search_part(&s, 0, 1);
    else
        nt_pool_run(pool, search_part, &s);
    for (*at = 0; *at < n; ++*at) {
        *id = s.broken[*at];
        if (*id < V) return false;
    }
    return true;
}
