/* Help, for a terminal of 80 columns: one screen of it (-h), or all (--help). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "options.h"
#include "pager.h"

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

static void print_usage(FILE *out, const cli_command *command) {
    fprintf(out, "nextoken %s:%s%s\n\nusage: nextoken %s%s [options]%s\n", command->name,
            strlen(command->name) + strlen(command->summary) > WIDTH - 11 ? "\n" : " ",
            command->summary, command->name,
            command->words         ? command->words
            : command->takes_model ? " [MODEL]"
                                   : " [-m MODEL]",
            !command->takes_text    ? ""
            : command->takes_option ? " [OPTION [TEXT | -]]"
            : command->takes_file   ? " [FILE | -]"
            : command->ids_only     ? " [IDS | -]"
                                    : " [TEXT | -]");
}

/* ---- One screen ------------------------------------------------------------------------------ */

enum { MOST_OPTIONS = 11, MOST_EXAMPLES = 4 };

/* What is used most, where a command has it, in few words: of a name the first that fits. of: the
 * CLI_OPT_ groups it is said to; 0: all. */
static const struct often {
    const char *name;
    unsigned of;
    const char *help;
} often[] = {
    {"model", CLI_OPT_TOKENIZE | CLI_OPT_SKIP, "gpt2, OWNER/NAME, a folder or a file (gpt2)"},
    {"model", 0, "gpt2, OWNER/NAME, a folder or a file (tales)"},
    {"against", CLI_OPT_DIFF, "the other model: side b"},
    {"k", CLI_OPT_SCORE, "tell the N likeliest at each place as well"},
    {"k", 0, "how many candidates (10)"},
    {"max-new-tokens", 0, "at most so many new tokens (20)"},
    {"temperature", 0, "below 1 likely tokens gain, above 1 they lose"},
    {"top-k", 0, "leave only the N likeliest"},
    {"top-p", 0, "leave only the likeliest that sum to X (0 to 1)"},
    {"num-beams", 0, "beam search: follow N beginnings side by side"},
    {"repetition-penalty", 0, "above 1: what is there already gets less likely"},
    {"seed", 0, "the same seed draws the same tokens"},
    {"by", 0, "token, word, char or text"},
    {"continuations", 0, "compare these endings of the text"},
    {"stride", 0, "windows over a long text, N tokens apart"},
    {"heat", 0, "colour the text by how unexpected it is"},
    {"layers", 0, "what each layer would have said"},
    {"attention", 0, "where a head looks"},
    {"position", 0, "the tokens up to number N (from 0)"},
    {"tree", 0, "the tree of beams below the texts"},
    {"count", 0, "count the tokens of files"},
    {"against", CLI_OPT_TOKENIZE, "another tokenizer, side by side"},
    {"tensors", 0, "every tensor with its statistics"},
    {"diff", 0, "compare its tensors with another model's"},
    {"npz", 0, "arrays for NumPy"},
    {"width", 0, "store weights as keep, f32, f16, bf16 or q8_0"},
    {"force", 0, "replace what is there"},
    {"json", 0, "one JSON object"},
    {"ids", 0, "token ids in place of a text"},
    {"jsonl", 0, "many texts: one JSON object a line"},
    {"html", 0, "a page for a browser"},
    {"svg", 0, "a picture"},
    {"skip-special-tokens", 0, "without special tokens"},
    {"threads", 0, "how many threads (all)"},
    {"offline", CLI_OPT_PULL, "look in the cache alone"},
};

static void print_short(FILE *out, const char *name, char letter, const char *metavar,
                        const char *help) {
    char left[64];
    int n = letter ? snprintf(left, sizeof left, "  -%c, --%s", letter, name)
                   : snprintf(left, sizeof left, "      --%s", name);
    if (metavar && (size_t)n + 1 + strlen(metavar) < LEFT)
        snprintf(left + n, sizeof left - (size_t)n, " %s", metavar);
    fprintf(out, "%-*s%s\n", LEFT, left, help);
}

/* Whether the command has it. */
static bool print_often(FILE *out, const cli_command *command, const struct often *one) {
    char words[64];
    const char *name = one->name, *help = one->help;
    if (one->of && !(one->of & command->options)) return false;
    const cli_option *o = cli_option_find(command, name, strlen(name));
    const nt_option_info *info = o ? NULL : cli_generation_option(command, name, strlen(name));
    if (o) print_short(out, name, o->letter, o->metavar, help);
    if (info) print_short(out, name, 0, metavar_of(words, info), help);
    return o || info;
}

static void print_examples(FILE *out, const cli_command *command) {
    const char *line = command->examples;
    fputs("\nExamples\n", out);
    /* What is said below them is no example. */
    for (int i = 0; i < MOST_EXAMPLES && *line == ' '; i++) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "%.*s\n", (int)n, line);
        line += n + (line[n] != 0);
    }
}

static void print_brief(FILE *out, const cli_command *command) {
    size_t n = 0;
    const char *last = "";
    print_usage(out, command);
    fputc('\n', out);
    for (size_t i = 0; i < sizeof often / sizeof *often && n < MOST_OPTIONS; i++) {
        if (strcmp(often[i].name, last) == 0 || !print_often(out, command, &often[i])) continue;
        last = often[i].name;
        n++;
    }
    if (command->examples) print_examples(out, command);
    fprintf(out, "\nnextoken %s --help tells all options.\n", command->name);
}

/* ---- The program ----------------------------------------------------------------------------- */

static void print_program(FILE *out, bool brief) {
    fputs("nextoken: what a language model would write next, with every probability\n\n"
          "usage: nextoken [COMMAND] [-m MODEL] [options] [TEXT | -]\n\n",
          out);
    for (const cli_command *const *c = cli_commands; *c; c++)
        fprintf(out, "  %-12s%s\n", (*c)->name, (*c)->summary);
    if (brief) {
        fputs("\nnextoken \"Alice is a\" is nextoken next \"Alice is a\".\n"
              "nextoken COMMAND -h tells what is used most, nextoken --help tells more.\n",
              out);
        return;
    }
    fputs(
        "\nWithout COMMAND it is next: nextoken \"Alice is a\", nextoken -m gpt2 \"Alice is a\".\n"
        "nextoken COMMAND -h tells what is used most, nextoken COMMAND --help all options,\n"
        "nextoken explain OPTION what one does, with a picture.\n\n"
        "MODEL is a folder with config.json and model.safetensors, a .safetensors file beside "
        "its\n"
        "config.json, a .gguf file, a name of the Hugging Face Hub such as gpt2 or\n"
        "openai-community/gpt2-large, or tales, the small model that is built in; without -m it\n"
        "is taken from NEXTOKEN_MODEL, and without that it is tales.\n\n"
        "Tables go to a terminal; --json, --csv, --tsv and --html FILE are for programs and "
        "files.\n\n"
        "Environment\n"
        "  NEXTOKEN_MODEL   the model where none is named\n"
        "  NEXTOKEN_PAGER   shows what is longer than the screen (else PAGER, else less; empty: "
        "none)\n"
        "  NEXTOKEN_ISA     instruction set of the arithmetic: ref, avx2, avx512\n"
        "  NO_COLOR         no colours\n"
        "  COLUMNS          the width of tables, where it is not the terminal's\n"
        "  OMP_NUM_THREADS  threads\n"
        "  HF_HOME, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE   as huggingface_hub reads them\n\n"
        "Exit status: 0 done, 1 failed, 2 wrong usage\n",
        out);
}

static void print_all(FILE *out, const cli_command *command) {
    print_usage(out, command);
    print_section(out, command, CLI_THE_TEXT);
    print_section(out, command, CLI_THE_JOB);
    print_generation(out, command);
    print_section(out, command, CLI_MANY);
    print_section(out, command, CLI_SHOWN);
    print_section(out, command, CLI_RUN);
    if (command->examples) fprintf(out, "\nExamples\n%s", command->examples);
}

bool cli_print_help(const cli_command *command, bool brief, bool no_pager) {
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out && !command)
        print_program(out, brief);
    else if (out)
        (brief ? print_brief : print_all)(out, command);
    bool whole = out && fclose(out) == 0;
    if (!whole) cli_error("out of memory");
    if (whole) cli_page(text, n, !no_pager); /* stdout keeps its failure for its end */
    free(text);
    return whole && cli_close_stdout();
}
