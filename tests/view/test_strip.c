/* Text made visible: every kind of character in each way of showing it, and its width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "view/strip.h"

typedef struct shown {
    const char *bytes;
    size_t n;
    const char *token, *input, *text, *ascii;
    size_t width; /* of token */
} shown;

#define IN(literal) literal, sizeof(literal) - 1

static const shown cases[] = {
    {IN(""), "", "", "", "\"\"", 0},
    {IN("was"), "was", "was", "was", "\"was\"", 3},
    {IN(" a b "), "·a·b·", "·a b·", " a b ", "\" a b \"", 5},
    {IN("\n\t\r"), "↵→\\r", "↵→\\r", "↵    \\r", "\"\\n\\t\\r\"", 4},
    {IN("\xc2\xa0x"), "⍽x", "⍽x", "\xc2\xa0x", "\"\\u00a0x\"", 2},
    {IN("\x1b[31m"), "\\x1b[31m", "\\x1b[31m", "\\x1b[31m", "\"\\x1b[31m\"", 8},
    {IN("\0\x7f"), "\\x00\\x7f", "\\x00\\x7f", "\\x00\\x7f", "\"\\x00\\x7f\"", 8},
    {IN("\xc2\x9b"), "\\u009b", "\\u009b", "\\u009b", "\"\\u009b\"", 6}, /* C1: CSI */
    {IN("\xf0\x9f"), "\\xf0\\x9f", "\\xf0\\x9f", "\\xf0\\x9f", "\"\\xf0\\x9f\"", 8},
    {IN("\xff"), "\\xff", "\\xff", "\\xff", "\"\\xff\"", 4},
    {IN("\xe2\x80\xae"), "\\u202e", "\\u202e", "\\u202e", "\"\\u202e\"", 6}, /* bidi override */
    {IN("\xe2\x81\xa7"), "\\u2067", "\\u2067", "\\u2067", "\"\\u2067\"", 6}, /* bidi isolate */
    {IN("\xe2\x80\x8b"), "\\u200b", "\\u200b", "\\u200b", "\"\\u200b\"", 6}, /* zero-width space */
    {IN("\xef\xbb\xbf"), "\\ufeff", "\\ufeff", "\\ufeff", "\"\\ufeff\"", 6},
    {IN("\u2028"), "\\u2028", "\\u2028", "\\u2028", "\"\\u2028\"", 6},
    {IN("\u3000"), "\\u3000", "\\u3000", "\\u3000", "\"\\u3000\"", 6},
    {IN("\xc2\xad"), "\\u00ad", "\\u00ad", "\\u00ad", "\"\\u00ad\"", 6}, /* soft hyphen */
    {IN("\xd8\x80"), "\\u0600", "\\u0600", "\\u0600", "\"\\u0600\"", 6}, /* Cf with a shape */
    {IN("é"), "é", "é", "é", "\"\\u00e9\"", 1},
    {IN("e\xcc\x81"), "e\xcc\x81", "e\xcc\x81", "e\xcc\x81", "\"e\\u0301\"", 1},
    {IN("\xcc\x81x"), "◌\xcc\x81x", "◌\xcc\x81x", "◌\xcc\x81x", "\"\\u0301x\"", 2},
    {IN("中文"), "中文", "中文", "中文", "\"\\u4e2d\\u6587\"", 4},
    {IN("😀"), "😀", "😀", "😀", "\"\\U0001f600\"", 2},
    {IN("👨\xe2\x80\x8d👩"), "👨\\u200d👩", "👨\\u200d👩", "👨\xe2\x80\x8d👩",
     "\"\\U0001f468\\u200d\\U0001f469\"", 10},
    {IN("❤\xef\xb8\x8f"), "❤\\ufe0f", "❤\\ufe0f", "❤\xef\xb8\x8f", "\"\\u2764\\ufe0f\"", 7},
    {IN("\xee\x80\x80"), "\\ue000", "\\ue000", "\\ue000", "\"\\ue000\"", 6}, /* private use */
    {IN("\"\\"), "\"\\", "\"\\", "\"\\", "\"\\\"\\\\\"", 2},
};

static void show_equals(const shown *c, nt_show show, bool ascii, const char *expected) {
    nt_strip strip = {.ascii = ascii};
    nt_strip_show(&strip, c->bytes, c->n, show, 0);
    assert_int_equal(strip.status, NT_OK);
    assert_string_equal(strip.bytes.data ? strip.bytes.data : "", expected);
    size_t end = 0; /* glyphs follow each other without gaps */
    for (size_t i = 0; i < strip.n; i++) {
        assert_int_equal(strip.glyphs[i].at, end);
        assert_true(strip.glyphs[i].width > 0);
        end += strip.glyphs[i].n;
    }
    assert_int_equal(end, strip.bytes.n);
    if (show == NT_SHOW_TOKEN && !ascii)
        assert_int_equal(nt_strip_width(&strip, 0, strip.n), c->width);
    if (ascii) assert_int_equal(nt_strip_width(&strip, 0, strip.n), strlen(expected));
    nt_strip_free(&strip);
}

static void every_case(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_equals(&cases[i], NT_SHOW_TOKEN, false, cases[i].token);
        show_equals(&cases[i], NT_SHOW_INPUT, false, cases[i].input);
        show_equals(&cases[i], NT_SHOW_TEXT, false, cases[i].text);
        show_equals(&cases[i], NT_SHOW_TOKEN, true, cases[i].ascii);
        show_equals(&cases[i], NT_SHOW_INPUT, true, cases[i].ascii);
    }
}

/* Characters that stand for others are told apart by their style. */
static void marks_are_dim(void **state) {
    (void)state;
    nt_strip strip = {0};
    nt_strip_show(&strip, "·\x1b ", 4, NT_SHOW_TOKEN, NT_STYLE_GREEN);
    assert_int_equal(strip.n, 3);
    assert_int_equal(strip.glyphs[0].style, NT_STYLE_GREEN); /* a true U+00B7 */
    assert_int_equal(strip.glyphs[1].style, NT_STYLE_GREEN | NT_STYLE_MARK);
    assert_int_equal(strip.glyphs[2].style, NT_STYLE_GREEN | NT_STYLE_MARK);
    nt_strip_free(&strip);
}

/* No character, whatever it is, passes as a control or in pieces. */
static void every_code_point(void **state) {
    (void)state;
    for (int32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000) continue;
        char in[4] = {0};
        size_t n = nt_utf8_put(in, code);
        for (int show = NT_SHOW_TOKEN; show <= NT_SHOW_TEXT; show++) {
            nt_strip strip = {0};
            nt_strip_show(&strip, in, n, (nt_show)show, 0);
            assert_int_equal(strip.n, 1);
            assert_int_equal(nt_utf8_check(strip.bytes.data, strip.bytes.n), strip.bytes.n);
            assert_true(strip.glyphs[0].width >= 1);
            for (size_t i = 0; i < strip.bytes.n; i++) {
                unsigned char c = (unsigned char)strip.bytes.data[i];
                assert_true(c >= 0x20 && c != 0x7F);
                assert_false(c == 0xC2 && (unsigned char)strip.bytes.data[i + 1] < 0xA0);
            }
            nt_strip_free(&strip);
        }
    }
}

/* A flood of accents on one letter goes on as escapes: a glyph stays small. */
static void stacked_accents(void **state) {
    (void)state;
    char in[1 + 2 * 500] = "e";
    for (size_t i = 0; i < 500; i++)
        memcpy(in + 1 + 2 * i, "\xcc\x81", 2);
    nt_strip strip = {0};
    nt_strip_show(&strip, in, sizeof in, NT_SHOW_TOKEN, 0);
    assert_true(strip.glyphs[0].n > 20 && strip.glyphs[0].n < 60);
    assert_true(strip.n > 400);
    nt_strip_free(&strip);
}

static void no_memory(void **state) {
    (void)state;
    for (size_t k = 1; k <= 2; k++) {
        nt_strip strip = {0};
        nt_memory_fail_at(k);
        nt_strip_show(&strip, "token", 5, NT_SHOW_TOKEN, 0);
        nt_memory_fail_at(0);
        assert_int_equal(strip.status, NT_E_MEMORY);
        nt_strip_free(&strip);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case),       cmocka_unit_test(marks_are_dim),
        cmocka_unit_test(every_code_point), cmocka_unit_test(stacked_accents),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
