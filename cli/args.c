/* The command line's options: one table, from which parsing, help and --jsonl members come.
 * Generation options are not here: they come from the library's own table (nt_option_at). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef enum kind { FLAG, NUMBER, TEXT, SPECIAL } kind;

typedef struct option {
    const char *name; /* without dashes */
    char letter;
    kind kind;
    size_t offset; /* in cli_settings */
    size_t width;  /* NUMBER: bytes of the field */
    int64_t low, high;
    unsigned groups; /* CLI_OPT_ groups that have it; 0: every command */
    bool member;     /* may stand in a --jsonl line */
    const char *metavar, *help;
} option;

#define AT(field) offsetof(cli_settings, field), sizeof(((cli_settings *)0)->field)

static const option options[] = {
    {"model", 'm', TEXT, AT(model), 0, 0, 0, false, "MODEL",
     "folder or .safetensors file (default: NEXTOKEN_MODEL)"},
    {"ids", 0, TEXT, AT(ids), 0, 0, 0, false, "1,2,3", "token ids in place of TEXT"},
    {"jsonl", 0, TEXT, AT(jsonl), 0, 0, 0, false, "FILE",
     "one JSON object a line in, one result a line out; - is standard input"},
    {"json", 0, SPECIAL, 0, 0, 0, 0, 0, false, NULL, "one JSON object"},
    {"csv", 0, SPECIAL, 0, 0, 0, 0, 0, false, NULL, "comma-separated values"},
    {"k", 'k', NUMBER, AT(k), 1, INT32_MAX, CLI_OPT_K, true, "N",
     "how many candidates to show (default 10)"},
    {"prompt-len", 0, NUMBER, AT(prompt_len), 0, INT32_MAX, CLI_OPT_SCORE, true, "N",
     "tokens at the start that are left out of the sums"},
    {"npz", 0, TEXT, AT(npz), 0, 0, CLI_OPT_NPZ, false, "FILE",
     "write logits, hidden states and attentions as NumPy arrays"},
    {"bos", 0, FLAG, AT(bos), 0, 0, CLI_OPT_TEXT, true, NULL, "put one BOS token before the text"},
    {"add-prefix-space", 0, FLAG, AT(add_prefix_space), 0, 0, CLI_OPT_TEXT, true, NULL,
     "read the text as if a space stood before it"},
    {"skip-special-tokens", 0, FLAG, AT(skip_special_tokens), 0, 0, CLI_OPT_SKIP, true, NULL,
     "leave special tokens out of the text"},
    {"split-special-tokens", 0, FLAG, AT(split_special_tokens), 0, 0, CLI_OPT_SPLIT, true, NULL,
     "read <|endoftext|> and the like as plain text"},
    {"precision", 0, SPECIAL, 0, 0, 0, 0, CLI_OPT_SESSION, false, "auto|f32",
     "arithmetic, whatever the file stores"},
    {"threads", 't', NUMBER, AT(threads), 1, 1024, CLI_OPT_SESSION, false, "N",
     "threads (default: OMP_NUM_THREADS, else all processors)"},
    {"color", 0, SPECIAL, 0, 0, 0, 0, 0, false, "auto|always|never",
     "colours (NO_COLOR is honoured)"},
    {"ascii", 0, FLAG, AT(ascii), 0, 0, 0, false, NULL, "tables in plain ASCII"},
    {"quiet", 'q', FLAG, AT(quiet), 0, 0, 0, false, NULL, "no notes and no progress on stderr"},
    {"help", 'h', FLAG, AT(help), 0, 0, 0, false, NULL, "this help"},
};
enum { N_OPTIONS = sizeof options / sizeof *options };

static bool takes(const cli_command *command, const option *o) {
    if (!command->takes_text && (strcmp(o->name, "ids") == 0 || strcmp(o->name, "jsonl") == 0)) {
        return false;
    }
    return o->groups == 0 || (o->groups & command->options);
}

/* Option names may be written with dashes or underscores. n: length of given. */
static bool same_name(const char *name, const char *given, size_t n) {
    if (strlen(name) != n) return false;
    for (size_t i = 0; i < n; i++) {
        char c = given[i] == '_' ? '-' : given[i], d = name[i] == '_' ? '-' : name[i];
        if (c != d) return false;
    }
    return true;
}

static const option *find(const cli_command *command, const char *name, size_t n) {
    for (int i = 0; i < N_OPTIONS; i++) {
        if (takes(command, &options[i]) && same_name(options[i].name, name, n)) return &options[i];
    }
    return NULL;
}

static const option *find_letter(const cli_command *command, char letter) {
    for (int i = 0; i < N_OPTIONS; i++) {
        if (options[i].letter == letter && takes(command, &options[i])) return &options[i];
    }
    return NULL;
}

static const nt_option_info *find_generate(const cli_command *command, const char *name, size_t n) {
    if (!(command->options & CLI_OPT_GENERATE)) return NULL;
    const nt_option_info *info;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        if (same_name(info->name, name, n)) return info;
    }
    return NULL;
}

static bool set_number(cli_settings *settings, const option *o, const char *value, char *error,
                       size_t n) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < o->low || number > o->high) {
        snprintf(error, n, "%s is \"%.60s\"; it must be a whole number in %lld .. %lld", o->name,
                 value, (long long)o->low, (long long)o->high);
        return false;
    }
    void *field = (char *)settings + o->offset;
    int32_t narrow = (int32_t)number;
    int64_t wide = number;
    if (o->width == sizeof narrow)
        memcpy(field, &narrow, sizeof narrow);
    else
        memcpy(field, &wide, sizeof wide);
    return true;
}

static bool set_special(cli_settings *settings, const option *o, const char *value, char *error,
                        size_t n) {
    if (strcmp(o->name, "json") == 0 || strcmp(o->name, "csv") == 0) {
        nt_format format = o->name[0] == 'j' ? NT_JSON : NT_CSV;
        if (settings->format != NT_TABLE && settings->format != format) {
            snprintf(error, n, "--json and --csv exclude each other");
            return false;
        }
        settings->format = format;
        return true;
    }
    if (strcmp(o->name, "precision") == 0) {
        if (strcmp(value, "auto") == 0)
            settings->precision = NT_PRECISION_AUTO;
        else if (strcmp(value, "f32") == 0)
            settings->precision = NT_PRECISION_F32;
        else {
            snprintf(error, n, "precision is \"%.60s\"; this version has auto and f32", value);
            return false;
        }
        return true;
    }
    static const char *const when[] = {"auto", "never", "always"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, when[i]) == 0) {
            settings->color = i - 1;
            return true;
        }
    }
    snprintf(error, n, "color is \"%.60s\"; it must be auto, always or never", value);
    return false;
}

/* value is NULL for a flag given without one. */
static bool set(cli_settings *settings, const option *o, const char *value, char *error, size_t n) {
    void *field = (char *)settings + o->offset;
    switch (o->kind) {
    case FLAG: {
        bool on = !value || strcmp(value, "true") == 0;
        if (value && !on && strcmp(value, "false") != 0) {
            snprintf(error, n, "%s is \"%.60s\"; it must be true or false", o->name, value);
            return false;
        }
        memcpy(field, &on, sizeof on);
        return true;
    }
    case NUMBER: return set_number(settings, o, value, error, n);
    case TEXT:
        if (!*value && (o->groups == CLI_OPT_NPZ || strcmp(o->name, "jsonl") == 0)) {
            snprintf(error, n, "--%s names no file", o->name);
            return false;
        }
        memcpy(field, &value, sizeof value);
        return true;
    default: return set_special(settings, o, value, error, n);
    }
}

int cli_set_member(cli_settings *settings, const cli_command *command, const char *name,
                   const char *value, char *error, size_t n) {
    const option *o = find(command, name, strlen(name));
    if (o && o->member) return set(settings, o, value, error, n) ? 0 : -1;
    if (command->options & CLI_OPT_GENERATE) {
        if (nt_generate_options_set(&settings->generate, name, value) == NT_OK) return 0;
        snprintf(error, n, "%s", nt_error_message());
        return -1;
    }
    snprintf(error, n, "\"%.60s\" is no option of nextoken %s", name, command->name);
    return -1;
}

/* ---- The command line ---- */

typedef struct reader {
    const cli_command *command;
    cli_settings *settings;
    int argc, at;
    char **argv;
    bool only_text; /* behind "--" */
} reader;

static bool usage_error(const reader *r, const char *message) {
    cli_error("%s; nextoken %s --help tells the options", message, r->command->name);
    return false;
}

/* The value of an option: behind "=", or the next word. */
static const char *value_of(reader *r, const char *equals) {
    if (equals) return equals + 1;
    return r->at < r->argc ? r->argv[r->at++] : NULL;
}

static bool read_option(reader *r, const option *o, const char *shown, const char *equals) {
    char error[512];
    const char *value = equals ? equals + 1 : NULL;
    if (o->kind != FLAG && o->metavar) value = value_of(r, equals);
    if (o->metavar && !value) {
        snprintf(error, sizeof error, "%s needs a value (%s)", shown, o->metavar);
        return usage_error(r, error);
    }
    return set(r->settings, o, value, error, sizeof error) || usage_error(r, error);
}

/* The library knows the names of transformers' options that are not done yet, and near misses.
 * word: two dashes and n letters. */
static bool no_such_option(reader *r, const char *word, size_t n) {
    char error[512], name[64];
    if (r->command->options & CLI_OPT_GENERATE && n < sizeof name) {
        snprintf(name, sizeof name, "%.*s", (int)n, word + 2);
        nt_generate_options_set(&r->settings->generate, name, "");
        return usage_error(r, nt_error_message());
    }
    snprintf(error, sizeof error, "nextoken %s has no option %.*s", r->command->name,
             (int)(n < 60 ? n : 60) + 2, word);
    return usage_error(r, error);
}

static bool read_long(reader *r, const char *word) {
    char error[512];
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const option *o = find(r->command, name, n);
    if (o) return read_option(r, o, word, equals);
    const nt_option_info *info = find_generate(r->command, name, n);
    if (!info) return no_such_option(r, word, n);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && strcmp(info->type, "boolean") == 0) value = "true";
    if (!value) value = value_of(r, NULL);
    if (!value) {
        snprintf(error, sizeof error, "%s needs a value", word);
        return usage_error(r, error);
    }
    if (nt_generate_options_set(&r->settings->generate, info->name, value) == NT_OK) return true;
    return usage_error(r, nt_error_message());
}

static bool read_short(reader *r, const char *word) {
    char error[512];
    const option *o = find_letter(r->command, word[1]);
    if (!o) {
        snprintf(error, sizeof error, "nextoken %s has no option %.60s", r->command->name, word);
        return usage_error(r, error);
    }
    if (!word[2]) return read_option(r, o, word, NULL);
    if (o->metavar) return read_option(r, o, word, word + 1); /* -k5 */
    snprintf(error, sizeof error, "-%c takes no value", word[1]);
    return usage_error(r, error);
}

static bool read_text(reader *r, char *word) {
    if (!r->command->takes_text) {
        cli_error("nextoken %s takes no text (\"%.60s\")", r->command->name, word);
        return false;
    }
    if (r->settings->text) {
        cli_error("two texts (\"%.60s\" and \"%.60s\"): put quotes around a text with spaces",
                  r->settings->text, word);
        return false;
    }
    r->settings->text = word;
    return true;
}

static bool check(const reader *r) {
    const cli_settings *s = r->settings;
    int sources = !!s->text + !!s->ids + !!s->jsonl;
    if (s->help || !r->command->takes_text) return true;
    if (sources == 0)
        return usage_error(r, "no text: give TEXT, - for standard input, --ids or --jsonl");
    if (sources > 1) return usage_error(r, "TEXT, --ids and --jsonl exclude each other");
    if (s->jsonl && s->format == NT_CSV) return usage_error(r, "--jsonl writes JSON, not --csv");
    if (s->jsonl && s->npz) return usage_error(r, "--npz takes one text, not --jsonl");
    return true;
}

bool cli_parse(cli_settings *settings, const cli_command *command, int argc, char **argv) {
    *settings = (cli_settings){.color = -1, .generate = NT_GENERATE_OPTIONS_INIT};
    settings->model = getenv("NEXTOKEN_MODEL");
    reader r = {command, settings, argc, 0, argv, false};
    while (r.at < argc) {
        char *word = argv[r.at++];
        bool ok;
        if (r.only_text || word[0] != '-' || word[1] == 0)
            ok = read_text(&r, word);
        else if (strcmp(word, "--") == 0)
            ok = r.only_text = true;
        else if (word[1] == '-')
            ok = read_long(&r, word);
        else
            ok = read_short(&r, word);
        if (!ok) return false;
    }
    return check(&r);
}

void cli_settings_free(cli_settings *settings) {
    nt_generate_options_clear(&settings->generate);
}

/* ---- Help ---- */

static void print_option(FILE *out, const char *name, char letter, const char *metavar,
                         const char *help) {
    char left[64];
    int n = letter ? snprintf(left, sizeof left, "-%c, --%s", letter, name)
                   : snprintf(left, sizeof left, "    --%s", name);
    if (metavar) snprintf(left + n, sizeof left - (size_t)n, " %s", metavar);
    for (char *c = left + 6; *c && *c != ' '; c++) {
        if (*c == '_') *c = '-';
    }
    if (strlen(left) > 28)
        fprintf(out, "  %s\n  %28s  %s\n", left, "", help);
    else
        fprintf(out, "  %-28s  %s\n", left, help);
}

void cli_print_help(FILE *out, const cli_command *command) {
    fprintf(out, "nextoken %s: %s\n\nusage: nextoken %s [-m MODEL] [options]%s\n\n", command->name,
            command->summary, command->name,
            !command->takes_text ? ""
            : command->ids_only  ? " [IDS | -]"
                                 : " [TEXT | -]");
    const nt_option_info *info;
    for (size_t i = 0; command->options & CLI_OPT_GENERATE && (info = nt_option_at(i)); i++) {
        char metavar[32];
        snprintf(metavar, sizeof metavar, "%s",
                 strcmp(info->type, "strings") == 0 ? "TEXT"
                 : strcmp(info->type, "ids") == 0   ? "1,2"
                                                    : "N");
        char help[256];
        bool none = strcmp(info->default_value, "none") == 0;
        snprintf(help, sizeof help, "%s%s%s%s", info->help,
                 none ? "" : " Default: ", none ? "" : info->default_value, none ? "" : ".");
        print_option(out, info->name, 0, strcmp(info->type, "boolean") == 0 ? NULL : metavar, help);
    }
    for (int i = 0; i < N_OPTIONS; i++) {
        const option *o = &options[i];
        if (takes(command, o)) print_option(out, o->name, o->letter, o->metavar, o->help);
    }
    if (command->examples) fprintf(out, "\n%s", command->examples);
}

/* Past white space and one comma; NULL where a list of ids has neither and does not end. */
static const char *next_id(const char *end) {
    const char *at = end + strspn(end, " \t\n\r");
    if (*at == ',') return at + 1 + strspn(at + 1, " \t\n\r");
    return at > end || *at == ']' || *at == 0 ? at : NULL;
}

bool cli_read_ids(int32_t **ids, size_t *n, const char *text) {
    size_t room = strlen(text) / 2 + 1;
    *n = 0;
    *ids = calloc(room, sizeof **ids);
    if (!*ids) return false;
    const char *at = text + strspn(text, " \t\n\r[");
    while (*at && *at != ']') {
        char *end;
        errno = 0;
        long id = strtol(at, &end, 10);
        if (end == at || errno || id < INT32_MIN || id > INT32_MAX) break;
        const char *next = next_id(end);
        if (!next) break;
        (*ids)[(*n)++] = (int32_t)id;
        at = next;
    }
    at += strspn(at, "] \t\n\r");
    if (*at == 0) return true;
    free(*ids);
    *ids = NULL;
    return false;
}
