/* A zip file's directory, for members that are stored as they are: PyTorch's checkpoints. */
#ifndef NT_FORMAT_ZIP_H
#define NT_FORMAT_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

typedef struct nt_zip_member {
    const char *name; /* [n_name], in the file, not zero-ended */
    size_t n_name;
    const unsigned char *data; /* [n], in the file; NULL where `why` tells why it has none */
    uint64_t n;
    const char *why; /* "is compressed", "is encrypted"; NULL: it can be read */
} nt_zip_member;

typedef struct nt_zip {
    nt_zip_member *members; /* [n], in order of name, each name once */
    size_t n;
    const nt_zip_member *first; /* of the directory as the file has it; NULL: none */
} nt_zip;

/* Reads the directory of bytes [n], zip64 too, and the place of every member, which must lie before
 * the directory. `file` is for messages; the arena holds the list. Errors: FORMAT, MEMORY. */
int nt_zip_read(nt_zip *out, nt_arena *arena, const unsigned char *bytes, size_t n,
                const char *file);
/* The member of this name; NULL when there is none. */
const nt_zip_member *nt_zip_find(const nt_zip *zip, const char *name, size_t n_name);

#endif
