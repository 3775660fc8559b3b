/* NumPy's .npz: float32 arrays in a zip file that numpy.load opens, stored as they are. */
#ifndef NT_FORMAT_NPZ_H
#define NT_FORMAT_NPZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct nt_npz_array {
    const char *name;
    const float *data; /* [shape[0], ..., shape[n_dims - 1]] row-major */
    size_t n_dims;
    size_t shape[4];
} nt_npz_array;

/* Writes arrays [n] to path, whole or not at all; zip64 where a member or the file passes 4 GiB.
 * Room on the disk is reserved before the first byte. Errors: IO (with the bytes needed),
 * NOT_FOUND (the folder), MEMORY, ARGUMENT (a name that is too long, more than 4 dimensions). */
int nt_npz_write(const char *path, const nt_npz_array *arrays, size_t n);

/* The same with zip64 from this many bytes on: lets tests see zip64 without 4 GiB. */
int nt_npz_write_zip64(const char *path, const nt_npz_array *arrays, size_t n, uint64_t from);

/* The same for arrays that are never held whole: `data` is not read, fill puts the numbers in
 * place. When fill fails, nothing is written and its status comes back. */
typedef struct nt_npz nt_npz;
int nt_npz_stream(const char *path, const nt_npz_array *arrays, size_t n,
                  int (*fill)(void *payload, nt_npz *npz), void *payload);

/* Numbers [offset, offset + n) of array i, in any order, each at most once; what is never put is
 * zero. Memory grows with the number of strands, in each of which one put goes on where another
 * ended: rows in order, or planes that grow side by side. Errors: IO, MEMORY, ARGUMENT. */
int nt_npz_put(nt_npz *npz, size_t i, size_t offset, const float *values, size_t n);

#endif
