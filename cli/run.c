/* One command on one prompt: open, run, show. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "input.h"
#include "progress.h"
#include "sink.h"

static int cancelled(void *payload) {
    const cli_run *run = payload;
    /* Once there are tokens they end by their own callbacks, and what was made is kept. */
    return cli_interrupted() && !run->streamed && !run->made;
}

/* FNV-1a */
static uint64_t hash_of(const char *text) {
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

/* Of many records each kind of note is said once, and no endless row of them. */
static void note(void *payload, const char *text) {
    cli_run *run = payload;
    size_t most = sizeof run->noted / sizeof *run->noted;
    char named[CLI_MAX_MESSAGE];
    if (run->quiet || run->n_noted > most) return;
    bool of_file = strncmp(text, "generation_config.json", 22) == 0; /* which has no flags */
    if (!run->many && !of_file) {
        cli_name_flags(named, sizeof named, text);
        text = named;
    }
    if (run->many) {
        uint64_t hash = hash_of(text);
        for (size_t i = 0; i < run->n_noted; i++) {
            if (run->noted[i] == hash) return;
        }
        if (run->n_noted == most) text = "further notes are left out";
        if (run->n_noted < most) run->noted[run->n_noted] = hash;
        run->n_noted++;
    }
    cli_note("%s", text);
}

int cli_report(int status) {
    if (status == NT_OK) return EXIT_DONE;
    if (status == NT_E_CANCELLED && cli_interrupted())
        cli_error("stopped by Ctrl-C");
    else
        cli_error("%s", nt_error_message());
    return EXIT_FAILED;
}

int cli_report_model(int status, const char *name) {
    char near[2048], message[CLI_MAX_MESSAGE];
    snprintf(message, sizeof message, "%s", nt_error_message());
    if (status != NT_E_NOT_FOUND || !name || access(name, F_OK) == 0 ||
        strstr(message, "did you mean") || !cli_near_path(near, sizeof near, name))
        return cli_report(status);
    cli_error("%s; did you mean %s?", message, near);
    return EXIT_FAILED;
}

/* Of the command's own work, whose options the command line gave. */
static int report_run(int status) {
    char message[CLI_MAX_MESSAGE];
    if (status == NT_OK) return EXIT_DONE;
    if (status == NT_E_CANCELLED && cli_interrupted()) return cli_report(status);
    cli_name_flags(message, sizeof message, nt_error_message());
    cli_error("%s", message);
    return EXIT_FAILED;
}

static int run_one(cli_run *run, const cli_settings *settings, const nt_prompt *prompt) {
    nt_result *result = NULL;
    int status = run->command->run(&result, run, prompt, settings);
    cli_progress_clear();
    if (status == NT_E_TEXT && run->command->takes_file && settings->text) {
        cli_error("%s: %s", settings->text, nt_error_message());
        return EXIT_FAILED;
    }
    status = run->told ? EXIT_FAILED : report_run(status);
    if (status == EXIT_DONE && result) status = cli_show(run, result, settings);
    nt_result_free(result);
    return status;
}

static nt_prompt empty_prompt(const cli_settings *settings) {
    return (nt_prompt){.size = sizeof(nt_prompt),
                       .add_bos = settings->bos,
                       .add_prefix_space = settings->add_prefix_space};
}

static int run_ids(cli_run *run, const cli_settings *settings, const char *list) {
    nt_prompt prompt = empty_prompt(settings);
    int32_t *ids;
    if (!cli_read_ids(&ids, &prompt.n_ids, list)) {
        cli_error("\"%.60s\" is no list of token ids such as 1,2,3", list);
        return EXIT_USAGE;
    }
    prompt.ids = ids;
    int status = run_one(run, settings, &prompt);
    free(ids);
    return status;
}

static int run_text(cli_run *run, const cli_settings *settings, const char *text, size_t n) {
    if (run->command->ids_only) return run_ids(run, settings, text);
    nt_prompt prompt = empty_prompt(settings);
    prompt.text = text;
    prompt.n_text = n;
    return run_one(run, settings, &prompt);
}

/* The text of a file, or of standard input. */
static int run_file(cli_run *run, const cli_settings *settings) {
    size_t n;
    bool is_file = run->command->takes_file;
    char *text = cli_read_whole(settings->text, &n);
    if (!text) return EXIT_FAILED;
    int status = EXIT_FAILED;
    if (is_file && n == 0) {
        cli_error("%s is empty",
                  strcmp(settings->text, "-") == 0 ? "standard input" : settings->text);
    } else {
        if (n && text[n - 1] == '\n' && !run->command->ids_only && !is_file) {
            note(run, "the text ends with a newline, which is part of it (printf '%s' makes none)");
        }
        status = run_text(run, settings, text, n);
    }
    free(text);
    return status;
}

static int run_prompt(cli_run *run, const cli_settings *settings) {
    if (!run->command->takes_text || settings->counted.n) return run_one(run, settings, NULL);
    if (settings->ids) return run_ids(run, settings, settings->ids);
    if (run->command->takes_file || strcmp(settings->text, "-") == 0)
        return run_file(run, settings);
    return run_text(run, settings, settings->text, strlen(settings->text));
}

/* The name of a model; NULL for what is built in: the tokenizer, and the model of whoever names
 * none. */
static const char *path_of(const cli_command *command, const char *name) {
    bool gpt2 = command->tokenizer_only && name && strcmp(name, "gpt2") == 0;
    return gpt2 && access(name, F_OK) != 0 ? NULL : name;
}

nt_hub_options cli_hub_options(cli_run *run, nt_callbacks *callbacks,
                               const cli_settings *settings) {
    nt_hub_options hub = NT_HUB_OPTIONS_INIT;
    *callbacks = cli_run_callbacks(run);
    callbacks->progress = NULL; /* the transfers tell it better */
    hub.callbacks = callbacks;
    hub.transfers = cli_transfers;
    hub.payload = run;
    if (settings->offline) hub.use = NT_HUB_OFFLINE;
    return hub;
}

int cli_open_model(nt_model **out, cli_run *run, const char *name, const cli_settings *settings) {
    nt_callbacks callbacks;
    const cli_command *command = run->command;
    const nt_hub_options hub = cli_hub_options(run, &callbacks, settings);
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    options.hub = &hub;
    options.precision = settings->precision;
    options.reading = settings->as_transformers ? NT_READ_TRANSFORMERS : NT_READ_FILE;
    options.tokenizer_only = command->tokenizer_only;
    int status = nt_model_open(out, path_of(command, name), &options);
    cli_progress_clear();
    return status;
}

/* Opens, or says why not; the exit status. */
static int open_model(nt_model **out, cli_run *run, const char *name,
                      const cli_settings *settings) {
    const cli_command *command = run->command;
    int status = cli_open_model(out, run, name, settings);
    if (status != NT_E_NOT_FOUND || !command->tokenizer_only || access(name, F_OK) == 0)
        return cli_report_model(status, name);
    cli_error("%s%s; GPT-2's own tokenizer is built in: leave -m out, or give -m gpt2",
              nt_error_message(), name == getenv("NEXTOKEN_MODEL") ? " (NEXTOKEN_MODEL)" : "");
    return EXIT_FAILED;
}

void cli_tell_model(cli_run *run, const char *name) {
    if (!name && !run->command->tokenizer_only)
        note(run, "tales: old storybooks, not GPT-2; -m FOLDER or NEXTOKEN_MODEL names another");
    else if (name && strcmp(name, "tales") == 0 && access(name, F_OK) == 0)
        note(run, "tales is the model that is built in; ./tales names what lies here");
}

bool cli_has_model(const cli_command *command, const cli_settings *settings) {
    if (command->tokenizer_only || settings->model || nt_builtin_model()) return true;
    cli_error("no model: give -m FOLDER, or set NEXTOKEN_MODEL (this build carries none)");
    return false;
}

/* The other model, or the same one in another arithmetic. */
static int open_against(cli_run *run, const cli_settings *settings) {
    cli_settings other = *settings;
    if (settings->against_precise) other.precision = settings->against_precision;
    return open_model(&run->against, run, settings->against ? settings->against : settings->model,
                      &other);
}

static int open_run(cli_run *run, const cli_settings *settings) {
    const cli_command *command = run->command;
    if (!cli_has_model(command, settings)) return EXIT_USAGE;
    if (!cli_output_open(settings)) return EXIT_FAILED;
    nt_session_options session = NT_SESSION_OPTIONS_INIT;
    session.threads = settings->threads;
    int status = open_model(&run->model, run, settings->model, settings);
    if (status == EXIT_DONE) cli_tell_model(run, settings->model);
    if (status == EXIT_DONE && (settings->against || settings->against_precise))
        status = open_against(run, settings);
    if (status == EXIT_DONE && (command->options & CLI_OPT_SESSION))
        status = cli_report(nt_session_new(&run->session, run->model, &session));
    if (status == EXIT_DONE && run->against && !command->tokenizer_only)
        status = cli_report(nt_session_new(&run->other, run->against, &session));
    if (status == EXIT_DONE && settings->assistant)
        status = open_model(&run->draft, run, settings->assistant, settings);
    if (status == EXIT_DONE && run->draft)
        status = cli_report(nt_session_new(&run->assistant, run->draft, &session));
    return status;
}

static int stop_made(void *payload, const int32_t *ids, size_t n_ids) {
    cli_run *run = payload;
    (void)ids;
    (void)n_ids;
    run->made = true;
    return cli_interrupted();
}

void cli_keep_made(nt_generate_options *options, cli_run *run) {
    /* what an exact search would end in this way is no continuation to compare with others */
    if (run->many || options->search == NT_SEARCH_EXACT) return;
    options->stop = stop_made;
    options->payload = run;
}

nt_callbacks cli_run_callbacks(cli_run *run) {
    return (nt_callbacks){
        .size = sizeof(nt_callbacks),
        .payload = run,
        .progress = cli_progress,
        .cancel = cancelled,
        .note = note,
    };
}

int cli_run_command(const cli_command *command, cli_settings *settings) {
    if (command->without_model) {
        int status = command->without_model(settings);
        if (status >= 0) return status;
    }
    cli_run run = {.command = command, .quiet = settings->quiet};
    run.many = settings->jsonl || settings->table;
    run.callbacks = cli_run_callbacks(&run);
    settings->generate.callbacks = &run.callbacks;
    cli_catch_interrupt();
    int status = EXIT_DONE;
    settings->generation_given |= settings->generation_config != NULL;
    if (settings->generation_config)
        status =
            cli_report(nt_generate_options_load(&settings->generate, settings->generation_config));
    if (status == EXIT_DONE) status = open_run(&run, settings);
    settings->generate.assistant = run.assistant;
    if (status == EXIT_DONE)
        status = run.many ? cli_run_many(&run, settings) : run_prompt(&run, settings);
    /* Whoever reads it need not wait until the system has taken the weights' pages back. */
    if (!cli_close_stdout() && status == EXIT_DONE) status = EXIT_FAILED;
    nt_session_free(run.assistant);
    nt_model_free(run.draft);
    nt_session_free(run.session);
    nt_model_free(run.model);
    nt_session_free(run.other);
    nt_model_free(run.against);
    return status;
}
