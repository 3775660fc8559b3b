/* nextoken convert: a checkpoint in another format or at another width. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "progress.h"

static int usage_error(const char *error) {
    cli_error("%s; nextoken convert --help tells more", error);
    return EXIT_USAGE;
}

static bool show_json(const nt_converted *made, const char *source, const char *destination) {
    char width[16];
    size_t n = 0;
    for (; made->width[n] && n + 1 < sizeof width; n++)
        width[n] = (char)(made->width[n] >= 'A' && made->width[n] <= 'Z' ? made->width[n] + 32
                                                                         : made->width[n]);
    width[n] = 0;
    json_t *object = json_pack(
        "{s:s, s:s%, s:s%, s:s, s:s, s:I, s:I}", "schema", "nextoken/1", "source", source,
        strlen(source), "destination", destination, strlen(destination), "format", made->format,
        "width", width, "tensors", (json_int_t)made->n_tensors, "bytes", (json_int_t)made->n_bytes);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!line) {
        cli_error("the names are no UTF-8, or memory ended: no JSON");
        return false;
    }
    puts(line);
    free(line);
    return true;
}

static int convert(const cli_settings *settings) {
    const cli_words *words = &settings->words;
    if (words->n < 2) return usage_error("give what is to be converted, and where to");
    if (words->n > 2)
        return usage_error("more than two words: put quotes around names with spaces");
    const char *source = words->items[0], *destination = words->items[1];
    cli_run run = {.command = &cli_convert, .quiet = settings->quiet};
    nt_callbacks callbacks;
    const nt_hub_options hub = cli_hub_options(&run, &callbacks, settings);
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    nt_converted made = {.size = sizeof made};
    options.width = settings->width;
    options.overwrite = settings->force;
    options.callbacks = &callbacks;
    options.hub = &hub;
    cli_catch_interrupt();
    int status = nt_convert(&made, source, destination, &options);
    cli_progress_clear();
    if (status != NT_OK) return cli_report(status);
    bool shown = true;
    if (settings->json) {
        shown = show_json(&made, source, destination);
    } else if (!settings->quiet) {
        cli_note("%s: %" PRIu64 " tensors, %s, %s", destination, made.n_tensors, made.width,
                 cli_bytes(made.n_bytes).s);
    }
    return cli_close_stdout() && shown ? EXIT_DONE : EXIT_FAILED;
}

const cli_command cli_convert = {
    .name = "convert",
    .summary = "a checkpoint in another format, or at another width",
    .words = " SOURCE DESTINATION",
    .examples = "  nextoken convert gpt2 gpt2.gguf --width q8_0\n"
                "  nextoken convert gpt2.Q4_0.gguf gpt2-folder\n"
                "  nextoken convert gpt2 gpt2-bf16 --width bf16\n"
                "A destination that ends in .gguf is a GGUF file, any other a folder with\n"
                "model.safetensors.\n",
    .options = CLI_OPT_CONVERT,
    .without_model = convert,
};
