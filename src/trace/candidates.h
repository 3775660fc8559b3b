/* Which ids of a row of logits are the likeliest, and how they rank. */
#ifndef NT_TRACE_CANDIDATES_H
#define NT_TRACE_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

/* One id with what orders it: larger key first, then larger raw, then lower id. */
typedef struct nt_pick {
    float key; /* processed logit; the raw one where no processor ran */
    float raw;
    int32_t id;
} nt_pick;

/* The k first picks of rows keys [V] and raw [V] (the same array where no processor ran), in
 * order, k <= V. The rows hold no NaN. O(V) typical: one scan with a heap of k. */
void nt_pick_best(nt_pick *picks, size_t k, const float *keys, const float *raw, size_t V);

/* 1 + how many ids stand before `id` by raw logit, the lower id first among equals. O(V). */
int64_t nt_rank_of(const float *raw, size_t V, int32_t id);

/* ranks [k] of picks [k] by raw logit, O(V log k). scratch [2 k]. */
void nt_rank_picks(int32_t *ranks, const nt_pick *picks, size_t k, const float *raw, size_t V,
                   int32_t *scratch);

/* The largest logit's id, the lowest of equals: torch.argmax of a row without NaN, V > 0. */
int32_t nt_argmax(const float *raw, size_t V);

#endif
