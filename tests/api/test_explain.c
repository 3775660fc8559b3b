/* nt_explain: every option in words and on a prompt, held against the definitions of the options
 * and against the jobs that it stands on. */
#include "api/small_model.h"

#include <math.h>

#include "base/memory.h"

static const char prompt[] = "the the dog";

typedef struct notes {
    char lines[4096];
} notes;

static void on_note(void *payload, const char *line) {
    notes *h = payload;
    strncat(h->lines, line, sizeof h->lines - strlen(h->lines) - 2);
    strcat(h->lines, "\n");
}

/* Options whose notes are heard. */
static nt_generate_options heard_by(notes *heard, nt_callbacks *callbacks) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    *heard = (notes){""};
    *callbacks = (nt_callbacks)NT_CALLBACKS_INIT;
    callbacks->payload = heard;
    callbacks->note = on_note;
    options.callbacks = callbacks;
    return options;
}

static nt_result *explain(const small_model *m, const char *option,
                          const nt_generate_options *options) {
    nt_result *result;
    if (nt_explain(&result, option, m->session, nt_text(prompt), options) != NT_OK)
        fail_msg("%s: %s", option, nt_error_message());
    assert_int_equal(nt_result_get_kind(result), NT_RESULT_EXPLAIN);
    return result;
}

static nt_result *next(const small_model *m) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    options.k = 96;
    nt_result *result;
    assert_ok(nt_next(&result, m->session, nt_text(prompt), &options));
    return result;
}

static void in_words(void **state) {
    (void)state;
    const nt_option_info *info;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        nt_result *result;
        const char *value;
        assert_ok(nt_explain(&result, info->name, NULL, NULL, NULL));
        assert_ptr_equal(nt_result_option(result, &value), info);
        assert_string_equal(value, info->example);
        assert_int_equal(nt_result_n_steps(result), 0);
        assert_null(nt_result_inner(result, 0));
        assert_int_equal(nt_result_n_tokens(result), 0);
        nt_result_free(result);
    }
}

/* Each on the prompt, with its example: one step, or two generations, or (a note says why) words.
 */
static void every_option(void **state) {
    small_model m = small_open(*state);
    notes heard;
    nt_callbacks callbacks;
    nt_generate_options options = heard_by(&heard, &callbacks);
    const nt_option_info *info;
    size_t n_next = 0, n_both = 0, n_words = 0;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        heard.lines[0] = 0;
        nt_result *result = explain(&m, info->name, &options);
        bool both = nt_result_inner(result, 0) != NULL;
        assert_int_equal(nt_result_inner(result, 1) != NULL, both);
        assert_null(nt_result_inner(result, 2));
        n_next += nt_result_n_steps(result);
        n_both += both;
        if (nt_result_n_steps(result) == 0 && !both) {
            if (!strstr(heard.lines, "words alone") && !strstr(heard.lines, "cannot be drawn"))
                fail_msg("%s: drawn in no way: %s", info->name, heard.lines);
            n_words++;
        }
        nt_result_free(result);
    }
    assert_int_equal(n_next + n_both + n_words, nt_n_options());
    assert_true(n_next >= 20 && n_both >= 15 && n_words <= 6);
    small_close(&m);
}

/* Nucleus sampling by its definition: the likeliest ids whose sum reaches p, on what nt_next says.
 */
static void top_p_cuts_where_it_should(void **state) {
    small_model m = small_open(*state);
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.top_p = 0.5;
    options.choices = 96;
    nt_result *result = explain(&m, "top-p", &options), *raw = next(&m);
    const char *value;
    assert_string_equal(nt_result_option(result, &value)->name, "top_p");
    assert_string_equal(value, "0.5");
    double sum = 0;
    size_t kept = 0;
    while (sum < 0.5)
        sum += nt_result_candidate(raw, 0, kept++)->prob;
    assert_int_equal(nt_result_step(result, 0)->kept, kept);
    for (size_t i = 0; i < kept; i++) {
        const nt_candidate *c = nt_result_candidate(result, 0, i);
        assert_int_equal(c->token.id, nt_result_candidate(raw, 0, i)->token.id);
        assert_true(fabs(c->processed_prob - c->prob / sum) < 1e-6);
        assert_int_equal(c->n_changes, 0);
    }
    const nt_candidate *out = nt_result_candidate(result, 0, kept);
    assert_true(out->processed_prob == 0 && out->n_changes == 1);
    assert_string_equal(out->changes[0].option, "top_p");
    nt_result_free(raw);
    nt_result_free(result);
    small_close(&m);
}

/* The few ids of the prompt are changed, and shown wherever they stand. */
static void what_changes_is_shown(void **state) {
    small_model m = small_open(*state);
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.repetition_penalty = 1.5;
    options.choices = 2;
    options.top_p = 0.5; /* not this option's doing */
    nt_result *result = explain(&m, "repetition_penalty", &options);
    static const int32_t in_prompt[] = {28, 29, 26, 3, 14, 6}; /* the, _the, space, d, o, g */
    size_t n_found = 0;
    assert_int_equal(nt_result_n_rows(result), 1);
    for (int part = 0; part < 2; part++) {
        size_t n = part ? nt_result_n_row_candidates(result, 0) : nt_result_n_candidates(result, 0);
        for (size_t i = 0; i < n; i++) {
            const nt_candidate *c =
                part ? nt_result_row_candidate(result, 0, i) : nt_result_candidate(result, 0, i);
            bool repeated = false;
            for (size_t p = 0; p < 6; p++)
                repeated |= c->token.id == in_prompt[p];
            assert_int_equal(c->n_changes, repeated);
            n_found += repeated;
            if (!repeated) continue;
            float expected = c->logit < 0 ? c->logit * 1.5f : c->logit / 1.5f;
            assert_true(fabsf(c->changes[0].after - expected) <= 1e-5f * fabsf(expected));
        }
    }
    assert_true(n_found >= 4);
    nt_result_free(result);
    small_close(&m);
}

static void same_ids(const nt_output *a, const nt_output *b) {
    assert_int_equal(a->n_ids, b->n_ids);
    assert_memory_equal(a->ids, b->ids, a->n_ids * sizeof *a->ids);
}

/* Without: the caller's options less this one. With: all of them. */
static void without_and_with(void **state) {
    small_model m = small_open(*state);
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    int32_t none[1];
    options.max_new_tokens = 6;
    options.eos_token_id = none;
    options.no_repeat_ngram_size = 1;
    options.num_beams = 3;
    nt_result *result = explain(&m, "num_beams", &options), *greedy, *beams;
    assert_ok(nt_generate(&beams, m.session, nt_text(prompt), &options));
    options.num_beams = 0;
    assert_ok(nt_generate(&greedy, m.session, nt_text(prompt), &options));
    assert_string_equal(nt_result_method(nt_result_inner(result, 0), NULL), "greedy");
    assert_string_equal(nt_result_method(nt_result_inner(result, 1), NULL), "beam_search");
    same_ids(nt_result_output(nt_result_inner(result, 0), 0), nt_result_output(greedy, 0));
    same_ids(nt_result_output(nt_result_inner(result, 1), 0), nt_result_output(beams, 0));
    nt_result_free(greedy);
    nt_result_free(beams);
    nt_result_free(result);
    small_close(&m);
}

static void what_it_needs(void **state) {
    small_model m = small_open(*state);
    nt_result *result = explain(&m, "length_penalty", NULL);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(nt_result_method(nt_result_inner(result, i), NULL), "beam_search");
    nt_result_free(result);
    result = explain(&m, "best_of", NULL);
    uint64_t first, second;
    assert_string_equal(nt_result_method(nt_result_inner(result, 0), &first), "sample");
    assert_string_equal(nt_result_method(nt_result_inner(result, 1), &second), "best_of");
    assert_true(first == second); /* the same draws */
    nt_result_free(result);
    result = explain(&m, "horizon", NULL);
    assert_string_equal(nt_result_method(nt_result_inner(result, 0), NULL), "exact");
    nt_result_free(result);
    small_close(&m);
}

/* A value of the caller's that does not suit is an error, an example that does not is a note. */
static void refusals(void **state) {
    small_model m = small_open(*state);
    nt_result *result;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    int32_t far[] = {96};
    assert_fails(nt_explain(&result, "top_pp", NULL, NULL, NULL), NT_E_ARGUMENT, "top_p");
    assert_null(result);
    assert_fails(nt_explain(&result, NULL, NULL, NULL, NULL), NT_E_ARGUMENT, "NULL");
    assert_fails(nt_explain(&result, "top_p", m.session, NULL, NULL), NT_E_ARGUMENT, "prompt");
    assert_fails(nt_explain(&result, "top_p", NULL, nt_text("a"), NULL), NT_E_ARGUMENT, "session");
    options.suppress_tokens = far;
    options.n_suppress_tokens = 1;
    assert_fails(nt_explain(&result, "suppress_tokens", m.session, nt_text("a"), &options),
                 NT_E_RANGE, "suppress_tokens 96");
    assert_null(result);
    options = (nt_generate_options)NT_GENERATE_OPTIONS_INIT;
    options.temperature = NAN;
    assert_fails(nt_explain(&result, "temperature", m.session, nt_text("a"), &options),
                 NT_E_ARGUMENT, "temperature");
    small_close(&m);
}

/* The text of values that a program wrote itself, as nt_generate_options_set reads it. */
static void values_as_text(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    int32_t ids[] = {5, 6};
    const char *strings[] = {"a\"b", "\n"};
    nt_word words[] = {{ids, 2}, {ids, 1}};
    nt_bias biases[] = {{ids, 2, -1.5}, {ids, 1, -INFINITY}};
    o.max_new_tokens = 7;
    o.top_p = 0.1;
    o.do_sample = -1;
    o.early_stopping = NT_EARLY_NEVER;
    o.seed = UINT64_MAX;
    o.seed_given = true;
    o.eos_token_id = ids;
    o.n_eos_token_id = 2;
    o.suppress_tokens = ids; /* there, and empty */
    o.stop_strings = strings;
    o.n_stop_strings = 2;
    o.bad_words_ids = words;
    o.n_bad_words_ids = 2;
    o.sequence_bias = biases;
    o.n_sequence_bias = 2;
    o.exponential_decay_given = true;
    o.exponential_decay_start = 3;
    o.exponential_decay_factor = 1.01;
    o.negative_prompt = "no";
    static const char *const cases[][2] = {
        {"max_new_tokens", "7"},
        {"top_p", "0.1"},
        {"do_sample", "false"},
        {"early_stopping", "never"},
        {"seed", "18446744073709551615"},
        {"eos_token_id", "[5,6]"},
        {"suppress_tokens", "[]"},
        {"stop_strings", "[\"a\\\"b\",\"\\u000a\"]"},
        {"bad_words_ids", "[[5,6],[5]]"},
        {"sequence_bias", "[[[5,6],-1.5],[[5],-inf]]"},
        {"exponential_decay_length_penalty", "[3,1.01]"},
        {"negative_prompt", "no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_result *result;
        const char *value;
        assert_ok(nt_explain(&result, cases[i][0], NULL, NULL, &o));
        nt_result_option(result, &value);
        assert_string_equal(value, cases[i][1]);
        nt_result_free(result);
    }
}

static void what_does_not_count(void **state) {
    small_model m = small_open(*state);
    notes heard;
    nt_callbacks callbacks;
    nt_generate_options options = heard_by(&heard, &callbacks);
    options.forced_bos_token_id = 3;
    nt_result *result = explain(&m, "forced_bos_token_id", &options);
    assert_non_null(strstr(heard.lines, "forced_bos_token_id does not count"));
    nt_result_free(result);
    small_close(&m);
}

/* Each allocation fails in turn, for an option of either kind. */
/* Fields that a C program has written and nobody has checked yet are shown as they are. */
static void senseless_values(void **state) {
    small_model m = small_open(*state);
    static const nt_word words[] = {{NULL, 3}};
    static const nt_bias biases[] = {{NULL, 2, 1.5}};
    static const char *const strings[] = {NULL};
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.bad_words_ids = words;
    options.sequence_bias = options.logit_bias = biases;
    options.stop_strings = strings;
    options.n_bad_words_ids = options.n_sequence_bias = options.n_logit_bias = 1;
    options.n_stop_strings = 1;
    options.early_stopping = options.search = INT32_MAX;
    options.temperature = NAN;
    static const char *const names[] = {"bad_words_ids", "sequence_bias",  "logit_bias",
                                        "stop_strings",  "early_stopping", "temperature"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nt_result *result;
        assert_ok(nt_explain(&result, names[i], NULL, NULL, &options));
        nt_result_free(result);
        assert_int_equal(nt_explain(&result, names[i], m.session, nt_text(prompt), &options),
                         NT_E_ARGUMENT);
        assert_null(result);
    }
    small_close(&m);
}

static void out_of_memory(void **state) {
    static const char *const options[] = {"top_p", "guidance_scale", "num_beams"};
    small_model m = small_open(*state);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        nt_generate_options given = NT_GENERATE_OPTIONS_INIT;
        nt_result *result;
        int status = NT_E_MEMORY;
        given.max_new_tokens = 2;
        for (size_t k = 1; status != NT_OK; k++) {
            assert_int_equal(status, NT_E_MEMORY);
            assert_true(k < 20000);
            nt_memory_fail_at(k);
            status = nt_explain(&result, options[i], m.session, nt_text("the"), &given);
            nt_memory_fail_at(0);
            if (status != NT_OK) assert_null(result);
        }
        nt_result_free(result);
    }
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_words),
        cmocka_unit_test(every_option),
        cmocka_unit_test(top_p_cuts_where_it_should),
        cmocka_unit_test(what_changes_is_shown),
        cmocka_unit_test(without_and_with),
        cmocka_unit_test(what_it_needs),
        cmocka_unit_test(refusals),
        cmocka_unit_test(values_as_text),
        cmocka_unit_test(what_does_not_count),
        cmocka_unit_test(senseless_values),
        cmocka_unit_test(out_of_memory),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed + cmocka_run_group_tests_name("bf16", tests, small_model_make, NULL);
}
