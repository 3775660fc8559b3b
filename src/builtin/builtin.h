/* The model that is built in: the files of models/tales as constants of the program, mapped with it
 * and shared like its code, never copied. carried.c holds them; what is linked with left_out.c in
 * its place has none: tests, which would be 40 MB each, and builds that want to be small. */
#ifndef NT_BUILTIN_H
#define NT_BUILTIN_H

#include <stdbool.h>

#include "base/file.h"

#define NT_BUILTIN_NAME "tales"

/* A checkpoint's files, as they lie in its folder. Its tokenizer is GPT-2's own, which the library
 * holds anyway. */
typedef struct nt_builtin {
    nt_map config, generation, tensors; /* not to be closed */
} nt_builtin;

/* False where the build left the model out. */
bool nt_builtin_files(nt_builtin *out);

#endif
