/* Where ids that are drawn come from. Two generators: Philox, by whose counters every draw is its
 * own, and torch's CPU generator, one stream from which all sequences of a request draw in turn
 * (Matsumoto, Nishimura 1998; torch 2.15's multinomial as an exponential race).
 *
 * Philox numbers, all of key (seed, 0), have counters (index, sequence, 0, s): s = 0 draws of ids,
 * 1 uniform numbers, 2 draws from weights. Several without replacement have (index, i, row, 3),
 * whose four numbers belong to ids 4 i .. 4 i + 3. So no number is ever used twice, and none
 * depends on company.
 *
 * With torch the same seed gives the same ids as torch has on a CPU, unless two entries of a race
 * lie within some 2e-7 of each other: softmax's last bits there vary with the machine. */
#ifndef NT_DECODE_DRAW_H
#define NT_DECODE_DRAW_H

#include "base/mersenne.h"
#include "decode/generate.h"

typedef struct nt_draws {
    const nt_plan *plan; /* rng, seed, torch_rng, its batch; borrowed */
    size_t V;
    double *sums;       /* [V] philox */
    float *p;           /* [V] */
    nt_mersenne stream; /* torch */
} nt_draws;

/* Free it also when this failed. */
int nt_draws_begin(nt_draws *draws, const nt_plan *plan, size_t V);
void nt_draws_free(nt_draws *draws);
/* Leaves the plan's torch_rng, if there is one, where the stream has come. */
void nt_draws_leave(const nt_draws *draws);

/* Draw `index` of `sequence`: an id from the softmax of logits [V], never one at -inf. *u is the
 * number in [0, 1) that chose, NaN where none did (torch). Of a row that is no distribution (NaN,
 * +inf, nothing above -inf) any id, but the stream goes on as always. */
int32_t nt_draws_one(nt_draws *draws, double *u, const float *logits, uint64_t sequence,
                     uint64_t index);
/* The same from weights [V] >= 0 that need not sum to 1 (what speculative sampling has left); -1
 * where none is above 0, or they have no sum in float32. torch refuses such. */
int32_t nt_draws_weighted(nt_draws *draws, double *u, const float *weights, uint64_t sequence,
                          uint64_t index);
/* n_rows sequences that have ended: torch goes on drawing for them. */
void nt_draws_pass(nt_draws *draws, size_t n_rows);
/* Those of the prompts that torch has before and behind this one in a batch, whose step takes
 * n_rows rows of each. */
void nt_draws_before(nt_draws *draws, size_t n_rows);
void nt_draws_behind(nt_draws *draws, size_t n_rows);
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
 * in the order of draws; *n are as many as have a probability above 0 in float32, at most k.
 * `index` is the step.
 * Errors: none today.
 *
 * *n < k is no error. torch.multinomial (unlike what its documentation says of too few entries)
 * fills up with entries of probability 0, in the order that topk has among equals: ids at -inf, and
 * of beams whose running score is the -1e9 of the beginning or less. They stand behind all others,
 * with scores of -inf or -1e9, so a beam sampler leaves such places empty: it goes on with fewer
 * running beams, which still have rows to draw for. What transformers shows of them at the end are
 * hypotheses of no probability. */
int nt_draws_several(nt_draws *draws, nt_drawn *out, size_t *n, const float *const *rows,
                     size_t n_rows, size_t k, uint64_t index);

#endif
