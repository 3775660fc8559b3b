/* An option from a case of JSON, by the setter that command lines and files use. */
#ifndef SET_OPTION_H
#define SET_OPTION_H

#include <jansson.h>
#include <stdlib.h>

#include "nextoken.h"

static inline void set_option(nt_generate_options *options, const char *name, const json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *word = json_is_string(value) ? json_string_value(value) : text;
    if (nt_generate_options_set(options, name, word) != NT_OK)
        fail_msg("%s: %s", name, nt_error_message());
    free(text);
}

#endif
