/* Decoding: prompt ids in, trace out. */
#ifndef NT_DECODE_GENERATE_H
#define NT_DECODE_GENERATE_H

#include <math.h>

#include "decode/stepper.h"
#include "trace/trace.h"

/* Turns token ids into text as they come, never half a character, in as many streams at once as
 * there are sequences; decoding.c gives it the tokenizer's streams, tests a table. put and end set
 * *utf8 to text that stays valid until the next call on that stream. */
typedef struct nt_detokenizer {
    const void *self;
    int (*open)(const void *self, void **stream); /* sets *stream to NULL when it fails */
    int (*put)(void *stream, const char **utf8, size_t *n, int32_t id);
    int (*end)(void *stream, const char **utf8, size_t *n);
    void (*close)(void *stream);
} nt_detokenizer;

enum {
    NT_MAX_SEQUENCES = 1024, /* of one generation; beams too */
    NT_MAX_NOTES = 32
};

typedef enum nt_method {
    NT_METHOD_GREEDY,
    NT_METHOD_SAMPLE,
    NT_METHOD_BEST_OF,
    NT_METHOD_BEAM_SEARCH,
    NT_METHOD_BEAM_SAMPLE,
    NT_METHOD_ASSISTED, /* greedy, or with `sample` drawn */
    NT_METHOD_PROMPT_LOOKUP,
    NT_METHOD_EXACT
} nt_method;

/* A generation with nothing left open: options, defaults of the checkpoint and lengths resolved
 * and checked against each other. Pointers are borrowed from the options. Begin with NT_PLAN_INIT,
 * in which everything is off. */
typedef struct nt_plan {
    nt_method method;
    bool sample;        /* ids are drawn; false: warpers, seed and rng do not count */
    size_t n_prompt;    /* ids of the prompt */
    size_t max_new;     /* new tokens at most, at least 1 */
    const int32_t *eos; /* [n_eos] */
    size_t n_eos;
    const char *const *stop_strings; /* [n_stop_strings] */
    size_t n_stop_strings;
    double max_time;    /* seconds from the beginning of decoding; INFINITY: off */
    size_t choices;     /* candidates kept a step */
    size_t n_sequences; /* made side by side: num_return_sequences, best_of; of beams 1 */
    size_t n_returned;  /* outputs */

    nt_rng_kind rng;
    uint64_t seed;                  /* given, or drawn from the system */
    nt_torch_rng *torch_rng;        /* in place of a seed; NULL: none */
    size_t batch_size, batch_index; /* with rng torch: prompts that share its stream */

    size_t n_beams; /* at least 1; more than 1 with the beam methods alone */
    double length_penalty;
    nt_early_stopping early_stopping;

    double min_probability; /* exact search: 0: the likeliest n_returned */
    size_t max_nodes;

    /* processors, in the order of process/processors.c */
    double guidance_scale;                     /* 1: off */
    const nt_bias *sequence_bias, *logit_bias; /* [n_sequence_bias], [n_logit_bias] */
    size_t n_sequence_bias, n_logit_bias;
    double encoder_repetition_penalty, repetition_penalty;     /* 1: off */
    double presence_penalty, frequency_penalty;                /* 0: off */
    size_t no_repeat_ngram_size, encoder_no_repeat_ngram_size; /* 0: off */
    const nt_word *bad_words;                                  /* [n_bad_words] */
    size_t n_bad_words;
    size_t min_length; /* prompt included; 0: off */
    size_t min_new;
    int32_t forced_bos;        /* -1: off */
    const int32_t *forced_eos; /* [n_forced_eos] */
    size_t n_forced_eos;
    bool remove_invalid_values;
    bool decays; /* exponential_decay_length_penalty */
    int32_t decay_start;
    double decay_factor;
    const int32_t *suppress, *begin_suppress; /* [n_suppress], [n_begin_suppress] */
    size_t n_suppress, n_begin_suppress;
    int (*process)(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V);
    int (*stop)(void *payload, const int32_t *ids, size_t n_ids);
    void *payload;
    /* warpers: only when ids are drawn */
    size_t keep; /* min_tokens_to_keep: 1; with beams the number of eos ids + 1, at least 2 */
    double temperature;                /* 1: off */
    double top_h;                      /* 0: off */
    size_t top_k;                      /* 0: off */
    double top_p;                      /* 1: off */
    double min_p;                      /* below 0: off */
    double typical_p;                  /* 1: off */
    double epsilon_cutoff, eta_cutoff; /* 0: off */
    bool renormalize_logits;           /* also where nothing is drawn */

    size_t lookup;    /* prompt_lookup_num_tokens */
    size_t max_ngram; /* max_matching_ngram_size */
    size_t n_draft;   /* num_assistant_tokens */
    nt_assistant_schedule schedule;
    double confidence; /* assistant_confidence_threshold; 0: off */
    double ensemble;   /* assistant_ensemble_weight; 1: off */

    /* static lines for a person: defaults taken, and options that do not count */
    const char *notes[NT_MAX_NOTES];
    size_t n_notes;
} nt_plan;

#define NT_PLAN_INIT                                                                               \
    {                                                                                              \
        .max_new = 1, .n_prompt = 1, .max_time = INFINITY, .choices = 5, .n_sequences = 1,         \
        .n_returned = 1, .rng = NT_RNG_PHILOX, .batch_size = 1, .n_beams = 1, .length_penalty = 1, \
        .early_stopping = NT_EARLY_FALSE, .max_nodes = 10000, .guidance_scale = 1,                 \
        .encoder_repetition_penalty = 1, .repetition_penalty = 1, .forced_bos = -1, .keep = 1,     \
        .temperature = 1, .top_p = 1, .min_p = -1, .typical_p = 1, .max_ngram = 2, .n_draft = 20,  \
        .schedule = NT_SCHEDULE_CONSTANT, .confidence = 0.4, .ensemble = 1                         \
    }

/* What the plan is made for. */
typedef struct nt_plan_for {
    size_t n_prompt, context, V;
    size_t n_negative;    /* ids of the negative prompt; 0: none is given */
    bool assisted;        /* there is a stepper that drafts, */
    size_t draft_context; /* with this context */
} nt_plan_for;

/* Errors: ARGUMENT (a value, or options that contradict each other), CONTEXT (with the numbers),
 * RANGE (an id outside the vocabulary; the option is named), IO (no seed from the system). */
int nt_plan_make(nt_plan *plan, const nt_generate_options *options, const nt_plan_for *of);

bool nt_plan_is_eos(const nt_plan *plan, int32_t id);

/* All that a decoding works with. */
typedef struct nt_decoding {
    const nt_plan *plan;
    const nt_stepper *stepper;
    const nt_stepper *assistant;       /* NULL: none */
    const nt_detokenizer *detokenizer; /* NULL: outputs have no text */
    const int32_t *prompt;             /* [plan->n_prompt] */
    const int32_t *negative; /* [n_negative]; NULL: guidance begins from the prompt's last id */
    size_t n_negative;
    const nt_callbacks *callbacks; /* or NULL */
    bool keep_rows; /* nt_decode_peek: whole rows, too, as tensors "logits" and, where processors
                       before the warpers changed it, "processed_logits"; the warpers' values as
                       facts */
    /* nt_decode_peek: the logits behind prompt [n_prompt + n_new], of which n_new are new; NULL:
     * the stepper gives them, behind prompt [n_prompt]. drawn: with them, an id is drawn, too, as
     * that of new token n_new */
    const float *row;
    size_t n_new;
    bool drawn;
} nt_decoding;

/* Decodes as the plan says, into a trace without steps whose heading and prompt are set: adds
 * method, seed, effort, steps (output after output), rows and beams, and the outputs. All sequences
 * are dropped again, also on errors. The text callback hears a sequence that is alone and never
 * taken back; its word to stop counts where generation would have gone on. Errors: those of the
 * stepper, NUMERIC, MEMORY, CANCELLED, ARGUMENT (stop strings without a vocabulary). */
int nt_decode_run(nt_result *trace, const nt_decoding *decoding);

/* One step behind the prompt into the trace, of which nothing is chosen: what the plan's processors
 * make of its row. Errors as above. */
int nt_decode_peek(nt_result *trace, const nt_decoding *decoding);

/* The same where `option` has a processor and the row is changed, else no step. Of the ids that the
 * step does not show, those that are changed further down become the candidates of row 0. */
int nt_decode_effect(nt_result *trace, const nt_decoding *decoding, const char *option);

/* "greedy", "beam_search", ... */
const char *nt_method_name(nt_method method);

#endif
