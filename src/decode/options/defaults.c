/* A checkpoint's generation_config.json as defaults, and what of them counts in a generation. */
#include <stdint.h>
#include <string.h>

#include "decode/options/options.h"

void nt_note_refused(nt_buffer *note, const nt_option_row *row, const json_t *value,
                     const char *where) {
    char shown[NT_SHOWN + 8];
    nt_option_show_json(shown, value);
    if (note->n) nt_buffer_puts(note, "; ");
    nt_buffer_printf(note, "%s: %s cannot be %s and is left out: %s", nt_option_file_name(where),
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
    if (row->type == NT_OPTION_IDS && !row->must_be) {
        kept = ids_within(value, V);
        if (!kept) return nt_fail_memory(sizeof value);
        value = kept;
    }
    int status = nt_option_set_json(options, row, &memory, value, where);
    options->owned = memory;
    json_decref(kept);
    return status;
}

/* Lists that may not be empty: older files say "none" in this way. */
static bool says_none(const nt_option_row *row, const json_t *value) {
    bool list = row->type == NT_OPTION_WORDS || row->type == NT_OPTION_BIASES;
    return json_is_null(value) || (list && json_is_array(value) && json_array_size(value) == 0) ||
           (list && json_is_object(value) && json_object_size(value) == 0);
}

int nt_options_from_config(nt_generate_options *options, nt_buffer *note, const json_t *object,
                           const char *where, size_t V) {
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++) {
        const json_t *value = json_object_get(object, row->info.name);
        if (row->ours || !value || says_none(row, value)) continue;
        if (row->info.draws && !nt_option_takes_json(row, value)) {
            nt_note_refused(note, row, value, where);
            continue;
        }
        NT_TRY(set_field(options, row, value, where, V));
    }
    nt_note_left_out(note, object, where);
    return note->status;
}

/* Whether a row of the checkpoint's would make another search of the one that the caller asked
 * for by name. */
static bool is_of_another_search(const nt_generate_options *options, const nt_option_row *row) {
    static const char *const others[] = {"do_sample", "early_stopping", "length_penalty",
                                         "prompt_lookup_num_tokens"};
    if (options->search != NT_SEARCH_EXACT) return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(row->info.name, others[i]) == 0) return true;
    return false;
}

void nt_options_add_defaults(nt_generate_options *options, const nt_generate_options *defaults,
                             size_t n_prompt, size_t context) {
    int32_t max_new_tokens = options->max_new_tokens, max_length = options->max_length;
    if (options->do_sample == 0 && options->search != NT_SEARCH_EXACT)
        options->do_sample = defaults->do_sample;
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++) {
        bool counts = !row->info.draws || options->do_sample == 1;
        if (!counts || nt_option_given(options, row) || is_of_another_search(options, row))
            continue;
        nt_option_copy(options, defaults, row);
    }
    bool by_horizon = options->search == NT_SEARCH_EXACT && options->horizon;
    if (max_new_tokens || max_length || by_horizon) {
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
