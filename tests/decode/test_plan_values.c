/* Plans: values that a C program may have written into the fields, each refused by its name. */
#include "decode/plan_support.h"

static int32_t outside[] = {5, 100}, negative[] = {-1};

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_values),         cmocka_unit_test(id_lists),
        cmocka_unit_test(strings_and_choices), cmocka_unit_test(hostile_numbers),
        cmocka_unit_test(hostile_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
