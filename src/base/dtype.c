#include "base/dtype.h"

#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[NT_N_DTYPES] = {
    [NT_F32] = {"F32", 4},
    [NT_F16] = {"F16", 2},
    [NT_BF16] = {"BF16", 2},
    [NT_F64] = {"F64", 8},
};

size_t nt_dtype_size(nt_dtype dtype) {
    return dtypes[dtype].size;
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

float nt_dtype_load(const void *data, nt_dtype dtype, size_t i) {
    const char *at = (const char *)data + i * nt_dtype_size(dtype);
    switch (dtype) {
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
