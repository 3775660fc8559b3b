/* How far two names lie apart: for "did you mean". */
#ifndef NT_BASE_DISTANCE_H
#define NT_BASE_DISTANCE_H

#include <stddef.h>

enum { NT_DISTANCE_MAX = 128 };

/* Single bytes to insert, remove or change to come from a to b; SIZE_MAX where b is longer than
 * NT_DISTANCE_MAX. */
size_t nt_edit_distance(const char *a, const char *b);

#endif
