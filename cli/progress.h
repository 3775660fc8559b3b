/* Progress of long work on stderr: when that is a terminal and more than a second has passed. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli.h"

/* For one job: the library's callback; payload is the cli_run. */
void cli_progress(void *payload, const char *what, uint64_t done, uint64_t total);
void cli_progress_clear(void);
/* For a download: nt_hub_options.transfers, a line for each file on its way; payload is the
 * cli_run.
 */
void cli_transfers(void *payload, const nt_transfer *transfers, size_t n);

/* "548.1 MB" */
typedef struct cli_figure {
    char s[40];
} cli_figure;
cli_figure cli_bytes(uint64_t n);

/* For many records. */
typedef struct cli_meter {
    bool quiet, terminal;
    double started, shown;
    uint64_t from, total; /* bytes of the input: where the run began, all (0: unknown) */
    uint64_t done, next;  /* before and behind the block at hand */
    int64_t records, failed;
    uint64_t tokens;
} cli_meter;

void cli_meter_start(cli_meter *meter, bool quiet, uint64_t from, uint64_t total);
/* `done` tokens of `total` of the block at hand. */
void cli_meter_show(cli_meter *meter, uint64_t done, uint64_t total);
/* The last line of a run that took its time. */
void cli_meter_end(cli_meter *meter);

double cli_seconds(void);

#endif
