/* The one table of generation options: names as Hugging Face writes them, type, default, range,
 * help and words about each stand once. The public setters, command-line flags, JSON fields,
 * generation_config.json, messages, `explain` and docs/options.md come from it. A new option is a
 * field at the end of nt_generate_options and one row in the rows_*.c of its section. */
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
                              NT_OPTION_CHOICE,  /* int32_t: 1 is the first of `names`, 0 not given
                                                  */
                              NT_OPTION_SEED,    /* uint64_t; and a bool: whether it is given */
                              NT_OPTION_DECAY, /* int32_t start; a bool: whether it is given; and a
                                                  double: factor */
                              NT_OPTION_TEXT,  /* const char *, NULL not given */
                              /* lists: a pointer, NULL not given; and a size_t */
                              NT_OPTION_IDS,     /* const int32_t * */
                              NT_OPTION_STRINGS, /* const char *const * */
                              NT_OPTION_WORDS,   /* const nt_word * */
                              NT_OPTION_BIASES   /* const nt_bias * */
} nt_option_type;

typedef struct nt_option_row {
    nt_option_info info;
    nt_option_type type;
    bool ours;       /* not a field of transformers' GenerationConfig: no checkpoint sets it */
    bool single_ids; /* BIASES: one id each, and {"50256": -100} is the usual form */
    bool must_be;    /* IDS: one outside the vocabulary is an error, not just never met */
    const char *const *names; /* CHOICE: its words, NULL behind the last */
    size_t offset;            /* of the value */
    size_t offset_n;          /* lists: of the length; SEED, DECAY: of the bool */
    size_t offset_factor;     /* DECAY */
    double low, high;         /* INTEGER, NUMBER: smallest and largest value; IDS: of each */
    double unset;             /* INTEGER, NUMBER: the value that means "not given" */
} nt_option_row;

/* The sections of the table, in reading order. */
typedef struct nt_option_section {
    const nt_option_row *rows; /* [n] */
    size_t n;
} nt_option_section;
extern const nt_option_section nt_options_length, nt_options_search, nt_options_drawing,
    nt_options_repetition, nt_options_bans, nt_options_guidance, nt_options_assisted,
    nt_options_kept;

/* What lists point to; behind the opaque `owned` of an options struct. */
typedef struct nt_option_memory {
    nt_arena arena;
    const void *list; /* the list of strings handed out last, which may still grow */
    size_t capacity;
} nt_option_memory;

/* Sets the field of one row in a struct; *memory is made when a list or a text first needs it.
 * "none" and "null" (and JSON's null) leave a value ungiven and make a list empty, but "none" is a
 * string like others. A value that the row does not take leaves the field as it was: ARGUMENT from
 * text, FORMAT (with `where`) from JSON. */
int nt_option_set_text(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const char *value);
int nt_option_set_json(void *target, const nt_option_row *row, nt_option_memory **memory,
                       const json_t *value, const char *where);
/* A JSON value as messages show it: at most about NT_SHOWN bytes, zero-ended. */
enum { NT_SHOWN = 64 };
void nt_option_show_json(char out[NT_SHOWN + 8], const json_t *value);
/* Whether null, or a value for a row that is no list, is one that the row takes. */
bool nt_option_takes_json(const nt_option_row *row, const json_t *value);
bool nt_option_given(const void *target, const nt_option_row *row);
/* The row's value of one struct into another; lists and texts are borrowed. */
void nt_option_copy(void *target, const void *source, const nt_option_row *row);
/* The bytes that a struct must have to hold the row's fields. */
size_t nt_option_end(const nt_option_row *row);

/* The row of a name, with dashes or underscores; NULL when there is none. */
const nt_option_row *nt_option_find(const char *name);
const nt_option_row *nt_option_row_at(size_t i);
/* Whether the struct is large enough for the row and for `owned`; else ARGUMENT. */
int nt_option_fits(const nt_generate_options *options, const nt_option_row *row);

/* ---- What transformers has and nextoken leaves out ---- */

/* When a value of such a field asks for something that would change what comes out. */
typedef enum nt_asks_when {
    NT_ASKS_NEVER,
    NT_ASKS_WHEN_TRUE,
    NT_ASKS_ABOVE_0,
    NT_ASKS_ABOVE_1,
    NT_ASKS_WHEN_THERE
} nt_asks_when;

typedef struct nt_left_out {
    const char *name;
    nt_asks_when when;
    const char *reason;
} nt_left_out;

/* The i-th field of GenerationConfig that has no row; NULL past the end. */
const nt_left_out *nt_left_out_at(size_t i);
/* That of a name with underscores; NULL when there is none. */
const nt_left_out *nt_left_out_named(const char *name);
/* Appends to the line in note that a row's value is left out, and what it would take. */
void nt_note_refused(nt_buffer *note, const nt_option_row *row, const json_t *value,
                     const char *where);
/* Appends to the line in note which of these the object asks for and why they are left out. */
void nt_note_left_out(nt_buffer *note, const json_t *object, const char *where);
/* The last part of a path, for notes. */
const char *nt_option_file_name(const char *where);

/* ---- Defaults ---- */

/* A checkpoint's own defaults, from its parsed generation_config.json (or, where that is absent,
 * config.json) `where`, into options that start from their _INIT. Ids outside the vocabulary V that
 * can never come up are left out; so are values that act only when drawing and cannot be taken,
 * which real checkpoints carry (temperature 0). Appends one line to note when that happens or when
 * the file asks for something that would change what comes out and that is not done here.
 * Errors: FORMAT, MEMORY. */
int nt_options_from_config(nt_generate_options *options, nt_buffer *note, const json_t *object,
                           const char *where, size_t V);

/* Fills what the caller left open from the checkpoint's defaults (borrowed). A length that the
 * caller gave, or the horizon of an exact search, wins over both of the checkpoint's; the
 * checkpoint's are cut to what fits. Values that act only when drawing are not taken when do_sample
 * ends up off, and an exact search that the caller asked for takes no other method from the
 * checkpoint. */
void nt_options_add_defaults(nt_generate_options *options, const nt_generate_options *defaults,
                             size_t n_prompt, size_t context);

#endif
