/* The prefixes of an exact search, a tree that grows, and the best of those that are complete. */
#ifndef NT_DECODE_KEPT_H
#define NT_DECODE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prefix 0 is the prompt; prefix i + 1 is beam i of the trace. */
typedef struct nt_prefix {
    double sum;    /* log-probability */
    double rest;   /* sum of the likeliest child that is not made yet; -INFINITY: there is none */
    int32_t id;    /* its last */
    int32_t at;    /* its place in the stop strings */
    int32_t place; /* of its id in the row of its parent, the likeliest first */
    int32_t parent;
    int32_t first, n_children; /* those that the last look made, in order */
    uint32_t taken;            /* ids of its row that were considered, in order */
    uint32_t depth;            /* new tokens */
    bool looked;               /* its row was looked at */
    bool ended;                /* it is complete */
} nt_prefix;

/* The order of results: the likelier first, then the shorter, then the one that takes the likelier
 * token (of equals the lower id) where the two part. Negative: a comes first. */
int nt_prefix_order(const nt_prefix *prefixes, const nt_prefix *a, const nt_prefix *b);

typedef struct nt_best_kept {
    int32_t *best; /* [n] prefixes in order */
    size_t n, most;
    double least;    /* what a sum must reach */
    uint64_t n_more; /* that reached it and found no room */
} nt_best_kept;

/* Errors: MEMORY. Free it also then. */
int nt_kept_begin(nt_best_kept *kept, size_t most, double least);
void nt_kept_free(nt_best_kept *kept);
/* Whether there is room for a complete prefix, or a worse one to push out. One that is told no
 * is counted and not to be asked for again. */
bool nt_kept_takes(nt_best_kept *kept, const nt_prefix *prefixes, const nt_prefix *prefix);
/* Puts prefixes[i] where it belongs, if that is among the best. */
void nt_kept_put(nt_best_kept *kept, const nt_prefix *prefixes, int32_t i);
/* The n-th best sum, where n are kept; -INFINITY where there is room. */
double nt_kept_worst(const nt_best_kept *kept, const nt_prefix *prefixes);

#endif
