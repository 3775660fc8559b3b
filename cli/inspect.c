/* nextoken inspect: what happens inside, layer by layer. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    if (settings->npz) {
        unsigned arrays = settings->arrays ? settings->arrays : ~0u;
        options.npz = settings->npz;
        options.logits = arrays & CLI_LOGITS;
        options.hidden_states = arrays & CLI_HIDDEN_STATES;
        options.attentions = arrays & CLI_ATTENTIONS;
        options.logit_lens = arrays & CLI_LOGIT_LENS;
    }
    options.layers = settings->layers;
    options.attention = settings->attention;
    options.attention_layer = settings->attention_layer;
    options.attention_head = settings->attention_head;
    options.attention_heads = settings->attention_heads;
    options.callbacks = &r->callbacks;
    return nt_inspect(out, r->session, prompt, &options);
}

bool cli_inspect_check(const cli_settings *s, char *error, size_t n) {
    bool inside = s->layers || s->attention, table = s->format == NT_CSV || s->format == NT_TSV;
    bool svg = s->svg || s->format == NT_SVG;
    const char *why = NULL;
    if (s->position >= 0 && !inside)
        why = "--position goes with --layers or --attention";
    else if (s->skip_first && !s->attention)
        why = "--skip-first goes with --attention";
    else if (s->arcs && !(s->attention && svg))
        why = "--arcs goes with --attention and --svg FILE";
    else if (svg && !inside)
        why = "--svg draws --layers or --attention: give one of them";
    else if (table && s->layers && s->attention)
        why =
            "a table has one kind of rows: give --layers or --attention alone, or --json for both";
    snprintf(error, n, "%s", why ? why : "");
    return !why;
}

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "what goes on inside: layers, attention, hidden states",
    .examples = "  nextoken inspect -m gpt2 \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --layers --html layers.html \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --attention 5.1 \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --npz alice.npz \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --npz lens.npz --arrays logit_lens \"Alice is a\"\n",
    .options = CLI_OPT_NPZ | CLI_OPT_PICTURE | CLI_OPT_TEXT | CLI_OPT_SESSION,
    .takes_text = true,
    .smaller = "--layers 1 (fewer candidates)",
    .run = run,
};
