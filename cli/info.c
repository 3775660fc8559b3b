/* nextoken info: what a model is, what its files hold, and how two of them differ. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"
#include "sink.h"

enum { MOST_CHANGED = 20 }; /* rows of the table of --diff without --tensors */

static nt_tensors_options tensors_options(cli_run *run, const nt_hub_options *hub,
                                          const cli_settings *settings) {
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    run->callbacks = cli_run_callbacks(run);
    options.threads = settings->threads;
    options.callbacks = &run->callbacks;
    options.hub = hub;
    return options;
}

/* The exit status of a job, whose result is shown and freed. */
static int show(cli_run *run, int status, nt_result *result, const cli_settings *settings) {
    cli_progress_clear();
    status = cli_report(status);
    if (status == EXIT_DONE) status = cli_show(run, result, settings);
    nt_result_free(result);
    return status;
}

static int diff(cli_run *run, const cli_settings *settings) {
    nt_callbacks callbacks;
    const nt_hub_options hub = cli_hub_options(run, &callbacks, settings);
    const nt_tensors_options options = tensors_options(run, &hub, settings);
    nt_result *result = NULL;
    cli_settings shown = *settings;
    shown.rows = settings->tensors ? INT32_MAX : MOST_CHANGED;
    int status = nt_diff_tensors(&result, settings->model, settings->diff, &options);
    return show(run, status, result, &shown);
}

static int tensors(cli_run *run, const cli_settings *settings) {
    nt_callbacks callbacks;
    const nt_hub_options hub = cli_hub_options(run, &callbacks, settings);
    const nt_tensors_options options = tensors_options(run, &hub, settings);
    nt_result *result = NULL;
    int status = nt_list_tensors(&result, settings->model, &options);
    return show(run, status, result, settings);
}

/* What did not open as a model may still be looked into: a file of weights alone is, a checkpoint
 * that is meant to run stays an error, with a hint. */
static int look_inside(cli_run *run, int status, const cli_settings *settings) {
    char why[CLI_MAX_MESSAGE];
    nt_result *result;
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    const char *name = settings->model;
    bool strange = status == NT_E_NOT_FOUND || status == NT_E_FORMAT || status == NT_E_UNSUPPORTED;
    options.no_statistics = true;
    snprintf(why, sizeof why, "%s", nt_error_message());
    if (!strange || !name || access(name, F_OK) != 0) return cli_report_model(status, name);
    if (nt_list_tensors(&result, name, &options) != NT_OK) {
        cli_error("%s", why);
        return EXIT_FAILED;
    }
    const nt_tensor_info *first = nt_result_tensor_info(result, 0);
    if (!first || strcmp(first->file, name) != 0) {
        nt_result_free(result);
        cli_error("%s; `nextoken info --tensors` lists what the files hold", why);
        return EXIT_FAILED;
    }
    if (!run->quiet) cli_note("no model that runs here: %s", why);
    return show(run, NT_OK, result, settings);
}

static int model(cli_run *run, const cli_settings *settings) {
    nt_result *result = NULL;
    int status = cli_open_model(&run->model, run, settings->model, settings);
    if (status != NT_OK) return look_inside(run, status, settings);
    cli_tell_model(run, settings->model);
    status = nt_info(&result, run->model);
    status = show(run, status, result, settings);
    nt_model_free(run->model);
    return status;
}

static int info(const cli_settings *settings) {
    cli_run run = {.command = &cli_info, .quiet = settings->quiet};
    if (!cli_has_model(&cli_info, settings)) return EXIT_USAGE;
    cli_catch_interrupt();
    int status = EXIT_FAILED;
    if (cli_output_open(settings))
        status = settings->diff      ? diff(&run, settings)
                 : settings->tensors ? tensors(&run, settings)
                                     : model(&run, settings);
    if (!cli_close_stdout() && status == EXIT_DONE) status = EXIT_FAILED;
    return status;
}

const cli_command cli_info = {
    .name = "info",
    .summary = "what a model is, what its files hold, and how two of them differ",
    .examples = "  nextoken info gpt2\n"
                "  nextoken info model.safetensors --tensors\n"
                "  nextoken info gpt2 --diff my-fine-tune\n"
                "  nextoken info gpt2 --diff gpt2.Q4_0.gguf --csv\n",
    .options = CLI_OPT_INFO,
    .takes_model = true,
    .without_model = info,
};
