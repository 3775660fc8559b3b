/* What the files of beam search share: beams.c runs the search, extensions.c finds and sorts what
 * beams may become, beam_trace.c writes it down. */
#ifndef NT_DECODE_BEAMS_H
#define NT_DECODE_BEAMS_H

#include "decode/search/search.h"

/* A beam that goes on. */
typedef struct nt_running {
    int32_t sequence; /* -1: none */
    int32_t at;       /* its place in the stop strings */
    int64_t beam;     /* in the trace; -1: the prompt */
    float sum;        /* processed log-probabilities, added up in float32 */
    double logprob;   /* raw ones */
    int32_t *ids;     /* [n_ids] the whole sequence, with room for one more */
    size_t n_ids, capacity_ids;
} nt_running;

/* A running beam's row of logits on its way through the processors. */
typedef struct nt_beam_row {
    nt_stage stages[NT_MAX_PROCESSORS + 2]; /* [n_stages] */
    size_t n_stages;
    nt_softmax raw_sum;
    float *memory; /* of stages[1] on */
    float *sums;   /* [V] of the last stage and the beam's sum; NULL where nothing is drawn */
    bool dead;     /* processors have left nothing */
} nt_beam_row;

/* A candidate of a step: a running beam with one id more. */
typedef struct nt_extension {
    size_t parent; /* among the running beams */
    int32_t id;
    float sum;
    int32_t at;         /* place in the stop strings behind id */
    const char *reason; /* why it ends; NULL: it goes on */
    int64_t beam;       /* in the trace */
    double logprob;
    size_t watched; /* where its candidate stands among the watched */
} nt_extension;

/* A beam that has ended and is among the n_beams best of those. */
typedef struct nt_ended {
    int64_t beam;
    float score;
    double logprob;
} nt_ended;

typedef struct nt_beams {
    nt_search *search;
    nt_processors processors;
    nt_given given;      /* logits of the running beams */
    size_t index;        /* of the step; 0 is the first new token */
    nt_running *running; /* [n_running], room for n_beams */
    nt_running *next;    /* the same, in the making */
    size_t n_running;
    nt_beam_row *rows;    /* [n_running], room for n_beams */
    const float **sums;   /* room for n_beams */
    nt_step_row *to_step; /* the same */
    nt_ended *ended;      /* [n_ended] best first, room for n_beams + 1 */
    size_t n_ended;
    size_t *chosen; /* [n_chosen] extensions that go on, likeliest first, room for n_beams + 1 */
    size_t n_chosen;
    nt_extension *extensions; /* [n_extensions], likeliest first; when drawing in order of draws */
    size_t n_extensions;
    nt_drawn *drawn; /* these three as long as extensions */
    int32_t *watch;
    nt_candidate *watched;
    size_t capacity;
} nt_beams;

/* extensions.c */

/* The candidates that transformers takes at each step: enough that n_beams go on where every id
 * of the end stands before them. */
static inline size_t nt_beams_width(const nt_plan *plan) {
    return (plan->n_eos > 1 ? plan->n_eos + 1 : 2) * plan->n_beams;
}
/* Finds the step's extensions, by sum or by draws. Errors: MEMORY. */
int nt_extensions_find(nt_beams *beams);
/* Which of them end, and why. */
void nt_extensions_end(nt_beams *beams);
/* Which go on: the n_beams with the largest sums, the one found first where sums are equal. */
void nt_extensions_choose(nt_beams *beams);
/* sum / n_new^length_penalty in float32, as transformers computes it. */
float nt_beam_score(const nt_plan *plan, float sum, size_t n_new);

/* beam_trace.c */

/* The step's rows and extensions; fates as far as this step knows them. Errors: NUMERIC, MEMORY. */
int nt_beams_write(nt_beams *beams);
/* The row of running beam r holds numbers that are none, or leaves nothing: always NUMERIC or
 * MEMORY. */
int nt_beams_refuse(nt_beams *beams, size_t r);
/* The outputs, best first, and the steps that lead to them. */
int nt_beams_finish(nt_beams *beams);

#endif
