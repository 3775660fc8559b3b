/* Limits with registers of 256 bits. */
#include <immintrin.h>

typedef __m256 reg;
#define SET _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#include "compute/cpu/simd/limits.h"

const nt_limits nt_limits_avx2 = LIMITS("avx2");
