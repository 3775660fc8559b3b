/* Options structs of the public interface begin with their size, so that a program built against an
 * older, smaller one goes on working. */
#ifndef NT_BASE_OPTIONS_H
#define NT_BASE_OPTIONS_H

#include <stddef.h>

#include "base/status.h"

/* Copies a caller's struct `given` (NULL: nothing), which may be of an older size, over the
 * defaults in out [size]. Errors: ARGUMENT for a size that cannot be one; name is the struct's. */
int nt_take_options(void *out, size_t size, const void *given, const char *name);

#endif
