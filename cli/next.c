/* nextoken next: what could come next. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    options.k = settings->k;
    options.callbacks = &r->callbacks;
    return nt_next(out, r->session, prompt, &options);
}

const cli_command cli_next = {
    .name = "next",
    .summary = "the likeliest next tokens, with every probability",
    .examples = "  nextoken next -m gpt2 \"Alice is a\"\n"
                "  nextoken next -m gpt2 -k 20 --json \"This weekend I plan to\"\n",
    .options = CLI_OPT_K | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_TABLE,
    .takes_text = true,
    .run = run,
};
