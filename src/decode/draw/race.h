/* The exponential race: entry i arrives after an exponential time over p[i], the first is a draw
 * from p, the first k are k draws without replacement. */
#ifndef NT_DECODE_RACE_H
#define NT_DECODE_RACE_H

#include "decode/draw/draw.h"

typedef struct nt_race {
    nt_drawn *heap; /* [k], of which n: the last to arrive at the root once there are k */
    size_t n, k;
} nt_race;

/* A row's entries p [V] run, those with p > 0; rows come in ascending order. Under torch each of
 * the V takes two numbers of the stream, whatever its p; under Philox they are those of (seed,
 * index, row, id). */
void nt_race_torch(nt_race *race, nt_mersenne *stream, const float *p, size_t V, size_t row);
void nt_race_philox(nt_race *race, uint64_t seed, uint64_t index, const float *p, size_t V,
                    size_t row);
/* Puts the heap in order, the first to arrive first; returns n. */
size_t nt_race_end(nt_race *race);

#endif
