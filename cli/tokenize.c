/* nextoken tokenize: text -> ids. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.split_special_tokens = settings->split_special_tokens;
    return nt_tokenize(out, r->model, prompt, &options);
}

const cli_command cli_tokenize = {
    .name = "tokenize",
    .summary = "the tokens of a text, with ids and offsets",
    .examples = "  nextoken tokenize -m gpt2 \"This weekend I plan to\"\n"
                "  nextoken tokenize -m gpt2 --json - < book.txt\n",
    .options = CLI_OPT_TEXT | CLI_OPT_SPLIT | CLI_OPT_TABLE,
    .takes_text = true,
    .run = run,
};
