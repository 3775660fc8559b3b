/* How far each kind of figure may lie from its oracle: absolute + relative * range, where range is
 * what the comparing test says (largest less smallest expected value, or the expected value itself).
 * The one table of all tests. An entry is about four times the largest error seen over all
 * checkpoints, so that a change for the worse shows; the promise to users for logits is 1e-4. */
#ifndef TESTS_TOLERANCES_H
#define TESTS_TOLERANCES_H

#include <stddef.h>
#include <string.h>

typedef struct tolerance {
    const char *path; /* precision of the arithmetic */
    const char *type; /* kind of figure */
    double absolute, relative;
} tolerance;

static inline const tolerance *tolerance_of(const char *path, const char *type) {
    static const tolerance table[] = {
        /* float32 sums in another order than torch's; errors grow with depth */
        {"f32", "logits", 0, 4e-6},
        {"f32", "hidden", 0, 4e-6},
        {"f32", "attention", 4e-6, 0},
        /* sums over the vocabulary in double on both sides: the logits' own errors, averaged */
        {"f32", "logsumexp", 0, 4e-6},
        {"f32", "loss", 0, 4e-6},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].path, path) == 0 && strcmp(table[i].type, type) == 0) return &table[i];
    return NULL;
}

#endif
