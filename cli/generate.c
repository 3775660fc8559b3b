/* nextoken generate: continue a text. On a terminal the text is shown as it grows. */
#include <unistd.h>

#include "cli.h"
#include "progress.h"

/* Before the first new text, so that notes stand above it. */
static void show_prompt(cli_run *r) {
    const nt_prompt *prompt = r->live.prompt;
    const nt_tokenizer *tokenizer = nt_model_tokenizer(r->model);
    char *decoded = NULL;
    size_t n = prompt->n_text;
    cli_progress_clear();
    r->text_shown = true; /* from here on the text itself tells how far it is */
    if (prompt->ids && tokenizer) {
        nt_decode(&decoded, &n, tokenizer, prompt->ids, prompt->n_ids, false);
    }
    const char *text = prompt->ids ? decoded : prompt->text;
    if (text) {
        if (r->live.color) fputs("\033[2m", stdout);
        cli_print_safely(text, n);
        if (r->live.color) fputs("\033[0m", stdout);
    }
    nt_free(decoded);
}

static int on_text(void *payload, const char *utf8, size_t n) {
    cli_run *r = payload;
    if (n) r->streamed = true;
    r->made = true; /* an exact search, too, calls once there is something to return */
    if (r->live.shown && n) {
        if (!r->text_shown) show_prompt(r);
        if (r->live.color) fputs("\033[1m", stdout);
        cli_print_safely(utf8, n);
        if (r->live.color) fputs("\033[0m", stdout);
        fflush(stdout);
    }
    return cli_interrupted();
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    r->live.prompt = prompt;
    r->live.shown = settings->format == NT_TABLE && isatty(STDOUT_FILENO);
    r->live.color = cli_color(settings);
    r->streamed = r->text_shown = r->made = false;
    nt_callbacks callbacks = r->callbacks;
    callbacks.text = on_text;
    nt_generate_options options = settings->generate;
    options.callbacks = &callbacks;
    cli_keep_made(&options, r);
    int status = nt_generate(out, r->session, prompt, &options);
    if (r->text_shown) fputs("\n", stdout);
    return status;
}

bool cli_turn_on_sampling(char why[CLI_MAX_NAME], nt_generate_options *options) {
    const nt_option_info *info = nt_generate_options_drawing(options);
    if (options->do_sample != 0 || !info || options->search == NT_SEARCH_EXACT) return false;
    options->do_sample = 1;
    snprintf(why, CLI_MAX_NAME, "%s", info->name);
    for (char *c = why; *c; c++)
        if (*c == '_') *c = '-';
    return true;
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "a continuation of the text",
    .examples = "  nextoken generate -m gpt2 --max-new-tokens 40 \"A long long time ago, \"\n"
                "  nextoken generate -m gpt2 --stop-strings \".\" --json \"Alice is a\"\n"
                "  nextoken generate -m gpt2 --top-p 0.9 --num-return-sequences 3 \"Alice\"\n"
                "  nextoken generate -m gpt2 --num-beams 5 --json --trace \"Alice\"\n"
                "  nextoken generate -m gpt2 --num-beams 5 --tree --svg tree.svg \"Alice\"\n"
                "  nextoken generate -m gpt2-large --assistant-model gpt2 \"Alice is a\"\n"
                "  nextoken generate -m gpt2 --search exact --horizon 5 \"Alice is a\"\n",
    .options = CLI_OPT_TRACE | CLI_OPT_PICTURE | CLI_OPT_GENERATE | CLI_OPT_TEXT | CLI_OPT_SESSION |
               CLI_OPT_TABLE,
    .takes_text = true,
    .smaller = "--choices 1 (fewer candidates)",
    .run = run,
};
