/* The numbers of a checkpoint: a counter-based hash, a sum of four 16-bit integers, an exact scale.
 * Nothing here depends on the compiler, the machine or libm. */
#include <string.h>

#include "mkmodel.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#    error "safetensors files are little-endian; this tool writes memory as it lies"
#endif

/* Every bit of x touches every bit of the result (the finalizer of splitmix64). */
static inline uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static inline uint64_t hash_at(uint64_t key, int64_t i) {
    return mix(key + ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u);
}

/* Nearly normal around 0, within [-131070, 131070], standard deviation 37837. */
static inline int64_t noise(uint64_t key, int64_t i) {
    uint64_t h = hash_at(key, i);
    return (int64_t)((h & 0xFFFF) + (h >> 16 & 0xFFFF) + (h >> 32 & 0xFFFF) + (h >> 48)) - 131070;
}

static uint32_t float_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Round to nearest, ties to even; the values here are finite and far below the largest half. */
static uint16_t half_of(float x) {
    uint32_t bits = float_bits(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
    if (rest > 0x7F800000) return (uint16_t)(sign | 0x7E00); /* NaN */
    if (rest >= 0x47800000) return (uint16_t)(sign | 0x7C00);
    int exponent = (int)(rest >> 23) - 112;
    uint32_t fraction = (rest & 0x7FFFFF) | 0x800000;
    int shift = exponent > 0 ? 13 : 14 - exponent;
    if (shift > 24) return (uint16_t)sign;
    uint32_t kept = fraction >> shift, lost = fraction & ((1u << shift) - 1),
             tie = 1u << (shift - 1);
    kept += lost > tie || (lost == tie && (kept & 1));
    /* A carry out of the fraction moves into the exponent by itself. */
    return (uint16_t)(sign | (exponent > 0 ? kept + ((uint32_t)(exponent - 1) << 10) : kept));
}

static uint16_t bfloat_of(float x) {
    uint32_t bits = float_bits(x);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static void store(unsigned char *out, double value, width w) {
    float single = (float)value;
    uint16_t narrow;
    switch (w) {
    case F64: memcpy(out, &value, 8); return;
    case F32: memcpy(out, &single, 4); return;
    case F16: narrow = half_of(single); break;
    default: narrow = bfloat_of(single); break;
    }
    memcpy(out, &narrow, 2);
}

/* Items [begin, end), which lie in one run of columns with one multiplier. */
static void fill_run(unsigned char *out, const tensor *t, uint64_t key, width w, int64_t begin,
                     int64_t end, int64_t multiplier) {
    double unit = (t->boost ? 0x1p60 : 0x1p-40), center = t->center;
    int64_t step = tensor_item_bytes(t, w);
    if (w == F32) {
        for (int64_t i = begin; i < end; i++) {
            float x = (float)((double)(noise(key, i) * multiplier) * unit + center);
            memcpy(out + (i - begin) * 4, &x, 4);
        }
        return;
    }
    for (int64_t i = begin; i < end; i++)
        store(out + (i - begin) * step, (double)(noise(key, i) * multiplier) * unit + center, w);
}

static void fill_mask(unsigned char *out, const tensor *t, int64_t begin, int64_t end) {
    int64_t T = t->shape[3];
    for (int64_t i = begin; i < end; i++) {
        bool on = i % T <= i / T;
        float one = on ? 1 : 0;
        if (t->fill == FILL_MASK_BOOL)
            out[i - begin] = on;
        else
            memcpy(out + (i - begin) * 4, &one, 4);
    }
}

void tensor_fill(unsigned char *out, const tensor *t, const recipe *r, int64_t begin, int64_t end) {
    if (t->fill == FILL_MASKED_BIAS) {
        memcpy(out, &(float){-10000}, 4);
        return;
    }
    if (t->fill != FILL_RANDOM) {
        fill_mask(out, t, begin, end);
        return;
    }
    uint64_t key = mix(mix(r->seed + 0x632BE59BD9B4E019u) ^ (t->index + 1) * 0xD1B54A32D192ED03u);
    int64_t columns = t->shape[t->n_dims - 1], size = tensor_item_bytes(t, r->width);
    for (int64_t i = begin, next; i < end; i = next) {
        int64_t column = i % columns;
        bool early = column < t->border;
        next = t->border == 0 ? end : i - column + (early ? t->border : columns);
        if (next > end) next = end;
        fill_run(out + (i - begin) * size, t, key, r->width, i, next,
                 early ? t->first : t->multiplier);
    }
    int64_t middle = tensor_items(t) / 2;
    if (t->nan && middle >= begin && middle < end)
        store(out + (middle - begin) * size, __builtin_nan(""), r->width);
}
