/* Where windows over a long text begin and end. */
#include "score/windows.h"

bool nt_window_next(nt_window *window, size_t n, size_t size, size_t stride) {
    size_t begin = 0, done = 0; /* tokens before `done` have had their window */
    if (stride == 0 || stride > size || window->end >= n) return false;
    if (window->end > 0) {
        begin = window->begin + stride;
        done = window->end;
    }
    window->begin = begin;
    window->end = n - begin > size ? begin + size : n;
    window->first = done > begin ? done : begin + 1;
    return true;
}

size_t nt_windows_count(size_t n, size_t size, size_t stride) {
    if (n == 0 || stride == 0 || stride > size) return 0;
    if (n <= size) return 1;
    return 1 + (n - size - 1) / stride + 1;
}
