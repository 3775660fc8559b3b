/* exp, tanh, erf and the activations over vectors of sixteen lanes. Included by a kernels file
 * after it has defined the vector operations. */
#include "compute/cpu/polynomials.h"

INLINE vec v_exp(vec x) {
    vec round = v_set(NT_ROUND);
    x = v_min(v_set(NT_EXP_HIGH), v_max(v_set(NT_EXP_LOW), x));
    vec shifted = v_fma(x, v_set(NT_LOG2E), round);
    vec n = v_sub(shifted, round);
    vec r = v_fma(n, v_set(-NT_LN2_HIGH), x);
    r = v_fma(n, v_set(-NT_LN2_LOW), r);
    vec p = v_fma(v_set(NT_EXP_P4), r, v_set(NT_EXP_P3));
    p = v_fma(p, r, v_set(NT_EXP_P2));
    p = v_fma(p, r, v_set(NT_EXP_P1));
    p = v_fma(p, r, v_set(NT_EXP_P0));
    p = v_add(v_set(1.0f), v_fma(v_mul(r, r), p, r));
    return v_scale(p, shifted, round);
}

INLINE vec v_tanh(vec x) {
    vec size = v_abs(x), one = v_set(1.0f), two = v_set(2.0f), z = v_mul(x, x);
    vec p = v_fma(v_set(NT_TANH_P4), z, v_set(NT_TANH_P3));
    p = v_fma(p, z, v_set(NT_TANH_P2));
    p = v_fma(p, z, v_set(NT_TANH_P1));
    p = v_fma(p, z, v_set(NT_TANH_P0));
    vec near = v_fma(v_mul(z, x), p, x);
    vec far = v_sub(one, v_div(two, v_add(v_exp(v_add(size, size)), one)));
    return v_copy_sign(v_select(v_less(size, v_set(NT_TANH_SMALL)), near, far), x);
}

INLINE vec v_erf(vec x) {
    vec size = v_abs(x), z = v_mul(x, x);
    vec p = v_fma(v_set(NT_ERF_P6), z, v_set(NT_ERF_P5));
    p = v_fma(p, z, v_set(NT_ERF_P4));
    p = v_fma(p, z, v_set(NT_ERF_P3));
    p = v_fma(p, z, v_set(NT_ERF_P2));
    p = v_fma(p, z, v_set(NT_ERF_P1));
    p = v_fma(p, z, v_set(NT_ERF_P0));
    vec near = v_fma(x, p, x);
    vec t = v_min(v_set(NT_ERF_ONE), size);
    vec q = v_fma(v_set(NT_ERF_Q6), t, v_set(NT_ERF_Q5));
    q = v_fma(q, t, v_set(NT_ERF_Q4));
    q = v_fma(q, t, v_set(NT_ERF_Q3));
    q = v_fma(q, t, v_set(NT_ERF_Q2));
    q = v_fma(q, t, v_set(NT_ERF_Q1));
    q = v_fma(q, t, v_set(NT_ERF_Q0));
    vec far = v_sub(v_set(1.0f), v_exp(q));
    return v_select(v_less(size, v_set(NT_ERF_SMALL)), near, v_copy_sign(far, x));
}

INLINE vec v_gelu_erf(vec x) {
    vec erf = v_erf(v_mul(x, v_set(NT_SQRT_HALF)));
    return v_mul(v_mul(v_set(0.5f), x), v_add(v_set(1.0f), erf));
}

/* x / (1 + exp(a)) */
INLINE vec v_gate(vec x, vec a) {
    return v_div(x, v_add(v_set(1.0f), v_exp(a)));
}

INLINE vec v_clip(vec x, float low, float high) {
    return v_min(v_set(high), v_max(v_set(low), x));
}

INLINE vec v_gelu_tanh(vec x) {
    vec cubic = v_fma(v_set(NT_GELU_CUBIC), v_mul(x, x), v_set(1.0f));
    return v_gate(x, v_mul(v_mul(v_set(NT_GELU_TWICE), x), cubic));
}

INLINE vec v_mish(vec x) {
    vec two = v_set(2.0f), e = v_exp(x), n = v_mul(e, v_add(e, two));
    vec y = v_mul(x, v_div(n, v_add(n, two)));
    return v_select(v_less(v_set(NT_SOFTPLUS_LINEAR), x), x, y);
}

INLINE vec v_softplus(vec x) {
    vec two = v_set(2.0f), u = v_exp(v_mul(v_set(-1.0f), v_abs(x)));
    vec d = v_div(v_add(u, u), v_add(two, u)), z = v_mul(d, d);
    vec p = v_fma(v_set(NT_LOG_P4), z, v_set(NT_LOG_P3));
    p = v_fma(p, z, v_set(NT_LOG_P2));
    p = v_fma(p, z, v_set(NT_LOG_P1));
    p = v_fma(p, z, v_set(NT_LOG_P0));
    vec y = v_add(v_max(v_zero(), x), v_fma(v_mul(z, d), p, d));
    return v_select(v_less(v_set(NT_SOFTPLUS_LINEAR), x), x, y);
}

/* Called with a constant: each activation becomes a loop of its own. */
INLINE vec v_activation(nt_activation activation, vec x) {
    vec zero = v_zero(), one = v_set(1.0f);
    switch (activation) {
    case NT_GELU_TANH:
    case NT_GELU_FAST: return v_gelu_tanh(x);
    case NT_GELU_ERF: return v_gelu_erf(x);
    case NT_GELU_10: return v_clip(v_gelu_erf(x), -10.0f, 10.0f);
    case NT_GELU_QUICK: return v_gate(x, v_mul(v_set(NT_QUICK), x));
    case NT_RELU: return v_max(zero, x);
    case NT_RELU2: return v_mul(v_max(zero, x), v_max(zero, x));
    case NT_RELU6: return v_clip(x, 0.0f, 6.0f);
    case NT_LEAKY_RELU: return v_select(v_less(x, zero), v_mul(x, v_set(NT_LEAKY)), x);
    case NT_SILU: return v_gate(x, v_mul(v_set(-1.0f), x));
    case NT_MISH: return v_mish(x);
    case NT_TANH: return v_tanh(x);
    case NT_SIGMOID: return v_gate(one, v_mul(v_set(-1.0f), x));
    case NT_HARDSWISH:
        return v_div(v_mul(x, v_clip(v_add(x, v_set(3.0f)), 0.0f, 6.0f)), v_set(6.0f));
    case NT_LAPLACE: {
        vec t = v_mul(v_sub(x, v_set(NT_LAPLACE_MEAN)), v_set(NT_LAPLACE_SCALE));
        return v_mul(v_set(0.5f), v_add(one, v_erf(t)));
    }
    case NT_SQRT_SOFTPLUS: return v_sqrt(v_softplus(x));
    default: return x;
    }
}

INLINE void activate_as(nt_activation activation, float *x, size_t n) {
    size_t i = 0;
    for (; i + NT_LANES <= n; i += NT_LANES)
        v_store(x + i, v_activation(activation, v_load(x + i)));
    if (i < n) v_store_part(x + i, v_activation(activation, v_load_part(x + i, n - i)), n - i);
}

static void activate(nt_activation activation, float *x, size_t n) {
    switch (activation) {
    case NT_GELU_TANH:
    case NT_GELU_FAST: activate_as(NT_GELU_TANH, x, n); break;
    case NT_GELU_ERF: activate_as(NT_GELU_ERF, x, n); break;
    case NT_GELU_10: activate_as(NT_GELU_10, x, n); break;
    case NT_GELU_QUICK: activate_as(NT_GELU_QUICK, x, n); break;
    case NT_RELU: activate_as(NT_RELU, x, n); break;
    case NT_RELU2: activate_as(NT_RELU2, x, n); break;
    case NT_RELU6: activate_as(NT_RELU6, x, n); break;
    case NT_LEAKY_RELU: activate_as(NT_LEAKY_RELU, x, n); break;
    case NT_SILU: activate_as(NT_SILU, x, n); break;
    case NT_MISH: activate_as(NT_MISH, x, n); break;
    case NT_TANH: activate_as(NT_TANH, x, n); break;
    case NT_SIGMOID: activate_as(NT_SIGMOID, x, n); break;
    case NT_HARDSWISH: activate_as(NT_HARDSWISH, x, n); break;
    case NT_LAPLACE: activate_as(NT_LAPLACE, x, n); break;
    case NT_SQRT_SOFTPLUS: activate_as(NT_SQRT_SOFTPLUS, x, n); break;
    default: break;
    }
}

static void add(float *y, const float *x, size_t n) {
    size_t i = 0;
    for (; i + NT_LANES <= n; i += NT_LANES)
        v_store(y + i, v_add(v_load(y + i), v_load(x + i)));
    if (i < n) {
        vec sum = v_add(v_load_part(y + i, n - i), v_load_part(x + i, n - i));
        v_store_part(y + i, sum, n - i);
    }
}

static void multiply_all(float *y, const float *x, size_t n) {
    size_t i = 0;
    for (; i + NT_LANES <= n; i += NT_LANES)
        v_store(y + i, v_mul(v_load(y + i), v_load(x + i)));
    if (i < n) {
        vec product = v_mul(v_load_part(y + i, n - i), v_load_part(x + i, n - i));
        v_store_part(y + i, product, n - i);
    }
}

#define MAP(name, function)                                                                        \
    static void name(float *x, size_t n) {                                                         \
        size_t i = 0;                                                                              \
        for (; i + NT_LANES <= n; i += NT_LANES)                                                   \
            v_store(x + i, function(v_load(x + i)));                                               \
        if (i < n) v_store_part(x + i, function(v_load_part(x + i, n - i)), n - i);                \
    }
MAP(exp_all, v_exp)
MAP(erf_all, v_erf)
#undef MAP
