/* Rows of CSV (RFC 4180) and of tables with tabs: where one ends, its fields, and fields written
 * again. A field that begins with a quote ends with one, may hold separators and newlines, and has
 * its quotes doubled; a quote anywhere else is a character as any other. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_row_state {
    CLI_ROW_MORE, /* it goes on behind the bytes at hand */
    CLI_ROW_ENDS, /* at `at`, the newline (or, at the file's end, behind the last byte) */
    CLI_ROW_BAD   /* a quote is wrong: `why` */
} cli_row_state;

/* Goes through one row as its bytes come. All zero but separator: at its beginning. */
typedef struct cli_row_scan {
    char separator;
    int state;
    size_t at; /* bytes seen */
    const char *why;
} cli_row_scan;

/* bytes [n] from the row's beginning; ended: the file has no more. */
cli_row_state cli_row_find(cli_row_scan *scan, const char *bytes, size_t n, bool ended);

typedef struct cli_row {
    char *bytes;    /* the fields without their quotes, each zero-ended */
    size_t *starts; /* [n + 1] field i is bytes[starts[i] .. starts[i + 1] - 1) */
    size_t n;
} cli_row;

/* The fields of a row of bytes [n] without its newline, wrong quotes taken as they are. False when
 * memory ends. */
bool cli_row_read(cli_row *row, const char *bytes, size_t n, char separator);
void cli_row_free(cli_row *row);

/* A growing text; failed when memory ended. */
typedef struct cli_text {
    char *bytes; /* [n], zero-ended once anything was put */
    size_t n, room;
    bool failed;
} cli_text;
void cli_text_put(cli_text *to, const char *bytes, size_t n);
void cli_text_puts(cli_text *to, const char *zero_ended);
/* A field, in quotes where it needs them; NUL, which tables cannot hold, becomes U+FFFD. */
void cli_text_field(cli_text *to, const char *bytes, size_t n, char separator);

#endif
