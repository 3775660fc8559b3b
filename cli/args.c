/* The command line: words -> settings. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"

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

/* A word that is no option: a text, or "-". */
static bool plain(const char *word) {
    return word[0] != '-' || word[1] == 0;
}

/* Whether a word is an option of the command: a value was left out before it. */
static bool is_option(const reader *r, const char *word) {
    if (strncmp(word, "--", 2) != 0) return false;
    size_t n = strcspn(word + 2, "=");
    return cli_option_find(r->command, word + 2, n) ||
           cli_generation_option(r->command, word + 2, n);
}

static bool read_option(reader *r, const cli_option *o, const char *shown, const char *equals) {
    char error[512];
    const char *value = equals ? equals + 1 : NULL;
    if (o->optional && !equals) {
        if (r->at < r->argc && o->read(r->settings, r->argv[r->at], error, sizeof error)) {
            r->at++;
            return true;
        }
        return cli_option_set(r->settings, o, NULL, error, sizeof error);
    }
    if (o->metavar) value = value_of(r, equals);
    if (o->metavar && !value) {
        snprintf(error, sizeof error, "%s needs a value (%s)", shown, o->metavar);
        return usage_error(r, error);
    }
    if (o->metavar && !equals && is_option(r, value)) {
        snprintf(error, sizeof error, "%s needs a value (%s) before %.60s", shown, o->metavar,
                 value);
        return usage_error(r, error);
    }
    if (!cli_option_set(r->settings, o, value, error, sizeof error)) return usage_error(r, error);
    while (o->list && !equals && r->at < r->argc && plain(r->argv[r->at])) {
        value = r->argv[r->at++];
        if (!cli_option_set(r->settings, o, value, error, sizeof error))
            return usage_error(r, error);
    }
    return true;
}

static bool set_generation(reader *r, const nt_option_info *info, const char *value) {
    cli_words *given = &r->settings->given;
    r->settings->generation_given = true;
    if (r->command->options & CLI_OPT_EXPLORE &&
        !(cli_words_add(given, info->name) && cli_words_add(given, value))) {
        cli_error("out of memory");
        return false;
    }
    if (nt_generate_options_set(&r->settings->generate, info->name, value) == NT_OK) return true;
    char error[CLI_MAX_MESSAGE];
    cli_name_flags(error, sizeof error, nt_error_message());
    return usage_error(r, error);
}

/* --no-do-sample is --do-sample=false. name [n]: behind the two dashes. */
static bool read_no(bool *found, reader *r, const char *name, size_t n) {
    char error[512];
    *found = true;
    if (n > 3 && strncmp(name, "no", 2) == 0 && (name[2] == '-' || name[2] == '_')) {
        const cli_option *o = cli_option_find(r->command, name + 3, n - 3);
        if (o && o->kind == CLI_FLAG)
            return cli_option_set(r->settings, o, "false", error, sizeof error);
        const nt_option_info *info = cli_generation_option(r->command, name + 3, n - 3);
        if (info && strcmp(info->type, "boolean") == 0) return set_generation(r, info, "false");
    }
    *found = false;
    return false;
}

/* The library knows the names of transformers' options that are left out, and near misses. word:
 * two dashes and n letters. */
static bool no_such_option(reader *r, const char *word, size_t n) {
    char error[CLI_MAX_MESSAGE], name[64], where[CLI_MAX_MESSAGE / 2];
    const char *command = r->command->name, *near = cli_option_near(r->command, word + 2, n);
    int shown = (int)(n < 60 ? n : 60) + 2;
    const nt_option_info *info;
    if (cli_option_elsewhere(where, sizeof where, word + 2, n)) {
        snprintf(error, sizeof error, "nextoken %s has no option %.*s, which belongs to: %s",
                 command, shown, word, where);
        return usage_error(r, error);
    }
    if (!near && r->command->options & (CLI_OPT_GENERATE | CLI_OPT_ONE_STEP) && n < sizeof name) {
        snprintf(name, sizeof name, "%.*s", (int)n, word + 2);
        nt_option_named(&info, name);
        const char *why = nt_error_message(), *from = strstr(why, "left out here: ");
        const char *meant = strstr(why, "did you mean ");
        if (from) {
            cli_error("%.*s is an option of transformers that is %s", shown, word, from);
            return false;
        }
        if (meant) snprintf(name, sizeof name, "%s", meant + strlen("did you mean "));
        if (meant) name[strcspn(name, "?")] = 0;
        if (meant && cli_generation_option(r->command, name, strlen(name))) near = name;
    }
    if (!near) {
        snprintf(error, sizeof error, "nextoken %s has no option %.*s", command, shown, word);
        return usage_error(r, error);
    }
    for (char *c = name; near == name && *c; c++)
        if (*c == '_') *c = '-';
    cli_error("nextoken %s has no option %.*s; did you mean --%s?", command, shown, word, near);
    return false;
}

static bool read_long(reader *r, const char *word) {
    char error[512];
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const cli_option *o = cli_option_find(r->command, name, n);
    if (o) return read_option(r, o, word, equals);
    const nt_option_info *info = cli_generation_option(r->command, name, n);
    if (!info) {
        bool found, ok = !equals && read_no(&found, r, name, n);
        return ok || (!equals && found) ? ok : no_such_option(r, word, n);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (!value && strcmp(info->type, "boolean") == 0) value = "true";
    if (!value) value = value_of(r, NULL);
    if (value && !equals && is_option(r, value)) {
        snprintf(error, sizeof error, "%s needs a value before %.60s", word, value);
        return usage_error(r, error);
    }
    if (value) return set_generation(r, info, value);
    snprintf(error, sizeof error, "%s needs a value", word);
    return usage_error(r, error);
}

static bool read_short(reader *r, const char *word) {
    char error[512];
    const cli_option *o = cli_option_letter(r->command, word[1]);
    if (!o) {
        snprintf(error, sizeof error, "nextoken %s has no option %.60s", r->command->name, word);
        return usage_error(r, error);
    }
    if (word[1] == 'h') r->settings->brief = true;
    if (!word[2]) return read_option(r, o, word, NULL);
    if (o->metavar) return read_option(r, o, word, word + 1); /* -k5 */
    snprintf(error, sizeof error, "-%c takes no value", word[1]);
    return usage_error(r, error);
}

static bool read_text(reader *r, char *word) {
    if (r->command->words) {
        if (cli_words_add(&r->settings->words, word)) return true;
        cli_error("out of memory");
        return false;
    }
    if (r->command->takes_option && !r->settings->option) {
        r->settings->option = word;
        return true;
    }
    if (r->command->takes_model && !r->settings->text) {
        r->settings->text = word;
        return true;
    }
    if (!r->command->takes_text) {
        cli_error("nextoken %s takes no text (\"%.60s\")", r->command->name, word);
        return false;
    }
    const char *text = r->settings->text;
    if (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        cli_error("two texts (\"%s\" and \"%.60s\"): %s behind a switch needs =, as in "
                  "--do-sample=%s",
                  text, word, text, text);
        return false;
    }
    if (text) {
        cli_error("two texts (\"%.60s\" and \"%.60s\"): put quotes around a text with spaces", text,
                  word);
        return false;
    }
    r->settings->text = word;
    return true;
}

/* ---- What goes together ---- */

/* With --column the word that would be a text is the table's file. */
static bool check_table(const reader *r) {
    cli_settings *s = r->settings;
    if (!s->column) {
        if (s->table) return usage_error(r, "a table to read needs --column NAME");
        if (s->prompt_column) return usage_error(r, "--prompt-column goes with --column");
        return true;
    }
    if (s->csv == s->tsv)
        return usage_error(r, "--column NAME goes with --csv FILE or with --tsv FILE");
    if (s->ids || s->jsonl) return usage_error(r, "--column excludes --ids and --jsonl");
    if (s->table && s->text) return usage_error(r, "two tables, or a table and a text, are given");
    if (!s->table) s->table = s->text;
    if (!s->table || !*s->table)
        return usage_error(r, "no table: give its file behind --csv or --tsv, or - for "
                              "standard input");
    if (s->prompt_column && (s->prompt || s->prompt_len || s->continuations.n)) {
        return usage_error(r, "--prompt-column excludes --prompt, --prompt-len and "
                              "--continuations");
    }
    s->text = NULL;
    return true;
}

static bool check_source(const reader *r) {
    const cli_settings *s = r->settings;
    int sources = !!s->text + !!s->ids + !!s->jsonl + !!s->table;
    if (s->counted.n) {
        if (sources > 0) return usage_error(r, "--count FILE excludes a text, --ids and --jsonl");
        if (s->bos || s->add_prefix_space || s->trim_offsets)
            return usage_error(r, "--count takes files as they are: no --bos, --add-prefix-space "
                                  "or --trim-offsets");
        return true;
    }
    if (s->against && !s->text && r->command->options & CLI_OPT_TOKENIZE)
        return usage_error(r, "--against compares on one TEXT");
    if (r->command->takes_option) {
        if (sources > 1) return usage_error(r, "explain takes one TEXT, or --ids");
        return sources == 0 || s->option || usage_error(r, "no OPTION to draw");
    }
    if (sources == 0 && s->continuations.n) {
        return usage_error(r, "no text: it stands before --continuations, whose words end at the "
                              "next option");
    }
    if (sources == 0 && r->command->takes_file)
        return usage_error(r, "no file: give FILE, - for standard input, --ids or --jsonl");
    if (sources == 0)
        return usage_error(r, "no text: give TEXT, - for standard input, --ids or --jsonl");
    if (sources > 1 && r->command->takes_file)
        return usage_error(r, "FILE, --ids and --jsonl exclude each other");
    if (sources > 1) return usage_error(r, "TEXT, --ids and --jsonl exclude each other");
    return true;
}

/* Of --svg and --html, which write a file beside what is printed, or take its place. */
static bool check_file(const reader *r, const char *option, const char **file, nt_format format) {
    cli_settings *s = r->settings;
    char error[160];
    if (!*file) return true;
    if (s->jsonl || s->table) {
        snprintf(error, sizeof error, "--%s shows one text, not many", option);
        return usage_error(r, error);
    }
    if (strcmp(*file, "-") == 0) {
        snprintf(error, sizeof error,
                 "--%s - takes the place of the table on standard output; give it a FILE beside "
                 "what else is printed there",
                 option);
        if (s->format != NT_TABLE) return usage_error(r, error);
        s->format = format;
        *file = NULL;
    } else if (s->output && strcmp(*file, s->output) == 0) {
        snprintf(error, sizeof error, "--%s and --output name the same file", option);
        return usage_error(r, error);
    }
    return true;
}

static bool check_output(const reader *r) {
    cli_settings *s = r->settings;
    bool many = s->jsonl || s->table;
    if ((s->csv && s->tsv) || (s->json && !s->table && (s->csv || s->tsv)))
        return usage_error(r, "--json, --csv and --tsv exclude each other");
    s->format = s->json ? NT_JSON : s->csv ? NT_CSV : s->tsv ? NT_TSV : NT_TABLE;
    if (s->jsonl && (s->csv || s->tsv))
        return usage_error(r, "--jsonl writes JSON, not --csv or --tsv");
    if (s->jsonl) s->format = NT_JSON;
    if (s->trace && s->format != NT_JSON)
        return usage_error(r, "--trace goes with --json, which writes it");
    if (s->tree && many) return usage_error(r, "--tree shows one text, not many");
    if (s->tree && s->format != NT_TABLE && !s->svg && !s->html)
        return usage_error(r, "--tree draws beside the texts, or with --svg FILE and --html FILE; "
                              "--json --trace writes every beam");
    if (many && s->npz) return usage_error(r, "--npz takes one text, not many");
    if (!check_file(r, "svg", &s->svg, NT_SVG) || !check_file(r, "html", &s->html, NT_HTML))
        return false;
    if (s->svg && s->html && strcmp(s->svg, s->html) == 0)
        return usage_error(r, "--svg and --html name the same file");
    if (s->npz && s->output && strcmp(s->npz, s->output) == 0)
        return usage_error(r, "--npz and --output name the same file");
    if (s->arrays && !s->npz) return usage_error(r, "--arrays goes with --npz FILE");
    if (s->resume && !s->output)
        return usage_error(r, "--resume goes on with the FILE of --output FILE");
    if (s->resume && !many)
        return usage_error(r, "--resume goes with many texts: --jsonl or --column");
    return true;
}

/* The rows of a table are scored as texts unless something else is asked for. */
static bool check_score(const reader *r) {
    cli_settings *s = r->settings;
    char error[256];
    if (r->command->options & CLI_OPT_DIFF)
        return cli_diff_check(s, error, sizeof error) || usage_error(r, error);
    if (r->command->options & CLI_OPT_NPZ)
        return cli_inspect_check(s, error, sizeof error) || usage_error(r, error);
    if (!(r->command->options & CLI_OPT_SCORE)) return true;
    if (!cli_score_check(s, error, sizeof error)) return usage_error(r, error);
    if (s->heat && s->format != NT_TABLE && s->format != NT_HTML && !s->html)
        return usage_error(r, "--heat shows one text, in place of the table or with --html");
    if (s->heat && s->continuations.n)
        return usage_error(r, "--heat shows one text, not continuations");
    unsigned rows = s->by & (NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR);
    if ((s->format == NT_CSV || s->format == NT_TSV) && (rows & (rows - 1))) {
        return usage_error(r, "a table has one kind of rows: give --by token, word or char alone, "
                              "or --json for all of them");
    }
    if (s->table && !s->by && !s->continuations.n) s->by = NT_BY_TEXT;
    return true;
}

/* `nextoken score --csv texts.csv` scores the nine letters of a name: rarely what was meant. */
static void warn_of_file(const cli_settings *s) {
    if (s->quiet || !s->text || !(s->csv || s->tsv) || access(s->text, R_OK) != 0) return;
    const char *dot = strrchr(s->text, '.');
    if (dot && (strcmp(dot, ".csv") == 0 || strcmp(dot, ".tsv") == 0))
        cli_note("\"%.60s\" is taken as the text; --column NAME reads the rows of that file",
                 s->text);
}

/* The word that names the model stands in the place of -m. */
static bool check_model(const reader *r) {
    cli_settings *s = r->settings;
    if (!s->text) return true;
    if (s->model && s->model != getenv("NEXTOKEN_MODEL")) {
        cli_error("two models (%.60s and \"%.60s\"): nextoken %s takes no text, and --diff names "
                  "another model",
                  s->model, s->text, r->command->name);
        return false;
    }
    if (!*s->text) return usage_error(r, "the model's name is empty");
    s->model = s->text;
    s->text = NULL;
    return true;
}

static bool check(const reader *r) {
    if (r->settings->help || r->command->words) return true;
    if (r->command->takes_model && !check_model(r)) return false;
    if (r->command->options & CLI_OPT_TABLE && !check_table(r)) return false;
    if (r->settings->table && !(r->command->options & CLI_OPT_TABLE))
        return usage_error(r, "--csv and --tsv take no file here");
    if (r->command->takes_text && !check_source(r)) return false;
    if (!check_output(r) || !check_score(r)) return false;
    if (r->command->options & CLI_OPT_TABLE) warn_of_file(r->settings);
    if (r->command->takes_option) return true;
    char why[CLI_MAX_NAME];
    if (cli_turn_on_sampling(why, &r->settings->generate) && !r->settings->quiet)
        cli_note("sampling, because --%s was given", why);
    return true;
}

bool cli_parse(cli_settings *settings, const cli_command *command, int argc, char **argv) {
    *settings = (cli_settings){
        .color = -1, .rows = -1, .position = -1, .generate = NT_GENERATE_OPTIONS_INIT};
    const char *model = getenv("NEXTOKEN_MODEL");
    if (model && *model) settings->model = model;
    reader r = {command, settings, argc, 0, argv, false};
    while (r.at < argc) {
        char *word = argv[r.at++];
        bool ok;
        if (r.only_text || plain(word))
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
    cli_words_clear(&settings->continuations);
    cli_words_clear(&settings->counted);
    cli_words_clear(&settings->words);
    cli_words_clear(&settings->given);
    nt_generate_options_clear(&settings->generate);
}

/* ---- Lists of ids ---- */

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
