/* Decoding: what comes next, and every way to choose it. A part of nextoken.h, which includes it;
 * the rules, letters and units that its first comment gives hold here too. docs/decoding.md
 * explains each method and docs/options.md each option. */
#ifndef NEXTOKEN_GENERATE_H
#define NEXTOKEN_GENERATE_H

#include "nextoken.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Options --------------------------------------------------------------------------------- */

/* A number that is not given, where every number could be. */
#define NT_NOT_GIVEN (-1.7976931348623157e308)

/* Ids that stand in a row. */
typedef struct nt_word {
    const int32_t *ids; /* [n_ids] */
    size_t n_ids;
} nt_word;

/* What is added to the logit of the last id where the ids before it have just been written. */
typedef struct nt_bias {
    const int32_t *ids; /* [n_ids] */
    size_t n_ids;
    double bias; /* -INFINITY: never */
} nt_bias;

/* Values of options that are one of several words, in the order of the words; 0: not given. */
typedef enum nt_early_stopping {
    NT_EARLY_FALSE = 1, /* until no running beam can still beat the worst kept by its score now */
    NT_EARLY_TRUE,      /* as soon as num_beams have ended */
    NT_EARLY_NEVER      /* until none could at any length */
} nt_early_stopping;

typedef enum nt_search_kind {
    NT_SEARCH_AUTO = 1, /* as transformers: do_sample, num_beams and the assistant decide */
    NT_SEARCH_EXACT     /* the provably likeliest continuation */
} nt_search_kind;

typedef enum nt_rng_kind {
    NT_RNG_PHILOX = 1, /* draw j of sequence i depends on (seed, i, j) alone */
    NT_RNG_TORCH       /* torch's CPU generator: one stream for all sequences of a request */
} nt_rng_kind;

typedef enum nt_assistant_schedule {
    NT_SCHEDULE_CONSTANT = 1,
    NT_SCHEDULE_HEURISTIC, /* two more where all were taken, one fewer where not */
    NT_SCHEDULE_HEURISTIC_TRANSIENT
} nt_assistant_schedule;

/* torch's CPU generator, for rng torch to go on from. One thread at a time. */
typedef struct nt_torch_rng nt_torch_rng;
#define NT_TORCH_STATE 5056 /* bytes of torch.get_rng_state() */

/* As torch.manual_seed(seed) leaves it. */
NT_API int nt_torch_rng_new(nt_torch_rng **out, uint64_t seed);
NT_API void nt_torch_rng_free(nt_torch_rng *rng);
/* Its state [n], n = NT_TORCH_STATE, byte for byte as torch.get_rng_state() has it and
 * torch.set_rng_state() takes it; what torch keeps there for normal numbers is handed through.
 * Errors: ARGUMENT (another n, bytes that are no such state; nothing is changed then). */
NT_API int nt_torch_rng_get_state(uint8_t *state, size_t n, const nt_torch_rng *rng);
NT_API int nt_torch_rng_set_state(nt_torch_rng *rng, const uint8_t *state, size_t n);

/* Hugging Face's generation options by their names, and ours. nt_option_at tells type, range, help.
 * Not given means: as the checkpoint's generation_config.json says, else the default there. Lists
 * are not given when NULL; one that is there with length 0 is empty. Numbers are not given at 0,
 * unless another value stands here. */
typedef struct nt_generate_options {
    size_t size;
    int32_t max_new_tokens;
    int32_t max_length;          /* prompt included. Neither given: 20 new tokens */
    const int32_t *eos_token_id; /* NULL: the checkpoint's own; with n_eos_token_id 0: none */
    size_t n_eos_token_id;
    const char *const *stop_strings; /* [n_stop_strings], zero-ended UTF-8 */
    size_t n_stop_strings;
    int32_t choices; /* candidates kept for each step, default 5 */
    const nt_callbacks *callbacks;
    void *owned;                  /* what nt_generate_options_set allocated; leave it alone */
    int do_sample;                /* 1 draw, -1 greedy; 0: not given, greedy. So all booleans */
    double temperature;           /* when drawing */
    int32_t top_k;                /* when drawing; 0: off; -1: not given, 50 as in transformers */
    double top_p;                 /* when drawing; -1: not given */
    int32_t num_return_sequences; /* 0: not given, 1 */
    bool seed_given;              /* without: a seed from the system, told in the result */
    uint64_t seed;

    int32_t min_length;     /* -1: not given */
    int32_t min_new_tokens; /* -1 */
    double max_time;        /* NT_NOT_GIVEN; seconds */

    int32_t num_beams;
    double length_penalty;  /* NT_NOT_GIVEN */
    int32_t early_stopping; /* nt_early_stopping */
    int32_t search;         /* nt_search_kind */
    int32_t horizon;        /* exact search: new tokens at most */
    int32_t max_nodes;      /* exact search: prefixes looked at, at most */
    double min_probability; /* exact search: all continuations at least so likely; NT_NOT_GIVEN */
    int32_t best_of;        /* draw so many, return the likeliest */
    int32_t rng;            /* nt_rng_kind */

    double min_p, typical_p, top_h, epsilon_cutoff, eta_cutoff; /* NT_NOT_GIVEN; when drawing */

    double repetition_penalty, encoder_repetition_penalty;      /* NT_NOT_GIVEN */
    double presence_penalty, frequency_penalty;                 /* NT_NOT_GIVEN */
    int32_t no_repeat_ngram_size, encoder_no_repeat_ngram_size; /* -1 */
    const nt_word *bad_words_ids;
    size_t n_bad_words_ids;
    const nt_bias *sequence_bias;
    size_t n_sequence_bias;
    const nt_bias *logit_bias; /* one id each */
    size_t n_logit_bias;
    const int32_t *suppress_tokens;
    size_t n_suppress_tokens;
    const int32_t *begin_suppress_tokens;
    size_t n_begin_suppress_tokens;
    int32_t forced_bos_token_id; /* -1 */
    const int32_t *forced_eos_token_id;
    size_t n_forced_eos_token_id;
    bool exponential_decay_given; /* exponential_decay_length_penalty: both are given */
    int32_t exponential_decay_start;
    double exponential_decay_factor;
    int remove_invalid_values;
    int renormalize_logits;

    double guidance_scale;       /* NT_NOT_GIVEN */
    const char *negative_prompt; /* what guidance leads away from; NULL: the prompt's last token */
    const int32_t *negative_prompt_ids; /* the same as ids */
    size_t n_negative_prompt_ids;

    int32_t prompt_lookup_num_tokens;
    int32_t max_matching_ngram_size;
    int32_t num_assistant_tokens;
    int32_t num_assistant_tokens_schedule; /* nt_assistant_schedule */
    double assistant_confidence_threshold; /* NT_NOT_GIVEN */
    double assistant_ensemble_weight;      /* NT_NOT_GIVEN */

    /* What only a program can give. */
    nt_session *assistant; /* of a smaller model with the same vocabulary, which drafts tokens; it
                              must not be the session that runs */
    void *payload;         /* of the two below */
    /* A processor of your own, run where transformers runs a custom one: changes logits [V], given
     * the whole sequence ids [n_ids]. Not 0: the call ends with NT_E_CANCELLED. */
    int (*process)(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V);
    /* Asked after each token; not 0: the sequence ends with finish_reason "callback". */
    int (*stop)(void *payload, const int32_t *ids, size_t n_ids);
    nt_torch_rng *torch_rng; /* rng torch without a seed: draws go on from it, and it is left where
                                the same call of transformers would leave torch's; also by a call
                                that fails. nt_explain draws from seed */
    /* Draw as prompt batch_index of batch_size that torch has in one call: each step takes numbers
     * for all of them. torch_rng is left where this prompt's end leaves it: of a batch, the one
     * that took most steps tells. 0: the prompt is alone. Assisted decoding has no batches. */
    int32_t batch_size, batch_index;
} nt_generate_options;

#define NT_GENERATE_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(nt_generate_options), .top_k = -1, .top_p = -1, .min_length = -1,           \
        .min_new_tokens = -1, .max_time = NT_NOT_GIVEN, .length_penalty = NT_NOT_GIVEN,            \
        .min_probability = NT_NOT_GIVEN, .min_p = NT_NOT_GIVEN, .typical_p = NT_NOT_GIVEN,         \
        .top_h = NT_NOT_GIVEN, .epsilon_cutoff = NT_NOT_GIVEN, .eta_cutoff = NT_NOT_GIVEN,         \
        .repetition_penalty = NT_NOT_GIVEN, .encoder_repetition_penalty = NT_NOT_GIVEN,            \
        .presence_penalty = NT_NOT_GIVEN, .frequency_penalty = NT_NOT_GIVEN,                       \
        .no_repeat_ngram_size = -1, .encoder_no_repeat_ngram_size = -1, .forced_bos_token_id = -1, \
        .guidance_scale = NT_NOT_GIVEN, .assistant_confidence_threshold = NT_NOT_GIVEN,            \
        .assistant_ensemble_weight = NT_NOT_GIVEN                                                  \
    }

/* Sets one option from text: 20, true, 1,2 or [1,2], "a string", or its JSON. A list of strings
 * grows by one with each call, or is set whole by a JSON array. Errors: ARGUMENT (name, value,
 * range). */
NT_API int nt_generate_options_set(nt_generate_options *options, const char *name,
                                   const char *value);
/* Takes from a file in the form of generation_config.json every option that is not given yet. Names
 * that transformers has and nextoken does not, or that nobody knows, are told through the note
 * callback. Errors: NOT_FOUND, IO, FORMAT (file, option and range), MEMORY. */
NT_API int nt_generate_options_load(nt_generate_options *options, const char *path);
/* Frees what set and load allocated and returns the struct to its defaults. */
NT_API void nt_generate_options_clear(nt_generate_options *options);

/* The first option given that acts only when do_sample is on; NULL: none. */
NT_API const nt_option_info *nt_generate_options_drawing(const nt_generate_options *options);

struct nt_option_info {
    const char *name; /* as Hugging Face writes it: max_new_tokens */
    const char *type; /* "integer", "number", "boolean", "choice", "text", "ids", "strings",
                         "words", "biases" or "decay" */
    const char *default_value;
    const char *range;
    const char *help;    /* one line */
    const char *section; /* "length", "search", "drawing", ... */
    const char *source;  /* "transformers", or where else it comes from */
    const char *about;   /* what it does and when to use it: a paragraph or two */
    const char *example; /* a value that shows it at work */
    bool draws;          /* acts only when do_sample is on */
    bool one_step;       /* shapes a single step, so that nt_next shows it at work */
};
NT_API size_t nt_n_options(void);
/* The i-th option of the table; NULL past the end. */
NT_API const nt_option_info *nt_option_at(size_t i);
/* The option of a name, with dashes or underscores. Errors: ARGUMENT (with the nearest name). */
NT_API int nt_option_named(const nt_option_info **out, const char *name);

/* ---- Jobs ------------------------------------------------------------------------------------ */

typedef struct nt_next_options {
    size_t size;
    int32_t k; /* candidates, default 10; more than V means V */
    const nt_callbacks *callbacks;
    const nt_generate_options *generate; /* processors to show at work; NULL: none. Those that act
                                            when drawing act where do_sample is on */
    bool logits; /* keep tensors "logits" [V] and, where processors that do not belong to drawing
                    changed them, "processed_logits" [V]: what temperature and its kin begin with */
    /* For programs that walk from token to token, and keep a sequence for it (nt_sequence_fork): */
    const float *row; /* [V] the logits behind the prompt, as nt_forward gave them: the model need
                         not run for them; NULL: it does. The result has the same bits */
    size_t n_new;     /* with row: so many ids at the end of the prompt count as generated, for
                         min_new_tokens and whatever else tells them from a prompt */
    bool drawn;       /* with row: the step's chosen and draw are what nt_generate draws with
                         generate's seed and rng as new token n_new, where these logits stand;
                         generate's torch_rng stands where that began, and is left there */
} nt_next_options;
#define NT_NEXT_OPTIONS_INIT                                                                       \
    { .size = sizeof(nt_next_options) }

/* The k likeliest next tokens, one step in the result. The checkpoint's own defaults are not taken.
 */
NT_API int nt_next(nt_result **out, nt_session *session, const nt_prompt *prompt,
                   const nt_next_options *options);

/* Continues the prompt. do_sample and num_beams choose the method as in transformers: greedy (the
 * likeliest at each step, the lowest id on a tie), sampling, beam search, beam sampling; an
 * assistant or prompt_lookup_num_tokens make it assisted decoding (Leviathan et al. 2023; Saxena
 * 2023); search makes it exact. The result holds the outputs, each step on the way to them with its
 * candidates, sequence after sequence, and every beam or prefix that was looked at. The text
 * callback hears a sequence that is alone and never taken back. Errors, besides: ARGUMENT (options
 * that contradict each other, in words), IO (the system gives no seed). */
NT_API int nt_generate(nt_result **out, nt_session *session, const nt_prompt *prompt,
                       const nt_generate_options *options);

/* The same run, shown as the table of choices: what stood to choose at each step. */
NT_API int nt_steps(nt_result **out, nt_session *session, const nt_prompt *prompt,
                    const nt_generate_options *options);

/* What one option does, in words, and drawn on a prompt: the next token's candidates before and
 * after it, or what is generated without and with it. The value is that of options where given
 * there, else the option's example. On the next token the option is drawn alone, with what it needs
 * to act: one step, and where it changes ids further down, these as the candidates of row 0.
 * Elsewhere all other options act too. session and prompt NULL: words alone. Errors: ARGUMENT (no
 * such option; with the nearest name). */
NT_API int nt_explain(nt_result **out, const char *option, nt_session *session,
                      const nt_prompt *prompt, const nt_generate_options *options);

#ifdef __cplusplus
}
#endif
#endif
