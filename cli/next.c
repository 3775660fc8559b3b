/* nextoken next: what could come next. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    options.k = settings->k;
    options.callbacks = &r->callbacks;
    options.logits = settings->html || settings->format == NT_HTML; /* what its page moves */
    options.generate = settings->generation_given ? &settings->generate : NULL;
    return nt_next(out, r->session, prompt, &options);
}

const cli_command cli_next = {
    .name = "next",
    .summary = "the likeliest next tokens, with every probability",
    .examples = "  nextoken next -m gpt2 \"Alice is a\"\n"
                "  nextoken next -m gpt2 -k 20 --json \"This weekend I plan to\"\n"
                "  nextoken next -m gpt2 --svg alice.svg \"Alice is a\"\n"
                "  nextoken next -m gpt2 --temperature 0.7 --top-p 0.9 \"Alice is a\"\n",
    .options = CLI_OPT_K | CLI_OPT_ONE_STEP | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_TABLE |
               CLI_OPT_PICTURE,
    .takes_text = true,
    .run = run,
};
