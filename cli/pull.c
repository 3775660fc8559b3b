/* nextoken pull: a model, or files of a repo, from the Hugging Face Hub into the cache. */
#include <stdio.h>

#include "cli.h"
#include "progress.h"

static int pull(const cli_settings *settings) {
    const cli_words *words = &settings->words;
    if (words->n == 0) {
        cli_error("no model: give its name on the hub, such as gpt2; nextoken pull --help tells "
                  "more");
        return EXIT_USAGE;
    }
    cli_run run = {.command = &cli_pull, .quiet = settings->quiet};
    nt_callbacks callbacks;
    nt_hub_options hub = cli_hub_options(&run, &callbacks, settings);
    char *folder = NULL;
    cli_catch_interrupt();
    if (!settings->offline) hub.use = NT_HUB_REFRESH;
    int status = nt_hub_pull(&folder, words->items[0], words->items + 1, words->n - 1, &hub);
    cli_progress_clear();
    if (status == NT_OK) printf("%s\n", folder);
    nt_free(folder);
    status = cli_report(status);
    return cli_close_stdout() ? status : EXIT_FAILED;
}

const cli_command cli_pull = {
    .name = "pull",
    .summary = "a model from the Hugging Face Hub; prints the folder it is in",
    .words = " NAME[@REVISION] [FILE...]",
    .examples = "  nextoken pull gpt2\n"
                "  nextoken pull openai-community/gpt2-large@main\n"
                "  nextoken pull OWNER/NAME model.Q8_0.gguf\n"
                "  nextoken pull --offline gpt2   # is it all in the cache?\n",
    .options = CLI_OPT_PULL,
    .without_model = pull,
};
