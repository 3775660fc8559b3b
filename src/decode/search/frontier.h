/* What an exact search may look at next, the most promising first: a binary heap with a total
 * order, so that what comes out does not depend on how it was filled. */
#ifndef NT_DECODE_FRONTIER_H
#define NT_DECODE_FRONTIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nt_frontier_entry {
    double sum;     /* nothing behind it can have a larger one */
    uint32_t depth; /* tokens of what sum belongs to: of equals the deeper comes first, */
    int32_t prefix;
    bool again; /* sum is that of the prefix's children that are not made yet: these come behind
                   what is made, and otherwise what was made earlier comes first */
} nt_frontier_entry;

typedef struct nt_frontier {
    nt_frontier_entry *heap; /* [n] */
    size_t n, capacity;
} nt_frontier; /* all zero is an empty one */

/* Errors: MEMORY. */
int nt_frontier_push(nt_frontier *frontier, nt_frontier_entry entry);
/* Takes the first entry off; false when there is none. */
bool nt_frontier_pop(nt_frontier_entry *entry, nt_frontier *frontier);
void nt_frontier_free(nt_frontier *frontier);

#endif
