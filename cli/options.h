/* The table of the command line's own options: parsing, help and the members of --jsonl lines come
 * from it. Generation options are not here: they come from the library's table (nt_option_at). */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli.h"

typedef enum cli_kind {
    CLI_FLAG,   /* bool */
    CLI_NUMBER, /* int, int32_t or int64_t */
    CLI_STRING, /* const char *, borrowed */
    CLI_READ    /* as `read` does it */
} cli_kind;

typedef enum cli_section { CLI_THE_TEXT, CLI_THE_JOB, CLI_MANY, CLI_SHOWN, CLI_RUN } cli_section;

typedef struct cli_option {
    const char *name; /* without dashes */
    char letter;
    cli_kind kind;
    cli_section section; /* of the help */
    size_t offset;       /* in cli_settings */
    size_t width;        /* NUMBER: bytes of the field */
    int64_t low, high;
    /* False, with one line in error [n], for a value that it does not take. */
    bool (*read)(cli_settings *settings, const char *value, char *error, size_t n);
    unsigned groups; /* CLI_OPT_ groups that have it; 0: every command */
    unsigned but;    /* CLI_OPT_ groups that have it not, for all that */
    bool of_texts;   /* only of commands that take a text */
    bool of_words;   /* also of commands that take words */
    bool file;       /* STRING: the name of a file, not empty */
    bool member;     /* may stand in a --jsonl line */
    bool list;       /* takes all words up to the next option */
    bool optional;   /* READ: takes the next word where that is a value of its own, else NULL */
    const char *metavar, *help;
} cli_option;

/* The i-th option of a command; NULL past the end. */
const cli_option *cli_option_at(const cli_command *command, size_t i);
/* By name [n], with dashes or underscores, or by letter; NULL when there is none. */
const cli_option *cli_option_find(const cli_command *command, const char *name, size_t n);
const cli_option *cli_option_letter(const cli_command *command, char letter);
/* Its option, of the table here, that name [n] is a slip of; NULL: none is near. */
const char *cli_option_near(const cli_command *command, const char *name, size_t n);
/* The commands that have an option of that name [n], as a list in out [size]; how many. */
size_t cli_option_elsewhere(char *out, size_t size, const char *name, size_t n);
/* Whether a command takes a generation option. */
bool cli_takes_generation(const cli_command *command, const nt_option_info *info);
/* The generation option of that name, where the command takes it. */
const nt_option_info *cli_generation_option(const cli_command *command, const char *name, size_t n);

/* value is NULL for a flag given without one; a string is borrowed. False, with one line in error
 * [n], for a value that the option does not take. */
bool cli_option_set(cli_settings *settings, const cli_option *option, const char *value,
                    char *error, size_t n);
/* One more word, borrowed. False when memory ends. */
bool cli_words_add(cli_words *words, const char *word);
void cli_words_clear(cli_words *words);

#endif
