/* What the subcommands share. The program sees the library through nextoken.h alone. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "nextoken.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Everything that a command line can say. One struct for all commands: cli/args.c knows which
 * option belongs to which command. */
typedef struct cli_settings {
    const char *model; /* -m, else NEXTOKEN_MODEL */
    const char *text;  /* TEXT, or "-" */
    const char *ids;   /* --ids */
    const char *jsonl; /* --jsonl */
    const char *npz;   /* --npz */
    nt_format format;  /* --json, --csv */
    int threads;
    nt_precision precision;
    int color; /* -1 auto, 0 never, 1 always */
    bool ascii, quiet, help, version;
    /* options that a line of --jsonl may also give, by their JSON names */
    int32_t k;
    int64_t prompt_len;
    bool bos, add_prefix_space, skip_special_tokens, split_special_tokens;
    nt_generate_options generate;
} cli_settings;

typedef struct cli_run cli_run;

/* A subcommand: turns a prompt into a result. */
typedef struct cli_command {
    const char *name;
    const char *summary;  /* one line for the list of commands */
    const char *examples; /* lines for its own help */
    unsigned options;     /* CLI_OPT_ groups that it takes */
    bool takes_text;      /* TEXT, --ids or --jsonl */
    bool ids_only;        /* TEXT is a list of ids */
    int (*run)(nt_result **out, cli_run *run, const nt_prompt *prompt,
               const cli_settings *settings);
} cli_command;

enum {
    CLI_OPT_K = 1 << 0,
    CLI_OPT_GENERATE = 1 << 1,
    CLI_OPT_SCORE = 1 << 2,
    CLI_OPT_NPZ = 1 << 3,
    CLI_OPT_SKIP = 1 << 4,
    CLI_OPT_SPLIT = 1 << 5,
    CLI_OPT_TEXT = 1 << 6,    /* how a text is read */
    CLI_OPT_SESSION = 1 << 7, /* runs the model: threads, precision */
};

/* What a run holds open. */
struct cli_run {
    const cli_command *command;
    nt_model *model;
    nt_session *session; /* NULL for commands without CLI_OPT_SESSION */
    nt_callbacks callbacks;
    bool streamed;   /* generated text has begun to come */
    bool text_shown; /* and is on the terminal, behind its prompt: the table leaves it out */
    struct {         /* of generate: the text as it grows */
        const nt_prompt *prompt;
        bool shown, color; /* on a terminal; with colours */
    } live;
    bool quiet;
};

extern const cli_command cli_tokenize, cli_detokenize, cli_next, cli_steps, cli_generate, cli_score,
    cli_inspect, cli_info;
extern const cli_command *const cli_commands[]; /* NULL ends it */

/* ---- args.c ---- */

/* Fills settings from argv behind the command's name. False (after one line on stderr) when the
 * usage is wrong. */
bool cli_parse(cli_settings *settings, const cli_command *command, int argc, char **argv);
void cli_settings_free(cli_settings *settings);
void cli_print_help(FILE *out, const cli_command *command);

/* Sets one option of a --jsonl line from the text of its JSON value (a string without quotes).
 * 0, or -1 with one line in error [n]. */
int cli_set_member(cli_settings *settings, const cli_command *command, const char *name,
                   const char *value, char *error, size_t n);

/* "1, 2,3" or "[1,2,3]" -> ids [*n] for free(). False when it is no list of ids. */
bool cli_read_ids(int32_t **ids, size_t *n, const char *text);

/* ---- run.c ---- */

/* Opens what the command needs and runs it; the exit status. */
int cli_run_command(const cli_command *command, cli_settings *settings);

/* ---- jsonl.c ---- */

/* One result a line of settings->jsonl, in order. */
int cli_run_jsonl(cli_run *run, const cli_settings *settings);

/* ---- output.c ---- */

/* "nextoken: error: ..." on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* '?' for control characters and for bytes that are no UTF-8, such as a character that was cut. */
void cli_make_printable(char *text);

/* Shows a result on stdout; the exit status. index: line of --jsonl, -1 for none. */
int cli_show(const cli_run *run, const nt_result *result, const cli_settings *settings,
             int64_t index);
/* False, after one line on stderr, when what was written did not get out. */
bool cli_flush_stdout(void);
/* Flushes and closes stdout; false when anything could not be written. */
bool cli_close_stdout(void);
int cli_write_stdout(void *payload, const char *bytes, size_t n);
bool cli_color(const cli_settings *settings);

/* Progress of long work on stderr, when that is a terminal and more than a second has passed. */
void cli_progress(void *payload, const char *what, uint64_t done, uint64_t total);
void cli_progress_clear(void);

/* ---- interrupt.c ---- */

/* From the first Ctrl-C on cli_interrupted() is true; a second one ends the process at once. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);
/* Ends the process as an uncaught Ctrl-C would, so that the shell sees it. */
void cli_die_interrupted(void);

#endif
