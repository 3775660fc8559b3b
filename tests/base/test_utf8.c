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

/* Well-formed text before and behind moves the first bad byte by the length of what stands before,
 * and changes nothing else: wherever a broken one lies among the words and blocks that are read at
 * once, the answer is Python's. */
static void surrounded(const char *before, size_t n_before, const char *bytes, size_t n, size_t bad,
                       const char *wanted, size_t n_wanted, size_t n_behind) {
    size_t n_all = n_before + n + n_behind;
    char *all = malloc(n_all ? n_all : 1); /* reading behind it shows */
    assert_non_null(all);
    memcpy(all, before, n_before);
    memcpy(all + n_before, bytes, n);
    memset(all + n_before + n, 'x', n_behind);
    assert_int_equal(nt_utf8_check(all, n_all), n_before + bad + (bad == n ? n_behind : 0));
    nt_buffer out = {0};
    nt_utf8_append_lossy(&out, all, n_all);
    assert_int_equal(out.n, n_before + n_wanted + n_behind);
    assert_memory_equal(out.data, before, n_before);
    assert_memory_equal(out.data + n_before, wanted, n_wanted);
    assert_memory_equal(out.data + n_before + n_wanted, all + n_before + n, n_behind);
    nt_buffer_free(&out);
    free(all);
}

static void broken_texts_anywhere(void **state) {
    (void)state;
    char ascii[80], mixed[80] = "";
    memset(ascii, 'a', sizeof ascii);
    while (strlen(mixed) < 67)
        strcat(mixed, "\xC3\xA9z\xE6\x97\xA5\xF0\x9F\x98\x80");
    json_t *cases = base_cases(), *one;
    size_t i, n, n_wanted;
    json_array_foreach(json_object_get(cases, "utf8"), i, one) {
        char *bytes = from_hex(&n, json_string_value(json_array_get(one, 0)));
        char *wanted = from_hex(&n_wanted, json_string_value(json_array_get(one, 2)));
        size_t bad = (size_t)json_integer_value(json_array_get(one, 1));
        for (size_t k = 0; k < 67; k++) {
            surrounded(ascii, k, bytes, n, bad, wanted, n_wanted, (i + k) % 3 * 20);
            if (((unsigned char)mixed[k] & 0xC0) != 0x80)
                surrounded(mixed, k, bytes, n, bad, wanted, n_wanted, (i + k) % 3 * 20);
        }
        free(bytes);
        free(wanted);
    }
    assert_true(i > 2000);
    json_decref(cases);
}

static void unfinished_ends(void **state) {
    (void)state;
    json_t *cases = base_cases(), *one;
    size_t i, n, n_unfinished = 0;
    json_array_foreach(json_object_get(cases, "utf8"), i, one) {
        char *bytes = from_hex(&n, json_string_value(json_array_get(one, 0)));
        size_t at = 0, wanted = 0;
        while (at < n) {
            int32_t code;
            size_t length = nt_utf8_next(&code, bytes + at, n - at);
            if (code == -2) wanted = length;
            at += length;
        }
        assert_int_equal(nt_utf8_unfinished(bytes, n), wanted);
        n_unfinished += wanted > 0;
        free(bytes);
    }
    assert_true(n_unfinished > 100);
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
    assert_int_equal(nt_utf8_unfinished("", 0), 0);
    nt_utf8_append_lossy(&out, "", 0);
    assert_int_equal(out.status, NT_OK);
    assert_int_equal(out.n, 0);
    nt_buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_texts_as_in_python), cmocka_unit_test(broken_texts_anywhere),
        cmocka_unit_test(unfinished_ends),           cmocka_unit_test(every_code_point),
        cmocka_unit_test(nothing_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
