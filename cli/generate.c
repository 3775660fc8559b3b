/* nextoken generate: continue a text. */
#include <string.h>

#include "cli.h"

static int on_text(void *payload, const char *utf8, size_t n) {
    cli_run *r = payload;
    (void)utf8;
    if (n) r->streamed = true;
    return cli_interrupted();
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_callbacks callbacks = r->callbacks;
    callbacks.text = on_text;
    nt_generate_options options = settings->generate;
    options.callbacks = &callbacks;
    r->streamed = false;
    return nt_generate(out, r->session, prompt, &options);
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "a continuation of the text",
    .examples = "  nextoken generate -m gpt2 --max-new-tokens 40 \"A long long time ago, \"\n"
                "  nextoken generate -m gpt2 --stop-strings \".\" --json \"Alice is a\"\n",
    .options = CLI_OPT_GENERATE | CLI_OPT_BOS | CLI_OPT_SESSION,
    .takes_text = true,
    .run = run,
};
