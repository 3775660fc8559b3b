/* Rows of logits that tools/oracle/tables.py makes too (made_row there). */
#ifndef MADE_ROW_H
#define MADE_ROW_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline void made_row(float *row, const char *kind, size_t V, uint64_t seed) {
    for (size_t i = 0; i < V; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t r = (int64_t)(seed >> 33);
        float smooth = (float)(r % 400001 - 200000) / 4096;
        int64_t sum = (r & 255) + (r >> 8 & 255) + (r >> 16 & 255);
        if (strcmp(kind, "smooth") == 0)
            row[i] = smooth;
        else if (strcmp(kind, "ties") == 0)
            row[i] = (float)(r % 9 - 4);
        else if (strcmp(kind, "holes") == 0)
            row[i] = r % 5 == 0 && i > 0 ? -INFINITY : smooth;
        else if (strcmp(kind, "peaked") == 0)
            row[i] = (float)(sum - 384) / 32 - 100;
        else
            row[i] = 1.5f; /* flat */
    }
}

static inline void made_ids(int32_t *ids, uint64_t seed, size_t n, int32_t below) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ids[i] = (int32_t)((int64_t)(seed >> 33) % below);
    }
}

#endif
