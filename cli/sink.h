/* Where results go: standard output, or the FILE of --output, which one run at a time writes, which
 * holds whole records after whatever ends a run, and with which --resume goes on. */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <sys/types.h>

#include "cli.h"
#include "table.h"

/* Opens and locks the FILE of --output and puts it in the place of standard output. What it holds
 * is for --resume to go on with; without, it must be empty. False with one line said. */
bool cli_output_open(const cli_settings *settings);

/* Records on their way out. */
typedef struct cli_sink {
    bool file;    /* a FILE of --output that can be cut and read again */
    char *buffer; /* [n] not written yet */
    size_t n;
    off_t written;          /* where the file ends */
    off_t marked;           /* where the last whole record ends, written or not */
    off_t whole;            /* and the last that is written */
    off_t check, check_end; /* what comes must be what the file holds there */
    bool failed;            /* and one line was said */
} cli_sink;

bool cli_sink_open(cli_sink *sink, const cli_settings *settings);
/* An nt_write_fn. */
int cli_sink_put(void *sink, const char *bytes, size_t n);
/* What was put so far are whole records. */
void cli_sink_mark(cli_sink *sink);
/* Writes what was put. */
bool cli_sink_flush(cli_sink *sink);
/* The same, onto the disk; frees. ended: all records are there. */
bool cli_sink_close(cli_sink *sink, bool ended);

/* Goes on where FILE ends: finds how many records (*skip) it holds before its last, which is to be
 * made again and must come out as it stands there; what follows it is cut off then. *n_failed: how
 * many of them are errors. header: a table's first row, with separator; NULL and 0 for JSON lines.
 */
bool cli_sink_resume(int64_t *skip, int64_t *n_failed, cli_sink *sink, const cli_text *header,
                     char separator);

#endif
