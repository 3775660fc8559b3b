/* nextoken: the command line. Finds the subcommand and hands over. */
#include <string.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &cli_next,     &cli_steps,      &cli_generate, &cli_score, &cli_perplexity,
    &cli_tokenize, &cli_detokenize, &cli_inspect,  &cli_info,  &cli_explain,
    &cli_convert,  &cli_pull,       &cli_cache,    NULL,
};

static void usage(FILE *out) {
    fputs("nextoken: what a language model would write next, with every probability\n\n"
          "usage: nextoken COMMAND [-m MODEL] [options] [TEXT | -]\n\n",
          out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        fprintf(out, "  %-12s%s\n", (*c)->name, (*c)->summary);
    }
    fputs("\nMODEL is a folder with config.json and model.safetensors, a .safetensors file beside "
          "its\n"
          "config.json, a .gguf file, a name of the Hugging Face Hub such as gpt2 or\n"
          "openai-community/gpt2-large, or tales, the small model that is built in; without -m it\n"
          "is taken from NEXTOKEN_MODEL, and without that it is tales.\n"
          "nextoken COMMAND --help tells a command's options.\n",
          out);
}

static const cli_command *find(const char *name) {
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) return *c;
    }
    return NULL;
}

static int unknown_command(const char *name) {
    const cli_command *near = NULL;
    size_t best = 3;
    for (const cli_command *const *c = cli_commands; *c; c++) {
        size_t d = cli_distance(name, strlen(name), (*c)->name);
        if (d < best) {
            best = d;
            near = *c;
        }
    }
    if (near) {
        cli_error("there is no command \"%.60s\"; did you mean \"%s\"?", name, near->name);
    } else {
        cli_error("there is no command \"%.60s\"; nextoken --help lists them", name);
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return cli_close_stdout() ? EXIT_DONE : EXIT_FAILED;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("nextoken %s\n", nt_version());
        return cli_close_stdout() ? EXIT_DONE : EXIT_FAILED;
    }
    const cli_command *command = find(argv[1]);
    if (!command) return unknown_command(argv[1]);

    cli_settings settings;
    int status = EXIT_USAGE;
    if (cli_parse(&settings, command, argc - 2, argv + 2)) {
        if (settings.help) {
            cli_print_help(stdout, command);
            status = cli_close_stdout() ? EXIT_DONE : EXIT_FAILED;
        } else {
            status = cli_run_command(command, &settings);
        }
    }
    cli_settings_free(&settings);
    if (cli_interrupted()) cli_die_interrupted();
    return status;
}
