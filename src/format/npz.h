/* NumPy's .npz: float32 arrays in a zip file that numpy.load opens. */
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

/* Writes arrays [n] to path, whole or not at all; deflated where that helps (zlib), zip64 where a
 * member or the file passes 4 GiB. Memory beyond the arrays is constant. Errors: IO, MEMORY,
 * ARGUMENT (a name that is too long, more than 4 dimensions). */
int nt_npz_write(const char *path, const nt_npz_array *arrays, size_t n);

/* The same with zip64 from this many bytes on: lets tests see zip64 without 4 GiB. */
int nt_npz_write_zip64(const char *path, const nt_npz_array *arrays, size_t n, uint64_t from);

#endif
