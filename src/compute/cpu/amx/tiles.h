/* The eight tile registers of AMX: sixteen rows of 64 bytes each. Hardware's, or, where
 * NT_AMX_MODEL is defined, a model of them in C after Intel's description of the instructions, so
 * that tests of what is built on them run on any machine with AVX-512. Tile numbers must be
 * constants. */
#ifndef NT_COMPUTE_CPU_AMX_TILES_H
#define NT_COMPUTE_CPU_AMX_TILES_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    TILE = 16,      /* rows of a tile, and 32-bit numbers in one of its rows */
    TILE_DEPTH = 32 /* bfloat16 numbers in a row: what one product adds up */
};

typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;
_Static_assert(sizeof(tile_config) == 64, "as the instruction reads it");

#ifdef NT_AMX_MODEL
typedef struct tile_model {
    size_t rows;
    uint8_t bytes[TILE][64];
} tile_model;
static _Thread_local tile_model tile_models[8];

static inline void model_config(const tile_config *config) {
    memset(tile_models, 0, sizeof tile_models);
    for (size_t i = 0; i < 8; i++)
        tile_models[i].rows = config->rows[i];
}

static inline void model_load(tile_model *t, const void *from, size_t stride) {
    for (size_t r = 0; r < t->rows; r++)
        memcpy(t->bytes[r], (const char *)from + r * stride, 64);
}

static inline void model_store(const tile_model *t, void *to, size_t stride) {
    for (size_t r = 0; r < t->rows; r++)
        memcpy((char *)to + r * stride, t->bytes[r], 64);
}

static inline float model_flush(float x) {
    return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0, x) : x;
}

static inline float model_widen(const tile_model *t, size_t row, size_t i) {
    uint16_t half;
    uint32_t bits;
    float x;
    memcpy(&half, t->bytes[row] + 2 * i, 2);
    bits = (uint32_t)half << 16;
    memcpy(&x, &bits, 4);
    return model_flush(x);
}

/* Even and odd numbers in chains of their own, denormals as zero. */
static inline void model_dot(tile_model *c, const tile_model *a, const tile_model *b) {
    for (size_t m = 0; m < c->rows; m++) {
        for (size_t n = 0; n < TILE; n++) {
            float even = 0, odd = 0, sum;
            for (size_t k = 0; k < TILE; k++) {
                even = model_flush(
                    __builtin_fmaf(model_widen(a, m, 2 * k), model_widen(b, k, 2 * n), even));
                odd = model_flush(__builtin_fmaf(model_widen(a, m, 2 * k + 1),
                                                 model_widen(b, k, 2 * n + 1), odd));
            }
            memcpy(&sum, c->bytes[m] + 4 * n, 4);
            sum = model_flush(model_flush(sum) + model_flush(even + odd));
            memcpy(c->bytes[m] + 4 * n, &sum, 4);
        }
    }
}
#    define T_CONFIG(config) model_config(config)
#    define T_RELEASE() ((void)0)
#    define T_LOAD(t, from, stride) model_load(&tile_models[t], from, stride)
#    define T_STORE(t, to, stride) model_store(&tile_models[t], to, stride)
#    define T_DOT(c, a, b) model_dot(&tile_models[c], &tile_models[a], &tile_models[b])
#else
/* gcc 12 does not know that the instruction reads what the pointer points to, and may leave the
 * stores to it for later. */
static inline void tile_load_config(const tile_config *config) {
    __asm__ __volatile__("" : : "r"(config) : "memory");
    _tile_loadconfig(config);
}
#    define T_CONFIG(config) tile_load_config(config)
#    define T_RELEASE() _tile_release()
/* Nor does it know what a tile is loaded from. */
#    define T_LOAD(t, from, stride)                                                                \
        do {                                                                                       \
            __asm__ __volatile__("" : : : "memory");                                               \
            _tile_loadd(t, from, stride);                                                          \
        } while (0)
#    define T_STORE(t, to, stride) _tile_stored(t, to, stride)
#    define T_DOT(c, a, b) _tile_dpbf16ps(c, a, b)
#endif

/* Tiles 0 to 6, sums and x, with n rows; 7, w, with all sixteen pairs along k. */
static inline void tiles_ready(size_t n) {
    tile_config config = {.palette = 1};
    for (size_t i = 0; i < 8; i++) {
        config.rows[i] = (uint8_t)(i < 7 ? n : TILE);
        config.row_bytes[i] = 64;
    }
    T_CONFIG(&config);
}

#endif
