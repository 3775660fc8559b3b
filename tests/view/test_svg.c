/* Pictures: what is written is XML whatever the text holds, and the same on every machine. What
 * they say is held against the JSON by picture.py. */
#include <stdio.h>
#include <string.h>

#include "view/random.h"
#include "view/svg_put.h"
#include "view/tree.h"

/* Not inlined: gcc 12 would then warn of a dangling pointer where there is none. */
static __attribute__((noinline)) char *taken(nt_buffer *out) {
    char *text;
    size_t n;
    assert_int_equal(nt_buffer_take(&text, &n, out), NT_OK);
    return text;
}

static void escapes(const char *bytes, size_t n, const char *wanted) {
    nt_buffer out = {0};
    nt_svg_escape(&out, bytes, n);
    nt_buffer_putc(&out, '.'); /* an empty buffer holds no string */
    char *text = taken(&out);
    text[strlen(text) - 1] = 0;
    assert_string_equal(text, wanted);
    nt_free(text);
}

static void escaping(void **state) {
    (void)state;
    escapes("", 0, "");
    escapes("a</svg>\"'&", 10, "a&lt;/svg&gt;&quot;'&amp;");
    escapes("]]>", 3, "]]&gt;");
    escapes("\t\n\r", 3, "\t\n&#13;");
    escapes("a\0b\x1b", 4,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
    escapes("\xEF\xBF\xBE\xEF\xBF\xBF", 6, "\xEF\xBF\xBD\xEF\xBF\xBD");
    escapes("\xE4\xBD\xA0\xF0\x9F\x98\x80\x7F", 8, "\xE4\xBD\xA0\xF0\x9F\x98\x80\x7F");
    escapes("\xF0\x9F"
            "a\xC0\x80\xED\xA0\x80",
            8,
            "\xEF\xBF\xBD"
            "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void numbers(void **state) {
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0, "0"},        {1, "1"},     {-2.5, "-2.5"}, {100, "100"}, {1234567.25, "1234567.25"},
        {0.125, "0.12"}, {0.999, "1"}, {20.10, "20.1"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_buffer out = {0};
        nt_svg_number(&out, cases[i].x);
        char *text = taken(&out);
        assert_string_equal(text, cases[i].text);
        nt_free(text);
    }
}

static char *draw_picture(const nt_result *t, nt_view_options options) {
    nt_buffer out = {0};
    assert_int_equal(nt_view_svg(&out, t, &options), NT_OK);
    return taken(&out);
}

/* Neither the terminal, nor the machine, nor the hour is in it; where numbers hang on the
 * instruction set, that is. */
static void same_everywhere(void **state) {
    nt_view_options plain = NT_VIEW_OPTIONS_INIT, other = NT_VIEW_OPTIONS_INIT;
    (void)state;
    other.width = 33;
    other.color = other.ascii = true;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        nt_result *t = samples[i]();
        if (t->kind != NT_RESULT_NEXT && t->kind != NT_RESULT_STEPS) {
            free_sample(t);
            continue;
        }
        t->precision = "f32";
        t->isa = "avx512";
        char *first = draw_picture(t, plain);
        t->isa = "ref";
        t->milliseconds = 12345;
        char *second = draw_picture(t, other);
        assert_string_equal(first, second);
        assert_null(strstr(first, " ms"));
        assert_null(strstr(first, "avx512"));
        t->precision = "bf16";
        char *third = draw_picture(t, plain);
        assert_non_null(strstr(third, "bf16 \xC2\xB7 ref \xC2\xB7 "));
        nt_free(first);
        nt_free(second);
        nt_free(third);
        free_sample(t);
    }
}

static void other_kinds(void **state) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    size_t refused = 0;
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        nt_result *t = samples[i]();
        nt_buffer out = {0};
        int status = nt_view_svg(&out, t, &options);
        bool drawn = t->kind == NT_RESULT_NEXT || t->kind == NT_RESULT_STEPS ||
                     t->kind == NT_RESULT_SCORE || nt_tree_has(t);
        const char *why = t->kind == NT_RESULT_GENERATE ? "has no tree" : "no picture";
        assert_int_equal(status, drawn ? NT_OK : NT_E_UNSUPPORTED);
        if (!drawn) assert_non_null(strstr(nt_error_message(), why));
        refused += !drawn;
        nt_buffer_free(&out);
        free_sample(t);
    }
    assert_true(refused > 10);
}

static size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

/* Nothing is hidden: with thirty choices the picture is wider than a page. */
static void many_choices(void **state) {
    nt_result *t = new_sample(NT_RESULT_STEPS);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    (void)state;
    long_ago(t);
    for (int s = 0; s < 2; s++) {
        nt_trace_step *step = add_step(t, 30);
        for (int32_t i = 0; i < 30; i++)
            step->candidates[i] = candidate(t, i + 1, i, " word", 0.03);
        step->step.chosen = step->candidates[29];
    }
    char *text = draw_picture(t, options);
    assert_int_equal(count(text, "class=\"cell\""), 60);
    assert_int_equal(count(text, "choice 30</text>"), 1);
    assert_int_equal(count(text, "class=\"taken\""), 2 + 1); /* and the legend */
    long width = 0;
    assert_int_equal(sscanf(strstr(text, " width=\""), " width=\"%ld", &width), 1);
    assert_true(width > 1500);
    nt_free(text);
    free_sample(t);
}

/* Without a tokenizer there are ids in place of the text, the last of them. */
static void without_text(void **state) {
    nt_result *t = new_sample(NT_RESULT_NEXT);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    (void)state;
    for (int32_t i = 0; i < 20; i++)
        add_token(t, 100 + i, "");
    nt_trace_step *step = add_step(t, 1);
    step->candidates[0] = candidate(t, 1, 7, "", 0.5);
    char *text = draw_picture(t, options);
    assert_non_null(strstr(text, "</tspan>#111 #112 "));
    assert_non_null(strstr(text, "#119</title>"));
    assert_null(strstr(text, "#110"));
    assert_non_null(strstr(text, ">#7<"));
    assert_non_null(strstr(text, "token #7,"));
    nt_free(text);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping),        cmocka_unit_test(numbers),
        cmocka_unit_test(same_everywhere), cmocka_unit_test(other_kinds),
        cmocka_unit_test(many_choices),    cmocka_unit_test(without_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
