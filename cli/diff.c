/* nextoken diff: one text seen by two models, or by one under two sets of options. */
#include "cli.h"
#include <stdio.h>

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_generate_options base = NT_GENERATE_OPTIONS_INIT;
    nt_side a = {.size = sizeof a, .session = r->session}, b = a;
    if (settings->base_config) {
        int status = nt_generate_options_load(&base, settings->base_config);
        if (status != NT_OK) return status;
        a.generate = &base;
    }
    if (r->other) b.session = r->other;
    if (settings->generation_given) b.generate = &settings->generate;
    nt_versus_options options = NT_VERSUS_OPTIONS_INIT;
    options.prompt_len = (size_t)settings->prompt_len;
    options.callbacks = &r->callbacks;
    return nt_versus(out, &a, &b, prompt, &options);
}

bool cli_diff_check(const cli_settings *s, char *error, size_t n) {
    if (s->against || s->against_precise || s->generation_given || s->generation_config ||
        s->base_config)
        return true;
    snprintf(error, n,
             "nothing to compare with: give --against MODEL, --against-precision bf16, or options "
             "that b goes by, such as --temperature 0.7");
    return false;
}

const cli_command cli_diff = {
    .name = "diff",
    .summary = "one text seen by two models, or under two sets of options",
    .examples =
        "  nextoken diff -m gpt2 --against gpt2-medium \"Alice is a girl.\"\n"
        "  nextoken diff -m gpt2 --against my-finetune --csv - < text.txt\n"
        "  nextoken diff --temperature 0.7 --top-p 0.9 \"Alice is a girl.\"\n"
        "  nextoken diff --base-config a.json --generation-config b.json \"Alice\"\n"
        "  nextoken diff -m gpt2 --against-precision bf16 \"Alice is a girl.\"\n"
        "  nextoken diff -m gpt2.Q8_0.gguf --against gpt2 --html diff.html \"Alice is a\"\n",
    .options = CLI_OPT_DIFF | CLI_OPT_ONE_STEP | CLI_OPT_TEXT | CLI_OPT_SESSION | CLI_OPT_BASE,
    .takes_text = true,
    .run = run,
};
