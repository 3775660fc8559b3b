/* nextoken tokenize: text -> ids; two tokenizers side by side; counts of files. */
#include <string.h>

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

/* Tokens with no padding. */
static int length_of(size_t *n, const nt_model *model, const nt_prompt *prompt,
                     nt_encode_options options) {
    int32_t *ids = NULL;
    size_t n_text = prompt->n_text ? prompt->n_text : strlen(prompt->text);
    options.add_bos = prompt->add_bos;
    options.padding = -1;
    if (prompt->add_prefix_space) options.add_prefix_space = 1;
    int status =
        nt_encode(&ids, NULL, NULL, n, nt_model_tokenizer(model), prompt->text, n_text, &options);
    nt_free(ids);
    return status;
}

/* tokenizer.json may cut texts and fill them up: then what is shown is not what the text holds. */
static void note_length(cli_run *r, const nt_model *model, const char *name, size_t n_tokens,
                        const nt_prompt *prompt, nt_encode_options options) {
    size_t kept, whole;
    char text[256];
    const nt_tokenizer *tokenizer = nt_model_tokenizer(model);
    if (!nt_tokenizer_truncates(tokenizer) && !nt_tokenizer_pads(tokenizer)) return;
    int status = length_of(&kept, model, prompt, options);
    options.truncation = -1;
    if (status == NT_OK) status = length_of(&whole, model, prompt, options);
    if (status != NT_OK || (kept == whole && n_tokens == kept)) return;
    bool cut = kept<whole, filled = n_tokens> kept;
    char held[64] = "", added[64] = "";
    if (!r->many) { /* of many texts each kind of note is said once */
        snprintf(held, sizeof held, ", %zu of %zu tokens are left", kept, whole);
        snprintf(added, sizeof added, ", %zu tokens are added", n_tokens - kept);
    }
    snprintf(text, sizeof text, "%.120s asks for %s%s%s%s%s", name ? name : "gpt2",
             cut ? "truncation" : "", cut ? held : "", cut && filled ? "; and for " : "",
             filled ? "padding" : "", filled ? added : "");
    r->callbacks.note(r->callbacks.payload, text);
}

static void note_lengths(const nt_result *result, cli_run *r, const nt_prompt *prompt,
                         const cli_settings *settings, const nt_encode_options *options) {
    if (!prompt->text || settings->quiet) return;
    const char *names[2] = {settings->model, settings->against};
    const nt_model *models[2];
    size_t n_models = models_of(models, r);
    for (size_t v = 0; v < n_models; v++) {
        size_t n =
            n_models == 1 ? nt_result_n_tokens(result) : nt_result_compared(result, v)->n_tokens;
        note_length(r, models[v], names[v], n, prompt, *options);
    }
}

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    if (settings->counted.n) return count(out, r, settings);
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.split_special_tokens = settings->split_special_tokens;
    options.trim_offsets = settings->trim_offsets;
    const nt_model *models[2];
    size_t n_models = models_of(models, r);
    int status = n_models == 1 ? nt_tokenize(out, r->model, prompt, &options)
                               : nt_tokenize_compare(out, models, n_models, prompt, &options);
    if (status == NT_OK) note_lengths(*out, r, prompt, settings, &options);
    return status;
}

const cli_command cli_tokenize = {
    .name = "tokenize",
    .summary = "the tokens of a text; counts those of files, compares tokenizers",
    .examples = "  nextoken tokenize \"This weekend I plan to\"\n"
                "  nextoken tokenize -m llama3/tokenizer.json --against gpt2 \"don't stop\"\n"
                "  nextoken tokenize --count *.txt\n"
                "  nextoken tokenize -m gpt2 --json - < book.txt\n",
    .options = CLI_OPT_TEXT | CLI_OPT_SPLIT | CLI_OPT_TABLE | CLI_OPT_TOKENIZE,
    .takes_text = true,
    .tokenizer_only = true,
    .run = run,
};
