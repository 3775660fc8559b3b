/* For tests of scoring: a vocabulary that is a list of byte strings, and scoring over a table. */
#ifndef NT_TESTS_PIECES_H
#define NT_TESTS_PIECES_H

#include <math.h>
#include <stdlib.h>

#include "score/score.h"

enum { MAX_PIECES = 64 };

typedef struct pieces {
    const char *bytes[MAX_PIECES]; /* NULL: an id without any */
    size_t n[MAX_PIECES];
    bool special[MAX_PIECES];
    size_t V;
} pieces;

static inline const char *piece_bytes(const void *self, int32_t id, size_t *n) {
    const pieces *p = self;
    *n = p->n[id];
    return p->bytes[id];
}

static inline bool piece_special(const void *self, int32_t id) {
    return ((const pieces *)self)->special[id];
}

static inline nt_vocab vocab_of(const pieces *p) {
    return (nt_vocab){p, piece_bytes, piece_special};
}

/* What a text is scored by. */
typedef struct request {
    const int32_t *ids; /* [n] */
    size_t n, prompt_len;
    unsigned by;
    nt_correction correction;
    const float *rows; /* [n, V] */
} request;

/* A trace of the request, its tokens one after the other in the text. */
static inline int begin_request(nt_result **trace, nt_scoring *scoring, const request *r,
                                const nt_vocab *vocab, const nt_lexis *lexis, size_t V) {
    size_t at = 0;
    NT_TRY(nt_trace_new(trace, NT_RESULT_SCORE, vocab));
    NT_TRY(nt_trace_set_tokens(*trace, r->ids, NULL, NULL, r->n));
    for (size_t i = 0; i < r->n; i++) {
        (*trace)->tokens[i].start = at;
        at += (*trace)->tokens[i].n_bytes;
        (*trace)->tokens[i].end = at;
    }
    return nt_scoring_begin(scoring, *trace, lexis, V, r->by, r->correction, r->prompt_len);
}

static inline int score_request(nt_result **trace, const request *r, const nt_vocab *vocab,
                                const nt_lexis *lexis, size_t V) {
    nt_scoring scoring;
    NT_TRY(begin_request(trace, &scoring, r, vocab, lexis, V));
    for (size_t t = 0; t < nt_scoring_n_rows(&scoring); t++)
        nt_scoring_row(&scoring, t, r->rows + t * V);
    return nt_scoring_finish(&scoring);
}

/* Equal but for the last bits of a float64; NaN only where NaN is wanted. */
static inline bool near(double got, double wanted) {
    if (isnan(wanted) || isinf(wanted)) return isnan(wanted) ? isnan(got) : got == wanted;
    return fabs(got - wanted) <= 2e-13 * (1 + fabs(wanted));
}

#endif
