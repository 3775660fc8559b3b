/* Logits processors: what options do to a row of logits before a token is taken from it. Each is
 * a const struct of functions, does its work in place in float32, as transformers does, and takes
 * ids out by setting them to -inf. processors.c holds the ordered list. */
#ifndef NT_DECODE_PROCESSOR_H
#define NT_DECODE_PROCESSOR_H

#include "decode/generate.h"

/* A row on its way through the processors. Rows that are not finite numbers may come out as
 * anything; nt_trace_add_step refuses them. */
typedef struct nt_row {
    float *logits; /* [V] */
    size_t V;
    double *weights;   /* [V], for use within one call */
    uint64_t *scratch; /* [2 V], the same */
} nt_row;

typedef struct nt_processor {
    const char *name; /* of the option that asks for it */
    bool (*wanted)(const nt_plan *plan);
    void (*run)(const nt_row *row, const nt_plan *plan);
} nt_processor;

/* warpers.c */
extern const nt_processor nt_temperature, nt_top_k, nt_top_p;

enum { NT_N_PROCESSORS = 3 };

/* Those that a plan wants, in order, with their memory. */
typedef struct nt_processors {
    const nt_processor *wanted[NT_N_PROCESSORS]; /* [n] */
    size_t n;
    const nt_plan *plan; /* borrowed */
    nt_row row;
} nt_processors;

/* Free it also when this failed. */
int nt_processors_begin(nt_processors *processors, const nt_plan *plan, size_t V);
void nt_processors_free(nt_processors *processors);

/* What the processors make of logits [V]: [V], until the next call; NULL where none is wanted. */
const float *nt_processors_run(nt_processors *processors, const float *logits);

/* The probabilities of logits [V] laid end to end in order of id, in double and not normalised:
 * sums [V]. */
void nt_draw_ready(double *sums, const float *logits, size_t V);
/* The id that u in [0, 1) falls on. Never one at -inf. */
int32_t nt_draw(const double *sums, size_t V, double u);

#endif
