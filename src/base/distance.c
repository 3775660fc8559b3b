#include "base/distance.h"

#include <stdint.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

size_t nt_edit_distance(const char *a, const char *b) {
    size_t n = strlen(b);
    size_t row[NT_DISTANCE_MAX + 1];
    if (n > NT_DISTANCE_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[n];
}
