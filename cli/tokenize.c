/* nextoken tokenize: text -> ids; two tokenizers side by side; counts of files. */
#include "cli.h"

/* The model, and the one that it is held against. */
static size_t models_of(const nt_model *models[2], const cli_run *r) {
    models[0] = r->model;
    models[1] = r->against;
    return r->against ? 2 : 1;
}

static int count(nt_result **out, cli_run *r, const cli_settings *settings) {
    const nt_model *models[2];
    size_t n_models = models_of(models, r);
    nt_count_options options = NT_COUNT_OPTIONS_INIT;
    options.threads = settings->threads;
    options.split_special_tokens = settings->split_special_tokens;
    options.callbacks = &r->callbacks;
    return nt_count(out, models, n_models, settings->counted.items, settings->counted.n, &options);
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    if (settings->counted.n) return count(out, r, settings);
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.split_special_tokens = settings->split_special_tokens;
    options.trim_offsets = settings->trim_offsets;
    const nt_model *models[2];
    size_t n_models = models_of(models, r);
    return n_models == 1 ? nt_tokenize(out, r->model, prompt, &options)
                         : nt_tokenize_compare(out, models, n_models, prompt, &options);
}

const cli_command cli_tokenize = {
    .name = "tokenize",
    .summary = "the tokens of a text, with ids and offsets; counts; two tokenizers side by side",
    .examples = "  nextoken tokenize \"This weekend I plan to\"\n"
                "  nextoken tokenize -m llama3/tokenizer.json --against gpt2 \"don't stop\"\n"
                "  nextoken tokenize --count *.txt\n"
                "  nextoken tokenize -m gpt2 --json - < book.txt\n",
    .options = CLI_OPT_TEXT | CLI_OPT_SPLIT | CLI_OPT_TABLE | CLI_OPT_TOKENIZE,
    .takes_text = true,
    .tokenizer_only = true,
    .run = run,
};
