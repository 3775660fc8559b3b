/* Reads the fixtures that tools/oracle/model.py wrote, and compares with them under the tolerance
 * table, keeping count of how much of the allowance was used. */
#ifndef TESTS_MODEL_ORACLE_H
#define TESTS_MODEL_ORACLE_H

#include <jansson.h>
#include <math.h>

#include "checkpoint.h"
#include "tolerances.h"

static inline json_t *member(const json_t *object, const char *key) {
    json_t *value = json_object_get(object, key);
    if (!value) fail_msg("the fixture lacks %s", key);
    return value;
}

static inline double number(const json_t *array, size_t i) {
    assert_true(json_is_number(json_array_get(array, i)));
    return json_number_value(json_array_get(array, i));
}

static inline size_t whole(const json_t *array, size_t i) {
    return (size_t)number(array, i);
}

static inline int32_t *ids_of(size_t *n, const json_t *array) {
    *n = json_array_size(array);
    int32_t *ids = malloc((*n + 1) * sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < *n; i++)
        ids[i] = (int32_t)number(array, i);
    return ids;
}

/* The largest errors of one kind over a checkpoint. */
typedef struct used {
    const char *path, *type; /* of the tolerance table */
    double error, range;     /* at the worst place */
    double share;            /* of the allowance */
    size_t n;
} used;

/* One comparison; range is what a relative tolerance multiplies. */
static inline void compare(used *u, double expected, double found, double range) {
    const tolerance *allowed = tolerance_of(u->path, u->type);
    assert_non_null(allowed);
    double most = allowed->absolute + allowed->relative * range;
    double error = fabs(expected - found), share = most > 0 ? error / most : HUGE_VAL;
    if (error == 0) share = 0;
    u->n++;
    if (!(share <= 1))
        fail_msg("%s: expected %.9g, found %.9g: %.3g times the allowance of %.3g", u->type,
                 expected, found, share, most);
    if (u->n == 1 || share > u->share) *u = (used){u->path, u->type, error, range, share, u->n};
}

static inline void report(const char *name, const used *u) {
    if (u->n == 0) return;
    printf("  %-18s %-10s %6zu figures, largest error %.2e of range %.4g = %.2e, %3.0f %% of the "
           "allowance\n",
           name, u->type, u->n, u->error, u->range, u->range > 0 ? u->error / u->range : u->error,
           100 * u->share);
}

/* Largest less smallest of expected values. */
static inline double range_of(const json_t *values) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < json_array_size(values); i++) {
        double value = number(values, i);
        if (value < low) low = value;
        if (value > high) high = value;
    }
    return high - low;
}

#endif
