/* --jsonl: one JSON object a line in, one result a line out, in the order read. A bad line gives a
 * line with "error" and the rest go on. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

enum { MAX_LINE = 64 << 20, MAX_ERROR = 1024 };

/* One line without its newline, zero-ended, in *line [*room]. 1, or 0 at the end of the file;
 * *n > MAX_LINE tells that the line was longer and its rest was skipped; -1 when memory ends. */
static int read_line(char **line, size_t *room, size_t *n, FILE *file) {
    *n = 0;
    int c;
    while ((c = getc_unlocked(file)) != EOF && c != '\n') {
        if (*n + 1 >= *room && *n <= MAX_LINE) {
            size_t wanted = *room ? *room * 2 : 4096;
            char *bigger = realloc(*line, wanted);
            if (!bigger) return -1;
            *line = bigger;
            *room = wanted;
        }
        if (*n <= MAX_LINE) (*line)[(*n)++] = (char)c;
    }
    if (c == EOF && *n == 0) return 0;
    if (*line) (*line)[*n < *room ? *n : *room - 1] = 0;
    return 1;
}

/* The value of a member as the text that cli_set_member reads, for free(). */
static char *member_text(const json_t *value) {
    if (json_is_string(value)) return strdup(json_string_value(value));
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static int read_ids(nt_prompt *prompt, const json_t *array, char *error) {
    size_t n = json_array_size(array);
    int32_t *ids = calloc(n + 1, sizeof *ids);
    if (!ids) {
        snprintf(error, MAX_ERROR, "out of memory");
        return -1;
    }
    prompt->ids = ids;
    prompt->n_ids = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(array, i);
        json_int_t value = json_integer_value(id);
        if (!json_is_integer(id) || value < INT32_MIN || value > INT32_MAX) {
            snprintf(error, MAX_ERROR, "\"ids\"[%zu] is no token id", i);
            return -1;
        }
        ids[i] = (int32_t)value;
    }
    return 0;
}

/* text, ids and options of one object. */
static int read_object(nt_prompt *prompt, cli_settings *settings, const cli_command *command,
                       json_t *object, char *error) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (strcmp(key, "text") == 0) {
            if (!json_is_string(value)) {
                snprintf(error, MAX_ERROR, "\"text\" is no string");
                return -1;
            }
            prompt->text = json_string_value(value);
            prompt->n_text = json_string_length(value);
        } else if (strcmp(key, "ids") == 0) {
            if (!json_is_array(value)) {
                snprintf(error, MAX_ERROR, "\"ids\" is no array of token ids");
                return -1;
            }
            if (read_ids(prompt, value, error) != 0) return -1;
        } else if (!json_is_null(value)) {
            char *text = member_text(value);
            int status = text ? cli_set_member(settings, command, key, text, error, MAX_ERROR) : -1;
            if (!text) snprintf(error, MAX_ERROR, "out of memory");
            free(text);
            if (status != 0) return -1;
        }
    }
    prompt->add_bos = settings->bos;
    prompt->add_prefix_space = settings->add_prefix_space;
    if (command->ids_only && !prompt->ids) {
        snprintf(error, MAX_ERROR, "nextoken %s needs \"ids\"", command->name);
        return -1;
    }
    if (!prompt->text == !prompt->ids) {
        snprintf(error, MAX_ERROR, "the line needs either \"text\" or \"ids\"");
        return -1;
    }
    return 0;
}

static int write_error(int64_t index, char *error) {
    cli_make_printable(error); /* JSON takes nothing but UTF-8 */
    json_t *object = json_pack("{s:s, s:I, s:s}", "schema", "nextoken/1", "index",
                               (json_int_t)index, "error", error);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    int status = line && cli_write_stdout(NULL, line, strlen(line)) == 0 &&
                         cli_write_stdout(NULL, "\n", 1) == 0
                     ? 0
                     : -1;
    free(line);
    json_decref(object);
    return status;
}

/* The byte order mark that some programs put at a file's beginning is no part of its text. */
static size_t byte_order_mark(const char *line, size_t n) {
    return n >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* Runs one line: 0 done, -1 with the line in error. *broken: stdout failed, stop. */
static int run_line(cli_run *run, const cli_settings *settings, const char *line, size_t n,
                    int64_t index, char *error, bool *broken) {
    json_error_t where;
    if (n > MAX_LINE) {
        snprintf(error, MAX_ERROR, "the line has more than %d bytes", MAX_LINE);
        return -1;
    }
    size_t mark = index == 0 ? byte_order_mark(line, n) : 0;
    json_t *object =
        json_loadb(line + mark, n - mark, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (!json_is_object(object)) {
        if (object)
            snprintf(error, MAX_ERROR, "the line is no JSON object");
        else
            snprintf(error, MAX_ERROR, "not valid JSON: column %d: %s", where.column, where.text);
        json_decref(object);
        return -1;
    }
    cli_settings own = *settings;
    own.generate.owned = NULL; /* what the line adds to the copy is the copy's own */
    own.format = NT_JSON;
    nt_prompt prompt = {.size = sizeof prompt};
    nt_result *result = NULL;
    int status = read_object(&prompt, &own, run->command, object, error);
    if (status == 0 && run->command->run(&result, run, &prompt, &own) != NT_OK) {
        snprintf(error, MAX_ERROR, "%s", nt_error_message());
        status = -1;
    }
    if (status == 0 && cli_show(run, result, &own, index) != EXIT_DONE) *broken = true;
    nt_result_free(result);
    free((void *)(uintptr_t)prompt.ids);
    nt_generate_options_clear(&own.generate);
    json_decref(object);
    return status;
}

/* Progress counts bytes of the file; the lines' own would start anew with each. */
static void report(cli_run *run, FILE *file, int64_t lines) {
    struct stat info;
    off_t done = ftello(file);
    if (done >= 0 && fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)) {
        cli_progress(run, "bytes", (uint64_t)done, (uint64_t)info.st_size);
    } else {
        cli_progress(run, "lines", (uint64_t)lines, 0);
    }
}

int cli_run_jsonl(cli_run *run, const cli_settings *settings) {
    bool from_stdin = strcmp(settings->jsonl, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(settings->jsonl, "r");
    if (!file) {
        cli_error("cannot open %s: %s", settings->jsonl, strerror(errno));
        return EXIT_FAILED;
    }
    char *line = NULL;
    char error[MAX_ERROR];
    size_t room = 0, n;
    int64_t index = 0;
    int exit_status = EXIT_DONE, more;
    bool broken = false;
    run->callbacks.progress = NULL;
    while (!broken && !cli_interrupted() && (more = read_line(&line, &room, &n, file)) != 0) {
        if (more < 0) {
            cli_error("out of memory while reading %s", settings->jsonl);
            broken = true;
        } else if (n > strspn(line ? line : "", " \t\r")) { /* blank lines count for nothing */
            if (run_line(run, settings, line, n, index, error, &broken) != 0) {
                exit_status = EXIT_FAILED;
                if (cli_interrupted()) break;
                if (write_error(index, error) != 0) broken = true;
            }
            /* A result is out before the next line is waited for. */
            if (!broken && !cli_flush_stdout()) broken = true;
            index++;
            run->streamed = false;
            report(run, file, index);
        }
    }
    cli_progress_clear();
    if (ferror(file) && !cli_interrupted()) {
        cli_error("cannot read %s: %s", settings->jsonl, strerror(errno));
        exit_status = EXIT_FAILED;
    }
    if (cli_interrupted()) {
        cli_error("stopped by Ctrl-C after %" PRId64 " lines", index);
        exit_status = EXIT_FAILED;
    }
    free(line);
    if (!from_stdin) fclose(file);
    return broken ? EXIT_FAILED : exit_status;
}
