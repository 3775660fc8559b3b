/* A vector of sixteen lanes out of PARTS registers. A kernels file says first what one register
 * can do (reg, rmask and the r_ functions, on PART_LANES lanes each) and how many of them there
 * are; the algorithms in this folder know nothing but what stands here. */

enum { PART_LANES = NT_LANES / PARTS };

typedef struct vec {
    reg part[PARTS];
} vec;

typedef struct vmask {
    rmask part[PARTS];
} vmask;

/* One case of a switch over a number of rows; not compiled where the tile never has so many or so
 * few. */
#define ROWS(n, least, most, call)                                                                 \
    case n:                                                                                        \
        if (n >= least && n <= most) call;                                                         \
        break

/* A statement for each part i. Written out, since gcc keeps an array in registers only where it
 * sees constant indices early, which at low optimisation it does not in a loop. */
#define PART(number, ...)                                                                          \
    {                                                                                              \
        enum { i = number };                                                                       \
        __VA_ARGS__;                                                                               \
    }
#if PARTS == 1
#    define EACH_PART(...)                                                                         \
        do {                                                                                       \
            PART(0, __VA_ARGS__);                                                                  \
        } while (0)
#elif PARTS == 2
#    define EACH_PART(...)                                                                         \
        do {                                                                                       \
            PART(0, __VA_ARGS__);                                                                  \
            PART(1, __VA_ARGS__);                                                                  \
        } while (0)
#else
#    define EACH_PART(...)                                                                         \
        do {                                                                                       \
            PART(0, __VA_ARGS__);                                                                  \
            PART(1, __VA_ARGS__);                                                                  \
            PART(2, __VA_ARGS__);                                                                  \
            PART(3, __VA_ARGS__);                                                                  \
        } while (0)
#endif

/* How many of the first n lanes lie in a part. */
INLINE size_t lanes_in(size_t part, size_t n) {
    size_t before = part * PART_LANES;
    if (n <= before) return 0;
    return n - before < PART_LANES ? n - before : PART_LANES;
}

INLINE vec v_set(float x) {
    vec y;
    EACH_PART(y.part[i] = r_set(x));
    return y;
}

INLINE vec v_zero(void) {
    return v_set(0.0f);
}

INLINE vec v_load(const float *p) {
    vec y;
    EACH_PART(y.part[i] = r_load(p + i * PART_LANES));
    return y;
}

/* The first n < 16 lanes; the others are 0 and not read. */
INLINE vec v_load_part(const float *p, size_t n) {
    vec y;
    EACH_PART(y.part[i] = r_load_part(p + i * PART_LANES, lanes_in(i, n)));
    return y;
}

INLINE void v_store(float *p, vec a) {
    EACH_PART(r_store(p + i * PART_LANES, a.part[i]));
}

INLINE void v_store_part(float *p, vec a, size_t n) {
    EACH_PART(r_store_part(p + i * PART_LANES, a.part[i], lanes_in(i, n)));
}

INLINE vec v_pin(vec a) {
    EACH_PART(a.part[i] = r_pin(a.part[i]));
    return a;
}

/* The same from ggml's blocks. PART_LANES divides sixteen, and so they share scales and bits. */
INLINE reg r_load_q8_0(const uint8_t *data, size_t at) {
    const uint8_t *block = data + at / 32 * NT_Q8_0_BYTES;
    return r_mul(r_half(block), r_ints(i_load_signed(block + 2 + at % 32)));
}

INLINE reg r_load_q4_0(const uint8_t *data, size_t at) {
    const uint8_t *block = data + at / 32 * NT_Q4_0_BYTES;
    ireg fours = i_bits(i_load(block + 2 + at % 16), at % 32 / 16 * 4, 15);
    return r_mul(r_half(block), r_ints(i_less(fours, 8)));
}

INLINE reg r_load_q6_k(const uint8_t *data, size_t at) {
    const uint8_t *block = data + at / 256 * NT_Q6_K_BYTES;
    size_t i = at % 256, half = i / 128, quarter = i % 128 / 32, l = i % 32;
    ireg low = i_bits(i_load(block + half * 64 + quarter % 2 * 32 + l), quarter / 2 * 4, 15);
    ireg high = i_bits(i_load(block + 128 + half * 32 + l), 2 * quarter, 3);
    float scale = (float)(int8_t)block[192 + i / 16];
    return r_mul(r_mul(r_half(block + 208), r_set(scale)), r_ints(i_less(i_join(low, high), 32)));
}

/* PART_LANES numbers of a matrix, from number `at` on, as float32; a multiple of PART_LANES where
 * they are in blocks. */
INLINE reg r_load_as(const void *data, nt_dtype dtype, size_t at) {
    switch (dtype) {
    case NT_F16: return r_load_f16((const uint16_t *)data + at);
    case NT_BF16: return r_load_bf16((const uint16_t *)data + at);
    case NT_Q8_0: return r_load_q8_0(data, at);
    case NT_Q4_0: return r_load_q4_0(data, at);
    case NT_Q6_K: return r_load_q6_k(data, at);
    default: return r_load((const float *)data + at);
    }
}

/* Sixteen of them. */
INLINE vec v_load_as(const void *data, nt_dtype dtype, size_t at) {
    vec y;
    EACH_PART(y.part[i] = r_load_as(data, dtype, at + i * PART_LANES));
    return y;
}

/* The first n < 16 of them; the other lanes are 0 and not read. Not of blocks. */
INLINE vec v_load_part_as(const void *data, nt_dtype dtype, size_t at, size_t n) {
    if (dtype == NT_F32) return v_load_part((const float *)data + at, n);
    uint16_t halves[NT_LANES] = {0};
    memcpy(halves, (const uint16_t *)data + at, n * sizeof *halves);
    return v_load_as(halves, dtype, 0);
}

#define EACH_LANE(name)                                                                            \
    INLINE vec v_##name(vec a, vec b) {                                                            \
        vec y;                                                                                     \
        EACH_PART(y.part[i] = r_##name(a.part[i], b.part[i]));                                     \
        return y;                                                                                  \
    }
EACH_LANE(add)
EACH_LANE(sub)
EACH_LANE(mul)
EACH_LANE(div)
EACH_LANE(max)       /* a > b ? a : b: a NaN in b stays */
EACH_LANE(min)       /* a < b ? a : b: a NaN in b stays */
EACH_LANE(copy_sign) /* the size of a with the sign of b */
#undef EACH_LANE

INLINE vec v_sqrt(vec a) {
    EACH_PART(a.part[i] = r_sqrt(a.part[i]));
    return a;
}

INLINE vec v_abs(vec a) {
    EACH_PART(a.part[i] = r_abs(a.part[i]));
    return a;
}

/* a b + c, rounded once. */
INLINE vec v_fma(vec a, vec b, vec c) {
    EACH_PART(c.part[i] = r_fma(a.part[i], b.part[i], c.part[i]));
    return c;
}

INLINE vmask v_less(vec a, vec b) {
    vmask y;
    EACH_PART(y.part[i] = r_less(a.part[i], b.part[i]));
    return y;
}

/* Lanes of the mask from a, the others from b. */
INLINE vec v_select(vmask mask, vec a, vec b) {
    EACH_PART(b.part[i] = r_select(mask.part[i], a.part[i], b.part[i]));
    return b;
}

/* The first n < 16 lanes of a, the others from b. */
INLINE vec v_select_part(vec a, vec b, size_t n) {
    EACH_PART(b.part[i] = r_select(r_first(lanes_in(i, n)), a.part[i], b.part[i]));
    return b;
}

/* On the first n < 16 lanes; the others keep c, to the sign of a zero. */
INLINE vec v_fma_part(vec a, vec b, vec c, size_t n) {
    return v_select_part(v_fma(a, b, c), c, n);
}

INLINE vec v_add_part(vec a, vec c, size_t n) {
    return v_select_part(v_add(a, c), c, n);
}

/* p 2^n, where `shifted` is n plus the constant `round` that left n in its low bits. */
INLINE vec v_scale(vec p, vec shifted, vec round) {
    EACH_PART(p.part[i] = r_scale(p.part[i], shifted.part[i], round.part[i]));
    return p;
}

/* Lanes 8 .. 15 onto 0 .. 7, then 4, 2 and 1. As far as whole registers go: */
INLINE reg v_fold(vec a) {
#if PARTS == 4
    a.part[0] = r_add(a.part[0], a.part[2]);
    a.part[1] = r_add(a.part[1], a.part[3]);
#endif
#if PARTS >= 2
    a.part[0] = r_add(a.part[0], a.part[1]);
#endif
    return a.part[0];
}

INLINE float v_tree(vec a) {
    return r_tree(v_fold(a));
}

/* The trees of DOT_COLUMNS vectors side by side: y[c] = v_tree(a[c]). */
INLINE void v_trees(float *y, const vec a[DOT_COLUMNS]) {
    reg folded[DOT_COLUMNS];
#pragma GCC unroll 4
    for (size_t c = 0; c < DOT_COLUMNS; c++)
        folded[c] = v_fold(a[c]);
    r_trees(y, folded);
}

/* Two rows of them: y[c] = v_tree(a[c]), y[DOT_COLUMNS + c] = v_tree(b[c]). */
INLINE void v_trees_two(float *y, const vec a[DOT_COLUMNS], const vec b[DOT_COLUMNS]) {
    reg first[DOT_COLUMNS], second[DOT_COLUMNS];
#pragma GCC unroll 4
    for (size_t c = 0; c < DOT_COLUMNS; c++) {
        first[c] = v_fold(a[c]);
        second[c] = v_fold(b[c]);
    }
    r_trees_two(y, first, second);
}

/* The largest lane, where none is NaN. */
INLINE float v_max_lane(vec a) {
    reg most = a.part[0];
    EACH_PART(most = r_max(a.part[i], most));
    return r_max_lane(most);
}
