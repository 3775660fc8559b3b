/* A JSON value in a message. */
#ifndef NT_TEXT_SHOW_H
#define NT_TEXT_SHOW_H

#include "base/json.h"

enum { NT_SHOWN = 104 };

/* The value as compact JSON, zero-ended; of one that is longer its beginning, and "...". NULL shows
 * as null. */
void nt_show(char out[NT_SHOWN], const json_t *value);

#endif
