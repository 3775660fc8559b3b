/* UTF-8 against Python's decoder: strictness, what errors="replace" gives, every code point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cases.h"
#include "base/memory.h"
#include "base/utf8.h"

static void broken_texts_as_in_python(void **state) {
    (void)state;
    json_t *cases = base_cases(), *one;
    size_t i, n, n_wanted;
    json_array_foreach(json_object_get(cases, "utf8"), i, one) {
        const char *hex = json_string_value(json_array_get(one, 0));
        char *bytes = from_hex(&n, hex);
        char *wanted = from_hex(&n_wanted, json_string_value(json_array_get(one, 2)));
        size_t bad = nt_utf8_check(bytes, n);
        if (bad != (size_t)json_integer_value(json_array_get(one, 1)))
            fail_msg("%s: first bad byte at %zu", hex, bad);
        nt_buffer out = {0};
        nt_utf8_append_lossy(&out, bytes, n);
        if (out.n != n_wanted || memcmp(out.data, wanted, n_wanted) != 0)
            fail_msg("%s: other text with replacements", hex);
        nt_buffer_free(&out);
        free(bytes);
        free(wanted);
    }
    assert_true(i > 2000);
    json_decref(cases);
}

static void every_code_point(void **state) {
    (void)state;
    json_t *cases = base_cases();
    const json_t *wanted = json_object_get(cases, "all_code_points");
    uint64_t hash = FNV_START;
    size_t total = 0;
    for (int32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000) continue;
        char bytes[4];
        int32_t again;
        size_t n = nt_utf8_put(bytes, code);
        if (nt_utf8_next(&again, bytes, n) != n || again != code) fail_msg("U+%04X", code);
        if (nt_utf8_check(bytes, n) != n) fail_msg("U+%04X", code);
        for (size_t cut = 1; cut < n; cut++) { /* a beginning could still become whole */
            if (nt_utf8_next(&again, bytes, cut) != cut || again != -2) fail_msg("U+%04X", code);
        }
        hash = fnv(hash, bytes, n);
        total += n;
    }
    assert_int_equal(total, json_integer_value(json_object_get(wanted, "bytes")));
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    assert_string_equal(text, json_string_value(json_object_get(wanted, "fnv")));
    json_decref(cases);
}

static void nothing_is_a_text(void **state) {
    (void)state;
    nt_buffer out = {0};
    assert_int_equal(nt_utf8_check("", 0), 0);
    nt_utf8_append_lossy(&out, "", 0);
    assert_int_equal(out.status, NT_OK);
    assert_int_equal(out.n, 0);
    nt_buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_texts_as_in_python),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(nothing_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
