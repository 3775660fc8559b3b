/* nextoken explain: what the options of generation do. Words need no model; with a text an option
 * is drawn on it. */
#include <string.h>

#include "cli.h"
#include "sink.h"

enum { WIDTH = 100 };

/* ---- Lists of all options -------------------------------------------------------------------- */

static void list_options(void) {
    const nt_option_info *info;
    const char *section = "";
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        if (strcmp(section, info->section) != 0) printf("%s%s\n", i ? "\n" : "", info->section);
        section = info->section;
        printf("  %-33s%s\n", info->name, info->help);
    }
    puts("\nnextoken explain OPTION tells more; with a model and a text it shows what the option "
         "does to it.");
}

/* One paragraph [n] in lines of at most WIDTH bytes. What Markdown would read as a sign is
 * escaped. */
static void print_paragraph(const char *text, size_t n) {
    size_t column = 0;
    for (size_t i = 0; i < n;) {
        char word[256];
        size_t length = 0, from = i;
        for (; i < n && text[i] != ' ' && length + 2 < sizeof word; i++) {
            if (strchr("*<\\`", text[i])) word[length++] = '\\';
            word[length++] = text[i];
        }
        if (column && (from == 0 || text[from - 1] == ' ')) {
            bool fits = column + 1 + length <= WIDTH;
            putchar(fits ? ' ' : '\n');
            column = fits ? column + 1 : 0;
        }
        printf("%.*s", (int)length, word);
        column += length;
        while (i < n && text[i] == ' ')
            i++;
    }
    putchar('\n');
}

static void print_paragraphs(const char *text) {
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n) {
            putchar('\n');
            print_paragraph(text, n);
        }
        text += n + (text[n] == '\n');
    }
}

static void print_markdown(void) {
    const nt_option_info *info;
    const char *section = "";
    puts("# Options of generation\n\n"
         "Made by `nextoken explain --markdown` from the table in src/decode/options; do not edit "
         "it here.\n\n"
         "Names are those of Hugging Face's GenerationConfig wherever it has the option. On the "
         "command line\n"
         "they are written with dashes (`--max-new-tokens 20`), in JSON, in files and in C with "
         "underscores.\n"
         "`nextoken explain OPTION TEXT` draws an option on a text.");
    for (size_t i = 0; (info = nt_option_at(i)); i++) {
        if (strcmp(section, info->section) != 0) printf("\n## %s\n", info->section);
        section = info->section;
        printf("\n### %s\n\n", info->name);
        print_paragraph(info->help, strlen(info->help));
        printf("\n- type: %s\n- default: %s\n- range: %s\n- source: %s\n- example: `%s`\n",
               info->type, info->default_value, info->range, info->source, info->example);
        print_paragraphs(info->about);
    }
}

/* ---- One option ------------------------------------------------------------------------------ */

static int show_words(const cli_settings *settings) {
    cli_run run = {.command = &cli_explain, .quiet = settings->quiet};
    nt_result *result;
    int status = EXIT_FAILED;
    if (nt_explain(&result, settings->option, NULL, NULL, &settings->generate) == NT_OK)
        status = cli_show(&run, result, settings);
    else
        cli_error("%s", nt_error_message());
    nt_result_free(result);
    return status;
}

static int without_model(const cli_settings *settings) {
    const nt_option_info *info;
    if (settings->markdown && settings->option) {
        cli_error("--markdown prints all options: leave \"%.60s\" out", settings->option);
        return EXIT_USAGE;
    }
    if (settings->option && nt_option_named(&info, settings->option) != NT_OK) {
        const char *why = nt_error_message();
        bool asks = *why && why[strlen(why) - 1] == '?'; /* did you mean ...? */
        cli_error("%s%s", why, asks ? "" : "; nextoken explain lists the options");
        return EXIT_USAGE;
    }
    if (!settings->option && (settings->format != NT_TABLE || settings->html)) {
        cli_error("no option: --json, --csv, --tsv and --html show one OPTION");
        return EXIT_USAGE;
    }
    if (settings->text || settings->ids) return -1;
    if (!cli_output_open(settings)) return EXIT_FAILED;
    int status = EXIT_DONE;
    if (settings->markdown)
        print_markdown();
    else if (!settings->option)
        list_options();
    else
        status = show_words(settings);
    return cli_close_stdout() ? status : EXIT_FAILED;
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    return nt_explain(out, settings->option, r->session, prompt, &settings->generate);
}

const cli_command cli_explain = {
    .name = "explain",
    .summary = "what an option of generation does, in words and on a text",
    .examples = "  nextoken explain\n"
                "  nextoken explain top_p\n"
                "  nextoken explain top_p -m gpt2 --top-p 0.8 \"This weekend I plan to\"\n"
                "  nextoken explain num_beams -m gpt2 \"A long long time ago, \"\n",
    .options = CLI_OPT_GENERATE | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_EXPLAIN,
    .takes_text = true,
    .takes_option = true,
    .without_model = without_model,
    .run = run,
};
