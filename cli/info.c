/* nextoken info: what a model is. */
#include "cli.h"

static int run(nt_result **out, cli_run *r, const nt_prompt *prompt, const cli_settings *settings) {
    (void)prompt, (void)settings;
    return nt_info(out, r->model);
}

const cli_command cli_info = {
    .name = "info",
    .summary = "architecture, parameters, sizes, instruction set",
    .examples = "  nextoken info -m gpt2\n",
    .run = run,
};
