/* nextoken score: how likely a text is, token by token. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.prompt_len = (size_t)settings->prompt_len;
    options.callbacks = &r->callbacks;
    return nt_score(out, r->session, prompt, &options);
}

const cli_command cli_score = {
    .name = "score",
    .summary = "the log-probability of a text, token by token",
    .examples = "  nextoken score -m gpt2 \"Alice is a\"\n"
                "  nextoken score -m gpt2 --jsonl sentences.jsonl > scores.jsonl\n",
    .options = CLI_OPT_SCORE | CLI_OPT_TEXT | CLI_OPT_SESSION,
    .takes_text = true,
    .run = run,
};
