/* Help on one command, for a terminal of 80 columns. */
#include <string.h>

#include "cli.h"
#include "options.h"

enum { WIDTH = 79, LEFT = 29 };

/* Words from column LEFT on, wrapped; the cursor stands at `column`. */
static void print_wrapped(FILE *out, const char *text, size_t column) {
    if (column + 1 > LEFT) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(LEFT - column), "");
    column = LEFT;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > LEFT && column + 1 + n > WIDTH) {
            fprintf(out, "\n%*s", LEFT, "");
            column = LEFT;
        }
        if (column > LEFT) column += (size_t)fprintf(out, " ");
        column += (size_t)fprintf(out, "%.*s", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const char *name, char letter, const char *metavar,
                         const char *help) {
    char left[96];
    int n = letter ? snprintf(left, sizeof left, "  -%c, --%s", letter, name)
                   : snprintf(left, sizeof left, "      --%s", name);
    for (char *c = left; *c; c++) {
        if (*c == '_') *c = '-';
    }
    if (metavar) n += snprintf(left + n, sizeof left - (size_t)n, " %s", metavar);
    fputs(left, out);
    print_wrapped(out, help, (size_t)n);
}

/* "false, true or never" -> "false|true|never". */
static void list_words(char out[64], const char *range) {
    size_t n = 0;
    while (*range && n + 2 < 64) {
        size_t skip = strncmp(range, ", ", 2) == 0 ? 2 : strncmp(range, " or ", 4) == 0 ? 4 : 0;
        out[n++] = skip ? '|' : *range;
        range += skip ? skip : 1;
    }
    out[n] = 0;
}

/* NULL: the option is a switch. */
static const char *metavar_of(char words[64], const nt_option_info *info) {
    static const char *const of_types[][2] = {
        {"boolean", NULL}, {"integer", "N"}, {"number", "X"},   {"strings", "TEXT"},
        {"text", "TEXT"},  {"ids", "1,2"},   {"words", "JSON"}, {"decay", "START,FACTOR"},
    };
    for (size_t i = 0; i < sizeof of_types / sizeof *of_types; i++)
        if (strcmp(info->type, of_types[i][0]) == 0) return of_types[i][1];
    if (strcmp(info->type, "biases") == 0) return *info->example == '[' ? "JSON" : "ID:X,...";
    list_words(words, info->range);
    return words;
}

/* What a value looks like, where that is not plain. */
static const char *example_of(const nt_option_info *info) {
    static const char *const types[] = {"words", "decay", "biases"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(info->type, types[i]) == 0) return info->example;
    return NULL;
}

static void print_generation_option(FILE *out, const nt_option_info *info) {
    char help[512], words[64], text[1024];
    bool none = strcmp(info->default_value, "none") == 0;
    const char *example = example_of(info);
    const char *quote = example && strchr(example, '[') ? "'" : "";
    snprintf(help, sizeof help, "%s%s%s%s%s%s%s%s", info->help,
             none ? "" : " Default: ", none ? "" : info->default_value, none ? "" : ".",
             example ? " Example: " : "", quote, example ? example : "", quote);
    cli_name_flags(text, sizeof text, help);
    print_option(out, info->name, 0, metavar_of(words, info), text);
}

/* Section by section, as the table has them. */
static void print_generation(FILE *out, const cli_command *command) {
    const nt_option_info *info;
    const char *section = NULL;
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        if (!cli_takes_generation(command, info)) continue;
        if (!section || strcmp(section, info->section) != 0) {
            section = info->section;
            fprintf(out, "\nGeneration: %s\n", section);
        }
        print_generation_option(out, info);
    }
}

static void print_section(FILE *out, const cli_command *command, cli_section section) {
    static const char *const titles[] = {"The text", "What to do", "Many texts", "Output",
                                         "The run"};
    const cli_option *o;
    bool titled = false;
    for (size_t i = 0; (o = cli_option_at(command, i)); i++) {
        if (o->section != section) continue;
        if (!titled) fprintf(out, "\n%s\n", titles[section]);
        titled = true;
        print_option(out, o->name, o->letter, o->metavar, o->help);
    }
}

void cli_print_help(FILE *out, const cli_command *command) {
    fprintf(out, "nextoken %s: %s\n\nusage: nextoken %s%s [options]%s\n", command->name,
            command->summary, command->name,
            command->words         ? command->words
            : command->takes_model ? " [MODEL]"
                                   : " [-m MODEL]",
            !command->takes_text    ? ""
            : command->takes_option ? " [OPTION [TEXT | -]]"
            : command->takes_file   ? " [FILE | -]"
            : command->ids_only     ? " [IDS | -]"
                                    : " [TEXT | -]");
    print_section(out, command, CLI_THE_TEXT);
    print_section(out, command, CLI_THE_JOB);
    print_generation(out, command);
    print_section(out, command, CLI_MANY);
    print_section(out, command, CLI_SHOWN);
    print_section(out, command, CLI_RUN);
    if (command->examples) fprintf(out, "\nExamples\n%s", command->examples);
}
