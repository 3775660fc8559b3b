/* A checkpoint's generation_config.json as defaults, and what it asks for that is not done here. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "decode/options/options.h"

/* Fields of GenerationConfig that change what is generated and that have no row in the options
 * table: a row added there leaves this list. */
typedef enum asks_when { WHEN_TRUE, WHEN_ABOVE_0, WHEN_ABOVE_1, WHEN_NOT_1, WHEN_THERE } asks_when;

static const struct {
    const char *name;
    asks_when when;
    bool draws; /* acts only when do_sample is on */
} missing[] = {
    {"num_beams", WHEN_ABOVE_1, false},
    {"penalty_alpha", WHEN_ABOVE_0, false},
    {"dola_layers", WHEN_THERE, false},
    {"constraints", WHEN_THERE, false},
    {"force_words_ids", WHEN_THERE, false},
    {"guidance_scale", WHEN_NOT_1, false},
    {"sequence_bias", WHEN_THERE, false},
    {"encoder_repetition_penalty", WHEN_NOT_1, false},
    {"repetition_penalty", WHEN_NOT_1, false},
    {"no_repeat_ngram_size", WHEN_ABOVE_0, false},
    {"encoder_no_repeat_ngram_size", WHEN_ABOVE_0, false},
    {"bad_words_ids", WHEN_THERE, false},
    {"min_length", WHEN_ABOVE_0, false},
    {"min_new_tokens", WHEN_ABOVE_0, false},
    {"forced_bos_token_id", WHEN_THERE, false},
    {"forced_eos_token_id", WHEN_THERE, false},
    {"exponential_decay_length_penalty", WHEN_THERE, false},
    {"suppress_tokens", WHEN_THERE, false},
    {"begin_suppress_tokens", WHEN_THERE, false},
    {"watermarking_config", WHEN_THERE, false},
    {"token_healing", WHEN_TRUE, false},
    {"max_time", WHEN_THERE, false},
    {"top_h", WHEN_THERE, true},
    {"min_p", WHEN_ABOVE_0, true},
    {"typical_p", WHEN_NOT_1, true},
    {"epsilon_cutoff", WHEN_ABOVE_0, true},
    {"eta_cutoff", WHEN_ABOVE_0, true},
};

enum { N_MISSING = sizeof missing / sizeof *missing };

bool nt_option_is_missing(const char *name) {
    for (size_t i = 0; i < N_MISSING; i++)
        if (strcmp(missing[i].name, name) == 0) return true;
    return false;
}

static bool asks(const json_t *value, asks_when when) {
    double number = json_number_value(value);
    switch (when) {
    case WHEN_TRUE: return json_is_true(value);
    case WHEN_ABOVE_0: return number > 0;
    case WHEN_ABOVE_1: return number > 1;
    case WHEN_NOT_1: return json_is_number(value) && number != 1;
    default:
        if (json_is_array(value)) return json_array_size(value) > 0;
        if (json_is_object(value)) return json_object_size(value) > 0;
        return value && !json_is_null(value) && !json_is_false(value);
    }
}

static const char *file_of(const char *where) {
    const char *slash = strrchr(where, '/');
    return slash ? slash + 1 : where;
}

/* A note is one line, whatever there is to say. */
static void next_part(nt_buffer *note) {
    if (note->n) nt_buffer_puts(note, "; ");
}

static void note_missing(nt_buffer *note, const json_t *object, const char *where) {
    bool any = false, drawing = json_is_true(json_object_get(object, "do_sample"));
    for (size_t i = 0; i < N_MISSING; i++) {
        if (!asks(json_object_get(object, missing[i].name), missing[i].when)) continue;
        if (missing[i].draws && !drawing) continue;
        if (any) {
            nt_buffer_puts(note, ", ");
        } else {
            next_part(note);
            nt_buffer_printf(note, "%s asks for ", file_of(where));
        }
        nt_buffer_puts(note, missing[i].name);
        any = true;
    }
    if (any) nt_buffer_puts(note, ", which this version does not do yet and leaves out");
}

static void note_refused(nt_buffer *note, const nt_option_row *row, const json_t *value,
                         const char *where) {
    char shown[NT_SHOWN + 8];
    nt_option_show_json(shown, value);
    next_part(note);
    nt_buffer_printf(note, "%s: %s cannot be %s and is left out: %s", file_of(where),
                     row->info.name, shown, row->info.range);
}

/* The ids [0, V) of an id or a list; what is no integer stays, to be refused by name. */
static json_t *ids_within(const json_t *value, size_t V) {
    json_t *kept = json_array();
    bool list = json_is_array(value);
    size_t n = list ? json_array_size(value) : 1;
    for (size_t i = 0; kept && i < n; i++) {
        json_t *item = list ? json_array_get(value, i) : (json_t *)(uintptr_t)value;
        json_int_t id = json_integer_value(item);
        if (json_is_integer(item) && (id < 0 || (uint64_t)id >= V)) continue;
        if (json_array_append(kept, item) != 0) {
            json_decref(kept);
            kept = NULL;
        }
    }
    return kept;
}

static int set_field(nt_generate_options *options, const nt_option_row *row, const json_t *value,
                     const char *where, size_t V) {
    nt_option_memory *memory = options->owned;
    json_t *kept = NULL;
    if (row->type == NT_OPTION_IDS) {
        kept = ids_within(value, V);
        if (!kept) return nt_fail_memory(sizeof value);
        value = kept;
    }
    int status = nt_option_set_json(options, row, &memory, value, where);
    options->owned = memory;
    json_decref(kept);
    return status;
}

int nt_options_from_config(nt_generate_options *options, nt_buffer *note, const json_t *object,
                           const char *where, size_t V) {
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_row *row = nt_option_row_at(i);
        const json_t *value = json_object_get(object, row->info.name);
        if (row->ours || !value || json_is_null(value)) continue;
        if (row->draws && !nt_option_takes_json(row, value)) {
            note_refused(note, row, value, where);
            continue;
        }
        NT_TRY(set_field(options, row, value, where, V));
    }
    note_missing(note, object, where);
    return note->status;
}

static void take(nt_generate_options *options, const nt_generate_options *defaults,
                 const nt_option_row *row) {
    static const size_t sizes[] = {
        [NT_OPTION_INTEGER] = sizeof(int32_t), [NT_OPTION_NUMBER] = sizeof(double),
        [NT_OPTION_BOOLEAN] = sizeof(int),     [NT_OPTION_IDS] = sizeof(void *),
        [NT_OPTION_STRINGS] = sizeof(void *),  [NT_OPTION_SEED] = sizeof(uint64_t)};
    static const size_t sizes_n[] = {[NT_OPTION_IDS] = sizeof(size_t),
                                     [NT_OPTION_STRINGS] = sizeof(size_t),
                                     [NT_OPTION_SEED] = sizeof(bool)};
    memcpy((char *)options + row->offset, (const char *)defaults + row->offset, sizes[row->type]);
    memcpy((char *)options + row->offset_n, (const char *)defaults + row->offset_n,
           sizes_n[row->type]);
}

void nt_options_add_defaults(nt_generate_options *options, const nt_generate_options *defaults,
                             size_t n_prompt, size_t context) {
    int32_t max_new_tokens = options->max_new_tokens, max_length = options->max_length;
    if (options->do_sample == 0) options->do_sample = defaults->do_sample;
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_row *row = nt_option_row_at(i);
        bool counts = !row->draws || options->do_sample == 1;
        if (counts && !nt_option_given(options, row)) take(options, defaults, row);
    }
    if (max_new_tokens || max_length) {
        options->max_new_tokens = max_new_tokens;
        options->max_length = max_length;
        return;
    }
    size_t room = context > n_prompt ? context - n_prompt : 1; /* the plan refuses a full context */
    if (options->max_length > 0 && (size_t)options->max_length > context)
        options->max_length = (int32_t)context;
    if (options->max_new_tokens > 0 && (size_t)options->max_new_tokens > room)
        options->max_new_tokens = (int32_t)room;
}
