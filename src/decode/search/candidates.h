/* Ids that may come next, proposed by something cheaper than the model, which then looks at all of
 * them in one pass: who proposes (lookup.c, draft.c) and which of them stand (verify.c). */
#ifndef NT_DECODE_CANDIDATES_H
#define NT_DECODE_CANDIDATES_H

#include "decode/search/search.h"

/* Of one pass: nobody gains by more, and logits of so many places are all there at once. */
enum { NT_MAX_PROPOSED = 256 };

typedef struct nt_proposal {
    const int32_t *whole; /* [n_known + n] the sequence with what is proposed behind it */
    size_t n_known, n;
    size_t n_beyond; /* more that are not proposed because they would not fit; torch's stream runs
                        on for them */
    const float *q;  /* [n, V] the probabilities that they were drawn from; NULL: not needed */
} nt_proposal;

typedef struct nt_proposer {
    void *self;
    /* At most `most` ids behind known [n_known], the sequence so far. */
    int (*propose)(void *self, nt_proposal *out, const int32_t *known, size_t n_known, size_t most);
    /* The first n_taken of the last proposal stand, the others do not. */
    void (*settle)(void *self, size_t n_taken);
    void (*free)(void *self);
} nt_proposer;

/* What followed in the sequence itself where its last ids stood before. */
int nt_lookup_begin(nt_proposer *out, nt_search *search);
/* What the assistant would write. Errors: ARGUMENT (another vocabulary). */
int nt_draft_begin(nt_proposer *out, nt_search *search);
/* Legal also where nothing was begun. */
static inline void nt_proposer_free(nt_proposer *proposer) {
    if (proposer->free) proposer->free(proposer->self);
}

/* Whether what was proposed is weighed against what it was drawn from. */
bool nt_verify_needs_q(const nt_plan *plan);

typedef struct nt_verifier {
    const nt_plan *plan;
    nt_draws *draws;
    size_t V;
    float *p;                         /* [V] */
    const nt_proposal *proposal;      /* of this round */
    size_t first;                     /* the index of its first id */
    double uniforms[NT_MAX_PROPOSED]; /* [proposal->n] where there is q */
} nt_verifier;

typedef struct nt_verdict {
    int32_t id;
    bool stands; /* it is what was proposed */
    double draw; /* the number that chose; NaN: none, or not one */
} nt_verdict;

/* Free it also when this failed. */
int nt_verifier_begin(nt_verifier *verifier, nt_search *search);
void nt_verifier_free(nt_verifier *verifier);
/* A round begins; its places are asked for in order, until one does not stand. */
void nt_verifier_round(nt_verifier *verifier, const nt_proposal *proposal, size_t first);
/* What comes at place i of the proposal, i <= n; logits [V] are the processed ones there. */
nt_verdict nt_verify(nt_verifier *verifier, size_t i, const float *logits);

#endif
