/* The limits of every instruction set, one file each; limits.c chooses. */
#ifndef NT_COMPUTE_CPU_LIMITS_H
#define NT_COMPUTE_CPU_LIMITS_H

#include <stdbool.h>

#include "compute/limits.h"

extern const nt_limits nt_limits_avx512, nt_limits_avx2, nt_limits_neon;

/* Whether processor and system have AMX's tiles, and this process may use them (it asks). Nothing
 * below may be called where it says no. */
bool nt_tiles_ready(bool *bf16, bool *int8);
double nt_tiles_bf16(size_t turns);
double nt_tiles_f32(size_t turns);
double nt_tiles_int8(size_t turns);

#endif
