/* Logits processors: what options do to a row of logits before a token is taken from it. Each is
 * a const struct of functions, does its work in place in float32, as transformers does, and takes
 * ids out by setting them to -inf. processors.c holds the ordered list. */
#ifndef NT_DECODE_PROCESSOR_H
#define NT_DECODE_PROCESSOR_H

#include "base/math.h"
#include "decode/generate.h"

/* A row on its way through the processors. Rows that are not finite numbers may come out as
 * anything; nt_trace_add_step refuses them. */
typedef struct nt_row {
    float *logits; /* [V] in and out; of beams log-probabilities */
    size_t V;
    const int32_t *ids; /* [n_ids] of the whole sequence, the prompt's plan->n_prompt first */
    size_t n_ids;
    const float *unguided; /* [V] raw logits under the negative prompt; NULL without guidance */
    double *weights;       /* [V], for use within one call */
    uint64_t *scratch;     /* [2 V] and [n_ids], the same */
} nt_row;

typedef struct nt_processor {
    const char *name; /* of the option that asks for it */
    bool (*wanted)(const nt_plan *plan);
    int (*run)(const nt_row *row, const nt_plan *plan);
} nt_processor;

/* What several of them do. */

static inline bool nt_row_has(const nt_row *row, int32_t id) {
    return (uint32_t)id < row->V;
}
/* ids [n] become -inf; the plan's ids lie in the vocabulary. */
static inline void nt_row_remove(const nt_row *row, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        row->logits[ids[i]] = -INFINITY;
}
/* counts [V], in scratch: how often each of ids [n] is among them, at these ids alone; elsewhere it
 * holds anything. Ids outside the vocabulary are passed over. (penalties.c) */
uint64_t *nt_row_counts(const nt_row *row, const int32_t *ids, size_t n);
/* out = log_softmax(x), [V]; they may be the same. Float32 as torch has it: (x - max) - log(sum),
 * two roundings; the log itself comes from double, so that torch's may differ in its last bit. A
 * row with NaN or +inf, or all -inf, becomes NaN. Returns what it found in x. (numbers.c) */
nt_softmax nt_log_softmax(float *out, const float *x, size_t V);

/* One file each, or a few of one idea. */
extern const nt_processor nt_guidance_scale;                             /* guidance.c */
extern const nt_processor nt_sequence_bias, nt_logit_bias, nt_bad_words; /* biases.c */
extern const nt_processor nt_encoder_repetition_penalty, nt_repetition_penalty,
    nt_frequency_penalty, nt_presence_penalty;                                    /* penalties.c */
extern const nt_processor nt_no_repeat_ngram, nt_encoder_no_repeat_ngram;         /* ngrams.c */
extern const nt_processor nt_min_length, nt_min_new_tokens, nt_exponential_decay; /* lengths.c */
extern const nt_processor nt_forced_bos, nt_forced_eos;                           /* forced.c */
extern const nt_processor nt_suppress_tokens, nt_begin_suppress_tokens;           /* suppress.c */
extern const nt_processor nt_remove_invalid_values, nt_renormalize_logits;        /* numbers.c */
extern const nt_processor nt_callers_own; /* callers_own.c */
/* warpers: when drawing only */
extern const nt_processor nt_temperature, nt_top_h, nt_top_k, nt_top_p, nt_min_p, nt_typical_p;
extern const nt_processor nt_epsilon_cutoff, nt_eta_cutoff; /* cutoffs.c */

/* The value of a warper's option; false where it is no warper's. (processors.c) */
bool nt_warper_value(double *value, const nt_plan *plan, const char *option);

enum { NT_MAX_PROCESSORS = 32 };

/* Those that a plan wants, in order, with their memory. */
typedef struct nt_processors {
    const nt_processor *wanted[NT_MAX_PROCESSORS]; /* [n] */
    size_t n;
    const nt_plan *plan;   /* borrowed */
    bool from_log_softmax; /* beams: what processors see is log_softmax of the logits */
    nt_row row;
    size_t n_scratch;                       /* of row.scratch */
    float *memory;                          /* [n_stages - 1, V] */
    nt_stage stages[NT_MAX_PROCESSORS + 2]; /* [n_stages] of the last run, raw first */
    size_t n_stages;
    nt_softmax raw_sum; /* of the first stage; from_log_softmax only */
} nt_processors;

/* Free it also when this failed. */
int nt_processors_begin(nt_processors *processors, const nt_plan *plan, size_t V);
void nt_processors_free(nt_processors *processors);

/* What the processors make of raw logits [V]: the last of processors->stages, which stay valid
 * until the next run and as long as `logits` do. Each processor that is wanted gives a stage, also
 * where it changed nothing. ids [n_ids]: the whole sequence. unguided: [V], or NULL where
 * guidance_scale is off. Errors: CANCELLED (a processor of the caller's), MEMORY. */
int nt_processors_run(nt_processors *processors, const float *logits, const float *unguided,
                      const int32_t *ids, size_t n_ids);
/* Gives the stages of the last run away, from stages[1] on, one row behind the other: they stay
 * where they are until the memory is freed (nt_free) or comes back. What was at *memory (NULL:
 * nothing, or what an earlier call gave) serves the next run. Errors: MEMORY. */
int nt_processors_give(nt_processors *processors, float **memory);
/* The last stage of the last run: [V]. */
static inline const float *nt_processed(const nt_processors *processors) {
    return processors->stages[processors->n_stages - 1].logits;
}
/* The last run as the trace takes it. */
static inline nt_sight nt_processors_sight(const nt_processors *processors) {
    return (nt_sight){.stages = processors->stages,
                      .n_stages = processors->n_stages,
                      .V = processors->row.V,
                      .k = processors->plan->choices,
                      .raw_sum = processors->from_log_softmax ? &processors->raw_sum : NULL};
}

#endif
