#include "base/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    size_t block, size;
} dtypes[NT_N_DTYPES] = {
    [NT_F32] = {"F32", 1, 4},
    [NT_F16] = {"F16", 1, 2},
    [NT_BF16] = {"BF16", 1, 2},
    [NT_F64] = {"F64", 1, 8},
    [NT_Q8_0] = {"Q8_0", 32, NT_Q8_0_BYTES},
    [NT_Q4_0] = {"Q4_0", 32, NT_Q4_0_BYTES},
    [NT_Q6_K] = {"Q6_K", 256, NT_Q6_K_BYTES},
};

size_t nt_dtype_block(nt_dtype dtype) {
    return dtypes[dtype].block;
}

size_t nt_dtype_size(nt_dtype dtype) {
    return dtypes[dtype].size;
}

uint64_t nt_dtype_bytes(nt_dtype dtype, uint64_t n) {
    return n / dtypes[dtype].block * dtypes[dtype].size;
}

size_t nt_dtype_alignment(nt_dtype dtype) {
    return dtypes[dtype].block > 1 ? 1 : dtypes[dtype].size;
}

const char *nt_dtype_name(nt_dtype dtype) {
    return dtypes[dtype].name;
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    if (exponent == 0x1F) return from_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float tiny = (float)fraction * 0x1p-24f; /* zero or denormal: exact */
    return sign ? -tiny : tiny;
}

static float half_at(const unsigned char *bytes) {
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return from_half(half);
}

/* A scale, then 32 integers. */
static float from_q8_0(const unsigned char *block, size_t i) {
    return half_at(block) * (float)(int8_t)block[2 + i];
}

/* A scale, then 16 bytes: the low halves are numbers 0 .. 15, the high ones 16 .. 31, each less 8.
 */
static float from_q4_0(const unsigned char *block, size_t i) {
    int byte = block[2 + i % 16], four = i < 16 ? byte & 15 : byte >> 4;
    return half_at(block) * (float)(four - 8);
}

/* Low four bits of each integer, their high two bits, a scale for every sixteen, the scale of
 * these. Within each half of the block, bits of numbers 32 apart share bytes. */
static float from_q6_k(const unsigned char *block, size_t i) {
    size_t half = i / 128, quarter = i % 128 / 32, l = i % 32;
    int low = block[half * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
    int high = block[128 + half * 32 + l] >> (2 * quarter) & 3;
    float scale = half_at(block + 208) * (float)(int8_t)block[192 + i / 16];
    return scale * (float)((low | high << 4) - 32);
}

float nt_dtype_load(const void *data, nt_dtype dtype, size_t i) {
    size_t in_block = i % dtypes[dtype].block;
    const unsigned char *at =
        (const unsigned char *)data + i / dtypes[dtype].block * dtypes[dtype].size;
    switch (dtype) {
    case NT_Q8_0: return from_q8_0(at, in_block);
    case NT_Q4_0: return from_q4_0(at, in_block);
    case NT_Q6_K: return from_q6_k(at, in_block);
    case NT_F16: {
        uint16_t half;
        memcpy(&half, at, sizeof half);
        return from_half(half);
    }
    case NT_BF16: {
        uint16_t high;
        memcpy(&high, at, sizeof high);
        return from_bits((uint32_t)high << 16);
    }
    case NT_F64: {
        double value;
        memcpy(&value, at, sizeof value);
        return (float)value;
    }
    default: {
        float value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    }
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint16_t to_half(float value) {
    uint32_t bits = bits_of(value), size = bits & 0x7FFFFFFF, half;
    if (size > 0x7F800000) { /* NaN: the upper bits of its payload, if there are any */
        half = 0x7C00 | (size >> 13 & 0x3FF);
        if (half == 0x7C00) half++;
    } else if (size >= 0x477FF000) { /* from 65520 on */
        half = 0x7C00;
    } else if (size >= 0x38800000) {
        half = (size + 0xFFF + (size >> 13 & 1) - 0x38000000) >> 13;
    } else { /* denormal: a multiple of 2^-24 */
        half = (uint32_t)rintf(from_bits(size) * 0x1p24f);
    }
    return (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)half;
}

static bool put_half(unsigned char *out, float value) {
    uint16_t half = to_half(value);
    memcpy(out, &half, sizeof half);
    return !isfinite(value) || (half & 0x7C00) != 0x7C00;
}

static bool to_q8_0(unsigned char *block, const float *values) {
    float most = 0;
    for (size_t i = 0; i < 32; i++) {
        if (!isfinite(values[i])) return false;
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    }
    float scale = most / 127.0f, inverse = scale > 0 ? 1.0f / scale : 0.0f;
    if (!isfinite(inverse)) inverse = 0; /* a scale that F16 has as 0 */
    for (size_t i = 0; i < 32; i++)
        block[2 + i] = (unsigned char)(int8_t)roundf(values[i] * inverse);
    return put_half(block, scale);
}

bool nt_dtype_store(void *out, nt_dtype dtype, const float *values, size_t n) {
    unsigned char *at = out;
    bool fits = true;
    size_t block = dtypes[dtype].block, size = dtypes[dtype].size;
    for (size_t i = 0; i < n; i += block, at += size) {
        if (dtype == NT_Q8_0) {
            fits = to_q8_0(at, values + i) && fits;
        } else if (dtype == NT_F16) {
            fits = put_half(at, values[i]) && fits;
        } else if (dtype == NT_BF16) {
            uint16_t bfloat = nt_bfloat(values[i]);
            memcpy(at, &bfloat, sizeof bfloat);
        } else {
            memcpy(at, &values[i], sizeof *values);
        }
    }
    return fits;
}
