/* Many texts, one after the other: the lines of a --jsonl file, or the rows of a table. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "cli.h"
#include "input.h"
#include "table.h"

enum { CLI_MAX_RECORD = 64 << 20 }; /* bytes */

typedef struct cli_record {
    int64_t index;     /* from 0; blank lines count for nothing */
    uint64_t line;     /* of the file, from 1, where it begins */
    char *bytes;       /* [n] zero-ended, without its newline; of a bad row its first line */
    size_t n;          /* 0 where it was too long */
    const char *error; /* why it could not be read, or NULL */
} cli_record;

typedef struct cli_records {
    cli_input in;
    const char *name; /* for messages */
    char separator;   /* of a table; 0: JSON lines */
    cli_row header;
    size_t text_column, prompt_column; /* SIZE_MAX: none */
    int64_t index;                     /* of the next record */
    uint64_t line;
    /* the record at hand */
    cli_row_scan scan;
    size_t searched;   /* bytes of its line that hold no newline */
    bool by_line;      /* it ends with its line whatever its quotes say */
    bool too_long;     /* and what was read of it is dropped */
    const char *error; /* what is wrong with it */
} cli_records;

typedef enum cli_read { CLI_READ_END, CLI_READ_ONE, CLI_READ_WAIT, CLI_READ_BROKEN } cli_read;

/* Opens what settings name, and reads a table's first row. False with one line said. */
bool cli_records_open(cli_records *records, const cli_settings *settings);
void cli_records_close(cli_records *records);
/* The next record; its bytes are for free(). WAIT, only where `wait` is false: nothing is there
 * yet. BROKEN, with one line said (none after Ctrl-C): the file cannot be read. */
cli_read cli_records_next(cli_records *records, cli_record *record, bool wait);

#endif
