/* LayerNorm and RMSNorm over vectors of sixteen lanes. */
#include <math.h>

INLINE float sum_of(const float *x, size_t D) {
    vec lanes = v_zero();
    size_t i = 0;
    for (; i + NT_LANES <= D; i += NT_LANES)
        lanes = v_add(lanes, v_load(x + i));
    if (i < D) lanes = v_add_part(v_load_part(x + i, D - i), lanes, D - i);
    return v_tree(lanes);
}

INLINE float sum_of_squares(const float *x, float mean, size_t D) {
    vec lanes = v_zero(), m = v_set(mean);
    size_t i = 0;
    for (; i + NT_LANES <= D; i += NT_LANES) {
        vec d = v_sub(v_load(x + i), m);
        lanes = v_fma(d, d, lanes);
    }
    if (i < D) {
        vec d = v_sub(v_load_part(x + i, D - i), m);
        lanes = v_fma_part(d, d, lanes, D - i);
    }
    return v_tree(lanes);
}

static void layer_norm(float *y, const float *x, const float *gain, const float *bias, float eps,
                       size_t R, size_t D) {
    for (size_t r = 0; r < R; r++, x += D, y += D) {
        float mean = sum_of(x, D) / (float)D;
        float rstd = 1.0f / sqrtf(sum_of_squares(x, mean, D) / (float)D + eps);
        vec m = v_set(mean), s = v_set(rstd);
        size_t i = 0;
        for (; i + NT_LANES <= D; i += NT_LANES) {
            vec d = v_mul(v_sub(v_load(x + i), m), s);
            v_store(y + i, v_fma(d, v_load(gain + i), v_load(bias + i)));
        }
        if (i < D) {
            size_t n = D - i;
            vec d = v_mul(v_sub(v_load_part(x + i, n), m), s);
            v_store_part(y + i, v_fma(d, v_load_part(gain + i, n), v_load_part(bias + i, n)), n);
        }
    }
}

static void rms_norm(float *y, const float *x, const float *gain, float eps, size_t R, size_t D) {
    for (size_t r = 0; r < R; r++, x += D, y += D) {
        vec lanes = v_zero();
        size_t i = 0;
        for (; i + NT_LANES <= D; i += NT_LANES)
            lanes = v_fma(v_load(x + i), v_load(x + i), lanes);
        if (i < D) {
            vec last = v_load_part(x + i, D - i);
            lanes = v_fma_part(last, last, lanes, D - i);
        }
        vec factor = v_set(1.0f / sqrtf(v_tree(lanes) / (float)D + eps));
        for (i = 0; i + NT_LANES <= D; i += NT_LANES)
            v_store(y + i, v_mul(v_mul(v_load(x + i), factor), v_load(gain + i)));
        if (i < D) {
            size_t n = D - i;
            vec scaled = v_mul(v_load_part(x + i, n), factor);
            v_store_part(y + i, v_mul(scaled, v_load_part(gain + i, n)), n);
        }
    }
}
