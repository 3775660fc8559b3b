/* What the subcommands share. The program sees the library through nextoken.h alone. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "nextoken.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { CLI_MAX_NAME = 64 };

enum { CLI_LOGITS = 1, CLI_HIDDEN_STATES = 2, CLI_ATTENTIONS = 4, CLI_LOGIT_LENS = 8 };

/* Words of an option that takes several; each is borrowed. */
typedef struct cli_words {
    const char **items; /* [n] the array is free()d where it is owned */
    size_t n;
    bool owned;
} cli_words;

/* Everything that a command line can say. One struct for all commands: cli/options.c knows which
 * option belongs to which command. */
typedef struct cli_settings {
    const char *model;  /* -m, else NEXTOKEN_MODEL; NULL: what is built in */
    const char *text;   /* TEXT, FILE, or "-" */
    const char *option; /* OPTION of explain */
    const char *ids;    /* --ids */
    const char *jsonl;  /* --jsonl */
    bool json, csv, tsv;
    nt_format format;          /* what is written: from the three above */
    const char *table;         /* FILE of --csv or --tsv where a column is named, else NULL */
    const char *column;        /* --column */
    const char *prompt_column; /* --prompt-column */
    const char *output;        /* --output */
    bool resume;
    const char *npz;        /* --npz */
    const char *svg, *html; /* --svg, --html; "-": on stdout */
    unsigned arrays;        /* --arrays, CLI_LOGITS and the like; 0: all */
    int threads;
    nt_precision precision;
    int color; /* -1 auto, 0 never, 1 always */
    bool ascii, quiet, help, version;
    bool brief; /* of the help, what is used most: -h */
    bool no_pager;
    /* options that a line of --jsonl may also give, by their JSON names */
    int32_t k;
    int64_t prompt_len;
    bool bos, eos, add_prefix_space, skip_special_tokens, split_special_tokens;
    const char *prompt; /* of score: conditioned on; NULL: none */
    unsigned by;        /* of nt_by; 0: the default */
    nt_correction correction;
    bool bits; /* --base 2 */
    int64_t stride, window;
    cli_words continuations;
    cli_words counted;   /* files of --count */
    cli_words words;     /* of a command that takes words */
    cli_words given;     /* of explore: generation options, name and value in turn */
    bool tensors;        /* --tensors, of info */
    const char *diff;    /* --diff, of info */
    bool offline;        /* --offline */
    nt_width width;      /* --width, of convert */
    bool force;          /* --force, of convert */
    const char *against; /* the other model or tokenizer */
    bool against_precise;
    nt_precision against_precision; /* where that is true */
    bool as_transformers, trim_offsets;
    nt_heat heat;   /* --heat */
    int32_t layers; /* --layers */
    bool attention; /* --attention, with its layer and head */
    int32_t attention_layer, attention_head;
    bool attention_heads, skip_first, arcs;
    int64_t position; /* --position; -1: not given */
    bool markdown;
    int64_t rows;                  /* most of a table of tokens; -1: not given */
    const char *generation_config; /* FILE */
    const char *base_config;       /* the same for side a of diff */
    const char *assistant;         /* --assistant-model */
    bool trace;
    unsigned jobs;  /* --only of bench: bits of nt_bench_job; 0: all */
    int32_t rounds; /* --rounds; 0: as many as fit */
    double seconds; /* --seconds; 0: the default */
    bool tree;      /* --tree */
    nt_tree_detail tree_detail;
    nt_generate_options generate;
    bool generation_given; /* any of these */
} cli_settings;

typedef struct cli_run cli_run;

/* A subcommand: turns a prompt into a result. */
typedef struct cli_command {
    const char *name;
    const char *summary;  /* one line for the list of commands */
    const char *examples; /* lines for its own help */
    unsigned options;     /* CLI_OPT_ groups that it takes */
    bool takes_text;      /* TEXT, --ids or --jsonl */
    bool takes_file;      /* and TEXT is the name of a file */
    bool ids_only;        /* TEXT is a list of ids */
    bool many;            /* records go through nt_score_many */
    bool tokenizer_only;  /* needs no weights; without a model GPT-2's own tokenizer */
    bool takes_option;    /* the first word is an option's name; TEXT may be left out */
    bool takes_model;     /* the first word is the model */
    const char *words;    /* takes words, and no model: what they are, for the help; else NULL */
    const char *smaller;  /* the option that makes its pages smaller; NULL: none does */
    /* Runs instead where no model is needed, and returns the exit status; -1: one is. */
    int (*without_model)(const cli_settings *settings);
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
    CLI_OPT_WINDOWS = 1 << 8, /* texts longer than the context */
    CLI_OPT_BASE = 1 << 9,
    CLI_OPT_TABLE = 1 << 10, /* reads a column of a table */
    CLI_OPT_TOKENIZE = 1 << 11,
    CLI_OPT_ONE_STEP = 1 << 12, /* generation options, those alone that shape one step */
    CLI_OPT_TRACE = 1 << 13,
    CLI_OPT_EXPLAIN = 1 << 14,
    CLI_OPT_PICTURE = 1 << 15,
    CLI_OPT_CONVERT = 1 << 16,
    CLI_OPT_INFO = 1 << 17,
    CLI_OPT_DIFF = 1 << 18,
    CLI_OPT_EXPLORE = 1 << 19, /* how a token is drawn; no output but its own */
    CLI_OPT_PULL = 1 << 20,
    CLI_OPT_CACHE = 1 << 21,
    CLI_OPT_BENCH = 1 << 22,
};

/* What a run holds open. */
struct cli_run {
    const cli_command *command;
    nt_model *model;
    nt_model *against;   /* NULL: none */
    nt_session *other;   /* of `against`, for commands that run it, too */
    nt_session *session; /* NULL for commands without CLI_OPT_SESSION */
    nt_model *draft;     /* of --assistant-model; NULL: none */
    nt_session *assistant;
    nt_callbacks callbacks;
    bool streamed;   /* generated text has begun to come */
    bool text_shown; /* and is on the terminal, behind its prompt: the table leaves it out */
    bool made;       /* there are tokens: what Ctrl-C ends is shown */
    struct {         /* of generate: the text as it grows */
        const nt_prompt *prompt;
        bool shown, color; /* on a terminal; with colours */
    } live;
    bool quiet;
    bool told; /* why it failed, on stderr */
    bool many; /* many records */
    uint64_t noted[16];
    size_t n_noted;
    struct cli_meter *meter; /* of many */
};

extern const cli_command cli_bench, cli_diff, cli_tokenize, cli_detokenize, cli_next, cli_steps,
    cli_generate, cli_score, cli_perplexity, cli_inspect, cli_info, cli_explain, cli_pull,
    cli_cache, cli_convert, cli_explore;
extern const cli_command *const cli_commands[]; /* NULL ends it */

/* ---- args.c, help.c ---- */

/* Fills settings from argv behind the command's name. False (after one line on stderr) when the
 * usage is wrong. */
bool cli_parse(cli_settings *settings, const cli_command *command, int argc, char **argv);
void cli_settings_free(cli_settings *settings);
/* Prints the help on a command, or (NULL) on the program; brief: one screen of it. False, after one
 * line on stderr, when it could not be written. */
bool cli_print_help(const cli_command *command, bool brief, bool no_pager);

/* "1, 2,3" or "[1,2,3]" -> ids [*n] for free(). False when it is no list of ids. */
bool cli_read_ids(int32_t **ids, size_t *n, const char *text);

/* ---- run.c ---- */

/* Opens what the command needs and runs it; the exit status. */
int cli_run_command(const cli_command *command, cli_settings *settings);

/* Whether a model is named, or built in; else one line that says so. */
bool cli_has_model(const cli_command *command, const cli_settings *settings);
/* The library's status; nothing is reported. */
int cli_open_model(nt_model **out, cli_run *run, const char *name, const cli_settings *settings);
/* Says which model speaks where none was named, and where a folder could have been meant. */
void cli_tell_model(cli_run *run, const char *name);

/* From the first token on Ctrl-C ends each sequence where it is, so that nothing is lost. */
void cli_keep_made(nt_generate_options *options, cli_run *run);

/* Where models that are named are looked up, and how their download is told of. callbacks: room for
 * those, good as long as the options. */
nt_hub_options cli_hub_options(cli_run *run, nt_callbacks *callbacks, const cli_settings *settings);
/* What a run's callbacks are, with the run as their payload. */
nt_callbacks cli_run_callbacks(cli_run *run);
/* The exit status of a call of the library, and its message on stderr. */
int cli_report(int status);
/* The same where a model of that name was to be opened: a name that is near is told. */
int cli_report_model(int status, const char *name);

/* ---- many.c ---- */

/* One result a record of --jsonl or of a table, in the order read. */
int cli_run_many(cli_run *run, const cli_settings *settings);

/* ---- score.c, generate.c ---- */

/* False, with one line in error [n], where settings exclude each other. */
bool cli_score_check(const cli_settings *settings, char *error, size_t n);
bool cli_inspect_check(const cli_settings *settings, char *error, size_t n); /* inspect.c */
bool cli_diff_check(const cli_settings *settings, char *error, size_t n);    /* diff.c */
/* What settings ask of nt_score; it borrows from them. No callbacks. */
nt_score_options cli_score_options(const cli_settings *settings);

/* As in transformers temperature and its kin act when do_sample is on; giving one of them turns it
 * on. Whether one did; why is its name, with dashes. */
bool cli_turn_on_sampling(char why[CLI_MAX_NAME], nt_generate_options *options);

/* ---- names.c ---- */

enum { CLI_MAX_MESSAGE = 2048 };

/* A message of the library with its options' names as a command line has them: --num-beams. */
void cli_name_flags(char *out, size_t size, const char *message);

/* Letters that differ between a [n] and b, roughly: enough to tell a slip of the finger from
 * another word. */
size_t cli_distance(const char *a, size_t n, const char *b);

/* The folder or file of weights that lies where the path points and whose name it is a slip of;
 * false: there is none. */
bool cli_near_path(char *out, size_t size, const char *path);

/* ---- printable.c ---- */

/* '?' for control characters and for bytes that are no UTF-8, such as a character that was cut. */
void cli_make_printable(char *text);
/* How many bytes the UTF-8 character at text takes; 0 for a control character and for no UTF-8. */
size_t cli_printable(const unsigned char *text);

/* ---- output.c ---- */

/* "nextoken: error: ..." on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints text that nobody has vouched for: no control character reaches the terminal. */
void cli_print_safely(const char *utf8, size_t n);

/* How a result is shown. index: of a record, -1 for none. */
nt_view_options cli_view(const cli_run *run, nt_result_kind kind, const cli_settings *settings,
                         int64_t index);
/* Shows a result on stdout; the exit status. */
int cli_show(const cli_run *run, const nt_result *result, const cli_settings *settings);
/* Flushes and closes stdout; false, after one line on stderr, when anything could not be written.
 */
bool cli_close_stdout(void);
/* Where stdout goes, for messages: "standard output", or the FILE of --output. */
extern const char *cli_stdout_name;
bool cli_color(const cli_settings *settings);

/* ---- interrupt.c ---- */

/* From the first Ctrl-C on cli_interrupted() is true; a second one ends the process at once. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);
/* Ends the process as an uncaught Ctrl-C would, so that the shell sees it. */
void cli_die_interrupted(void);

#endif
