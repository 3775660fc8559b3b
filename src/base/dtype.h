/* Widths in which a checkpoint may store its numbers. */
#ifndef NT_BASE_DTYPE_H
#define NT_BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Q8_0, Q4_0 and Q6_K are ggml's blocks of neighbouring numbers, each a small integer times a scale
 * that the block, or sixteen of its numbers, share. An array of them begins with a whole block. */
typedef enum nt_dtype {
    NT_F32,
    NT_F16,
    NT_BF16,
    NT_F64,
    NT_Q8_0,
    NT_Q4_0,
    NT_Q6_K,
    NT_N_DTYPES
} nt_dtype;

enum { NT_Q8_0_BYTES = 34, NT_Q4_0_BYTES = 18, NT_Q6_K_BYTES = 210 }; /* of a block */

/* Numbers in a block: 32 or 256; 1 where numbers stand alone. */
size_t nt_dtype_block(nt_dtype dtype);
/* Bytes of a block: where numbers stand alone, of one. */
size_t nt_dtype_size(nt_dtype dtype);
/* Bytes of n numbers, which are whole blocks. */
uint64_t nt_dtype_bytes(nt_dtype dtype, uint64_t n);
/* What an array's address must be a multiple of to be computed with where it lies. */
size_t nt_dtype_alignment(nt_dtype dtype);
/* "F32", as safetensors and ggml write it. */
const char *nt_dtype_name(nt_dtype dtype);
/* Number i of an array as float32: exact from F32, F16, BF16, Q8_0 and Q4_0, rounded to nearest
 * from F64; from Q6_K (scale times scale, which is exact) times the integer, rounded. */
float nt_dtype_load(const void *data, nt_dtype dtype, size_t i);

/* A float32 as BF16: rounded to nearest, ties to even; a NaN stays one, and turns quiet. Here, so
 * that loops over many of them become vector code. */
static inline uint16_t nt_bfloat(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1), quiet = bits | 0x400000;
    return (uint16_t)(((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded) >> 16);
}

/* Writes values [n], which are whole blocks, as F32, F16, BF16 (rounded to nearest, ties to even)
 * or Q8_0 (as ggml does: scale the largest size / 127 as F16, integers rounded away from zero at
 * halves). False where they do not fit: a finite number beyond F16, in Q8_0 also one that is not
 * finite. */
bool nt_dtype_store(void *out, nt_dtype dtype, const float *values, size_t n);

#endif
