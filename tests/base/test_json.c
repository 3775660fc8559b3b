/* JSON as Python writes it: integers of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"

static json_t *parsed(const char *text) {
    json_t *value;
    assert_int_equal(nt_json_parse(&value, text, strlen(text), "here"), NT_OK);
    return value;
}

static void test_long_integers(void **state) {
    (void)state;
    /* the first is the model_max_length that transformers writes */
    json_t *list = parsed("[1000000000000000019884624838656, 9223372036854775807, "
                          "9223372036854775808, -9223372036854775809, 7, -7, 0.5, 1e-3, 2E+3, "
                          "\"12345678901234567890123 \\\" 12345678901234567890123\", "
                          "0.12345678901234567890123, 1e00000000000000000000002]");
    static const double values[] = {1e30, 0, 0x1p63, -0x1p63};
    for (size_t i = 0; i < 4; i++) {
        const json_t *item = json_array_get(list, i);
        assert_int_equal(json_is_integer(item), i == 1);
        if (i != 1) assert_true(json_real_value(item) == values[i]);
    }
    assert_true(json_integer_value(json_array_get(list, 1)) == INT64_MAX);
    assert_int_equal(json_integer_value(json_array_get(list, 4)), 7);
    assert_int_equal(json_integer_value(json_array_get(list, 5)), -7);
    assert_true(json_real_value(json_array_get(list, 6)) == 0.5);
    assert_true(json_real_value(json_array_get(list, 7)) == 1e-3);
    assert_true(json_real_value(json_array_get(list, 8)) == 2e3);
    assert_string_equal(json_string_value(json_array_get(list, 9)),
                        "12345678901234567890123 \" 12345678901234567890123");
    assert_true(json_real_value(json_array_get(list, 10)) == 0.12345678901234567890123);
    assert_true(json_real_value(json_array_get(list, 11)) == 100);
    json_decref(list);
}

static void test_refused(void **state) {
    (void)state;
    json_t *value;
    static const char *const texts[] = {"1e999",
                                        "[1e999, 10000000000000000000000]",
                                        "{\"a\": 1, \"a\": 2}",
                                        "10000000000000000000000x",
                                        "[10000000000000000000000",
                                        "[10000000000000000000000, \"a\\",
                                        "[\"a\\\"1\", 10000000000000000000000, 1.e5]",
                                        "-",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(nt_json_parse(&value, texts[i], strlen(texts[i]), "here"), NT_E_FORMAT);
        assert_null(value);
        assert_non_null(strstr(nt_error_message(), "here is not valid JSON: line "));
    }
}

static void test_alone(void **state) {
    (void)state;
    json_t *value = parsed("-9223372036854775809");
    assert_true(json_real_value(value) == -0x1p63);
    json_decref(value);
    value = parsed("18446744073709551616e-1");
    assert_true(json_real_value(value) == 0x1p64 / 10);
    json_decref(value);
}

static void test_memory(void **state) {
    (void)state;
    static const char text[] = "[100000000000000000000]";
    json_t *value;
    nt_memory_fail_at(1);
    int status = nt_json_parse(&value, text, sizeof text - 1, "here");
    nt_memory_fail_at(0);
    assert_int_equal(status, NT_E_MEMORY);
    assert_null(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_integers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
