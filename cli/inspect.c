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
    options.callbacks = &r->callbacks;
    return nt_inspect(out, r->session, prompt, &options);
}

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "logits, hidden states, attentions and logit lens of every layer",
    .examples = "  nextoken inspect -m gpt2 \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --npz alice.npz \"Alice is a\"\n"
                "  nextoken inspect -m gpt2 --npz lens.npz --arrays logit_lens \"Alice is a\"\n",
    .options = CLI_OPT_NPZ | CLI_OPT_TEXT | CLI_OPT_SESSION,
    .takes_text = true,
    .run = run,
};
