/* Plans: transformers' length rules, and what is refused before any work. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/generate.h"

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
    {-1, 0, 6, 64, 0, NT_E_ARGUMENT, "max_new_tokens is -1"},
    {0, -5, 6, 64, 0, NT_E_ARGUMENT, "max_length is -5"},
    {0, 0, 0, 64, 0, NT_E_ARGUMENT, "empty prompt"},
};

static void length_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const length_case *c = &lengths[i];
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        nt_plan plan;
        o.max_new_tokens = c->max_new_tokens;
        o.max_length = c->max_length;
        assert_int_equal(nt_plan_make(&plan, &o, c->n_prompt, c->context, 100), c->status);
        const char *said = c->status == NT_OK ? plan.notes[0] : nt_error_message();
        if (c->status == NT_OK) assert_int_equal(plan.max_new, c->max_new);
        if (!c->says)
            assert_null(said);
        else if (!said || !strstr(said, c->says))
            fail_msg("case %zu says: %s", i, said);
    }
}

static void ends_and_choices(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    nt_plan plan;
    const char *strings[] = {"x"};
    int32_t eos[] = {0, 99}, bad[] = {5, 100}, negative[] = {-1};
    o.eos_token_id = eos;
    o.n_eos_token_id = 2;
    o.stop_strings = strings;
    o.n_stop_strings = 1;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_OK);
    assert_true(plan.eos == eos && plan.n_eos == 2 && plan.choices == 5);
    assert_true(plan.stop_strings == strings && plan.n_stop_strings == 1);
    o.choices = 9;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_OK);
    assert_int_equal(plan.choices, 9);
    o.choices = -2;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_E_ARGUMENT);
    o.choices = 0;
    o.eos_token_id = bad;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "eos_token_id 100 is outside"));
    o.eos_token_id = negative;
    o.n_eos_token_id = 1;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_E_RANGE);
    o.eos_token_id = NULL;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_E_ARGUMENT);
    o.n_eos_token_id = 0;
    o.stop_strings = NULL;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_E_ARGUMENT);
}

typedef struct sampling_case {
    int do_sample;
    double temperature, top_p;
    int32_t top_k, num_return_sequences;
    int status;
    const char *says[3]; /* parts of the message, or of the notes in turn */
} sampling_case;

/* max_new_tokens is given in all of them: no note of the length. */
static const sampling_case samplings[] = {
    {0, 0, -1, -1, 0, NT_OK, {NULL}},
    {-1, 1, 1, 50, 1, NT_OK, {NULL}}, /* nothing that would change a draw */
    {0, 0.5, 0.9, 3, 0, NT_OK, {"temperature does not count", "top_k does not", "top_p does not"}},
    {1, 0, -1, -1, 0, NT_OK, {"the 50 likeliest stay"}},
    {1, 0.5, 0.9, 0, 1024, NT_OK, {NULL}},
    {1, FLT_MAX, 0, INT32_MAX, 0, NT_OK, {NULL}},
    {2, 0, -1, -1, 0, NT_E_ARGUMENT, {"do_sample is 2"}},
    {-2, 0, -1, -1, 0, NT_E_ARGUMENT, {"do_sample is -2"}},
    {1, -0.5, -1, -1, 0, NT_E_ARGUMENT, {"temperature is -0.5; it must be above 0"}},
    {0, -0.5, -1, -1, 0, NT_E_ARGUMENT, {"temperature is -0.5"}},
    {1, NAN, -1, -1, 0, NT_E_ARGUMENT, {"temperature is nan"}},
    {1, INFINITY, -1, -1, 0, NT_E_ARGUMENT, {"temperature is inf"}},
    {1, 0, -1, -2, 0, NT_E_ARGUMENT, {"top_k is -2"}},
    {1, 0, 1.5, -1, 0, NT_E_ARGUMENT, {"top_p is 1.5; it must be from 0 to 1"}},
    {1, 0, -0.5, -1, 0, NT_E_ARGUMENT, {"top_p is -0.5"}},
    {1, 0, NAN, -1, 0, NT_E_ARGUMENT, {"top_p is nan"}},
    {1, 0, -1, -1, -1, NT_E_ARGUMENT, {"num_return_sequences is -1; it must be from 1 to 1024"}},
    {1, 0, -1, -1, 1025, NT_E_ARGUMENT, {"num_return_sequences is 1025"}},
    {0, 0, -1, -1, 2, NT_E_ARGUMENT, {"num_return_sequences is 2 and decoding is greedy"}},
};

static void sampling_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof samplings / sizeof *samplings; i++) {
        const sampling_case *c = &samplings[i];
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        nt_plan plan;
        o.max_new_tokens = 3;
        o.do_sample = c->do_sample;
        o.temperature = c->temperature;
        o.top_p = c->top_p;
        o.top_k = c->top_k;
        o.num_return_sequences = c->num_return_sequences;
        assert_int_equal(nt_plan_make(&plan, &o, 4, 64, 100), c->status);
        for (size_t n = 0; n < 3; n++) {
            const char *said = c->status != NT_OK ? nt_error_message() : plan.notes[n];
            if (c->says[n] ? !said || !strstr(said, c->says[n]) : c->status == NT_OK && said)
                fail_msg("case %zu says: %s", i, said);
        }
        if (c->status != NT_OK) continue;
        assert_int_equal(plan.sample, c->do_sample == 1);
        assert_int_equal(plan.n_sequences, c->num_return_sequences ? c->num_return_sequences : 1);
        if (!plan.sample) continue;
        assert_true(plan.temperature == (c->temperature != 0 ? c->temperature : 1));
        assert_true(plan.top_p == (c->top_p >= 0 ? c->top_p : 1));
        assert_int_equal(plan.top_k, c->top_k >= 0 ? c->top_k : 50);
    }
}

static void seeds(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    nt_plan plan, again;
    o.do_sample = 1;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_OK);
    assert_int_equal(nt_plan_make(&again, &o, 1, 64, 100), NT_OK);
    assert_true(plan.seed != again.seed); /* from the system each time */
    assert_int_equal(plan.n_notes, 2);    /* no length, no top_k */
    o.seed_given = true;
    for (uint64_t seed = 0; seed < 3; seed++) {
        o.seed = seed - 1;
        assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_OK);
        assert_true(plan.seed == seed - 1);
    }
}

/* Every note at once has room. */
static void all_notes(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    nt_plan plan;
    o.temperature = 2;
    o.top_k = 1;
    o.top_p = 0.5;
    assert_int_equal(nt_plan_make(&plan, &o, 1, 64, 100), NT_OK);
    assert_int_equal(plan.n_notes, NT_MAX_NOTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_rules),   cmocka_unit_test(ends_and_choices),
        cmocka_unit_test(sampling_rules), cmocka_unit_test(seeds),
        cmocka_unit_test(all_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
