/* What is longer than the screen goes through a pager, where a person reads it. */
#ifndef CLI_PAGER_H
#define CLI_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* Writes bytes [n] to stdout: through NEXTOKEN_PAGER, PAGER or less where stdout is a terminal with
 * fewer lines, and all of it as it is elsewhere, or where no pager starts. allowed: false for
 * --no-pager. False when it could not be written (errno). */
bool cli_page(const char *bytes, size_t n, bool allowed);

#endif
