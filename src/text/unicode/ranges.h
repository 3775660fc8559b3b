/* Sets of code points as ranges: put together, inverted, intersected. */
#ifndef NT_TEXT_RANGES_H
#define NT_TEXT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { NT_MAX_CODE = 0x10FFFF };

typedef struct nt_range {
    uint32_t low, high; /* both inside */
} nt_range;

typedef struct nt_ranges {
    nt_range *list; /* [n]; after nt_ranges_tidy ascending, apart from each other */
    size_t n, capacity;
} nt_ranges; /* all zero is the empty set */

int nt_ranges_add(nt_ranges *ranges, uint32_t low, uint32_t high);
/* Adds all of another set, which may not be the same. */
int nt_ranges_join(nt_ranges *ranges, const nt_ranges *other);
/* Sorts and merges. The functions below want tidy sets and leave tidy ones. */
void nt_ranges_tidy(nt_ranges *ranges);
int nt_ranges_invert(nt_ranges *ranges);
int nt_ranges_intersect(nt_ranges *ranges, const nt_ranges *other);
bool nt_ranges_has(const nt_ranges *ranges, uint32_t code);
void nt_ranges_free(nt_ranges *ranges);

#endif
