/* Decoding: prompt ids in, trace out. */
#ifndef NT_DECODE_GENERATE_H
#define NT_DECODE_GENERATE_H

#include "decode/stepper.h"
#include "trace/trace.h"

/* Turns token ids into text as they come, never half a character, in as many streams at once as
 * there are sequences; jobs.c gives it the tokenizer's streams, tests a table. put and end set
 * *utf8 to text that stays valid until the next call on that stream. */
typedef struct nt_detokenizer {
    const void *self;
    int (*open)(const void *self, void **stream); /* sets *stream to NULL when it fails */
    int (*put)(void *stream, const char **utf8, size_t *n, int32_t id);
    int (*end)(void *stream, const char **utf8, size_t *n);
    void (*close)(void *stream);
} nt_detokenizer;

enum {
    NT_MAX_SEQUENCES = 1024, /* of one generation */
    NT_MAX_NOTES = 4
};

/* A generation with nothing left open: options, defaults of the checkpoint and lengths resolved
 * and checked against each other. */
typedef struct nt_plan {
    size_t max_new;     /* new tokens at most, at least 1 */
    const int32_t *eos; /* [n_eos] */
    size_t n_eos;
    const char *const *stop_strings; /* [n_stop_strings] */
    size_t n_stop_strings;
    size_t choices; /* candidates kept a step */

    bool sample; /* draw; false: greedy, and what follows does not count */
    size_t n_sequences;
    uint64_t seed;      /* given, or drawn from the system */
    double temperature; /* 1: off */
    size_t top_k;       /* 0: off */
    double top_p;       /* 1: off */

    /* static lines for a person: defaults taken, and options that do not count */
    const char *notes[NT_MAX_NOTES];
    size_t n_notes;
} nt_plan;

/* n_prompt ids are already in the sequence-to-be. Errors: ARGUMENT, CONTEXT (with the numbers),
 * RANGE (an eos id outside the vocabulary), IO (no seed from the system). */
int nt_plan_make(nt_plan *plan, const nt_generate_options *options, size_t n_prompt, size_t context,
                 size_t V);

/* Decodes as the plan says from prompt ids [n_prompt], into a trace without steps whose heading and
 * prompt are set: adds method, seed, the steps (sequence after sequence) and one output a sequence.
 * The prompt runs once; draw j of sequence i depends on (seed, i, j) alone, so that a sequence is
 * the same whatever runs beside it. detokenizer NULL: outputs have no text. The text callback hears
 * a sequence that is alone; its word to stop counts where generation would have gone on. */
int nt_plan_run(nt_result *trace, const nt_stepper *stepper, const nt_detokenizer *detokenizer,
                const int32_t *prompt, size_t n_prompt, const nt_plan *plan,
                const nt_callbacks *callbacks);

#endif
