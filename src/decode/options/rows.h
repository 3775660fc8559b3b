/* What the files of rows have in common. */
#ifndef NT_DECODE_OPTIONS_ROWS_H
#define NT_DECODE_OPTIONS_ROWS_H

#include <float.h>
#include <stddef.h>

#include "decode/options/options.h"

#define NT_FIELD(name) offsetof(nt_generate_options, name)
#define NT_SECTION(rows)                                                                           \
    { rows, sizeof rows / sizeof *rows }

#define NT_TRANSFORMERS "transformers"
#define NT_OURS "nextoken"

#endif
