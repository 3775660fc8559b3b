/* nextoken detokenize: ids -> text. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    return nt_detokenize(out, r->model, prompt->ids, prompt->n_ids, settings->skip_special_tokens);
}

const cli_command cli_detokenize = {
    .name = "detokenize",
    .summary = "the text of token ids",
    .examples = "  nextoken detokenize -m gpt2 770,5041,314,1410,284\n",
    .options = CLI_OPT_SKIP,
    .takes_text = true,
    .ids_only = true,
    .tokenizer_only = true,
    .run = run,
};
