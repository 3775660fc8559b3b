/* The reference kernels: plain scalar C, fmaf where contraction is meant. Every other instruction
 * set is held against these, bit by bit. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/polynomials.h"

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* l[i] + l[i + 8], then 4, 2 and 1. */
static float tree(const float lanes[NT_LANES]) {
    float l[NT_LANES];
    memcpy(l, lanes, sizeof l);
    for (int half = NT_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++)
            l[i] = l[i] + l[i + half];
    }
    return l[0];
}

/* ---- exp, tanh, erf -------------------------------------------------------------------------- */

static float exp_ref(float x) {
    float clipped = NT_EXP_LOW > x ? NT_EXP_LOW : x; /* NaN stays NaN */
    clipped = NT_EXP_HIGH < clipped ? NT_EXP_HIGH : clipped;
    float shifted = fmaf(clipped, NT_LOG2E, NT_ROUND);
    float n = shifted - NT_ROUND;
    float r = fmaf(n, -NT_LN2_HIGH, clipped);
    r = fmaf(n, -NT_LN2_LOW, r);
    float p = fmaf(NT_EXP_P4, r, NT_EXP_P3);
    p = fmaf(p, r, NT_EXP_P2);
    p = fmaf(p, r, NT_EXP_P1);
    p = fmaf(p, r, NT_EXP_P0);
    p = 1.0f + fmaf(r * r, p, r);
    /* 2^n in two factors, the first exact: denormal results are rounded once. */
    int32_t whole = (int32_t)(bits_of(shifted) - bits_of(NT_ROUND));
    int32_t half = whole >> 1; /* rounds down, as the vector shifts do */
    p *= float_of((uint32_t)(half + 127) << 23);
    return p * float_of((uint32_t)(whole - half + 127) << 23);
}

static float tanh_ref(float x) {
    float size = fabsf(x);
    if (size < NT_TANH_SMALL) {
        float z = x * x;
        float p = fmaf(NT_TANH_P4, z, NT_TANH_P3);
        p = fmaf(p, z, NT_TANH_P2);
        p = fmaf(p, z, NT_TANH_P1);
        p = fmaf(p, z, NT_TANH_P0);
        return copysignf(fmaf(z * x, p, x), x); /* -0 stays -0 */
    }
    float y = 1.0f - 2.0f / (exp_ref(size + size) + 1.0f);
    return copysignf(y, x);
}

static float erf_ref(float x) {
    float size = fabsf(x);
    if (size < NT_ERF_SMALL) {
        float z = x * x;
        float p = fmaf(NT_ERF_P6, z, NT_ERF_P5);
        p = fmaf(p, z, NT_ERF_P4);
        p = fmaf(p, z, NT_ERF_P3);
        p = fmaf(p, z, NT_ERF_P2);
        p = fmaf(p, z, NT_ERF_P1);
        p = fmaf(p, z, NT_ERF_P0);
        return fmaf(x, p, x);
    }
    float t = NT_ERF_ONE < size ? NT_ERF_ONE : size;
    float q = fmaf(NT_ERF_Q6, t, NT_ERF_Q5);
    q = fmaf(q, t, NT_ERF_Q4);
    q = fmaf(q, t, NT_ERF_Q3);
    q = fmaf(q, t, NT_ERF_Q2);
    q = fmaf(q, t, NT_ERF_Q1);
    q = fmaf(q, t, NT_ERF_Q0);
    return copysignf(1.0f - exp_ref(q), x);
}

static float gelu_erf(float x) {
    return 0.5f * x * (1.0f + erf_ref(x * NT_SQRT_HALF));
}

static float clip(float x, float low, float high) { /* NaN stays NaN */
    float y = low > x ? low : x;
    return high < y ? high : y;
}

static float mish(float x) {
    if (x > NT_SOFTPLUS_LINEAR) return x;
    float e = exp_ref(x), n = e * (e + 2.0f); /* tanh(ln(1 + e)) = n / (n + 2) */
    return x * (n / (n + 2.0f));
}

/* ln(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static float softplus(float x) {
    if (x > NT_SOFTPLUS_LINEAR) return x;
    float u = exp_ref(-fabsf(x));
    float d = (u + u) / (2.0f + u), z = d * d;
    float p = fmaf(NT_LOG_P4, z, NT_LOG_P3);
    p = fmaf(p, z, NT_LOG_P2);
    p = fmaf(p, z, NT_LOG_P1);
    p = fmaf(p, z, NT_LOG_P0);
    return (0.0f > x ? 0.0f : x) + fmaf(z * d, p, d);
}

static float activation_ref(nt_activation activation, float x) {
    switch (activation) {
    case NT_GELU_TANH: /* 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2 u)) */
    case NT_GELU_FAST:
        return x / (1.0f + exp_ref(NT_GELU_TWICE * x * fmaf(NT_GELU_CUBIC, x * x, 1.0f)));
    case NT_GELU_ERF: return gelu_erf(x);
    case NT_GELU_10: return clip(gelu_erf(x), -10.0f, 10.0f);
    case NT_GELU_QUICK: return x / (1.0f + exp_ref(NT_QUICK * x));
    case NT_RELU: return 0.0f > x ? 0.0f : x;
    case NT_RELU2: {
        float y = 0.0f > x ? 0.0f : x;
        return y * y;
    }
    case NT_RELU6: return clip(x, 0.0f, 6.0f);
    case NT_LEAKY_RELU: return 0.0f > x ? x * NT_LEAKY : x;
    case NT_SILU: return x / (1.0f + exp_ref(-x));
    case NT_MISH: return mish(x);
    case NT_TANH: return tanh_ref(x);
    case NT_SIGMOID: return 1.0f / (1.0f + exp_ref(-x));
    case NT_HARDSWISH: return x * clip(x + 3.0f, 0.0f, 6.0f) / 6.0f;
    case NT_LAPLACE: return 0.5f * (1.0f + erf_ref((x - NT_LAPLACE_MEAN) * NT_LAPLACE_SCALE));
    case NT_SQRT_SOFTPLUS: return sqrtf(softplus(x));
    default: return x;
    }
}

static void activate(nt_activation activation, float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = activation_ref(activation, x[i]);
}

static void add(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void multiply(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void round_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = float_of((uint32_t)nt_bfloat(x[i]) << 16);
}

static void exp_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = exp_ref(x[i]);
}

static void erf_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = erf_ref(x[i]);
}

/* ---- LayerNorm ------------------------------------------------------------------------------- */

static void layer_norm(float *y, const float *x, const float *gain, const float *bias, float eps,
                       size_t R, size_t D) {
    for (size_t r = 0; r < R; r++, x += D, y += D) {
        float sum[NT_LANES] = {0}, square[NT_LANES] = {0};
        for (size_t i = 0; i < D; i++)
            sum[i % NT_LANES] += x[i];
        float mean = tree(sum) / (float)D;
        for (size_t i = 0; i < D; i++) {
            float d = x[i] - mean;
            square[i % NT_LANES] = fmaf(d, d, square[i % NT_LANES]);
        }
        float rstd = 1.0f / sqrtf(tree(square) / (float)D + eps);
        for (size_t i = 0; i < D; i++)
            y[i] = fmaf((x[i] - mean) * rstd, gain[i], bias[i]);
    }
}

static void rms_norm(float *y, const float *x, const float *gain, float eps, size_t R, size_t D) {
    for (size_t r = 0; r < R; r++, x += D, y += D) {
        float square[NT_LANES] = {0};
        for (size_t i = 0; i < D; i++)
            square[i % NT_LANES] = fmaf(x[i], x[i], square[i % NT_LANES]);
        float factor = 1.0f / sqrtf(tree(square) / (float)D + eps);
        for (size_t i = 0; i < D; i++)
            y[i] = x[i] * factor * gain[i];
    }
}

/* ---- Rotary positions ------------------------------------------------------------------------ */

static void rotate(float *x, const float *cosine, const float *sine, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float a = x[i], b = x[i + n];
        x[i] = a * cosine[i] - b * sine[i];
        x[i + n] = b * cosine[i] + a * sine[i];
    }
}

/* ---- Matmul ---------------------------------------------------------------------------------- */

/* y[n] = a chain over k: walked row by row of w, as w lies in memory. */
static void matmul_in_out(float *y, const float *x, const nt_matrix *w, size_t begin, size_t end) {
    for (size_t n = begin; n < end; n++)
        y[n] = 0.0f;
    for (size_t k = 0; k < w->K; k++) {
        if (w->dtype == NT_F32) {
            const float *row = (const float *)w->data + k * w->N;
            for (size_t n = begin; n < end; n++)
                y[n] = fmaf(x[k], row[n], y[n]);
        } else {
            for (size_t n = begin; n < end; n++)
                y[n] = fmaf(x[k], nt_dtype_load(w->data, w->dtype, k * w->N + n), y[n]);
        }
    }
}

/* y[n] = sixteen lanes over k % 16, then the tree. */
static void matmul_out_in(float *y, const float *x, const nt_matrix *w, size_t begin, size_t end) {
    for (size_t n = begin; n < end; n++) {
        float lanes[NT_LANES] = {0};
        for (size_t k = 0; k < w->K; k++) {
            float weight = nt_dtype_load(w->data, w->dtype, n * w->K + k);
            lanes[k % NT_LANES] = fmaf(x[k], weight, lanes[k % NT_LANES]);
        }
        y[n] = tree(lanes);
    }
}

static void matmul(const nt_product *product, size_t begin, size_t end, float *scratch) {
    (void)scratch;
    const nt_matrix *w = product->w;
    for (size_t r = 0; r < product->R; r++) {
        float *y = product->y + r * w->N;
        const float *x = product->x + r * w->K;
        if (w->layout == NT_IN_OUT)
            matmul_in_out(y, x, w, begin, end);
        else
            matmul_out_in(y, x, w, begin, end);
        for (size_t n = begin; product->bias && n < end; n++)
            y[n] += product->bias[n];
    }
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* What one head of one row works with. */
typedef struct query {
    const float *q;     /* [E] */
    void *const *pages; /* of the row's sequence */
    nt_dtype stored;
    size_t g, G, E; /* g: the head of keys and values */
    float scale;
} query;

/* Number i of the page that position t lies in. */
static float number_at(const query *u, size_t t, size_t i) {
    const void *page = u->pages[t / NT_PAGE];
    return u->stored == NT_F32 ? ((const float *)page)[i] : nt_dtype_load(page, u->stored, i);
}

static float score_at(const query *u, size_t t) {
    size_t key = u->g * u->E * NT_PAGE + t % NT_PAGE;
    float dot = 0.0f;
    for (size_t e = 0; e < u->E; e++)
        dot = fmaf(u->q[e], number_at(u, t, key + e * NT_PAGE), dot);
    return u->scale * dot;
}

/* Where the value of position t begins in its page. */
static size_t value_at(const query *u, size_t t) {
    return ((u->G + u->g) * NT_PAGE + t % NT_PAGE) * u->E;
}

/* Scores are computed once for each of the three passes: no memory grows with the text. */
static void attend_row(const query *u, size_t first, size_t length, float *y, float *probs) {
    float max = -INFINITY, lanes[NT_LANES] = {0};
    for (size_t t = first; t < length; t++) {
        float score = score_at(u, t);
        max = score > max ? score : max;
    }
    for (size_t t = first; t < length; t++)
        lanes[t % NT_LANES] += exp_ref(score_at(u, t) - max);
    float inverse = 1.0f / tree(lanes);
    for (size_t e = 0; e < u->E; e++)
        y[e] = 0.0f;
    for (size_t t = 0; probs && t < first; t++)
        probs[t] = 0.0f;
    for (size_t t = first; t < length; t++) {
        float p = exp_ref(score_at(u, t) - max) * inverse;
        size_t value = value_at(u, t);
        for (size_t e = 0; e < u->E; e++)
            y[e] = fmaf(p, number_at(u, t, value + e), y[e]);
        if (probs) probs[t] = p;
    }
}

static void attend(const nt_attention *a, size_t h, size_t begin, size_t end, float *scratch,
                   size_t n_scratch) {
    (void)scratch;
    (void)n_scratch;
    for (size_t r = begin; r < end; r++) {
        query u = {.q = a->q.data + r * a->q.row + h * a->q.head,
                   .pages = a->pages[r],
                   .stored = a->stored,
                   .g = h / (a->H / a->G),
                   .G = a->G,
                   .E = a->E,
                   .scale = a->scale};
        size_t length = (size_t)a->position[r] + 1;
        size_t first = a->window && length > a->window ? length - a->window : 0;
        float *probs = a->probs ? a->probs + (r * a->H + h) * a->ld_probs : NULL;
        attend_row(&u, first, length, a->y + (r * a->H + h) * a->E, probs);
    }
}

const nt_kernels nt_kernels_ref = {.isa = "ref",
                                   .matmul = matmul,
                                   .layer_norm = layer_norm,
                                   .rms_norm = rms_norm,
                                   .rotate = rotate,
                                   .attend = attend,
                                   .activate = activate,
                                   .add = add,
                                   .multiply = multiply,
                                   .round = round_all,
                                   .exp = exp_all,
                                   .erf = erf_all};
