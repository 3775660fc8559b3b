/* Values of options, from text and from JSON, and their messages. */
#include <locale.h>

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
    refused(&o, "token-healing", "true",
            "option token_healing is transformers' and left out here: writes the prompt's last");
    refused(&o, "use_cache", "false", "keys and values are always kept");
    refused(&o, "repeat_penalty", "2", "did you mean repetition_penalty?");
    refused(&o, "max_tokens", "2", "did you mean max_new_tokens?");
    refused(&o, "forced", "2", "did you mean forced_bos_token_id?");
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

static void named(void **state) {
    (void)state;
    const nt_option_info *info;
    assert_int_equal(nt_option_named(&info, "top-p"), NT_OK);
    assert_string_equal(info->name, "top_p");
    assert_ptr_equal(info, &nt_option_find("top_p")->info);
    assert_int_equal(nt_option_named(&info, "topp"), NT_E_ARGUMENT);
    assert_null(info);
    message_has("did you mean top_p?");
    assert_int_equal(nt_option_named(&info, "dola_layers"), NT_E_ARGUMENT);
    message_has("DoLa");
    assert_int_equal(nt_option_named(&info, NULL), NT_E_ARGUMENT);
    assert_int_equal(nt_option_named(NULL, "top_p"), NT_E_ARGUMENT);
}

static void choices(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    static const struct {
        const char *name, *text;
        int32_t value;
    } good[] = {
        {"early_stopping", "true", NT_EARLY_TRUE},
        {"early_stopping", "False", NT_EARLY_FALSE},
        {"early_stopping", "never", NT_EARLY_NEVER},
        {"early_stopping", "\"never\"", NT_EARLY_NEVER},
        {"early_stopping", "on", NT_EARLY_TRUE},
        {"early_stopping", "0", NT_EARLY_FALSE},
        {"early_stopping", "none", 0},
        {"search", "auto", NT_SEARCH_AUTO},
        {"search", "EXACT", NT_SEARCH_EXACT},
        {"rng", "philox", NT_RNG_PHILOX},
        {"rng", "torch", NT_RNG_TORCH},
        {"num_assistant_tokens_schedule", "constant", NT_SCHEDULE_CONSTANT},
        {"num_assistant_tokens_schedule", "heuristic", NT_SCHEDULE_HEURISTIC},
        {"num-assistant-tokens-schedule", "heuristic-transient", NT_SCHEDULE_HEURISTIC_TRANSIENT}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        set(&o, good[i].name, good[i].text);
        const nt_option_row *row = nt_option_find(good[i].name);
        assert_int_equal(*(const int32_t *)((const char *)&o + row->offset), good[i].value);
    }
    o.early_stopping = NT_EARLY_TRUE;
    const char *bad[] = {"", "nev", "neverr", "2", "\"", "maybe", "never never", "[true]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(&o, "early_stopping", bad[i], "it takes one of its words, false, true or never");
    refused(&o, "search", "true", "auto or exact");
    refused(&o, "search", "1", "auto or exact");
    refused(&o, "rng", "mt19937", "philox or torch");
    refused(&o, "num_assistant_tokens_schedule", "heuristic_", "heuristic_transient");
    assert_int_equal(set_json(&o, "early_stopping", "false"), NT_OK);
    assert_int_equal(o.early_stopping, NT_EARLY_FALSE);
    assert_int_equal(set_json(&o, "early_stopping", "true"), NT_OK);
    assert_int_equal(o.early_stopping, NT_EARLY_TRUE);
    assert_int_equal(set_json(&o, "early_stopping", "\"never\""), NT_OK);
    assert_int_equal(o.early_stopping, NT_EARLY_NEVER);
    assert_int_equal(set_json(&o, "search", "\"exact\""), NT_OK);
    refused_json(&o, "early_stopping", "\"true\"", "f: early_stopping cannot be \"true\"");
    refused_json(&o, "early_stopping", "1", "f: early_stopping cannot be 1");
    refused_json(&o, "search", "true", "f: search cannot be true");
    refused_json(&o, "rng", "[\"torch\"]", "philox or torch");
    assert_int_equal(set_json(&o, "early_stopping", "null"), NT_OK);
    assert_int_equal(o.early_stopping, 0);
    assert_null(o.owned);
}

static void decay(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    const char *name = "exponential_decay_length_penalty";
    const char *good[] = {"15,1.6", "[15, 1.6]", "(15,1.6)", " 15 , 1.6 ", "[ 15 ,16e-1]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        set(&o, name, good[i]);
        assert_true(o.exponential_decay_given && o.exponential_decay_start == 15);
        assert_true(o.exponential_decay_factor == 1.6);
        set(&o, name, "none");
        assert_true(!o.exponential_decay_given && o.exponential_decay_factor == 0);
    }
    set(&o, name, "0,2");
    const char *bad[] = {
        "",       "15",      ",",       "15,",      ",1.6",  "15,1.6,2",     "15;1.6",
        "a,1",    "1.5,2",   "-1,1.6",  "15,0",     "15,-1", "2147483648,1", "15,nan",
        "15,inf", "15,1e99", "[15,1.6", "(15,1.6]", "1 5,2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(&o, name, bad[i], "it takes two numbers, a start (an integer, 0 or more)");
    assert_int_equal(set_json(&o, name, "[7, 1]"), NT_OK);
    assert_true(o.exponential_decay_start == 7 && o.exponential_decay_factor == 1);
    const char *bad_json[] = {"[]",        "[1]",     "[1,1.5,2]", "[1.0,1.5]",
                              "[-1,1.5]",  "[1,0]",   "[1,true]",  "[\"1\",1.5]",
                              "{\"a\":1}", "[[1],2]", "15",        "[99999999999,1.5]"};
    for (size_t i = 0; i < sizeof bad_json / sizeof *bad_json; i++)
        refused_json(&o, name, bad_json[i], "f: exponential_decay_length_penalty cannot be");
    assert_int_equal(set_json(&o, name, "null"), NT_OK);
    assert_true(!o.exponential_decay_given && !o.owned);
}

static void one_text(void **state) {
    (void)state;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    const char *texts[] = {"none", "", "[1]", "\"a\"", "\xE6\x97\xA5\nb"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        set(&o, "negative_prompt", texts[i]);
        assert_string_equal(o.negative_prompt, texts[i]);
    }
    refused(&o, "negative_prompt", "a\xFF", "it takes a text");
    assert_int_equal(set_json(&o, "negative_prompt", "\"b\\u00e9\""), NT_OK);
    assert_string_equal(o.negative_prompt, "b\xC3\xA9");
    refused_json(&o, "negative_prompt", "[\"a\"]", "f: negative_prompt cannot be [\"a\"]");
    refused_json(&o, "negative_prompt", "5", "it takes a text");
    assert_int_equal(set_json(&o, "negative_prompt", "null"), NT_OK);
    assert_null(o.negative_prompt);
    nt_generate_options_clear(&o);
}

/* Every row from text and from JSON, with what lists and texts there are. */
static int set_everything(nt_generate_options *o) {
    const char *more[][2] = {{"eos_token_id", "1,2,3"},
                             {"stop_strings", "[\"x\", \"yy\"]"},
                             {"sequence_bias", "{\"(1, 2)\": 3, \"4\": \"-inf\"}"},
                             {"logit_bias", "{\"1\": 3}"},
                             {"bad_words_ids", "none"}};
    int status = NT_OK;
    for (size_t i = 0; i < nt_n_options() && status == NT_OK; i++)
        status = nt_generate_options_set(o, nt_option_at(i)->name, nt_option_at(i)->example);
    for (size_t i = 0; i < 5 && status == NT_OK; i++)
        status = nt_generate_options_set(o, more[i][0], more[i][1]);
    for (size_t i = 0; i < 40 && status == NT_OK; i++)
        status = nt_generate_options_set(o, "stop_strings", "a long enough string to fill a block");
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status != NT_OK) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        nt_memory_fail_at(++k);
        status = set_everything(&o);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        nt_generate_options_clear(&o);
    }
    assert_true(k > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(options_of_sampling),
        cmocka_unit_test(an_older_and_smaller_struct),
        cmocka_unit_test(seeds_from_json),
        cmocka_unit_test(ids),
        cmocka_unit_test(strings),
        cmocka_unit_test(names),
        cmocka_unit_test(named),
        cmocka_unit_test(numbers_and_booleans),
        cmocka_unit_test(choices),
        cmocka_unit_test(decay),
        cmocka_unit_test(one_text),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
