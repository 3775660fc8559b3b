/* Limits with registers of 128 bits. */
#include <arm_neon.h>

typedef float32x4_t reg;
#define SET vdupq_n_f32
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#include "compute/cpu/simd/limits.h"

const nt_limits nt_limits_neon = LIMITS("neon");
