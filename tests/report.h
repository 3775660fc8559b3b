/* Lines that tools/docs/models.py makes docs/models.md's tables of: what a test found, and where it
 * was an error, how large. */
#ifndef NT_TESTS_REPORT_H
#define NT_TESTS_REPORT_H

#include <stdio.h>

/* A row of a table: what was tried, and what came of it. Neither holds a tab or an end of line. */
static inline void report_row(const char *table, const char *what, const char *found) {
    printf("#row\t%s\t%s\t%s\n", table, what, found);
}

/* With the largest error, as a share of the range. */
static inline void report_error(const char *table, const char *what, const char *found,
                                double error) {
    printf("#row\t%s\t%s\t%s\t%.6g\n", table, what, found, error);
}

#endif
