/* Plans: transformers' length rules, and what is refused before any work. */
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
        const char *note;
        o.max_new_tokens = c->max_new_tokens;
        o.max_length = c->max_length;
        assert_int_equal(nt_plan_make(&plan, &note, &o, c->n_prompt, c->context, 100), c->status);
        const char *said = c->status == NT_OK ? note : nt_error_message();
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
    const char *note, *strings[] = {"x"};
    int32_t eos[] = {0, 99}, bad[] = {5, 100}, negative[] = {-1};
    o.eos_token_id = eos;
    o.n_eos_token_id = 2;
    o.stop_strings = strings;
    o.n_stop_strings = 1;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_OK);
    assert_true(plan.eos == eos && plan.n_eos == 2 && plan.choices == 5);
    assert_true(plan.stop_strings == strings && plan.n_stop_strings == 1);
    o.choices = 9;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_OK);
    assert_int_equal(plan.choices, 9);
    o.choices = -2;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_E_ARGUMENT);
    o.choices = 0;
    o.eos_token_id = bad;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "eos_token_id 100 is outside"));
    o.eos_token_id = negative;
    o.n_eos_token_id = 1;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_E_RANGE);
    o.eos_token_id = NULL;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_E_ARGUMENT);
    o.n_eos_token_id = 0;
    o.stop_strings = NULL;
    assert_int_equal(nt_plan_make(&plan, &note, &o, 1, 64, 100), NT_E_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_rules),
        cmocka_unit_test(ends_and_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
