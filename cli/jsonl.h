/* One line of --jsonl: an object with a text or ids and the options that count for it. */
#ifndef CLI_JSONL_H
#define CLI_JSONL_H

#include <jansson.h>

#include "cli.h"

enum { CLI_MAX_ERROR = 1024 };

typedef struct cli_line {
    json_t *object; /* owns what settings and prompt point to */
    cli_settings settings;
    nt_prompt prompt;
} cli_line;

/* bytes [n]. The line's options are added to those of base, from which it borrows. False with one
 * line in error [CLI_MAX_ERROR]; the line is to be freed in either case. */
bool cli_line_read(cli_line *line, const cli_command *command, const cli_settings *base,
                   const char *bytes, size_t n, char *error);
void cli_line_free(cli_line *line);

/* The line that stands in a failed one's place, through an nt_write_fn. */
int cli_line_error(nt_write_fn write, void *payload, int64_t index, const char *error);

#endif
