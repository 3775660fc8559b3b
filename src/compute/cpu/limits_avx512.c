/* Limits with registers of 512 bits. */
#include <immintrin.h>

typedef __m512 reg;
#define SET _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#include "compute/cpu/simd/limits.h"

const nt_limits nt_limits_avx512 = LIMITS("avx512");
