/* The table itself, looking names up in it, and the public calls that set and list options. */
#include "decode/options/options.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "decode/generate.h"

#define FIELD(name) offsetof(nt_generate_options, name)

static const nt_option_row rows[] = {
    {.info = {"max_new_tokens", "integer", "20, when max_length is not given either", "1 or more",
              "Make at most this many new tokens."},
     .type = NT_OPTION_INTEGER,
     .offset = FIELD(max_new_tokens),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"max_length", "integer", "none", "1 or more",
              "Stop when prompt and new tokens together are this many; max_new_tokens wins."},
     .type = NT_OPTION_INTEGER,
     .offset = FIELD(max_length),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"eos_token_id", "ids", "the checkpoint's", "ids of the vocabulary, or none",
              "Stop after any of these tokens."},
     .type = NT_OPTION_IDS,
     .offset = FIELD(eos_token_id),
     .offset_n = FIELD(n_eos_token_id),
     .low = 0,
     .high = INT32_MAX},
    {.info = {"stop_strings", "strings", "none", "one character or more each",
              "Stop when the text holds this string; the text then ends before it. May be given "
              "several times."},
     .type = NT_OPTION_STRINGS,
     .offset = FIELD(stop_strings),
     .offset_n = FIELD(n_stop_strings)},
    {.info = {"choices", "integer", "5", "1 or more",
              "Keep this many of the likeliest candidates of each step."},
     .type = NT_OPTION_INTEGER,
     .ours = true,
     .offset = FIELD(choices),
     .low = 1,
     .high = INT32_MAX},
    {.info = {"do_sample", "boolean", "false", "true or false",
              "Draw each token by its probability; false: always take the likeliest."},
     .type = NT_OPTION_BOOLEAN,
     .offset = FIELD(do_sample)},
    {.info = {"temperature", "number", "1", "above 0 (for the likeliest alone: do_sample false)",
              "When drawing, divide the logits by this: below 1 likely tokens gain, above 1 they "
              "lose."},
     .type = NT_OPTION_NUMBER,
     .draws = true,
     .offset = FIELD(temperature),
     .low = DBL_TRUE_MIN,
     .high = FLT_MAX},
    {.info = {"top_k", "integer", "50, as in transformers", "1 or more, or 0 for no limit",
              "When drawing, leave only the k likeliest tokens, and those as likely as the last of "
              "them."},
     .type = NT_OPTION_INTEGER,
     .draws = true,
     .offset = FIELD(top_k),
     .low = 0,
     .high = INT32_MAX,
     .unset = -1},
    {.info = {"top_p", "number", "1", "0 to 1",
              "When drawing, leave only the likeliest tokens that together have this much "
              "probability."},
     .type = NT_OPTION_NUMBER,
     .draws = true,
     .offset = FIELD(top_p),
     .low = 0,
     .high = 1,
     .unset = -1},
    {.info = {"num_return_sequences", "integer", "1", "1 to 1024",
              "When drawing, make this many continuations of the prompt."},
     .type = NT_OPTION_INTEGER,
     .offset = FIELD(num_return_sequences),
     .low = 1,
     .high = NT_MAX_SEQUENCES},
    {.info = {"seed", "integer", "one from the system, told in the result",
              "0 to 18446744073709551615", "When drawing, the same seed gives the same tokens."},
     .type = NT_OPTION_SEED,
     .ours = true,
     .offset = FIELD(seed),
     .offset_n = FIELD(seed_given)},
};

enum { N_ROWS = sizeof rows / sizeof *rows, MAX_NAME = 64 };

size_t nt_n_options(void) {
    return N_ROWS;
}

const nt_option_row *nt_option_row_at(size_t i) {
    return i < N_ROWS ? &rows[i] : NULL;
}

const nt_option_info *nt_option_at(size_t i) {
    return i < N_ROWS ? &rows[i].info : NULL;
}

/* The name with underscores; false when it is longer than any option's. */
static bool normal_name(char out[MAX_NAME], const char *name) {
    size_t n = strlen(name);
    if (n >= MAX_NAME) return false;
    for (size_t i = 0; i <= n; i++)
        out[i] = name[i] == '-' ? '_' : name[i];
    return true;
}

const nt_option_row *nt_option_find(const char *name) {
    char wanted[MAX_NAME];
    if (!normal_name(wanted, name)) return NULL;
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(rows[i].info.name, wanted) == 0) return &rows[i];
    return NULL;
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Single-character insertions, removals and changes between two short names. */
static size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(b);
    size_t row[MAX_NAME];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[n];
}

static int unknown_option(const char *name) {
    char wanted[MAX_NAME];
    if (!normal_name(wanted, name)) {
        return nt_fail(NT_E_ARGUMENT, "unknown option \"%.40s...\"", name);
    }
    if (nt_option_is_missing(wanted)) {
        return nt_fail(NT_E_ARGUMENT, "option %s is transformers' and not done by this version",
                       wanted);
    }
    const char *nearest = NULL;
    size_t least = strlen(wanted) / 3 + 1; /* further off is no slip of the finger */
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t distance = edit_distance(wanted, rows[i].info.name);
        if (distance > least || (nearest && distance == least)) continue;
        least = distance;
        nearest = rows[i].info.name;
    }
    if (!nearest) return nt_fail(NT_E_ARGUMENT, "unknown option \"%s\"", name);
    return nt_fail(NT_E_ARGUMENT, "unknown option \"%s\": did you mean %s?", name, nearest);
}

static size_t field_end(const nt_option_row *row) {
    switch (row->type) {
    case NT_OPTION_INTEGER: return row->offset + sizeof(int32_t);
    case NT_OPTION_NUMBER: return row->offset + sizeof(double);
    case NT_OPTION_BOOLEAN: return row->offset + sizeof(int);
    case NT_OPTION_SEED: return row->offset + sizeof(uint64_t);
    default: return row->offset_n + sizeof(size_t);
    }
}

int nt_generate_options_set(nt_generate_options *options, const char *name, const char *value) {
    if (!options || !name || !value)
        return nt_fail(NT_E_ARGUMENT, "nt_generate_options_set: options, name or value is NULL");
    const nt_option_row *row = nt_option_find(name);
    if (!row) return unknown_option(name);
    size_t need = field_end(row);
    if (need < FIELD(owned) + sizeof options->owned) need = FIELD(owned) + sizeof options->owned;
    if (options->size < need) {
        return nt_fail(NT_E_ARGUMENT,
                       "nt_generate_options: size is %zu, too small for %s; start from "
                       "NT_GENERATE_OPTIONS_INIT",
                       options->size, row->info.name);
    }
    nt_option_memory *memory = options->owned;
    int status = nt_option_set_text(options, row, &memory, value);
    options->owned = memory;
    return status;
}

void nt_generate_options_clear(nt_generate_options *options) {
    if (!options) return;
    size_t size = options->size;
    nt_option_memory *memory = size >= FIELD(owned) + sizeof options->owned ? options->owned : NULL;
    if (memory) nt_arena_free(&memory->arena);
    nt_free(memory);
    nt_generate_options defaults = NT_GENERATE_OPTIONS_INIT;
    memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
    if (size >= sizeof size) options->size = size;
}
