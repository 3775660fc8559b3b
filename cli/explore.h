/* What nextoken explore is made of: the walk (tokens, the model, options), the screen that shows
 * it, and the keys that move it. */
#ifndef CLI_EXPLORE_H
#define CLI_EXPLORE_H

#include "cli.h"
#include "table.h"
#include "terminal.h"

/* How a token came to be taken. */
typedef enum cli_how { CLI_TAKEN, CLI_GREEDY, CLI_DRAWN, CLI_FOUND } cli_how;

typedef struct cli_taken {
    int32_t id, rank;
    double prob, logprob, processed_prob;
    cli_how how;
    double draw;   /* NaN: not drawn, or not by one number */
    uint64_t seed; /* of the draw */
} cli_taken;

/* An option as it was given, by its name in the library's table. */
typedef struct cli_given {
    const nt_option_info *info;
    char *value; /* for free() */
} cli_given;

typedef struct cli_walk {
    cli_run *run;
    const cli_settings *settings;
    nt_callbacks callbacks;
    size_t V;
    bool bos;     /* the first id is a BOS put before the prompt */
    int32_t *ids; /* [n_prompt + n_taken] */
    size_t n_prompt, n_taken, room;
    int32_t base, *sequences; /* base holds all of the prompt but its last id, sequences
                                 [n_taken + 1] the prompt and so many taken tokens */
    cli_taken *path;          /* [n_taken] */
    float *logits;            /* [V] behind the last id */
    nt_result *next;          /* what stands to choose there, */
    nt_result *whole;         /* and with every id of the vocabulary; NULL: not asked for yet */
    size_t k;                 /* as many as were asked for */
    cli_given *given;         /* [n_given] */
    size_t n_given;
    nt_generate_options generate;
    uint64_t seed; /* as given, else one of the system's */
} cli_walk;

/* ---- explore_walk.c: all return the library's status ---- */

/* Runs the prompt. */
int cli_walk_begin(cli_walk *walk, cli_run *run, const nt_prompt *prompt,
                   const cli_settings *settings);
void cli_walk_end(cli_walk *walk);
/* Makes next anew with k candidates; 0: as many as before. */
int cli_walk_look(cli_walk *walk, size_t k);
/* The same where tokens or options are others now. */
int cli_walk_changed(cli_walk *walk);
/* Makes whole. */
int cli_walk_whole(cli_walk *walk);
int cli_walk_take(cli_walk *walk, const nt_candidate *c, cli_how how, double draw);
/* Takes the last token back; nothing where none was taken. */
int cli_walk_back(cli_walk *walk);
/* Draws a token from the processed distribution and takes it. */
int cli_walk_draw(cli_walk *walk);

/* ---- explore_options.c ---- */

/* Takes over what the command line gave. */
bool cli_walk_options(cli_walk *walk);
/* Sets an option (value NULL: it is not given any more); on failure everything is as it was, and
 * the library's message says why. */
int cli_walk_set(cli_walk *walk, const nt_option_info *info, const char *value);
/* Back to what the command line gave. */
int cli_walk_reset(cli_walk *walk);
/* The value that was given, NULL: none. */
const char *cli_walk_value(const cli_walk *walk, const char *name);
/* Whether explore takes an option: one that shapes a single step, or tells how it is drawn. */
bool cli_walk_takes(const nt_option_info *info);
/* The option whose key this is, and the value that it goes to; false: no key of an option. value
 * is "" where it is then not given any more. */
bool cli_walk_key(const cli_walk *walk, int key, const nt_option_info **info, char value[32]);
/* "temperature 0.7", ... as one line of at most `width` columns. */
void cli_walk_tell(const cli_walk *walk, cli_text *out, size_t width);
/* A line typed behind ":": "top-p 0.9", "top-p=0.9", "top-p", "reset". False, with one line in
 * message, where it cannot be done. */
bool cli_walk_command(cli_walk *walk, const char *line, char message[CLI_MAX_MESSAGE]);
/* A name with dashes. */
void cli_dashes(char *out, size_t size, const char *name);
/* The line with the name that it begins completed as far as it can be told; false: it cannot. */
bool cli_walk_complete(char *out, size_t size, const char *line);
/* What may be typed: the options that begin so, or what values the one takes. */
void cli_walk_hint(char *out, size_t size, const char *line);

/* ---- explore_screen.c ---- */

/* What is asked for on the last line. */
typedef enum cli_asking { CLI_ASK_NOTHING, CLI_ASK_OPTION, CLI_ASK_FIND, CLI_ASK_STEPS } cli_asking;

typedef struct cli_screen {
    size_t at;     /* the candidate that is chosen; when finding, the match */
    size_t top;    /* the first row on the screen */
    size_t n_rows; /* rows on the screen, once it was drawn */
    cli_asking asking;
    char input[256]; /* what was typed, zero-ended */
    size_t n_input;
    char message[CLI_MAX_MESSAGE]; /* in place of the last line, until the next key; "": none */
    bool is_error;
    bool help;
    bool color, ascii;
} cli_screen;

int cli_screen_draw(cli_screen *screen, cli_walk *walk);

/* The ids whose bytes are, or begin with, what was typed, with or without a space before it: the
 * likeliest first, whole ones before longer ones. The i-th; NULL past the end. *n of them. */
const nt_candidate *cli_find(size_t *n, const cli_walk *walk, const char *typed, size_t i);
/* What a token looks like in a line of words, fit to be shown. */
void cli_show_token(char *out, size_t size, const nt_token *token);

#endif
