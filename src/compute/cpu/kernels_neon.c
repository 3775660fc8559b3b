/* The kernels in NEON, which every 64-bit Arm processor has: sixteen lanes are four registers. This
 * file says what a register can do; simd/ holds the algorithms, once for all instruction sets. */
#include <arm_neon.h>
#include <string.h>

#include "compute/cpu/kernels.h"

#define INLINE static inline __attribute__((always_inline))

typedef float32x4_t reg;
typedef uint32x4_t rmask; /* lanes of ones or zeros */

#define PARTS 4 /* registers in a vector of sixteen lanes */

enum {
    /* Accumulators of the register tiles, with room for their operands among 32 registers. */
    TILE_ROWS = 6,        /* in, out: rows of x */
    TILE_COLUMNS = 1,     /* in, out: vectors of columns */
    FEW_ROWS = 16,        /* in, out: the most rows of x for which w is streamed */
    STREAM_ROWS = 6,      /* in, out: rows of x in a tile while it is */
    STREAM_COLUMNS = 1,   /* in, out: vectors of columns in such a tile */
    DOT_ROWS = 3,         /* out, in: rows of x */
    DOT_FULL = 3,         /* out, in: with more of them a tile has one row of w less */
    DOT_COLUMNS = 2,      /* out, in: rows of w */
    ATTENTION_VECTORS = 1 /* four rows of queries: vectors of positions or of dimensions */
};

INLINE rmask r_first(size_t n) { /* the first n lanes */
    static const uint32_t masks[8] = {~0u, ~0u, ~0u, ~0u};
    return vld1q_u32(masks + 4 - n);
}

INLINE reg r_set(float x) {
    return vdupq_n_f32(x);
}

/* gcc would rather read an operand from memory once more for each use than keep it. */
INLINE reg r_pin(reg a) {
    __asm__("" : "+w"(a));
    return a;
}

INLINE reg r_load(const float *p) {
    return vld1q_f32(p);
}

INLINE reg r_load_part(const float *p, size_t n) {
    reg a = vdupq_n_f32(0.0f);
    switch (n) {
    case 4: return vld1q_f32(p);
    case 3: a = vld1q_lane_f32(p + 2, a, 2); /* fall through */
    case 2: a = vld1q_lane_f32(p + 1, a, 1); /* fall through */
    case 1: return vld1q_lane_f32(p, a, 0);
    default: return a;
    }
}

INLINE void r_store(float *p, reg a) {
    vst1q_f32(p, a);
}

INLINE void r_store_part(float *p, reg a, size_t n) {
    switch (n) {
    case 4: vst1q_f32(p, a); break;
    case 3: vst1q_lane_f32(p + 2, a, 2); /* fall through */
    case 2: vst1q_lane_f32(p + 1, a, 1); /* fall through */
    case 1: vst1q_lane_f32(p, a, 0); break;
    default: break;
    }
}

INLINE reg r_load_bf16(const uint16_t *p) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}

INLINE reg r_load_f16(const uint16_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

typedef int32x4_t ireg; /* integers of 32 bits, as many as reg has lanes */

INLINE uint8x8_t four_bytes(const uint8_t *p) {
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return vreinterpret_u8_u32(vdup_n_u32(bytes));
}

/* One for each lane, of so many bytes at p. */
INLINE ireg i_load(const uint8_t *p) {
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(four_bytes(p)))));
}

INLINE ireg i_load_signed(const uint8_t *p) {
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(four_bytes(p)))));
}

/* The bits of each from number `from` on that the mask leaves; none is negative. */
INLINE ireg i_bits(ireg a, size_t from, int mask) {
    return vandq_s32(vshlq_s32(a, vdupq_n_s32(-(int)from)), vdupq_n_s32(mask));
}

/* a + 16 b, where a has four bits. */
INLINE ireg i_join(ireg a, ireg b) {
    return vorrq_s32(a, vshlq_n_s32(b, 4));
}

INLINE ireg i_less(ireg a, int b) {
    return vsubq_s32(a, vdupq_n_s32(b));
}

INLINE reg r_ints(ireg a) {
    return vcvtq_f32_s32(a);
}

/* The half at p in every lane. */
INLINE reg r_half(const uint8_t *p) {
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half)));
}

INLINE reg r_add(reg a, reg b) {
    return vaddq_f32(a, b);
}

INLINE reg r_sub(reg a, reg b) {
    return vsubq_f32(a, b);
}

INLINE reg r_mul(reg a, reg b) {
    return vmulq_f32(a, b);
}

INLINE reg r_div(reg a, reg b) {
    return vdivq_f32(a, b);
}

INLINE reg r_sqrt(reg a) {
    return vsqrtq_f32(a);
}

INLINE reg r_fma(reg a, reg b, reg c) {
    return vfmaq_f32(c, a, b);
}

INLINE rmask r_less(reg a, reg b) {
    return vcltq_f32(a, b);
}

INLINE reg r_select(rmask mask, reg a, reg b) {
    return vbslq_f32(mask, a, b);
}

/* Not vmaxq and vminq: those give NaN for a NaN on either side, and order zeros by sign. */
INLINE reg r_max(reg a, reg b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

INLINE reg r_min(reg a, reg b) {
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

INLINE reg r_abs(reg a) {
    return vabsq_f32(a);
}

INLINE reg r_copy_sign(reg a, reg b) {
    return vbslq_f32(vdupq_n_u32(0x80000000), b, a);
}

INLINE reg r_scale(reg p, reg shifted, reg round) {
    int32x4_t whole = vsubq_s32(vreinterpretq_s32_f32(shifted), vreinterpretq_s32_f32(round));
    int32x4_t half = vshrq_n_s32(whole, 1), rest = vsubq_s32(whole, half);
    int32x4_t bias = vdupq_n_s32(127);
    half = vshlq_n_s32(vaddq_s32(half, bias), 23);
    rest = vshlq_n_s32(vaddq_s32(rest, bias), 23);
    return vmulq_f32(vmulq_f32(p, vreinterpretq_f32_s32(half)), vreinterpretq_f32_s32(rest));
}

/* Lanes 2 and 3 onto 0 and 1, then these two. */
INLINE float r_tree(reg a) {
    float32x2_t two = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

INLINE void r_trees(float *y, const reg a[DOT_COLUMNS]) {
    float32x2_t first = vadd_f32(vget_low_f32(a[0]), vget_high_f32(a[0]));
    float32x2_t second = vadd_f32(vget_low_f32(a[1]), vget_high_f32(a[1]));
    vst1_f32(y, vpadd_f32(first, second));
}
_Static_assert(DOT_COLUMNS == 2, "r_trees takes two");

INLINE void r_trees_two(float *y, const reg a[DOT_COLUMNS], const reg b[DOT_COLUMNS]) {
    r_trees(y, a);
    r_trees(y + DOT_COLUMNS, b);
}

INLINE float r_max_lane(reg a) {
    return vmaxvq_f32(a);
}

#include "compute/cpu/simd/kernels.h"

const nt_kernels nt_kernels_neon = KERNELS("neon");
