/* Options from a file that the caller names, in the form of generation_config.json. */
#include <string.h>

#include "decode/options/options.h"

enum { MAX_FILE_BYTES = 16 << 20, MOST_NAMED = 8 };

static void tell(const nt_generate_options *options, const nt_buffer *line) {
    const nt_callbacks *callbacks = options->callbacks;
    if (line->n && callbacks && callbacks->note) callbacks->note(callbacks->payload, line->data);
}

/* Names come from a file and go to a terminal. */
static void put_name(nt_buffer *line, const char *name) {
    char shown[NT_SHOWN + 8];
    json_t *text = json_string(name);
    nt_option_show_json(shown, text);
    nt_buffer_puts(line, shown);
    json_decref(text);
}

static void note_unknown(nt_buffer *line, json_t *object, const char *path) {
    size_t n = 0;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const nt_option_row *row = nt_option_find(name);
        bool known = row && strcmp(row->info.name, name) == 0; /* in files with underscores alone */
        if (known || nt_left_out_named(name) || *name == '_') continue;
        if (++n > MOST_NAMED) continue;
        if (n == 1) nt_buffer_printf(line, "%s: not options: ", nt_option_file_name(path));
        if (n > 1) nt_buffer_puts(line, ", ");
        put_name(line, name);
    }
    if (n > MOST_NAMED) nt_buffer_printf(line, " and %zu more", n - MOST_NAMED);
    if (n) nt_buffer_puts(line, ": left out");
}

/* Options that say the same thing in two ways: the caller's way wins over the file's. */
static const char *const twins[][2] = {{"max_new_tokens", "max_length"},
                                       {"negative_prompt", "negative_prompt_ids"}};

static bool caller_gave(const nt_generate_options *before, const nt_option_row *row) {
    if (nt_option_given(before, row)) return true;
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        for (size_t j = 0; j < 2; j++)
            if (strcmp(row->info.name, twins[i][j]) == 0 &&
                nt_option_given(before, nt_option_find(twins[i][1 - j])))
                return true;
    return false;
}

/* What acts only when drawing is not looked at where nothing is drawn: real files carry
 * temperature 0 beside do_sample false. */
static bool is_idle(const nt_generate_options *before, const nt_option_row *row,
                    const json_t *object, const json_t *value) {
    bool file_draws = json_is_true(json_object_get(object, "do_sample"));
    bool draws = before->do_sample ? before->do_sample == 1 : file_draws;
    return row->info.draws && !draws && !nt_option_takes_json(row, value);
}

static int take_fields(nt_generate_options *options, nt_buffer *note, const json_t *object,
                       const char *path) {
    nt_generate_options before = NT_GENERATE_OPTIONS_INIT;
    memcpy(&before, options, options->size < sizeof before ? options->size : sizeof before);
    nt_option_memory *memory = options->owned;
    int status = NT_OK;
    const nt_option_row *row;
    for (size_t i = 0; status == NT_OK && (row = nt_option_row_at(i)); i++) {
        const json_t *value = json_object_get(object, row->info.name);
        if (!value || json_is_null(value) || caller_gave(&before, row)) continue;
        if (is_idle(&before, row, object, value)) {
            nt_note_refused(note, row, value, path);
            continue;
        }
        status = nt_option_fits(options, row);
        if (status == NT_OK) status = nt_option_set_json(options, row, &memory, value, path);
    }
    if (status != NT_OK)
        memcpy(options, &before, options->size < sizeof before ? options->size : sizeof before);
    options->owned = memory;
    return status;
}

int nt_generate_options_load(nt_generate_options *options, const char *path) {
    if (!options || !path)
        return nt_fail(NT_E_ARGUMENT, "nt_generate_options_load: options or path is NULL");
    NT_TRY(nt_option_fits(options, nt_option_row_at(0)));
    json_t *object;
    NT_TRY(nt_json_read(&object, path, MAX_FILE_BYTES));
    nt_buffer left_out = {0}, unknown = {0};
    int status = take_fields(options, &left_out, object, path);
    if (status == NT_OK) {
        nt_note_left_out(&left_out, object, path);
        note_unknown(&unknown, object, path);
        status = left_out.status != NT_OK ? left_out.status : unknown.status;
    }
    if (status == NT_OK) {
        tell(options, &left_out);
        tell(options, &unknown);
    }
    nt_buffer_free(&left_out);
    nt_buffer_free(&unknown);
    json_decref(object);
    return status;
}
