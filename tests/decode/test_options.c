/* Values of options, from text and from JSON, and their messages. */
#include <locale.h>
#include <math.h>

#include "option_support.h"

static void integers(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    set(&o, "max_new_tokens", "20");
    assert_int_equal(o.max_new_tokens, 20);
    set(&o, "max-new-tokens", "2147483647");
    assert_int_equal(o.max_new_tokens, INT32_MAX);
    const char *bad[] = {"",       "0",   "-1", "2147483648", "99999999999999999999999999999",
                         "1.5",    "1e3", " 1", "1 ",         "0x10",
                         "twenty", "[1]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refused(&o, "max_new_tokens", bad[i], "max_new_tokens cannot be \"");
        message_has(bad[i][0] == '9' ? "9999" : bad[i]);
        message_has("an integer, 1 or more");
        assert_int_equal(o.max_new_tokens, INT32_MAX);
    }
    set(&o, "max_new_tokens", "none");
    assert_int_equal(o.max_new_tokens, 0);
    set(&o, "choices", "7");
    set(&o, "max_length", "+9");
    assert_true(o.choices == 7 && o.max_length == 9 && !o.owned);
    nt_generate_options_clear(&o);
    assert_true(o.choices == 0 && o.max_length == 0 && o.size == sizeof o);
}

static void options_of_sampling(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT, fresh = NT_GENERATE_OPTIONS_INIT;
    for (size_t i = 0; i < nt_n_options(); i++)
        assert_false(nt_option_given(&o, nt_option_row_at(i)));
    set(&o, "do_sample", "true");
    set(&o, "temperature", "0.25");
    set(&o, "top_k", "0");
    set(&o, "top-p", "0");
    set(&o, "num-return-sequences", "1024");
    set(&o, "seed", "18446744073709551615");
    assert_true(o.do_sample == 1 && o.temperature == 0.25 && o.top_k == 0 && o.top_p == 0);
    assert_true(o.num_return_sequences == 1024 && o.seed_given && o.seed == UINT64_MAX);
    const char *given[] = {"do_sample", "temperature",          "top_k",
                           "top_p",     "num_return_sequences", "seed"};
    for (size_t i = 0; i < 6; i++)
        assert_true(nt_option_given(&o, nt_option_find(given[i])));
    refused(&o, "temperature", "0", "a number, above 0 (for the likeliest alone: do_sample false)");
    refused(&o, "temperature", "-1", "above 0");
    refused(&o, "temperature", "1e39", "above 0");
    refused(&o, "top_k", "-1", "1 or more, or 0 for no limit");
    refused(&o, "top_k", "2.5", "an integer");
    refused(&o, "top_p", "1.01", "a number, 0 to 1");
    refused(&o, "top_p", "-0.1", "a number, 0 to 1");
    refused(&o, "num_return_sequences", "0", "an integer, 1 to 1024");
    refused(&o, "num_return_sequences", "1025", "an integer, 1 to 1024");
    const char *seeds[] = {"",
                           "-1",
                           "+1",
                           " 1",
                           "1.0",
                           "0x1",
                           "18446744073709551616",
                           "1e3",
                           "99999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        refused(&o, "seed", seeds[i], "an integer, 0 to 18446744073709551615");
    assert_true(o.seed == UINT64_MAX && o.top_p == 0 && o.num_return_sequences == 1024);
    for (size_t i = 0; i < 6; i++)
        set(&o, given[i], "none");
    assert_memory_equal(&o, &fresh, sizeof o);
    set(&o, "seed", "0");
    assert_true(o.seed_given && o.seed == 0);
    set(&o, "do_sample", "no");
    assert_int_equal(o.do_sample, -1);
    set(&o, "stop_strings", "x");
    nt_generate_options_clear(&o); /* "not given" is not 0 for all of them */
    assert_memory_equal(&o, &fresh, sizeof o);
}

/* A program that was built before there was sampling. */
static void an_older_and_smaller_struct(void **state) {
    (void)state;
    struct {
        nt_generate_options o;
    } room;
    memset(&room, 0x5A, sizeof room);
    nt_generate_options fresh = NT_GENERATE_OPTIONS_INIT;
    size_t size = offsetof(nt_generate_options, do_sample);
    memcpy(&room.o, &fresh, size);
    room.o.size = size;
    set(&room.o, "max_new_tokens", "3");
    refused(&room.o, "do_sample", "true", "too small for do_sample");
    refused(&room.o, "seed", "1", "too small for seed");
    nt_generate_options_clear(&room.o);
    assert_true(room.o.max_new_tokens == 0 && room.o.size == size);
    for (size_t i = size; i < sizeof room; i++)
        assert_int_equal(((unsigned char *)&room)[i], 0x5A);
}

static void seeds_from_json(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    const nt_option_row *row = nt_option_find("seed");
    nt_option_memory *memory = NULL;
    const char *good[] = {"9007199254740993", "0", "9223372036854775807"};
    const char *bad[] = {"-1", "1.0", "\"1\"", "true", "[1]"};
    for (size_t i = 0; i < 3; i++) {
        json_t *value = json_loads(good[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(nt_option_set_json(&o, row, &memory, value, "f"), NT_OK);
        assert_true(o.seed_given && o.seed == strtoull(good[i], NULL, 10));
        json_decref(value);
    }
    for (size_t i = 0; i < 5; i++) {
        json_t *value = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(nt_option_set_json(&o, row, &memory, value, "f"), NT_E_FORMAT);
        message_has("f: seed cannot be ");
        json_decref(value);
    }
    assert_int_equal(nt_option_set_json(&o, row, &memory, json_null(), "f"), NT_OK);
    assert_true(!o.seed_given && o.seed == 0 && !memory);
}

static void ids(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    set(&o, "eos_token_id", "50256");
    assert_true(o.n_eos_token_id == 1 && o.eos_token_id[0] == 50256);
    set(&o, "eos-token-id", "1,22, 333");
    assert_true(o.n_eos_token_id == 3 && o.eos_token_id[1] == 22 && o.eos_token_id[2] == 333);
    set(&o, "eos_token_id", "[4, 5]");
    assert_true(o.n_eos_token_id == 2 && o.eos_token_id[0] == 4 && o.eos_token_id[1] == 5);
    const char *bad[] = {"",    ",",  "1,", ",1",      "1,,2",      "-1",
                         "1 2", "[1", "a",  "[\"a\"]", "2147483648"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refused(&o, "eos_token_id", bad[i], "eos_token_id cannot be");
        assert_true(o.n_eos_token_id == 2);
    }
    const char *none[] = {"none", "null", "None", "[]", "[ ]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        set(&o, "eos_token_id", "3");
        set(&o, "eos_token_id", none[i]);
        assert_true(o.eos_token_id && o.n_eos_token_id == 0);
    }
    nt_generate_options_clear(&o);
    assert_true(!o.eos_token_id && !o.owned);
}

static void strings(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    const char *own[] = {"mine"};
    o.stop_strings = own;
    o.n_stop_strings = 1;
    const char *literal[] = {"none", "[END]", "[1, 2]", "[\"a\", 1]", "[", "\xE6\x97\xA5", "a,b"};
    size_t n = sizeof literal / sizeof *literal;
    for (size_t i = 0; i < n; i++)
        set(&o, "stop_strings", literal[i]);
    assert_int_equal(o.n_stop_strings, 1 + n);
    assert_string_equal(o.stop_strings[0], "mine");
    for (size_t i = 0; i < n; i++)
        assert_string_equal(o.stop_strings[1 + i], literal[i]);
    assert_true(o.stop_strings != own);
    set(&o, "stop_strings", "[\"x\", \"\\n\\n\"]");
    assert_int_equal(o.n_stop_strings, 2);
    assert_string_equal(o.stop_strings[1], "\n\n");
    for (size_t i = 0; i < 100; i++)
        set(&o, "stop_strings", "more");
    assert_int_equal(o.n_stop_strings, 102);
    assert_string_equal(o.stop_strings[0], "x");
    assert_string_equal(o.stop_strings[101], "more");
    refused(&o, "stop_strings", "", "one character or more");
    refused(&o, "stop_strings", "[\"\"]", "stop_strings");
    refused(&o, "stop_strings", "a\xFF", "cannot be \"a?\"");
    assert_int_equal(o.n_stop_strings, 102);
    set(&o, "stop_strings", "[]");
    assert_true(o.n_stop_strings == 0 && o.stop_strings);
    nt_generate_options_clear(&o);
}

static void names(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    refused(&o, "max_new_token", "1",
            "unknown option \"max_new_token\": did you mean max_new_tokens?");
    refused(&o, "max-lenght", "1", "did you mean max_length?");
    refused(&o, "stop-string", "1", "did you mean stop_strings?");
    refused(&o, "eos", "1", "unknown option \"eos\"");
    refused(&o, "", "1", "unknown option \"\"");
    refused(&o, "Choices", "1", "did you mean choices?");
    refused(&o, "sed", "1", "did you mean seed?");
    refused(&o, "topk", "1", "did you mean top_k?");
    refused(&o, "emperature", "1", "did you mean temperature?");
    refused(&o, "zo_sample", "1", "did you mean do_sample?");
    refused(&o, "min_p", "0.1", "option min_p is transformers' and not done by this version");
    refused(&o, "num-beams", "4", "num_beams is transformers'");
    char name[300];
    memset(name, 'x', sizeof name);
    name[299] = 0;
    refused(&o, name, "1", "unknown option \"xxxx");
    refused(&o, NULL, "1", "NULL");
    refused(&o, "choices", NULL, "NULL");
    refused(NULL, "choices", "1", "NULL");
    char value[400];
    memset(value, 'y', sizeof value);
    value[399] = 0;
    refused(&o, "choices", value, "yyy...\"");
    o.size = 0;
    refused(&o, "choices", "1", "NT_GENERATE_OPTIONS_INIT");
    nt_generate_options_clear(&o);
    nt_generate_options_clear(NULL);
}

/* Rows apart from the table's. */
typedef struct later {
    double temperature;
    int do_sample;
} later;
static const nt_option_row temperature = {.info = {"temperature", "number", "1", "above 0", ""},
                                          .type = NT_OPTION_NUMBER,
                                          .offset = offsetof(later, temperature),
                                          .low = 1e-9,
                                          .high = 1e9,
                                          .unset = 1};
static const nt_option_row do_sample = {.info = {"do_sample", "boolean", "false", "", ""},
                                        .type = NT_OPTION_BOOLEAN,
                                        .offset = offsetof(later, do_sample)};

static void numbers_and_booleans(void **state) {
    (void)state;
    later l = {.temperature = 1};
    nt_option_memory *memory = NULL;
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one, its comma must not matter */
    assert_false(nt_option_given(&l, &temperature));
    assert_int_equal(nt_option_set_text(&l, &temperature, &memory, "0.75"), NT_OK);
    assert_true(l.temperature == 0.75 && nt_option_given(&l, &temperature));
    assert_int_equal(nt_option_set_text(&l, &temperature, &memory, "1e-3"), NT_OK);
    assert_true(l.temperature == 1e-3);
    const char *bad[] = {"",    "nan",  "inf",   "0x1p3", "0",  "-1",
                         "1,5", "1e99", "1.2.3", "e",     " 1", "true"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(nt_option_set_text(&l, &temperature, &memory, bad[i]), NT_E_ARGUMENT);
        message_has("a number, above 0");
        assert_true(l.temperature == 1e-3);
    }
    const char *yes[] = {"true", "True", "1", "yes", "on"},
               *no[] = {"false", "FALSE", "0", "no", "off"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(nt_option_set_text(&l, &do_sample, &memory, yes[i]), NT_OK);
        assert_int_equal(l.do_sample, 1);
        assert_int_equal(nt_option_set_text(&l, &do_sample, &memory, no[i]), NT_OK);
        assert_int_equal(l.do_sample, -1);
    }
    assert_int_equal(nt_option_set_text(&l, &do_sample, &memory, "2"), NT_E_ARGUMENT);
    message_has("do_sample cannot be \"2\": it takes true or false");
    assert_int_equal(nt_option_set_text(&l, &do_sample, &memory, "null"), NT_OK);
    assert_false(nt_option_given(&l, &do_sample));
    json_t *half = json_real(0.5), *yes_json = json_true(), *null = json_null();
    assert_int_equal(nt_option_set_json(&l, &temperature, &memory, half, "f"), NT_OK);
    assert_true(l.temperature == 0.5);
    assert_int_equal(nt_option_set_json(&l, &do_sample, &memory, yes_json, "f"), NT_OK);
    assert_int_equal(l.do_sample, 1);
    assert_int_equal(nt_option_set_json(&l, &do_sample, &memory, half, "f"), NT_E_FORMAT);
    assert_int_equal(nt_option_set_json(&l, &temperature, &memory, yes_json, "f"), NT_E_FORMAT);
    message_has("f: temperature cannot be true: it takes a number");
    assert_int_equal(nt_option_set_json(&l, &temperature, &memory, null, "f"), NT_OK);
    assert_true(l.temperature == 1);
    json_decref(half);
    assert_null(memory);
}

static int set_everything(nt_generate_options *o, nt_buffer *note) {
    json_t *object = json_loads("{\"eos_token_id\": [1, 2], \"stop_strings\": [\"a\", \"b\"], "
                                "\"do_sample\": true, \"num_beams\": 2, \"top_p\": 7}",
                                0, NULL);
    int status = nt_options_from_config(o, note, object, "config.json", 10);
    json_decref(object);
    if (status == NT_OK) status = nt_generate_options_set(o, "eos_token_id", "1,2,3");
    for (size_t i = 0; i < 40 && status == NT_OK; i++)
        status = nt_generate_options_set(o, "stop_strings", "a long enough string to fill a block");
    if (status == NT_OK) status = nt_generate_options_set(o, "stop_strings", "[\"x\"]");
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status != NT_OK) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        nt_buffer note = {0};
        nt_memory_fail_at(++k);
        status = set_everything(&o, &note);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        nt_generate_options_clear(&o);
        nt_buffer_free(&note);
    }
    assert_true(k > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(integers),
        cmocka_unit_test(options_of_sampling),
        cmocka_unit_test(an_older_and_smaller_struct),
        cmocka_unit_test(seeds_from_json),
        cmocka_unit_test(ids),
        cmocka_unit_test(strings),
        cmocka_unit_test(names),
        cmocka_unit_test(numbers_and_booleans),
        cmocka_unit_test(a_checkpoint_sets_defaults),
        cmocka_unit_test(a_checkpoint_asks_for_more),
        cmocka_unit_test(what_the_caller_gives_wins),
        cmocka_unit_test(a_checkpoint_that_samples),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
