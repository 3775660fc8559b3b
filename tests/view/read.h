/* Reading the JSON view back with jansson. */
#ifndef TESTS_VIEW_READ_H
#define TESTS_VIEW_READ_H

#include <jansson.h>
#include <stdio.h>

#include "view/random.h"

MAY_BE_UNUSED static bool in_bits, with_trace; /* what view asks for */

MAY_BE_UNUSED static char *view(const nt_result *t, int64_t index, size_t *n) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_JSON;
    options.index = index;
    options.bits = in_bits;
    options.trace = with_trace;
    nt_buffer out = {0};
    assert_int_equal(nt_view_json(&out, t, &options), NT_OK);
    char *text;
    assert_int_equal(nt_buffer_take(&text, n, &out), NT_OK);
    assert_int_equal(text[*n - 1], '\n');
    assert_null(memchr(text, '\n', *n - 1));
    return text;
}

/* The view as jansson reads it; frees the trace. */
MAY_BE_UNUSED static json_t *read_with(nt_result *t, size_t flags) {
    size_t n;
    char *text = view(t, -1, &n);
    json_error_t error;
    json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | flags, &error);
    if (!object) fail_msg("%s at %d in %s", error.text, error.position, text);
    nt_free(text);
    free_sample(t);
    return object;
}

MAY_BE_UNUSED static json_t *read_back(nt_result *t) {
    return read_with(t, 0);
}

MAY_BE_UNUSED static const char *text_of(const json_t *object, const char *name) {
    const char *s = json_string_value(json_object_get(object, name));
    assert_non_null(s);
    return s;
}

MAY_BE_UNUSED static double number_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

MAY_BE_UNUSED static const json_t *entry(const json_t *object, const char *name, size_t i) {
    const json_t *value = json_array_get(json_object_get(object, name), i);
    assert_non_null(value);
    return value;
}

/* The members after the heading, in order, with blanks between them. */
MAY_BE_UNUSED static void members_are(nt_result *t, const char *expected) {
    json_t *object = read_back(t);
    char names[512] = "";
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        strcat(names, name);
        strcat(names, " ");
    }
    const char *head = "schema model precision isa bos ";
    assert_int_equal(strncmp(names, head, strlen(head)), 0);
    assert_string_equal(names + strlen(head), expected);
    assert_string_equal(text_of(object, "schema"), "nextoken/1");
    assert_string_equal(text_of(object, "model"), "build/demo/gpt2");
    assert_string_equal(text_of(object, "precision"), "f32");
    assert_string_equal(text_of(object, "isa"), "avx512");
    assert_true(json_is_false(json_object_get(object, "bos")));
    json_decref(object);
}

#endif
