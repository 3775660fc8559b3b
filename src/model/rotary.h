/* Rotary positions: the frequencies of a config, and the table of cosines and sines that grows with
 * the positions in use. Float32 in transformers' order; the same bits on every machine. */
#ifndef NT_MODEL_ROTARY_H
#define NT_MODEL_ROTARY_H

#include "base/arena.h"
#include "compute/device.h"
#include "format/config.h"

/* *out: [config->rope.n] in the arena, NULL where there are none. */
int nt_rotary_frequencies(const float **out, const nt_config *config, nt_arena *arena);

/* Belongs to one thread; all zero: no positions yet. */
typedef struct nt_turns {
    float *table;     /* as nt_rotary has it */
    size_t positions; /* rows of the table */
} nt_turns;

/* Makes the table hold n positions. Errors: MEMORY; the table is then as before. */
int nt_turns_ready(nt_turns *turns, const float *frequencies, size_t n_pairs, size_t n);
void nt_turns_free(nt_turns *turns);

#endif
