/* The one table of generation options: names as Hugging Face writes them, type, default, range and
 * help stand once. The public setters, command-line flags, JSON fields, generation_config.json,
 * messages and docs/options.md come from it. A new option is a field at the end of
 * nt_generate_options and one row. */
#ifndef NT_DECODE_OPTIONS_H
#define NT_DECODE_OPTIONS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "nextoken.h"

typedef enum nt_option_type {                    /* the field in the struct: */
                              NT_OPTION_INTEGER, /* int32_t */
                              NT_OPTION_NUMBER,  /* double */
                              NT_OPTION_BOOLEAN, /* int: 1 true, -1 false, 0 not given */
                              NT_OPTION_IDS,     /* const int32_t *, NULL not given; and a size_t */
                              NT_OPTION_STRINGS, /* const char *const *, NULL not given; and a
                                                    size_t */
                              NT_OPTION_SEED /* uint64_t; and a bool that says whether it is given
                                              */
} nt_option_type;

typedef struct nt_option_row {
    nt_option_info info;
    nt_option_type type;
    bool ours;        /* not a field of transformers' GenerationConfig: no checkpoint sets it */
    bool draws;       /* acts only when do_sample is on */
    size_t offset;    /* of the value */
    size_t offset_n;  /* IDS, STRINGS: of the length; SEED: of the bool */
    double low, high; /* INTEGER, NUMBER: smallest and largest value */
    double unset;     /* INTEGER, NUMBER: the value that means "not given" */
} nt_option_row;

/* What lists point to; behind the opaque `owned` of an options struct. */
typedef struct nt_option_memory {
    nt_arena arena;
    const void *list; /* the list of strings handed out last, which may still grow */
    size_t capacity;
} nt_option_memory;

/* Sets the field of one row in a struct; *memory is made when a list first needs it. "none" and
 * "null" leave a value ungiven and make a list of ids empty. A value that the row does not take
 * leaves the field as it was: ARGUMENT from text, FORMAT (with `where`) from JSON. */
int nt_option_set_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const char *value);
int nt_option_set_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const json_t *value, const char *where);
/* A JSON value as messages show it: at most about NT_SHOWN bytes, zero-ended. */
enum { NT_SHOWN = 64 };
void nt_option_show_json(char out[NT_SHOWN + 8], const json_t *value);
/* Whether a number, a boolean or null is one that the row takes. */
bool nt_option_takes_json(const nt_option_row *row, const json_t *value);
bool nt_option_given(const void *target, const nt_option_row *row);

/* The row of a name, with dashes or underscores; NULL when there is none. */
const nt_option_row *nt_option_find(const char *name);
const nt_option_row *nt_option_row_at(size_t i);

/* A checkpoint's own defaults, from its parsed generation_config.json (or, where that is absent,
 * config.json) `where`, into options that start from their _INIT. eos ids outside the vocabulary V
 * can never come up and are left out; so are values that act only when drawing and cannot be taken,
 * which real checkpoints carry (temperature 0). Appends one line to note when that happens or when
 * the file asks for something that would change what comes out and that is not done here.
 * Errors: FORMAT, MEMORY. */
int nt_options_from_config(nt_generate_options *options, nt_buffer *note, const json_t *object,
                           const char *where, size_t V);

/* Fills what the caller left open from the checkpoint's defaults (borrowed). A length that the
 * caller gave wins over both of the checkpoint's; the checkpoint's are cut to what fits. Values
 * that act only when drawing are not taken when do_sample ends up off. */
void nt_options_add_defaults(nt_generate_options *options, const nt_generate_options *defaults,
                             size_t n_prompt, size_t context);

/* Whether this is a field of GenerationConfig that changes what is generated and that has no row
 * yet. */
bool nt_option_is_missing(const char *name);

#endif
