/* Numbers as text: the digits, the forms for people, and no locale anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/figure.h"

static void nine_digits(void **state) {
    (void)state;
    assert_string_equal(nt_figure_g9(-51.020016).s, "-51.020016");
    assert_string_equal(nt_figure_g9(1.0 / 3).s, "0.333333333");
    assert_string_equal(nt_figure_g9(0).s, "0");
    assert_string_equal(nt_figure_g9(1e-5).s, "1e-05");
    assert_string_equal(nt_figure_g9(1.5e300).s, "1.5e+300");
    assert_string_equal(nt_figure_g9(NAN).s, "nan");
    assert_string_equal(nt_figure_g9(-NAN).s, "nan");
    assert_string_equal(nt_figure_g9(-INFINITY).s, "-inf");
}

/* 9 digits give every float32 back: random bits of all exponents. */
static void float32_comes_back(void **state) {
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 200000; i++) {
        bits = bits * 1664525u + 1013904223u;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x)) continue;
        float back = strtof(nt_figure_g9(x).s, NULL);
        assert_memory_equal(&back, &x, sizeof x);
    }
}

static void whole_numbers(void **state) {
    (void)state;
    assert_string_equal(nt_figure_plain(124439808).s, "124439808");
    assert_string_equal(nt_figure_plain(9007199254740991).s, "9007199254740991");
    assert_string_equal(nt_figure_plain(-3).s, "-3");
    assert_string_equal(nt_figure_plain(0.5).s, "0.5");
    assert_string_equal(nt_figure_plain(1e300).s, "1e+300");
    assert_string_equal(nt_figure_plain(NAN).s, "nan");
}

static void for_people(void **state) {
    (void)state;
    assert_string_equal(nt_figure_count(0).s, "0");
    assert_string_equal(nt_figure_count(999).s, "999");
    assert_string_equal(nt_figure_count(50247).s, "50,247");
    assert_string_equal(nt_figure_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
    assert_string_equal(nt_figure_tally(12345678901.0).s, "12,345,678,901");
    assert_string_equal(nt_figure_tally(1e300).s, "-");
    assert_string_equal(nt_figure_tally(-1).s, "-");
    assert_string_equal(nt_figure_tally(NAN).s, "-");
    assert_string_equal(nt_figure_fixed(-1234567.891, 2).s, "-1,234,567.89");
    assert_string_equal(nt_figure_fixed(-0.0001, 3).s, "0.000");
    assert_string_equal(nt_figure_fixed(999.9996, 3).s, "1,000.000");
    assert_string_equal(nt_figure_fixed(12345678901.0, 3).s, "1.235e+10");
    assert_string_equal(nt_figure_fixed(1e9, 3).s, "1.000e+09");
    assert_string_equal(nt_figure_fixed(999999999, 0).s, "999,999,999");
    assert_string_equal(nt_figure_fixed(-INFINITY, 3).s, "-inf");
    assert_string_equal(nt_figure_fixed(NAN, 3).s, "-");
    assert_string_equal(nt_figure_percent(0.0643).s, "6.43 %");
    assert_string_equal(nt_figure_percent(0).s, "0.00 %");
    assert_string_equal(nt_figure_percent(1).s, "100.00 %");
    assert_string_equal(nt_figure_percent(1e-9).s, "<0.01 %");
    assert_string_equal(nt_figure_percent(0.999999).s, ">99.99 %");
    assert_string_equal(nt_figure_percent(NAN).s, "-");
    assert_string_equal(nt_figure_bytes(497759232).s, "474.7 MiB");
    assert_string_equal(nt_figure_bytes(1023).s, "1,023 bytes");
    assert_string_equal(nt_figure_bytes(3.0 * 1024 * 1024 * 1024).s, "3.0 GiB");
}

static void repair(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"1,5", "1.5"},
        {"-1,5e-05", "-1.5e-05"},
        {"1\xd9\xab"
         "5",
         "1.5"}, /* U+066B, two bytes */
        {"1.5", "1.5"},
        {"nan", "nan"},
        {"12", "12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char s[32];
        strcpy(s, cases[i][0]);
        nt_figure_repair(s);
        assert_string_equal(s, cases[i][1]);
    }
}

/* Any locale of this machine whose point is a comma; NT_COMMA_LOCALE names one that must be there.
 */
static void comma_locale(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",    "fr_FR.UTF-8",
                                        "pt_BR.UTF-8", "ru_RU.UTF-8",   "da_DK.UTF-8",
                                        "de_DE",       "nextoken_comma"};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        if (setlocale(LC_NUMERIC, names[i]) && localeconv()->decimal_point[0] == ',')
            found = names[i];
    if (!found) {
        print_message("skipped: this machine has no locale with a decimal comma\n");
        setlocale(LC_NUMERIC, "C");
        skip();
    }
    char raw[16];
    snprintf(raw, sizeof raw, "%.1f", 0.5);
    assert_string_equal(raw, "0,5");
    nine_digits(NULL);
    for_people(NULL);
    setlocale(LC_NUMERIC, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_digits),   cmocka_unit_test(float32_comes_back),
        cmocka_unit_test(whole_numbers), cmocka_unit_test(for_people),
        cmocka_unit_test(repair),        cmocka_unit_test(comma_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
