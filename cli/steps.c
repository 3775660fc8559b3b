/* nextoken steps: the table of choices, step by step. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_generate_options options = settings->generate;
    r->made = false;
    cli_keep_made(&options, r);
    return nt_steps(out, r->session, prompt, &options);
}

const cli_command cli_steps = {
    .name = "steps",
    .summary = "the choices at every step of decoding",
    .examples = "  nextoken steps -m gpt2 --max-new-tokens 10 \"A long long time ago, \"\n",
    .options = CLI_OPT_GENERATE | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_TABLE | CLI_OPT_PICTURE,
    .takes_text = true,
    .smaller = "--choices 1 (fewer candidates)",
    .run = run,
};
