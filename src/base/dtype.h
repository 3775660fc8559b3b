/* Widths in which a checkpoint may store its numbers. */
#ifndef NT_BASE_DTYPE_H
#define NT_BASE_DTYPE_H

#include <stddef.h>

typedef enum nt_dtype { NT_F32, NT_F16, NT_BF16, NT_F64, NT_N_DTYPES } nt_dtype;

/* Bytes of one number. */
size_t nt_dtype_size(nt_dtype dtype);
/* "F32", as safetensors writes it. */
const char *nt_dtype_name(nt_dtype dtype);
/* Number i of an array as float32: exact from F32, F16 and BF16, rounded to nearest from F64. */
float nt_dtype_load(const void *data, nt_dtype dtype, size_t i);

#endif
