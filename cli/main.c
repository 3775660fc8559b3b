/* nextoken: the command line. Finds the subcommand and hands over. */
#include <string.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &cli_next,  &cli_explore,  &cli_steps,      &cli_generate, &cli_score, &cli_perplexity,
    &cli_diff,  &cli_tokenize, &cli_detokenize, &cli_inspect,  &cli_info,  &cli_explain,
    &cli_bench, &cli_convert,  &cli_pull,       &cli_cache,    NULL,
};

/* nextoken -m gpt2 "Alice": options without a command are next's. */
static const cli_command *find(const char *name) {
    if (name[0] == '-') return &cli_next;
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) return *c;
    }
    return NULL;
}

/* The command that a word is a slip of; NULL: none, it is a text. */
static const cli_command *near_command(const char *word) {
    const cli_command *near = NULL;
    size_t n = strlen(word), best = n < 3 ? 0 : n < 6 ? 2 : 3; /* so far off is no slip */
    for (const cli_command *const *c = cli_commands; *c && !strchr(word, ' '); c++) {
        size_t d = cli_distance(word, n, (*c)->name);
        if (d < best) {
            best = d;
            near = *c;
        }
    }
    return near;
}

static int help(bool brief) {
    return cli_print_help(NULL, brief, false) ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv) {
    const char *first = argc < 2 ? "" : argv[1];
    if (argc < 2) {
        fputs("usage: nextoken [COMMAND] [-m MODEL] [options] [TEXT | -]\n"
              "nextoken -h lists the commands; nextoken \"Alice is a\" tells what may come next\n",
              stderr);
        return EXIT_USAGE;
    }
    if (strcmp(first, "-h") == 0) return help(true);
    if (strcmp(first, "--help") == 0) return help(false);
    if (strcmp(first, "help") == 0) { /* help, and help COMMAND */
        const cli_command *one = argc > 2 ? find(argv[2]) : NULL;
        return one ? cli_print_help(one, false, false) ? EXIT_DONE : EXIT_FAILED : help(false);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("nextoken %s\n", nt_version());
        return cli_close_stdout() ? EXIT_DONE : EXIT_FAILED;
    }
    const cli_command *command = find(first), *near = command ? NULL : near_command(first);
    if (near) {
        cli_error("there is no command \"%.60s\"; did you mean nextoken %s? As a text: nextoken "
                  "next \"%.60s\"",
                  first, near->name, first);
        return EXIT_USAGE;
    }
    int skip = command && first[0] != '-' ? 2 : 1; /* without a command it is next */
    if (!command) command = &cli_next;

    cli_settings settings;
    int status = EXIT_USAGE;
    if (cli_parse(&settings, command, argc - skip, argv + skip)) {
        if (settings.help) {
            bool shown = cli_print_help(command, settings.brief, settings.no_pager);
            status = shown ? EXIT_DONE : EXIT_FAILED;
        } else {
            status = cli_run_command(command, &settings);
        }
    }
    cli_settings_free(&settings);
    if (cli_interrupted()) cli_die_interrupted();
    return status;
}
