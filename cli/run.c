/* One command on one prompt: open, run, show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_STDIN = 1 << 30 };

static int cancelled(void *payload) {
    const cli_run *run = payload;
    /* Once text has been printed the text callback ends the run, and what was made is kept. */
    return cli_interrupted() && !run->streamed;
}

static void note(void *payload, const char *text) {
    const cli_run *run = payload;
    if (!run->quiet) cli_note("%s", text);
}

static int report(int status) {
    if (status == NT_OK) return EXIT_DONE;
    if (status == NT_E_CANCELLED && cli_interrupted())
        cli_error("stopped by Ctrl-C");
    else
        cli_error("%s", nt_error_message());
    return EXIT_FAILED;
}

/* The whole of standard input, zero-ended, for free(). */
static char *read_stdin(size_t *n) {
    size_t room = 1 << 16, got = 0;
    char *text = malloc(room);
    while (text) {
        got += fread(text + got, 1, room - got - 1, stdin);
        if (ferror(stdin) || feof(stdin) || got >= MAX_STDIN || cli_interrupted()) break;
        if (got < room - 1) continue;
        room *= 2;
        char *bigger = realloc(text, room);
        if (!bigger) free(text);
        text = bigger;
    }
    if (!text) {
        cli_error("out of memory while reading standard input");
        return NULL;
    }
    if (ferror(stdin) || got >= MAX_STDIN) {
        if (ferror(stdin))
            cli_error("cannot read standard input: %s", strerror(errno));
        else
            cli_error("standard input has more than %d bytes; use --jsonl for many texts",
                      MAX_STDIN);
        free(text);
        return NULL;
    }
    text[got] = 0;
    *n = got;
    return text;
}

static int run_one(cli_run *run, const cli_settings *settings, const nt_prompt *prompt) {
    nt_result *result = NULL;
    int status = report(run->command->run(&result, run, prompt, settings));
    cli_progress_clear();
    if (status == EXIT_DONE) status = cli_show(run, result, settings, -1);
    if (status == EXIT_DONE && settings->npz) {
        status = report(nt_result_save_npz(result, settings->npz));
    }
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

static int run_prompt(cli_run *run, const cli_settings *settings) {
    if (!run->command->takes_text) return run_one(run, settings, NULL);
    if (settings->ids) return run_ids(run, settings, settings->ids);
    size_t n = strlen(settings->text);
    char *from_stdin = NULL;
    if (strcmp(settings->text, "-") == 0) {
        from_stdin = read_stdin(&n);
        if (!from_stdin) return EXIT_FAILED;
        if (n && from_stdin[n - 1] == '\n' && !run->command->ids_only) {
            note(run, "the text ends with a newline, which is part of it (printf '%s' makes none)");
        }
    }
    const char *text = from_stdin ? from_stdin : settings->text;
    int status;
    if (run->command->ids_only) {
        status = run_ids(run, settings, text);
    } else {
        nt_prompt prompt = empty_prompt(settings);
        prompt.text = text;
        prompt.n_text = n;
        status = run_one(run, settings, &prompt);
    }
    free(from_stdin);
    return status;
}

static int open_run(cli_run *run, const cli_settings *settings) {
    if (!settings->model || !*settings->model) {
        cli_error("no model: give -m FOLDER, or set NEXTOKEN_MODEL");
        return EXIT_USAGE;
    }
    nt_model_options model = NT_MODEL_OPTIONS_INIT;
    model.precision = settings->precision;
    nt_session_options session = NT_SESSION_OPTIONS_INIT;
    session.threads = settings->threads;
    int status = nt_model_open(&run->model, settings->model, &model);
    if (status == NT_OK && (run->command->options & CLI_OPT_SESSION)) {
        status = nt_session_new(&run->session, run->model, &session);
    }
    return report(status);
}

int cli_run_command(const cli_command *command, cli_settings *settings) {
    cli_run run = {.command = command, .quiet = settings->quiet};
    run.callbacks = (nt_callbacks){
        .size = sizeof(nt_callbacks),
        .payload = &run,
        .progress = cli_progress,
        .cancel = cancelled,
        .note = note,
    };
    settings->generate.callbacks = &run.callbacks;
    cli_catch_interrupt();
    int status = open_run(&run, settings);
    if (status == EXIT_DONE) {
        status = settings->jsonl ? cli_run_jsonl(&run, settings) : run_prompt(&run, settings);
    }
    nt_session_free(run.session);
    nt_model_free(run.model);
    if (!cli_close_stdout() && status == EXIT_DONE) status = EXIT_FAILED;
    return status;
}
