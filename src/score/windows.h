/* Windows over a text that is longer than the context: each runs as a text of its own, and every
 * token gets its number from exactly one. As the recipe in transformers' documentation: windows
 * begin at 0, stride, 2 stride, ..; the last is the first that reaches the text's end. */
#ifndef NT_SCORE_WINDOWS_H
#define NT_SCORE_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct nt_window {
    size_t begin, end; /* ids [begin, end) run as one text */
    size_t first; /* tokens [first, end) get their numbers from it; first > begin, so that where
                     windows do not overlap, the first token of each has none */
} nt_window;

/* The window after *window (all zero: the first) over n tokens; false when there is none.
 * 0 < stride <= size. A text of n <= size tokens has one. */
bool nt_window_next(nt_window *window, size_t n, size_t size, size_t stride);
size_t nt_windows_count(size_t n, size_t size, size_t stride);

#endif
