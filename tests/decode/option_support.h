/* What the tests of options have in common. */
#ifndef NT_TESTS_OPTION_SUPPORT_H
#define NT_TESTS_OPTION_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/options/options.h"

static inline void message_has(const char *part) {
    if (!strstr(nt_error_message(), part))
        fail_msg("\"%s\" is not in: %s", part, nt_error_message());
}

/* Refused, with this in the message, and nothing changed. */
static inline void refused(nt_generate_options *o, const char *name, const char *value,
                           const char *part) {
    nt_generate_options before;
    if (o) before = *o;
    assert_int_equal(nt_generate_options_set(o, name, value), NT_E_ARGUMENT);
    message_has(part);
    if (!o) return;
    before.owned = o->owned;
    assert_memory_equal(&before, o, sizeof before);
}

static inline void set(nt_generate_options *o, const char *name, const char *value) {
    if (nt_generate_options_set(o, name, value) != NT_OK) fail_msg("%s", nt_error_message());
}

/* One option from JSON text, as a file would give it. */
static inline int set_json(nt_generate_options *o, const char *name, const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    nt_option_memory *memory = o->owned;
    int status = nt_option_set_json(o, nt_option_find(name), &memory, value, "f");
    o->owned = memory;
    json_decref(value);
    return status;
}

static inline void refused_json(nt_generate_options *o, const char *name, const char *text,
                                const char *part) {
    nt_generate_options before = *o;
    assert_int_equal(set_json(o, name, text), NT_E_FORMAT);
    message_has(part);
    before.owned = o->owned;
    assert_memory_equal(&before, o, sizeof before);
}

#endif
