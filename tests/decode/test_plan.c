/* Plans: transformers' defaults and length rules, and what is refused before any work. */
#include "decode/plan_support.h"

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
    MADE("(horizon)", plan->max_new == 20, EXACT, o->max_new_tokens = 0);
    MADE(NULL, plan->method == NT_METHOD_EXACT, EXACT, o->best_of = 1);
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
