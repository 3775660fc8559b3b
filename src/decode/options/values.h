/* What the readers of option values have in common: where a value comes from, how it is refused. */
#ifndef NT_DECODE_OPTIONS_VALUES_H
#define NT_DECODE_OPTIONS_VALUES_H

#include <string.h>

#include "base/memory.h"
#include "decode/options/options.h"

/* Where a value comes from, for messages: text or json, not both. */
typedef struct nt_option_source {
    const char *text;
    const json_t *json;
    const char *where; /* the JSON's file; NULL: what the caller gave */
} nt_option_source;

/* All that a reader needs. */
typedef struct nt_option_setting {
    void *target; /* the struct */
    const nt_option_row *row;
    nt_option_memory **memory;
    nt_option_source source;
} nt_option_setting;

static inline void *nt_option_field(const nt_option_setting *s, size_t offset) {
    return (char *)s->target + offset;
}

int nt_option_refuse(const nt_option_setting *s);
bool nt_option_is_none(const char *text);
/* An integer, or a decimal number in the C locale, that fills text [n] whole. */
bool nt_option_integer(int64_t *out, const char *text, size_t n);
int nt_option_number(bool *ok, double *out, const char *text, size_t n);
/* Text [*n] without blanks and a pair of brackets around it. */
void nt_option_strip(const char **text, size_t *n, char open, char close);
/* Parses the text of a setting; *out is NULL, with status NT_OK, when it is no JSON. */
int nt_option_parse(json_t **out, const char *text);

nt_arena *nt_option_arena(nt_option_memory **memory);
void nt_option_set_list(const nt_option_setting *s, const void *list, size_t n);

/* lists.c */
int nt_option_set_ids(const nt_option_setting *s);
int nt_option_set_strings(const nt_option_setting *s);
int nt_option_set_string(const nt_option_setting *s);
/* biases.c */
int nt_option_set_words(const nt_option_setting *s);
int nt_option_set_biases(const nt_option_setting *s);

#endif
