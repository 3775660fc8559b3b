/* Where ids that are drawn come from. Two generators: Philox, by whose counters every draw is its
 * own, and torch's CPU generator, one stream from which all sequences of a request draw in turn
 * (Matsumoto, Nishimura 1998; torch 2.15's multinomial as an exponential race). */
#ifndef NT_DECODE_DRAW_H
#define NT_DECODE_DRAW_H

#include "base/mersenne.h"
#include "decode/generate.h"

typedef struct nt_draws {
    const nt_plan *plan; /* rng, seed; borrowed */
    size_t V;
    double *sums;       /* [V] */
    nt_mersenne stream; /* torch */
} nt_draws;

/* Free it also when this failed. */
int nt_draws_begin(nt_draws *draws, const nt_plan *plan, size_t V);
void nt_draws_free(nt_draws *draws);

/* Draw `index` of `sequence`: an id from the softmax of logits [V], never one at -inf. *u is the
 * number in [0, 1) that chose, NaN where none did (torch). */
int32_t nt_draws_one(nt_draws *draws, double *u, const float *logits, uint64_t sequence,
                     uint64_t index);
/* The same from weights [V] >= 0 that need not sum to 1 (what speculative sampling has left). */
int32_t nt_draws_weighted(nt_draws *draws, double *u, const float *weights, uint64_t sequence,
                          uint64_t index);
/* n_rows sequences that have ended: torch goes on drawing for them. */
void nt_draws_pass(nt_draws *draws, size_t n_rows);
/* A number in [0, 1) beside the draws of ids: `index` of `sequence` in a space of its own (torch:
 * torch.rand, float32). */
double nt_draws_uniform(nt_draws *draws, uint64_t sequence, uint64_t index);

/* An entry of several rows laid end to end. */
typedef struct nt_drawn {
    size_t row;
    int32_t id;
    float key; /* probability over its exponential: the order of draws */
} nt_drawn;

/* k entries drawn without replacement from the softmax over rows [n_rows] of [V] laid end to end,
 * in the order of draws; *n are as many as have a probability above 0, at most k. `index` is the
 * step. Errors: MEMORY. */
int nt_draws_several(nt_draws *draws, nt_drawn *out, size_t *n, const float *const *rows,
                     size_t n_rows, size_t k, uint64_t index);

#endif
