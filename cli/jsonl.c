#include "jsonl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static bool say(char *error, const char *what) {
    snprintf(error, CLI_MAX_ERROR, "%s", what);
    return false;
}

static bool read_ids(nt_prompt *prompt, const json_t *array, char *error) {
    size_t n = json_array_size(array);
    if (!json_is_array(array)) return say(error, "\"ids\" is no array of token ids");
    int32_t *ids = calloc(n + 1, sizeof *ids);
    if (!ids) return say(error, "out of memory");
    prompt->ids = ids;
    prompt->n_ids = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(array, i);
        json_int_t value = json_integer_value(id);
        if (!json_is_integer(id) || value < INT32_MIN || value > INT32_MAX) {
            snprintf(error, CLI_MAX_ERROR, "\"ids\"[%zu] is no token id", i);
            return false;
        }
        ids[i] = (int32_t)value;
    }
    return true;
}

/* Options take zero-ended strings. */
static bool zero_inside(const json_t *value) {
    return json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value);
}

/* The line's own replace those of the command line. */
static bool read_continuations(cli_settings *settings, const json_t *value, char *error) {
    size_t n = json_array_size(value);
    bool one = json_is_string(value);
    cli_words_clear(&settings->continuations);
    if (!one && n == 0) return say(error, "\"continuations\" is no list of strings");
    for (size_t i = 0; i < (one ? 1 : n); i++) {
        const json_t *text = one ? value : json_array_get(value, i);
        if (!json_is_string(text) || !*json_string_value(text) || zero_inside(text)) {
            snprintf(error, CLI_MAX_ERROR, "\"continuations\"[%zu] is no text", i);
            return false;
        }
        if (!cli_words_add(&settings->continuations, json_string_value(text)))
            return say(error, "out of memory");
    }
    return true;
}

static bool read_own(cli_settings *settings, const cli_option *o, const json_t *value,
                     const char *text, char *error) {
    if (o->kind == CLI_STRING && !json_is_string(value)) {
        snprintf(error, CLI_MAX_ERROR, "\"%s\" is no string", o->name);
        return false;
    }
    /* what is kept is the object's own copy */
    if (json_is_string(value)) text = json_string_value(value);
    return cli_option_set(settings, o, text, error, CLI_MAX_ERROR);
}

static bool read_option(cli_settings *settings, const cli_command *command, const char *name,
                        const json_t *value, char *error) {
    const cli_option *o = cli_option_find(command, name, strlen(name));
    unsigned generating = CLI_OPT_GENERATE | CLI_OPT_ONE_STEP;
    bool own = o && o->member, generation = command->options & generating;
    if (command->options & CLI_OPT_ONE_STEP) /* an option of generate means nothing here */
        generation = cli_generation_option(command, name, strlen(name)) != NULL;
    if (!own && !generation) {
        snprintf(error, CLI_MAX_ERROR, "\"%.60s\" is no option of nextoken %s", name,
                 command->name);
        return false;
    }
    if (zero_inside(value)) {
        snprintf(error, CLI_MAX_ERROR, "\"%.60s\" holds a zero character", name);
        return false;
    }
    if (own && o->list) return read_continuations(settings, value, error);
    char *text = json_is_string(value) ? strdup(json_string_value(value))
                                       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text) return say(error, "out of memory");
    bool ok = own ? read_own(settings, o, value, text, error)
                  : nt_generate_options_set(&settings->generate, name, text) == NT_OK;
    settings->generation_given |= !own;
    if (!ok && !own) say(error, nt_error_message());
    free(text);
    return ok;
}

/* text, ids and options of one object. */
static bool read_object(cli_line *line, const cli_command *command, char *error) {
    const char *key;
    json_t *value;
    nt_prompt *prompt = &line->prompt;
    json_object_foreach(line->object, key, value) {
        if (strcmp(key, "text") == 0) {
            if (!json_is_string(value)) return say(error, "\"text\" is no string");
            prompt->text = json_string_value(value);
            prompt->n_text = json_string_length(value);
        } else if (strcmp(key, "ids") == 0) {
            if (!read_ids(prompt, value, error)) return false;
        } else if (!json_is_null(value)) {
            if (!read_option(&line->settings, command, key, value, error)) return false;
        }
    }
    prompt->add_bos = line->settings.bos;
    prompt->add_prefix_space = line->settings.add_prefix_space;
    if (command->ids_only && !prompt->ids) {
        snprintf(error, CLI_MAX_ERROR, "nextoken %s needs \"ids\"", command->name);
        return false;
    }
    if (!prompt->text == !prompt->ids)
        return say(error, "the line needs either \"text\" or \"ids\"");
    return !(command->options & CLI_OPT_SCORE) ||
           cli_score_check(&line->settings, error, CLI_MAX_ERROR);
}

static bool read_line(cli_line *line, const cli_command *command, const cli_settings *base,
                      const char *bytes, size_t n, char *error) {
    json_error_t where;
    *line = (cli_line){.settings = *base, .prompt = {.size = sizeof(nt_prompt)}};
    line->settings.generate.owned = NULL; /* what the line adds to the copy is the copy's own */
    line->settings.continuations.owned = false;
    line->object = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (json_is_object(line->object)) return read_object(line, command, error);
    if (line->object) return say(error, "the line is no JSON object");
    if (json_error_code(&where) == json_error_out_of_memory || where.column < 0)
        return say(error, "out of memory");
    snprintf(error, CLI_MAX_ERROR, "not valid JSON: column %d: %s", where.column, where.text);
    return false;
}

bool cli_line_read(cli_line *line, const cli_command *command, const cli_settings *base,
                   const char *bytes, size_t n, char *error) {
    bool ok = read_line(line, command, base, bytes, n, error);
    /* Pieces of the line may stand in it, and jansson's words quote some: it stays one line, and
     * well-formed where a name was cut. */
    if (!ok) cli_make_printable(error);
    return ok;
}

void cli_line_free(cli_line *line) {
    free((void *)(uintptr_t)line->prompt.ids);
    cli_settings_free(&line->settings);
    json_decref(line->object);
    *line = (cli_line){0};
}

int cli_line_error(nt_write_fn write, void *payload, int64_t index, const char *error) {
    json_t *object = json_pack("{s:s, s:I, s:s}", "schema", "nextoken/1", "index",
                               (json_int_t)index, "error", error);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    int status = line ? write(payload, line, strlen(line)) : -1;
    if (status == 0) status = write(payload, "\n", 1);
    free(line);
    json_decref(object);
    return status;
}
