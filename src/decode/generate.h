/* Decoding: prompt ids in, trace out. */
#ifndef NT_DECODE_GENERATE_H
#define NT_DECODE_GENERATE_H

#include "decode/stepper.h"
#include "trace/trace.h"

/* Turns token ids into text as they come, never half a character; nextoken.c gives it the
 * tokenizer's stream, tests a table. put and end set *utf8 to text that stays valid until the
 * next call. */
typedef struct nt_detokenizer {
    void *self;
    int (*put)(void *self, const char **utf8, size_t *n, int32_t id);
    int (*end)(void *self, const char **utf8, size_t *n);
} nt_detokenizer;

/* A generation with nothing left open: options, defaults of the checkpoint and lengths resolved
 * and checked against each other. */
typedef struct nt_plan {
    size_t max_new;     /* new tokens at most, at least 1 */
    const int32_t *eos; /* [n_eos] */
    size_t n_eos;
    const char *const *stop_strings; /* [n_stop_strings] */
    size_t n_stop_strings;
    size_t choices; /* candidates kept a step */
} nt_plan;

/* One line for a person in *note (static text) when a default was taken that they should know.
 * n_prompt ids are already in the sequence-to-be. Errors: ARGUMENT, CONTEXT (with the
 * numbers), RANGE (an eos id outside the vocabulary). */
int nt_plan_make(nt_plan *plan, const char **note, const nt_generate_options *options,
                 size_t n_prompt, size_t context, size_t V);

/* Greedy decoding from prompt ids [n_prompt], into a trace whose heading and prompt are set:
 * appends steps and one output. detokenizer NULL: the output has no text. A callback's word to stop
 * counts where generation would have gone on. */
int nt_greedy(nt_result *trace, const nt_stepper *stepper, const nt_detokenizer *detokenizer,
              const int32_t *prompt, size_t n_prompt, const nt_plan *plan,
              const nt_callbacks *callbacks);

#endif
