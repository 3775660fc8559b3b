/* nextoken perplexity: how well a model predicts a file, by strided windows. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_perplexity_options options = NT_PERPLEXITY_OPTIONS_INIT;
    options.window = (size_t)settings->window;
    options.stride = (size_t)settings->stride;
    options.callbacks = &r->callbacks;
    return nt_perplexity(out, r->session, prompt, &options);
}

const cli_command cli_perplexity = {
    .name = "perplexity",
    .summary = "the perplexity of a file, by strided windows",
    .examples = "  nextoken perplexity book.txt\n"
                "  nextoken perplexity --window 1024 --stride 512 --json book.txt\n"
                "  nextoken perplexity --base 2 - < book.txt\n",
    .options = CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_WINDOWS | CLI_OPT_BASE,
    .takes_text = true,
    .takes_file = true,
    .run = run,
};
