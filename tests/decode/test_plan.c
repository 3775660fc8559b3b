/* Plans: transformers' defaults and length rules, and what is refused before any work. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/generate.h"

/* What a case starts from: a prompt of 4 ids, a context of 64, 100 ids, 3 new tokens. */
typedef struct setting {
    nt_generate_options o;
    nt_plan_for of;
    nt_plan plan;
} setting;

static setting start(void) {
    setting s = {.o = NT_GENERATE_OPTIONS_INIT, .of = {.n_prompt = 4, .context = 64, .V = 100}};
    s.o.max_new_tokens = 3;
    return s;
}

static bool says(const setting *s, const char *words) {
    for (size_t i = 0; i < s->plan.n_notes; i++)
        if (strstr(s->plan.notes[i], words)) return true;
    return false;
}

static void refuse(setting *s, int status, const char *words, int line) {
    int got = nt_plan_make(&s->plan, &s->o, &s->of);
    if (got != status) fail_msg("line %d: status %d instead of %d", line, got, status);
    if (!strstr(nt_error_message(), words))
        fail_msg("line %d: \"%s\" does not say \"%s\"", line, nt_error_message(), words);
}

/* words NULL: no note at all; else one note, that says them. */
static void make(setting *s, const char *words, int line) {
    if (nt_plan_make(&s->plan, &s->o, &s->of) != NT_OK)
        fail_msg("line %d: %s", line, nt_error_message());
    if (s->plan.n_notes != (words != NULL))
        fail_msg("line %d: %zu notes: %s", line, s->plan.n_notes, s->plan.notes[0]);
    if (words && !says(s, words)) fail_msg("line %d: %s", line, s->plan.notes[0]);
}

/* Statements that set o or of; the status and a part of the message. */
#define REFUSED(status, words, ...)                                                                \
    do {                                                                                           \
        setting s = start();                                                                       \
        nt_generate_options *o = &s.o;                                                             \
        nt_plan_for *of = &s.of;                                                                   \
        (void)o, (void)of;                                                                         \
        __VA_ARGS__;                                                                               \
        refuse(&s, status, words, __LINE__);                                                       \
    } while (0)

/* The same for a plan that is made: its one note, and what must hold of it. */
#define MADE(words, holds, ...)                                                                    \
    do {                                                                                           \
        setting s = start();                                                                       \
        nt_generate_options *o = &s.o;                                                             \
        nt_plan_for *of = &s.of;                                                                   \
        const nt_plan *plan = &s.plan;                                                             \
        (void)o, (void)of, (void)plan;                                                             \
        __VA_ARGS__;                                                                               \
        make(&s, words, __LINE__);                                                                 \
        if (!(holds)) fail_msg("line %d: %s does not hold", __LINE__, #holds);                     \
    } while (0)

#define DRAW o->do_sample = 1, o->top_k = 0, o->seed_given = true

static int32_t ids[] = {0, 7, 99}, outside[] = {5, 100}, negative[] = {-1};

/* ---- Lengths --------------------------------------------------------------------------------- */

typedef struct length_case {
    int32_t max_new_tokens, max_length;
    size_t n_prompt, context, max_new; /* 0: refused */
    int status;
    const char *says; /* a part of the message, or of the note; NULL: no note */
} length_case;

/* Lengths that are not refused follow transformers 5.23 (GenerationMixin._prepare_generated_length:
 * prompt 6 -> 26 and prompt 50 of 64 -> 64 with no length given). */
static const length_case lengths[] = {
    {0, 0, 6, 1024, 20, NT_OK, "no length given: at most 20 new tokens"},
    {0, 0, 50, 64, 14, NT_OK, "no length given"},
    {0, 0, 63, 64, 1, NT_OK, "no length given"},
    {7, 0, 6, 1024, 7, NT_OK, NULL},
    {1018, 0, 6, 1024, 1018, NT_OK, NULL},
    {0, 10, 6, 1024, 4, NT_OK, NULL},
    {0, 1024, 6, 1024, 1018, NT_OK, NULL},
    {7, 10, 6, 1024, 7, NT_OK, "max_new_tokens counts"},
    {7, 3, 6, 1024, 7, NT_OK, "max_new_tokens counts"},
    {1019, 0, 6, 1024, 0, NT_E_CONTEXT, "at most 1018 new tokens fit"},
    {INT32_MAX, 0, 6, 1024, 0, NT_E_CONTEXT, "6 prompt tokens and 2147483647 new ones"},
    {0, 1025, 6, 1024, 0, NT_E_CONTEXT, "max_length is 1025 and the model's context is 1024"},
    {0, 6, 6, 1024, 0, NT_E_ARGUMENT, "max_length is 6 and the prompt alone has 6 tokens"},
    {0, 5, 6, 1024, 0, NT_E_ARGUMENT, "max_length is 5"},
    {0, 0, 64, 64, 0, NT_E_CONTEXT, "64 tokens and the model's context is 64"},
    {1, 0, 70, 64, 0, NT_E_CONTEXT, "shorten the prompt by 7 or more"},
    {-1, 0, 6, 64, 0, NT_E_ARGUMENT, "max_new_tokens cannot be -1"},
    {0, -5, 6, 64, 0, NT_E_ARGUMENT, "max_length cannot be -5"},
    {0, 0, 0, 64, 0, NT_E_ARGUMENT, "empty prompt"},
};

static void length_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const length_case *c = &lengths[i];
        setting s = start();
        s.o.max_new_tokens = c->max_new_tokens;
        s.o.max_length = c->max_length;
        s.of.n_prompt = c->n_prompt;
        s.of.context = c->context;
        assert_int_equal(nt_plan_make(&s.plan, &s.o, &s.of), c->status);
        const char *said = c->status == NT_OK ? s.plan.notes[0] : nt_error_message();
        if (c->status == NT_OK) assert_int_equal(s.plan.max_new, c->max_new);
        if (c->status == NT_OK) assert_int_equal(s.plan.n_prompt, c->n_prompt);
        if (!c->says)
            assert_null(said);
        else if (!said || !strstr(said, c->says))
            fail_msg("case %zu says: %s", i, said);
    }
}

/* GenerationMixin._prepare_generated_length and _validate_generated_length: min_new_tokens wins,
 * and a minimum above the maximum warns. Without EOS there is no processor. */
static void least_lengths(void **state) {
    (void)state;
#define EOS o->eos_token_id = ids, o->n_eos_token_id = 2
    MADE(NULL, plan->min_length == 0 && plan->min_new == 0, EOS);
    MADE(NULL, plan->min_length == 6 && plan->min_new == 0, EOS, o->min_length = 6);
    MADE(NULL, plan->min_length == 7, EOS, o->min_length = 7);
    MADE("min_length is more than the longest", plan->min_length == 8, EOS, o->min_length = 8);
    MADE(NULL, plan->min_new == 3 && plan->min_length == 0, EOS, o->min_new_tokens = 3);
    MADE("min_new_tokens is more than there can be", plan->min_new == 4, EOS,
         o->min_new_tokens = 4);
    MADE("min_new_tokens counts", plan->min_new == 2 && plan->min_length == 0, EOS,
         o->min_new_tokens = 2, o->min_length = 60);
    MADE("min_new_tokens counts", plan->min_new == 0 && plan->min_length == 0, EOS,
         o->min_new_tokens = 0, o->min_length = 60);
    MADE(NULL, plan->min_new == 0, o->min_new_tokens = 0, o->min_length = 0);
    MADE("min_new_tokens does not count", plan->min_new == 0, o->min_new_tokens = 9);
    MADE("min_length does not count", plan->min_length == 0, o->min_length = 90);
    REFUSED(NT_E_ARGUMENT, "min_length cannot be -2", o->min_length = -2);
    REFUSED(NT_E_ARGUMENT, "min_new_tokens cannot be -7", o->min_new_tokens = -7);
}

static void times(void **state) {
    (void)state;
    MADE(NULL, isinf(plan->max_time));
    MADE(NULL, plan->max_time == 0.25, o->max_time = 0.25);
    REFUSED(NT_E_ARGUMENT, "max_time cannot be -1", o->max_time = -1);
    REFUSED(NT_E_ARGUMENT, "max_time cannot be nan", o->max_time = NAN);
    REFUSED(NT_E_ARGUMENT, "max_time cannot be -nan", o->max_time = -NAN);
}

/* The negative prompt and the assistant have to hold the new tokens as well. */
static void other_contexts(void **state) {
    (void)state;
    MADE(NULL, plan->max_new == 3, of->n_negative = 61, o->guidance_scale = 2);
    REFUSED(NT_E_CONTEXT, "62 tokens of the negative prompt and 3 new ones", of->n_negative = 62,
            o->guidance_scale = 2);
    REFUSED(NT_E_CONTEXT, "64 tokens of the negative prompt of 64 leave no room",
            of->n_negative = 64, o->guidance_scale = 2);
    REFUSED(NT_E_CONTEXT, "shorten by 7", of->n_negative = 70, o->guidance_scale = 2);
    MADE("no length given", plan->max_new == 14, of->n_negative = 50, o->guidance_scale = 2,
         o->max_new_tokens = 0);
    REFUSED(NT_E_CONTEXT, "at most 14 new tokens fit (max_length)", of->n_negative = 50,
            o->guidance_scale = 2, o->max_new_tokens = 0, o->max_length = 30);
    MADE(NULL, plan->max_new == 3, of->assisted = true, of->draft_context = 7);
    REFUSED(NT_E_CONTEXT, "4 prompt tokens in the assistant's context and 3 new ones",
            of->assisted = true, of->draft_context = 6);
    REFUSED(NT_E_CONTEXT, "leave no room", of->assisted = true, of->draft_context = 3);
    MADE("no length given", plan->max_new == 2, of->assisted = true, of->draft_context = 6,
         o->max_new_tokens = 0);
    MADE(NULL, plan->max_new == 3, of->draft_context = 1); /* nothing drafts */
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void list_values(void **state) {
    (void)state;
    nt_word words[] = {{ids, 3}, {outside, 1}}, far[] = {{ids, 1}, {outside, 2}};
    nt_word hollow[] = {{ids, 0}}, null_word[] = {{NULL, 2}};
    nt_bias biases[] = {{ids, 2, -1.5}, {ids, 1, -INFINITY}}, one[] = {{ids, 1, 3}};
    MADE(NULL, plan->eos == ids && plan->n_eos == 3, o->eos_token_id = ids, o->n_eos_token_id = 3);
    MADE(NULL, plan->bad_words == words && plan->n_bad_words == 2, o->bad_words_ids = words,
         o->n_bad_words_ids = 2);
    MADE(NULL, plan->sequence_bias == biases && plan->n_sequence_bias == 2,
         o->sequence_bias = biases, o->n_sequence_bias = 2);
    MADE(NULL, plan->logit_bias == one && plan->n_logit_bias == 1, o->logit_bias = one,
         o->n_logit_bias = 1);
    MADE(NULL, plan->suppress == ids && plan->n_suppress == 3, o->suppress_tokens = ids,
         o->n_suppress_tokens = 3);
    MADE(NULL, plan->begin_suppress == ids && plan->n_begin_suppress == 2,
         o->begin_suppress_tokens = ids, o->n_begin_suppress_tokens = 2);
    MADE(NULL, plan->forced_eos == ids && plan->n_forced_eos == 1, o->forced_eos_token_id = ids,
         o->n_forced_eos_token_id = 1);
    MADE(NULL, plan->n_eos == 0 && plan->n_suppress == 0, o->eos_token_id = ids,
         o->suppress_tokens = ids); /* there, and empty */
    REFUSED(NT_E_ARGUMENT, "bad_words_ids: entry 0 has no ids", o->bad_words_ids = hollow,
            o->n_bad_words_ids = 1);
    REFUSED(NT_E_ARGUMENT, "bad_words_ids: entry 0 has NULL", o->bad_words_ids = null_word,
            o->n_bad_words_ids = 1);
    REFUSED(NT_E_RANGE, "bad_words_ids 100 is outside the vocabulary of 100 ids",
            o->bad_words_ids = far, o->n_bad_words_ids = 2);
    REFUSED(NT_E_ARGUMENT, "logit_bias: entry 0 has 2 ids", o->logit_bias = biases,
            o->n_logit_bias = 1);
    static const double wrong[] = {NAN, INFINITY, 1e39, -1e39};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nt_bias bad[] = {{ids, 1, 0}, {ids, 1, wrong[i]}};
        REFUSED(NT_E_ARGUMENT, "sequence_bias: entry 1 has the bias", o->sequence_bias = bad,
                o->n_sequence_bias = 2);
    }
    nt_bias no_ids[] = {{ids, 0, 1}}, null_ids[] = {{NULL, 1, 1}}, far_id[] = {{outside, 2, 1}};
    REFUSED(NT_E_ARGUMENT, "sequence_bias: entry 0 has no ids", o->sequence_bias = no_ids,
            o->n_sequence_bias = 1);
    REFUSED(NT_E_ARGUMENT, "sequence_bias: entry 0 has NULL", o->sequence_bias = null_ids,
            o->n_sequence_bias = 1);
    REFUSED(NT_E_RANGE, "sequence_bias 100 is outside", o->sequence_bias = far_id,
            o->n_sequence_bias = 1);
}

static void id_lists(void **state) {
    (void)state;
#define LIST(name)                                                                                 \
    REFUSED(NT_E_RANGE, #name " 100 is outside the vocabulary", o->name = outside,                 \
            o->n_##name = 2);                                                                      \
    REFUSED(NT_E_RANGE, #name " -1 is outside", o->name = negative, o->n_##name = 1);              \
    REFUSED(NT_E_ARGUMENT, #name " is NULL and n_" #name " is not 0", o->n_##name = 1)
    LIST(eos_token_id);
    LIST(suppress_tokens);
    LIST(begin_suppress_tokens);
    LIST(forced_eos_token_id);
    LIST(negative_prompt_ids);
#undef LIST
    REFUSED(NT_E_ARGUMENT, "bad_words_ids is NULL", o->n_bad_words_ids = 1);
    REFUSED(NT_E_ARGUMENT, "sequence_bias is NULL", o->n_sequence_bias = 1);
    REFUSED(NT_E_ARGUMENT, "logit_bias is NULL", o->n_logit_bias = 1);
    REFUSED(NT_E_RANGE, "forced_bos_token_id 100 is outside", o->forced_bos_token_id = 100);
}

static void strings_and_choices(void **state) {
    (void)state;
    const char *strings[] = {"x", "yy"}, *empty[] = {"x", ""}, *null[] = {NULL};
    MADE(NULL, plan->stop_strings == strings && plan->n_stop_strings == 2 && plan->choices == 5,
         o->stop_strings = strings, o->n_stop_strings = 2);
    MADE(NULL, plan->choices == 9, o->choices = 9);
    REFUSED(NT_E_ARGUMENT, "choices cannot be -2", o->choices = -2);
    REFUSED(NT_E_ARGUMENT, "stop_strings is NULL", o->n_stop_strings = 1);
    REFUSED(NT_E_ARGUMENT, "stop_strings: string 1 is empty", o->stop_strings = empty,
            o->n_stop_strings = 2);
    REFUSED(NT_E_ARGUMENT, "stop_strings: string 0 is NULL", o->stop_strings = null,
            o->n_stop_strings = 1);
}

/* Every number of the struct, at what no program should write. */
static void hostile_numbers(void **state) {
    (void)state;
#define NUMBER(name)                                                                               \
    REFUSED(NT_E_ARGUMENT, #name " cannot be nan", o->name = NAN);                                 \
    REFUSED(NT_E_ARGUMENT, #name " cannot be inf", o->name = INFINITY);                            \
    REFUSED(NT_E_ARGUMENT, #name " cannot be -inf", o->name = -INFINITY)
    NUMBER(temperature);
    NUMBER(top_p);
    NUMBER(length_penalty);
    NUMBER(min_probability);
    NUMBER(min_p);
    NUMBER(typical_p);
    NUMBER(top_h);
    NUMBER(epsilon_cutoff);
    NUMBER(eta_cutoff);
    NUMBER(repetition_penalty);
    NUMBER(encoder_repetition_penalty);
    NUMBER(presence_penalty);
    NUMBER(frequency_penalty);
    NUMBER(guidance_scale);
    NUMBER(assistant_confidence_threshold);
    NUMBER(assistant_ensemble_weight);
#undef NUMBER
#define BELOW(name, value) REFUSED(NT_E_ARGUMENT, #name " cannot be", o->name = value)
    BELOW(temperature, -0.5);
    BELOW(top_k, -2);
    BELOW(top_p, -0.5);
    BELOW(top_p, 1.5);
    BELOW(min_p, 1.5);
    BELOW(min_p, -0.1);
    BELOW(typical_p, 0);
    BELOW(top_h, 0);
    BELOW(top_h, 1.5);
    BELOW(epsilon_cutoff, -0.1);
    BELOW(eta_cutoff, -0.1);
    BELOW(repetition_penalty, 0);
    BELOW(encoder_repetition_penalty, -1);
    BELOW(no_repeat_ngram_size, -2);
    BELOW(encoder_no_repeat_ngram_size, -2);
    BELOW(max_nodes, -1);
    BELOW(horizon, -1);
    BELOW(min_probability, 2);
    BELOW(prompt_lookup_num_tokens, -1);
    BELOW(max_matching_ngram_size, -1);
    BELOW(num_assistant_tokens, -1);
    BELOW(assistant_confidence_threshold, 1.5);
    BELOW(assistant_ensemble_weight, 0);
    BELOW(assistant_ensemble_weight, 1);
#undef BELOW
}

static void hostile_words(void **state) {
    (void)state;
#define BAD(name, value) REFUSED(NT_E_ARGUMENT, #name " is ", o->name = value)
    BAD(do_sample, 2);
    BAD(do_sample, -2);
    BAD(remove_invalid_values, 7);
    BAD(renormalize_logits, -3);
    BAD(early_stopping, 4);
    BAD(early_stopping, -1);
    BAD(search, 3);
    BAD(rng, 3);
    BAD(rng, INT32_MIN);
    BAD(num_assistant_tokens_schedule, 4);
    BAD(num_return_sequences, -1);
    BAD(num_return_sequences, NT_MAX_SEQUENCES + 1);
    BAD(num_beams, -1);
    BAD(num_beams, NT_MAX_SEQUENCES + 1);
    BAD(best_of, -1);
    BAD(best_of, NT_MAX_SEQUENCES + 1);
#undef BAD
    int32_t eos[] = {1};
#define DECAY(start, factor)                                                                       \
    o->exponential_decay_given = true, o->exponential_decay_start = start,                         \
    o->exponential_decay_factor = factor
#define ONE_EOS o->eos_token_id = eos, o->n_eos_token_id = 1
    MADE(NULL, plan->decays && plan->decay_start == 2 && plan->decay_factor == 1.5, ONE_EOS,
         DECAY(2, 1.5));
    MADE(NULL, !plan->decays, ONE_EOS, o->exponential_decay_start = 2);
    REFUSED(NT_E_ARGUMENT, "begins after -1", ONE_EOS, DECAY(-1, 1.5));
    REFUSED(NT_E_ARGUMENT, "the factor 0", ONE_EOS, DECAY(0, 0));
    REFUSED(NT_E_ARGUMENT, "the factor nan", ONE_EOS, DECAY(0, NAN));
    REFUSED(NT_E_ARGUMENT, "the factor inf", ONE_EOS, DECAY(0, INFINITY));
    REFUSED(NT_E_ARGUMENT, "raises EOS, and there is none", DECAY(2, 1.5));
}

/* ---- Methods --------------------------------------------------------------------------------- */

static void methods(void **state) {
    (void)state;
    MADE(NULL, plan->method == NT_METHOD_GREEDY && !plan->sample && plan->n_sequences == 1 &&
                   plan->n_returned == 1 && plan->n_beams == 1);
    MADE(NULL, plan->method == NT_METHOD_GREEDY, o->do_sample = -1, o->num_beams = 1,
         o->best_of = 1, o->search = NT_SEARCH_AUTO);
    MADE(NULL,
         plan->method == NT_METHOD_SAMPLE && plan->sample && plan->n_sequences == 4 &&
             plan->n_returned == 4,
         DRAW, o->num_return_sequences = 4);
    MADE(NULL, plan->method == NT_METHOD_SAMPLE && plan->n_sequences == NT_MAX_SEQUENCES, DRAW,
         o->num_return_sequences = NT_MAX_SEQUENCES);
    MADE(NULL, plan->method == NT_METHOD_BEST_OF && plan->n_sequences == 9 && plan->n_returned == 2,
         DRAW, o->best_of = 9, o->num_return_sequences = 2);
    MADE(NULL,
         plan->method == NT_METHOD_BEAM_SEARCH && plan->n_beams == 3 && plan->n_sequences == 1 &&
             plan->n_returned == 3 && plan->length_penalty == 1 &&
             plan->early_stopping == NT_EARLY_FALSE,
         o->num_beams = 3, o->num_return_sequences = 3);
    MADE(NULL, plan->length_penalty == -2 && plan->early_stopping == NT_EARLY_NEVER,
         o->num_beams = 3, o->length_penalty = -2, o->early_stopping = NT_EARLY_NEVER);
    MADE(NULL, plan->method == NT_METHOD_BEAM_SAMPLE && plan->sample, DRAW, o->num_beams = 3);
    MADE(NULL,
         plan->method == NT_METHOD_ASSISTED && !plan->sample && plan->n_draft == 20 &&
             plan->schedule == NT_SCHEDULE_CONSTANT && plan->confidence == 0.4 &&
             plan->ensemble == 1,
         of->assisted = true, of->draft_context = 64);
    MADE(NULL,
         plan->method == NT_METHOD_ASSISTED && plan->sample && plan->n_draft == 5 &&
             plan->schedule == NT_SCHEDULE_HEURISTIC && plan->confidence == 0 &&
             plan->ensemble == 0.5,
         of->assisted = true, of->draft_context = 64, DRAW, o->num_assistant_tokens = 5,
         o->num_assistant_tokens_schedule = NT_SCHEDULE_HEURISTIC,
         o->assistant_confidence_threshold = 0, o->assistant_ensemble_weight = 0.5);
    MADE(NULL,
         plan->method == NT_METHOD_PROMPT_LOOKUP && plan->lookup == 10 && plan->max_ngram == 2,
         o->prompt_lookup_num_tokens = 10);
    MADE(NULL, plan->max_ngram == 3, o->prompt_lookup_num_tokens = 10,
         o->max_matching_ngram_size = 3);
}

static void exact_search(void **state) {
    (void)state;
#define EXACT o->search = NT_SEARCH_EXACT
    MADE(NULL,
         plan->method == NT_METHOD_EXACT && plan->max_new == 3 && plan->n_beams == 1 &&
             plan->n_returned == 1 && plan->max_nodes == 10000 && plan->min_probability == 0,
         EXACT);
    MADE(NULL,
         plan->max_new == 6 && plan->n_beams == 4 && plan->n_returned == 9 && plan->max_nodes == 7,
         EXACT, o->max_new_tokens = 0, o->horizon = 6, o->num_beams = 4,
         o->num_return_sequences = 9, o->max_nodes = 7);
    MADE("horizon counts", plan->max_new == 6, EXACT, o->horizon = 6);
    MADE("--horizon N", plan->max_new == 20, EXACT, o->max_new_tokens = 0);
    MADE(NULL, plan->min_probability == 0.25, EXACT, o->min_probability = 0.25);
    MADE("num_return_sequences does not count", plan->min_probability == 0.25, EXACT,
         o->min_probability = 0.25, o->num_return_sequences = 2);
    MADE("length_penalty does not count", true, EXACT, o->num_beams = 4, o->length_penalty = 2);
    REFUSED(NT_E_CONTEXT, "at most 60 new tokens fit (horizon)", EXACT, o->horizon = 61);
    REFUSED(NT_E_ARGUMENT, "exact search draws nothing", EXACT, o->do_sample = 1);
    REFUSED(NT_E_ARGUMENT, "exact search takes no drafts: leave the assistant", EXACT,
            of->assisted = true, of->draft_context = 64);
    REFUSED(NT_E_ARGUMENT, "leave prompt_lookup_num_tokens", EXACT,
            o->prompt_lookup_num_tokens = 2);
    REFUSED(NT_E_ARGUMENT, "leave best_of out", EXACT, o->best_of = 2);
    MADE("horizon does not count", plan->max_new == 3, o->horizon = 9);
    MADE("max_nodes does not count", true, o->max_nodes = 9);
    MADE("min_probability does not count", true, o->min_probability = 0.5);
}

/* GenerationConfig.validate, GenerationMixin._validate_generation_mode and
 * _get_candidate_generator; what they only warn of and leave out is refused here, too. */
static void contradictions(void **state) {
    (void)state;
#define DRAFTS of->assisted = true, of->draft_context = 64
    REFUSED(NT_E_ARGUMENT, "num_return_sequences is 2 and decoding is greedy",
            o->num_return_sequences = 2);
    REFUSED(NT_E_ARGUMENT, "num_return_sequences is 4 and num_beams is 3", o->num_beams = 3,
            o->num_return_sequences = 4);
    REFUSED(NT_E_ARGUMENT, "no more sequences than beams", DRAW, o->num_beams = 3,
            o->num_return_sequences = 4);
    REFUSED(NT_E_ARGUMENT, "num_beams is 2 and an assistant is given", DRAFTS, o->num_beams = 2);
    REFUSED(NT_E_ARGUMENT, "num_beams is 2 and prompt_lookup_num_tokens is given",
            o->prompt_lookup_num_tokens = 3, o->num_beams = 2);
    REFUSED(NT_E_ARGUMENT, "both an assistant and prompt_lookup_num_tokens", DRAFTS,
            o->prompt_lookup_num_tokens = 3);
    REFUSED(NT_E_ARGUMENT, "num_return_sequences is 2 and an assistant is given", DRAFTS, DRAW,
            o->num_return_sequences = 2);
    REFUSED(NT_E_ARGUMENT, "best_of is 2 and prompt_lookup_num_tokens is given", DRAW,
            o->prompt_lookup_num_tokens = 3, o->best_of = 2);
    REFUSED(NT_E_ARGUMENT, "needs an assistant's logits", o->prompt_lookup_num_tokens = 3,
            o->assistant_ensemble_weight = 0.5);
    REFUSED(NT_E_ARGUMENT, "best_of is 3 and nothing is drawn", o->best_of = 3);
    REFUSED(NT_E_ARGUMENT, "cannot return more than it draws", DRAW, o->best_of = 3,
            o->num_return_sequences = 4);
    REFUSED(NT_E_ARGUMENT, "best_of draws 1", DRAW, o->best_of = 1, o->num_return_sequences = 2);
    REFUSED(NT_E_ARGUMENT, "best_of is 3 and num_beams is 2", DRAW, o->best_of = 3,
            o->num_beams = 2);
}

/* torch.multinomial takes at most 2^24 categories. */
static void torch_limits(void **state) {
    (void)state;
#define TORCH DRAW, o->rng = NT_RNG_TORCH
    MADE(NULL, plan->rng == NT_RNG_TORCH, TORCH);
    MADE(NULL, plan->rng == NT_RNG_PHILOX, DRAW, o->rng = NT_RNG_PHILOX);
    MADE(NULL, true, TORCH, o->num_beams = 4, of->V = 1 << 22);
    REFUSED(NT_E_ARGUMENT, "4 rows of 4194305 ids", TORCH, o->num_beams = 4, of->V = (1 << 22) + 1);
    MADE(NULL, true, TORCH, o->num_return_sequences = 4, of->V = 1 << 24);
    REFUSED(NT_E_ARGUMENT, "1 row of", TORCH, of->V = (1 << 24) + 1);
    MADE(NULL, true, DRAW, o->num_beams = 4, of->V = (1 << 24) + 1);
    MADE("rng does not count", true, o->rng = NT_RNG_TORCH, of->V = (1 << 24) + 1);
}

/* ---- Processors ------------------------------------------------------------------------------ */

static void plain_processors(void **state) {
    (void)state;
    MADE(NULL, plan->guidance_scale == 1 && plan->repetition_penalty == 1 &&
                   plan->encoder_repetition_penalty == 1 && plan->presence_penalty == 0 &&
                   plan->frequency_penalty == 0 && plan->no_repeat_ngram_size == 0 &&
                   plan->encoder_no_repeat_ngram_size == 0 && plan->forced_bos == -1 &&
                   !plan->remove_invalid_values && !plan->renormalize_logits && !plan->decays);
    MADE(NULL, plan->temperature == 1 && plan->top_h == 0 && plan->top_k == 0 && plan->top_p == 1 &&
                   plan->min_p < 0 && plan->typical_p == 1 && plan->epsilon_cutoff == 0 &&
                   plan->eta_cutoff == 0 && plan->keep == 1);
    MADE(NULL,
         plan->repetition_penalty == 1.3 && plan->encoder_repetition_penalty == 0.5 &&
             plan->presence_penalty == -1 && plan->frequency_penalty == 2 &&
             plan->no_repeat_ngram_size == 2 && plan->encoder_no_repeat_ngram_size == 3 &&
             plan->remove_invalid_values && plan->renormalize_logits,
         o->repetition_penalty = 1.3, o->encoder_repetition_penalty = 0.5, o->presence_penalty = -1,
         o->frequency_penalty = 2, o->no_repeat_ngram_size = 2, o->encoder_no_repeat_ngram_size = 3,
         o->remove_invalid_values = 1, o->renormalize_logits = 1);
    MADE(NULL,
         !plan->remove_invalid_values && !plan->renormalize_logits &&
             plan->no_repeat_ngram_size == 0,
         o->remove_invalid_values = -1, o->renormalize_logits = -1, o->no_repeat_ngram_size = 0);
}

static int no_change(void *payload, const int32_t *sequence, size_t n, float *logits, size_t V) {
    (void)payload, (void)sequence, (void)n, (void)logits, (void)V;
    return 0;
}

static int no_stop(void *payload, const int32_t *sequence, size_t n) {
    (void)payload, (void)sequence, (void)n;
    return 0;
}

static void callers_own(void **state) {
    (void)state;
    int payload;
    MADE(NULL, plan->process == no_change && plan->stop == no_stop && plan->payload == &payload,
         o->process = no_change, o->stop = no_stop, o->payload = &payload);
    MADE(NULL, !plan->process && !plan->stop);
}

/* GenerationConfig.validate 2.7, and what follows from where the processors act. */
static void forced_ids(void **state) {
    (void)state;
#define SUPPRESS(list, n) o->suppress_tokens = list, o->n_suppress_tokens = n
#define FORCED_EOS(n) o->forced_eos_token_id = ids, o->n_forced_eos_token_id = n
    MADE(NULL, plan->forced_bos == 7, o->forced_bos_token_id = 7, of->n_prompt = 1);
    MADE("behind a prompt of one token", true, o->forced_bos_token_id = 7);
    REFUSED(NT_E_ARGUMENT, "every id of forced_bos_token_id (7)", o->forced_bos_token_id = 7,
            SUPPRESS(ids, 3));
    MADE(NULL, plan->n_forced_eos == 3, FORCED_EOS(3), SUPPRESS(ids, 2));
    REFUSED(NT_E_ARGUMENT, "every id of forced_eos_token_id (0, ...) is in suppress_tokens",
            FORCED_EOS(2), SUPPRESS(ids, 3));
    MADE(NULL, true, FORCED_EOS(0), SUPPRESS(ids, 3));
#define BEGIN o->begin_suppress_tokens = ids, o->n_begin_suppress_tokens = 3
    MADE(NULL, true, FORCED_EOS(1), BEGIN);
    REFUSED(NT_E_ARGUMENT, "is in begin_suppress_tokens", FORCED_EOS(1), BEGIN,
            o->max_new_tokens = 1);
    MADE(NULL, true, FORCED_EOS(1), BEGIN, o->max_new_tokens = 1, o->forced_bos_token_id = 7,
         of->n_prompt = 1);
    REFUSED(NT_E_ARGUMENT, "is in begin_suppress_tokens", FORCED_EOS(1), BEGIN,
            o->max_new_tokens = 2, o->forced_bos_token_id = 7, of->n_prompt = 1);
    MADE(NULL, true, FORCED_EOS(1), BEGIN, o->max_new_tokens = 2, of->n_prompt = 1);
}

static void guidance(void **state) {
    (void)state;
    MADE(NULL, plan->guidance_scale == 1.5, o->guidance_scale = 1.5);
    MADE(NULL, plan->guidance_scale == 0, o->guidance_scale = 0, o->negative_prompt = "no",
         of->n_negative = 1);
    MADE(NULL, plan->guidance_scale == -2, o->guidance_scale = -2, o->negative_prompt_ids = ids,
         o->n_negative_prompt_ids = 3, of->n_negative = 3);
    MADE("the negative prompt does not count", true, o->guidance_scale = 1,
         o->negative_prompt = "no");
    REFUSED(NT_E_ARGUMENT, "without guidance_scale", o->negative_prompt = "no");
    REFUSED(NT_E_ARGUMENT, "without guidance_scale", o->negative_prompt_ids = ids,
            o->n_negative_prompt_ids = 1);
    REFUSED(NT_E_ARGUMENT, "both negative_prompt and negative_prompt_ids", o->guidance_scale = 2,
            o->negative_prompt = "no", o->negative_prompt_ids = ids, o->n_negative_prompt_ids = 1);
    REFUSED(NT_E_ARGUMENT, "negative_prompt_ids is empty", o->guidance_scale = 2,
            o->negative_prompt_ids = ids);
}

/* GenerationMixin._get_logits_processor: which warpers are built, and min_tokens_to_keep. */
static void warpers(void **state) {
    (void)state;
    MADE("the 50 likeliest stay", plan->top_k == 50, DRAW, o->top_k = -1);
    MADE(NULL, plan->top_k == INT32_MAX && plan->temperature == FLT_MAX && plan->top_p == 0, DRAW,
         o->top_k = INT32_MAX, o->temperature = FLT_MAX, o->top_p = 0);
    MADE(NULL,
         plan->temperature == 0.5 && plan->top_h == 0.4 && plan->top_k == 3 && plan->top_p == 0.9 &&
             plan->min_p == 0 && plan->typical_p == 0.3 && plan->epsilon_cutoff == 0.01 &&
             plan->eta_cutoff == 0.02,
         DRAW, o->temperature = 0.5, o->top_h = 0.4, o->top_k = 3, o->top_p = 0.9, o->min_p = 0,
         o->typical_p = 0.3, o->epsilon_cutoff = 0.01, o->eta_cutoff = 0.02);
    MADE(NULL, plan->epsilon_cutoff == 0 && plan->eta_cutoff == 0, DRAW, o->epsilon_cutoff = 1,
         o->eta_cutoff = 1);
    MADE(NULL, plan->keep == 1, DRAW, o->eos_token_id = ids, o->n_eos_token_id = 2);
    MADE(NULL, plan->keep == 2, DRAW, o->num_beams = 2);
    MADE(NULL, plan->keep == 2, DRAW, o->num_beams = 2, o->eos_token_id = ids,
         o->n_eos_token_id = 1);
    MADE(NULL, plan->keep == 4, DRAW, o->num_beams = 2, o->eos_token_id = ids,
         o->n_eos_token_id = 3);
}

/* ---- Notes ----------------------------------------------------------------------------------- */

static void ignored(void **state) {
    (void)state;
    /* values that would change nothing */
    MADE(NULL, true, o->temperature = 1, o->top_k = 50, o->top_p = 1, o->typical_p = 1,
         o->epsilon_cutoff = 0, o->eta_cutoff = 0, o->length_penalty = 1,
         o->early_stopping = NT_EARLY_FALSE, o->num_assistant_tokens = 20,
         o->num_assistant_tokens_schedule = NT_SCHEDULE_CONSTANT,
         o->assistant_confidence_threshold = 0.4, o->rng = NT_RNG_PHILOX, o->guidance_scale = 1);
#define IGNORED(name, value) MADE(#name " does not count", true, o->name = value)
    IGNORED(temperature, 0.5);
    IGNORED(top_h, 0.5);
    IGNORED(top_k, 3);
    IGNORED(top_k, 0);
    IGNORED(top_p, 0.9);
    IGNORED(min_p, 0.1);
    IGNORED(typical_p, 0.9);
    IGNORED(epsilon_cutoff, 0.1);
    IGNORED(eta_cutoff, 0.1);
    IGNORED(length_penalty, 0.5);
    IGNORED(early_stopping, NT_EARLY_TRUE);
    IGNORED(early_stopping, NT_EARLY_NEVER);
    IGNORED(max_matching_ngram_size, 3);
    IGNORED(num_assistant_tokens, 3);
    IGNORED(num_assistant_tokens_schedule, NT_SCHEDULE_HEURISTIC);
    IGNORED(assistant_confidence_threshold, 0.1);
    IGNORED(assistant_ensemble_weight, 0.1);
    MADE("seed does not count", true, o->seed_given = true);
    MADE("max_matching_ngram_size does not count", true, o->max_matching_ngram_size = 3,
         of->assisted = true, of->draft_context = 64);
    MADE("num_assistant_tokens does not count", plan->n_draft == 20, o->num_assistant_tokens = 3,
         o->prompt_lookup_num_tokens = 4);
    MADE("length_penalty does not count", true, DRAW, o->length_penalty = 2);
}

/* Everything that says something, at once: all of it is there, each once, within the room. */
static void all_notes(void **state) {
    (void)state;
    setting s = start();
    nt_generate_options *o = &s.o;
    o->max_length = 9;
    o->temperature = 2;
    o->top_k = 1;
    o->top_p = o->top_h = o->min_p = o->typical_p = o->epsilon_cutoff = o->eta_cutoff = 0.5;
    o->seed_given = true;
    o->rng = NT_RNG_TORCH;
    o->length_penalty = 2;
    o->early_stopping = NT_EARLY_TRUE;
    o->horizon = o->max_nodes = 4;
    o->min_probability = 0.5;
    o->max_matching_ngram_size = o->num_assistant_tokens = 3;
    o->num_assistant_tokens_schedule = NT_SCHEDULE_HEURISTIC;
    o->assistant_confidence_threshold = o->assistant_ensemble_weight = 0.5;
    o->min_new_tokens = o->min_length = 60;
    o->forced_bos_token_id = 1;
    o->guidance_scale = 1;
    o->negative_prompt = "no";
    assert_int_equal(nt_plan_make(&s.plan, o, &s.of), NT_OK);
    assert_int_equal(s.plan.n_notes, 25);
    assert_true(s.plan.n_notes < NT_MAX_NOTES);
    for (size_t i = 0; i < s.plan.n_notes; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(s.plan.notes[i], s.plan.notes[k]);
}

static void seeds(void **state) {
    (void)state;
    setting s = start(), t;
    s.o.do_sample = 1;
    t = s;
    assert_int_equal(nt_plan_make(&s.plan, &s.o, &s.of), NT_OK);
    assert_int_equal(nt_plan_make(&t.plan, &t.o, &t.of), NT_OK);
    assert_true(s.plan.seed != t.plan.seed); /* from the system each time */
    s.o.seed_given = true;
    for (uint64_t seed = 0; seed < 3; seed++) {
        s.o.seed = seed - 1;
        assert_int_equal(nt_plan_make(&s.plan, &s.o, &s.of), NT_OK);
        assert_true(s.plan.seed == seed - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_rules),
        cmocka_unit_test(least_lengths),
        cmocka_unit_test(times),
        cmocka_unit_test(other_contexts),
        cmocka_unit_test(list_values),
        cmocka_unit_test(id_lists),
        cmocka_unit_test(strings_and_choices),
        cmocka_unit_test(hostile_numbers),
        cmocka_unit_test(hostile_words),
        cmocka_unit_test(methods),
        cmocka_unit_test(exact_search),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(torch_limits),
        cmocka_unit_test(plain_processors),
        cmocka_unit_test(callers_own),
        cmocka_unit_test(forced_ids),
        cmocka_unit_test(guidance),
        cmocka_unit_test(warpers),
        cmocka_unit_test(ignored),
        cmocka_unit_test(all_notes),
        cmocka_unit_test(seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
