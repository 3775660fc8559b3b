/* Values of options that are lists of lists, large values, and values without sense. */
#include <math.h>
#include <stdio.h>

#include "option_support.h"

static void words(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    set(&o, "bad_words_ids", " [[1], [2, 3,4],[2147483647]]");
    assert_int_equal(o.n_bad_words_ids, 3);
    assert_true(o.bad_words_ids[0].n_ids == 1 && o.bad_words_ids[0].ids[0] == 1);
    assert_true(o.bad_words_ids[1].n_ids == 3 && o.bad_words_ids[1].ids[2] == 4);
    assert_true(o.bad_words_ids[2].ids[0] == INT32_MAX);
    const char *bad[] = {"",          "[]",        "[[]]",
                         "1,2",       "[1, 2]",    "[[1], []]",
                         "[[1.0]]",   "[[-1]]",    "[[1]",
                         "[[1]] x",   "{}",        "[[2147483648]]",
                         "[[[1]]]",   "[null]",    "null ",
                         "[[\"1\"]]", "[[true]]",  "[[1e999]]",
                         "[[1]],",    "\"[[1]]\"", "[[99999999999999999999]]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(&o, "bad_words_ids", bad[i], "it takes lists of token ids, a JSON list of one");
    assert_int_equal(set_json(&o, "bad_words_ids", "[[5]]"), NT_OK);
    assert_true(o.n_bad_words_ids == 1 && o.bad_words_ids[0].ids[0] == 5);
    refused_json(&o, "bad_words_ids", "[]", "f: bad_words_ids cannot be []: it takes lists");
    refused_json(&o, "bad_words_ids", "[[1],2]", "f: bad_words_ids cannot be [[1],2]");
    set(&o, "bad_words_ids", "none"); /* none, whatever the checkpoint has */
    assert_true(o.bad_words_ids && o.n_bad_words_ids == 0);
    nt_generate_options_clear(&o);
}

static void check_bias(const nt_bias *bias, int32_t last, size_t n_ids, double value) {
    assert_int_equal(bias->n_ids, n_ids);
    assert_int_equal(bias->ids[n_ids - 1], last);
    assert_true(bias->bias == value);
}

static void biases(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    set(&o, "sequence_bias", "[[[10, 45], -2.0], [[64], -7.5], [[3], \"-inf\"], [[4], 1]]");
    assert_int_equal(o.n_sequence_bias, 4);
    check_bias(&o.sequence_bias[0], 45, 2, -2);
    check_bias(&o.sequence_bias[1], 64, 1, -7.5);
    check_bias(&o.sequence_bias[2], 3, 1, -INFINITY);
    check_bias(&o.sequence_bias[3], 4, 1, 1);
    set(&o, "sequence_bias", "{\"1,2\": 0.5, \"(3, 4)\": 1, \"(5,)\": 2, \"6\": -3e0, \" 7 \": 0}");
    assert_int_equal(o.n_sequence_bias, 5);
    check_bias(&o.sequence_bias[0], 2, 2, 0.5);
    check_bias(&o.sequence_bias[1], 4, 2, 1);
    check_bias(&o.sequence_bias[2], 5, 1, 2);
    check_bias(&o.sequence_bias[3], 6, 1, -3);
    /* as in the dictionary that transformers makes: the first place, the last value */
    set(&o, "sequence_bias", "[[[1],1],[[2, 1],2],[[1],3],[[1, 2],4],[[2, 1],5],[[1],6]]");
    assert_int_equal(o.n_sequence_bias, 3);
    check_bias(&o.sequence_bias[0], 1, 1, 6);
    check_bias(&o.sequence_bias[1], 1, 2, 5);
    check_bias(&o.sequence_bias[2], 2, 2, 4);
    const char *bad[] = {"",
                         "[]",
                         "{}",
                         "[[1, 2.0]]",
                         "[[[], 1]]",
                         "[[[1]]]",
                         "[[[1], 1, 1]]",
                         "[[[1], true]]",
                         "[[[1], \"1\"]]",
                         "[[[1], \"inf\"]]",
                         "[[[1], NaN]]",
                         "[[[1], 1e39]]",
                         "[[[1], 1e999]]",
                         "[[[-1], 1]]",
                         "[[[1.5], 1]]",
                         "{\"\": 1}",
                         "{\"a\": 1}",
                         "{\"1,,2\": 1}",
                         "{\"()\": 1}",
                         "{\"1\": null}",
                         "{\"1\": 1, \"1\": 2}",
                         "{\"2147483648\": 1}",
                         "11:2",
                         "5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(&o, "sequence_bias", bad[i],
                "it takes token ids with biases, a JSON list of one or more pairs");
    assert_int_equal(set_json(&o, "sequence_bias", "[[[9], -0.5]]"), NT_OK);
    check_bias(&o.sequence_bias[0], 9, 1, -0.5);
    refused_json(&o, "sequence_bias", "[[9, -0.5]]", "f: sequence_bias cannot be [[9,-0.5]]");
    set(&o, "sequence_bias", "none");
    assert_true(o.sequence_bias && o.n_sequence_bias == 0);
    nt_generate_options_clear(&o);
}

static void biases_of_single_ids(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    const char *good[] = {"50256:-100,11:2.5",
                          " 50256 : -100 , 11 : 2.5",
                          "{\"50256\": -100, \"11\": 2.5}",
                          "[[[50256], -100.0], [[11], 2.5]]",
                          "[[50256, -100], [11, 2.5]]",
                          "50256:1,11:2.5,50256:-100"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        set(&o, "logit_bias", good[i]);
        assert_int_equal(o.n_logit_bias, 2);
        check_bias(&o.logit_bias[0], 50256, 1, -100);
        check_bias(&o.logit_bias[1], 11, 1, 2.5);
    }
    set(&o, "logit-bias", "7:-inf");
    check_bias(&o.logit_bias[0], 7, 1, -INFINITY);
    const char *bad[] = {"",
                         "11",
                         ":",
                         "11:",
                         ":2",
                         "11:2,",
                         ",11:2",
                         "11:2:3",
                         "a:2",
                         "11:a",
                         "11:inf",
                         "11:nan",
                         "-1:2",
                         "1.5:2",
                         "11:1e39",
                         "[[1,2]]x",
                         "{\"1,2\": 3}",
                         "[[[1, 2], 3.0]]",
                         "2147483648:1",
                         "11 12:3",
                         "{\"11\": 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(&o, "logit_bias", bad[i], "an id and a number each, such as 50256:-100,11:2.5");
    assert_int_equal(set_json(&o, "logit_bias", "{\"3\": \"-inf\"}"), NT_OK);
    check_bias(&o.logit_bias[0], 3, 1, -INFINITY);
    refused_json(&o, "logit_bias", "\"3:1\"", "f: logit_bias cannot be \"3:1\"");
    nt_generate_options_clear(&o);
}

/* Much, and deep. */
static void large_values(void **state) {
    (void)state;
    enum { N = 50000 };
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    char *text = malloc(N * 16);
    assert_non_null(text);
    size_t n = 0;
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(text + n, "%s%d:%d", i ? "," : "", i % 1000, i);
    set(&o, "logit_bias", text);
    assert_int_equal(o.n_logit_bias, 1000); /* the last of each id counts */
    for (int i = 0; i < 1000; i++)
        check_bias(&o.logit_bias[i], i, 1, N - 1000 + i);
    n = 0;
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(text + n, "%s[%d]", i ? "," : "[", i);
    strcpy(text + n, "]");
    set(&o, "bad_words_ids", text);
    assert_int_equal(o.n_bad_words_ids, N);
    memset(text, '[', N);
    text[N] = 0;
    const char *lists[] = {"bad_words_ids", "sequence_bias", "logit_bias", "eos_token_id"};
    for (size_t i = 0; i < 4; i++)
        refused(&o, lists[i], text, "[[[[...\"");
    set(&o, "stop_strings", text); /* a string as good as others */
    memset(text, '9', N);
    refused(&o, "temperature", text, "999...\"");
    refused(&o, "seed", text, "999...\"");
    refused(&o, "top_k", text, "999...\"");
    free(text);
    nt_generate_options_clear(&o);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Pieces of values in any order: all is taken or refused in words, and what is taken is sound. */
static void random_values(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "[",     "]",     "{",         "}",      "(",          ")",    ",",         ":",  "\"",
        "1",     "2",     "0",         "-",      ".",          "e9",   "50256",     " ",  "none",
        "true",  "never", "null",      "-inf",   "a",          "\xFF", "\xC3",      "\\", "1.5",
        "[[1]]", "[1,2]", "{\"1\":2}", "15,1.6", "2147483648", "\n",   "9999999999"};
    uint32_t random = 7;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    size_t n_taken = 0;
    for (size_t i = 0; i < 60000; i++) {
        char text[128] = "";
        for (size_t j = next_random(&random) % 9; j > 0; j--)
            strcat(text, pieces[next_random(&random) % (sizeof pieces / sizeof *pieces)]);
        const nt_option_row *row = nt_option_row_at(i % nt_n_options());
        int status = nt_generate_options_set(&o, row->info.name, text);
        assert_true(status == NT_OK || status == NT_E_ARGUMENT);
        n_taken += status == NT_OK;
        json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
        nt_option_memory *memory = o.owned;
        status = json ? nt_option_set_json(&o, row, &memory, json, "f") : NT_OK;
        o.owned = memory;
        json_decref(json);
        assert_true(status == NT_OK || status == NT_E_FORMAT);
        for (size_t j = 0; j < o.n_sequence_bias; j++)
            assert_true(o.sequence_bias[j].n_ids > 0 && o.sequence_bias[j].ids[0] >= 0 &&
                        o.sequence_bias[j].bias < INFINITY);
        for (size_t j = 0; j < o.n_bad_words_ids; j++)
            assert_true(o.bad_words_ids[j].n_ids > 0 && o.bad_words_ids[j].ids[0] >= 0);
        if (i % 1000 == 999) nt_generate_options_clear(&o);
    }
    assert_true(n_taken > 2000);
    nt_generate_options_clear(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(biases),
        cmocka_unit_test(biases_of_single_ids),
        cmocka_unit_test(large_values),
        cmocka_unit_test(random_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
