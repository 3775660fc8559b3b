/* Random numbers without state: Philox4x64-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random
 * numbers: as easy as 1, 2, 3") makes a block of a key and a counter, so that any draw of any
 * sequence can be had alone and in any order. */
#ifndef NT_BASE_RANDOM_H
#define NT_BASE_RANDOM_H

#include <stdint.h>

/* The four numbers that belong to a counter under a key. */
void nt_philox(uint64_t out[4], const uint64_t key[2], const uint64_t counter[4]);

/* Draw j of sequence i in [0, 1), a multiple of 2^-53: the first number of counter (j, i, 0, 0)
 * under key (seed, 0). */
double nt_random_uniform(uint64_t seed, uint64_t sequence, uint64_t draw);

/* A seed from the system, below 2^53: JSON readers that keep numbers as doubles keep it whole.
 * Errors: IO. */
int nt_random_seed(uint64_t *seed);

#endif
