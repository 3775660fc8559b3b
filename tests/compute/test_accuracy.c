/* Every instruction set against double precision. The allowances are the figures that
 * docs/numbers.md states; each test prints how much of its own was used. */
#include "compute/arrays.h"

static void report(const char *isa, const char *what, double worst, double at, double allowed) {
    print_message("%s %s: %.3g, %.0f %% of the %.3g allowed (at %.9g)\n", isa, what, worst,
                  100 * worst / allowed, allowed, at);
    assert_true(worst <= allowed);
}

/* Distance between two float32 neighbours at x, denormals included. */
static double unit_at(double x) {
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

/* ---- Functions ------------------------------------------------------------------------------- */

typedef double (*oracle)(double x);

/* Largest error in units of the result's last place over floats of both signs between `low` and
 * `high` in size, every `stride`-th. */
static double sweep(double *at, void (*function)(float *, size_t), oracle exact, float low,
                    float high, uint32_t stride) {
    enum { N = 4096 };
    static float x[N], y[N];
    double worst = 0;
    uint32_t bits = bits_of_float(low), last = bits_of_float(high);
    for (size_t n; bits <= last;) {
        for (n = 0; n + 2 <= N && bits <= last; bits += stride) {
            x[n++] = float_of_bits(bits);
            x[n++] = -float_of_bits(bits);
        }
        memcpy(y, x, n * sizeof *y);
        function(y, n);
        for (size_t i = 0; i < n; i++) {
            double expected = exact((double)x[i]);
            double error = fabs((double)y[i] - expected) / unit_at(expected);
            if (!(error <= worst)) {
                worst = error;
                *at = (double)x[i];
            }
        }
    }
    return worst;
}

static const nt_kernels *current; /* whose activation the sweeps below measure */

static void tanh_of(float *x, size_t n) {
    current->activate(NT_TANH, x, n);
}

static void sqrt_softplus_of(float *x, size_t n) {
    current->activate(NT_SQRT_SOFTPLUS, x, n);
}

static double sqrt_softplus(double x) {
    return sqrt((x > 0 ? x : 0) + log1p(exp(-fabs(x))));
}

static void exp_is_close(void **state) {
    (void)state;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        double at = 0, worst = sweep(&at, (*k)->exp, exp, 1e-12f, 87.3f, 331 * SPARSER);
        report((*k)->isa, "exp, units in the last place", worst, at, 1.05);
        float x[] = {0,     -0.0f, -104,     -103.9f, -1e30f, -INFINITY,
                     88.8f, 1e30f, INFINITY, NAN,     1e-40f};
        (*k)->exp(x, sizeof x / sizeof *x);
        assert_true(x[0] == 1 && x[1] == 1 && x[10] == 1);
        assert_true(x[2] == 0 && x[3] == 0x1p-149f && x[4] == 0 && x[5] == 0);
        assert_true(x[6] == INFINITY && x[7] == INFINITY && x[8] == INFINITY && isnan(x[9]));
        for (float v = -103.97f; v < -87.3f; v += 0.01f) { /* results that are denormal */
            float y = v;
            (*k)->exp(&y, 1);
            assert_true(fabs((double)y - exp((double)v)) <= 1.05 * 0x1p-149);
        }
    }
}

static void tanh_is_close(void **state) {
    (void)state;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        current = *k;
        double at = 0, worst = sweep(&at, tanh_of, tanh, 0x1p-149f, 20.0f, 331 * SPARSER);
        report((*k)->isa, "tanh, units in the last place", worst, at, 2.0);
        float x[] = {0, -0.0f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN};
        tanh_of(x, 7);
        assert_true(x[0] == 0 && !signbit(x[0]) && x[1] == 0 && signbit(x[1]));
        assert_true(x[2] == 1 && x[3] == -1 && x[4] == 1 && x[5] == -1 && isnan(x[6]));
    }
}

static void erf_is_close(void **state) {
    (void)state;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        double at = 0, worst = sweep(&at, (*k)->erf, erf, 0x1p-149f, 6.0f, 331 * SPARSER);
        report((*k)->isa, "erf, units in the last place", worst, at, 2.0);
        float x[] = {0, -0.0f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN};
        (*k)->erf(x, 7);
        assert_true(x[0] == 0 && !signbit(x[0]) && x[1] == 0 && signbit(x[1]));
        assert_true(x[2] == 1 && x[3] == -1 && x[4] == 1 && x[5] == -1 && isnan(x[6]));
    }
}

/* log(1 + u), as softplus uses it. */
static void sqrt_softplus_is_close(void **state) {
    (void)state;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        current = *k;
        double at = 0,
               worst = sweep(&at, sqrt_softplus_of, sqrt_softplus, 1e-12f, 80.0f, 331 * SPARSER);
        report((*k)->isa, "sqrt(softplus), units in the last place", worst, at, 2.0);
    }
}

/* ---- Activations ----------------------------------------------------------------------------- */

/* tests/compute/data/activations.txt: transformers' own functions in float64, by
 * tools/oracle/activations.py: "number x y" a line. The error is measured against the largest of
 * 1, |x| and |y|: 1 + tanh and 1 + erf cancel in the left tail, and nothing downstream asks for
 * more than this. */
static void activations_equal_transformers(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/compute/data/activations.txt", "r");
    assert_non_null(file);
    double worst = 0, at = 0, x, y;
    int activation, lines = 0, seen[NT_N_ACTIVATIONS] = {0};
    while (fscanf(file, "%d %lf %lf", &activation, &x, &y) == 3) {
        assert_in_range(activation, 0, NT_N_ACTIVATIONS - 1);
        for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
            float v = (float)x;
            (*k)->activate((nt_activation)activation, &v, 1);
            double error = fabs((double)v - y) / fmax(1, fmax(fabs(x), fabs(y)));
            if (!(error <= worst)) {
                worst = error;
                at = activation + x / 1000;
            }
        }
        seen[activation]++;
        lines++;
    }
    assert_true(feof(file) && lines > 500);
    fclose(file);
    for (int i = 0; i < NT_N_ACTIVATIONS; i++)
        assert_true(seen[i] > 20);
    report("all", "activations against transformers", worst, at, 2.4e-7);
}

/* Infinities and NaN do what transformers' functions do with them. */
static void activations_at_the_ends(void **state) {
    (void)state;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        for (int i = 0; i < NT_N_ACTIVATIONS; i++) {
            float x[3] = {NAN, INFINITY, 1e30f};
            (*k)->activate((nt_activation)i, x, 3);
            bool one = i == NT_TANH || i == NT_SIGMOID || i == NT_LAPLACE;
            float ceiling = i == NT_RELU6 ? 6 : i == NT_GELU_10 ? 10 : one ? 1 : INFINITY;
            assert_true(isnan(x[0]));
            assert_true(x[1] == ceiling);
            assert_true(x[2] == (ceiling < INFINITY || i == NT_RELU2 ? ceiling : 1e30f) ||
                        i == NT_HARDSWISH || i == NT_SQRT_SOFTPLUS);
        }
        float low[] = {-1e30f, -30, -100};
        (*k)->activate(NT_GELU_TANH, low, 3);
        assert_true(low[0] == 0 && low[1] == 0 && low[2] == 0);
    }
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* Errors are measured against the sum of |x w|, which bounds what rounding can do. */
static void matmul_is_close(void **state) {
    (void)state;
    enum { K = 768, N = 96, R = 25 };
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        for (int layout = 0; layout < 2; layout++) {
            uint64_t seed = 11;
            float *x = random_floats(&seed, R * K, 3), *w = random_floats(&seed, K * N, 1);
            float *bias = random_floats(&seed, N, 5), *y = room(R * N, sizeof *y);
            float *scratch = aligned_floats(NT_SCRATCH);
            nt_matrix m = {w, NT_F32, (nt_layout)layout, K, N};
            nt_product product = {y, x, &m, bias, R};
            (*k)->matmul(&product, 0, N, scratch);
            double worst = 0, at = 0;
            for (size_t i = 0; i < R * N; i++) {
                size_t r = i / N, n = i % N;
                double sum = (double)bias[n], sizes = fabs((double)bias[n]);
                for (size_t j = 0; j < K; j++) {
                    size_t from = layout == NT_IN_OUT ? j * N + n : n * K + j;
                    double term = (double)x[r * K + j] * (double)w[from];
                    sum += term;
                    sizes += fabs(term);
                }
                double error = fabs((double)y[i] - sum) / sizes;
                if (!(error <= worst)) {
                    worst = error;
                    at = (double)i;
                }
            }
            report((*k)->isa, layout == NT_IN_OUT ? "matmul, chain of 768" : "matmul, lanes of 768",
                   worst, at, layout == NT_IN_OUT ? 2.5e-7 : 1e-7);
            nt_free(x);
            nt_free(w);
            nt_free(bias);
            nt_free(y);
            nt_free(scratch);
        }
    }
}

static void layer_norm_is_close(void **state) {
    (void)state;
    enum { D = 769, R = 5 };
    const float eps = 1e-5f;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        uint64_t seed = 12;
        float *x = random_floats(&seed, R * D, 3), *gain = random_floats(&seed, D, 2);
        float *bias = random_floats(&seed, D, 1), *y = room(R * D, sizeof *y);
        for (size_t i = 0; i < D; i++)
            x[i] += 7; /* a mean that matters */
        for (size_t i = D; i < 2 * D; i++)
            x[i] *= 1e-3f; /* a variance beside which eps matters */
        (*k)->layer_norm(y, x, gain, bias, eps, R, D);
        double worst = 0, at = 0;
        for (size_t r = 0; r < R; r++) {
            double mean = 0, square = 0;
            for (size_t i = 0; i < D; i++)
                mean += (double)x[r * D + i] / D;
            for (size_t i = 0; i < D; i++)
                square += ((double)x[r * D + i] - mean) * ((double)x[r * D + i] - mean) / D;
            for (size_t i = 0; i < D; i++) {
                double d = ((double)x[r * D + i] - mean) / sqrt(square + (double)eps);
                double exact = d * (double)gain[i] + (double)bias[i];
                double error = fabs((double)y[r * D + i] - exact);
                if (!(error <= worst)) {
                    worst = error;
                    at = (double)(r * D + i);
                }
            }
        }
        report((*k)->isa, "layer norm, absolute for outputs about 1", worst, at, 1.5e-6);
        nt_free(x);
        nt_free(gain);
        nt_free(bias);
        nt_free(y);
    }
}

/* One row, H heads, `length` positions, straight from the formula; keys and values are put where
 * device.h says that they lie. */
static void attention_is_close(void **state) {
    (void)state;
    enum { H = 2, E = 20, D = H * E, LENGTH = 150, PAGES = 3 };
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        uint64_t seed = 13;
        void *pages[PAGES], *const *table = pages;
        float y[D], probs[H * LENGTH];
        for (size_t i = 0; i < PAGES; i++)
            pages[i] = room(2 * D * NT_PAGE, sizeof(float));
        float *q = random_floats(&seed, 3 * D, 2), *key = random_floats(&seed, LENGTH * D, 2);
        float *value = random_floats(&seed, LENGTH * D, 2), *scratch = aligned_floats(NT_SCRATCH);
        for (size_t t = 0; t < LENGTH; t++) {
            float *page = pages[t / NT_PAGE];
            for (size_t i = 0; i < D; i++) {
                size_t h = i / E, e = i % E, slot = t % NT_PAGE;
                page[(h * E + e) * NT_PAGE + slot] = key[t * D + i];
                page[D * NT_PAGE + (h * NT_PAGE + slot) * E + e] = value[t * D + i];
            }
        }
        int32_t position = LENGTH - 1;
        nt_attention a = fused_attention(1, H, E, q, y, 0.25f, &table, &position, probs, LENGTH);
        double worst = 0, worst_prob = 0;
        for (size_t h = 0; h < H; h++) {
            (*k)->attend(&a, h, 0, 1, scratch, NT_SCRATCH);
            double score[LENGTH], max = -INFINITY, sum = 0;
            for (size_t t = 0; t < LENGTH; t++) {
                score[t] = 0;
                for (size_t e = 0; e < E; e++)
                    score[t] += 0.25 * (double)q[h * E + e] * (double)key[t * D + h * E + e];
                max = fmax(max, score[t]);
            }
            for (size_t t = 0; t < LENGTH; t++)
                sum += exp(score[t] - max);
            for (size_t t = 0; t < LENGTH; t++) {
                double error = fabs((double)probs[h * LENGTH + t] - exp(score[t] - max) / sum);
                worst_prob = fmax(worst_prob, error);
            }
            for (size_t e = 0; e < E; e++) {
                double exact = 0;
                for (size_t t = 0; t < LENGTH; t++)
                    exact += exp(score[t] - max) / sum * (double)value[t * D + h * E + e];
                worst = fmax(worst, fabs((double)y[h * E + e] - exact));
            }
        }
        report((*k)->isa, "attention probabilities, absolute", worst_prob, 0, 2e-7);
        report((*k)->isa, "attention outputs, absolute for values below 2", worst, 0, 5e-7);
        for (size_t i = 0; i < PAGES; i++)
            nt_free(pages[i]);
        nt_free(q);
        nt_free(key);
        nt_free(value);
        nt_free(scratch);
    }
}

/* Rounding to bfloat16, against distances in double: between every two neighbours just above and
 * below the middle, in it, and on both. */
static void rounding_is_to_nearest(void **state) {
    (void)state;
    static const uint32_t low[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
    for (uint32_t high = 0; high < 1 << 16; high++) {
        uint32_t size = high & 0x7FFF, above = high + 1;
        for (size_t i = 0; i < sizeof low / sizeof *low; i++) {
            float x = float_of_bits(high << 16 | low[i]), y = x;
            nt_kernels_ref.round(&y, 1);
            if (size >= 0x7F80) { /* infinities and NaN stay what they are */
                assert_true(isnan(x) ? isnan(y) : y == x);
                assert_int_equal(signbit(y), signbit(x));
                continue;
            }
            double a = (double)float_of_bits(high << 16), b = (double)float_of_bits(above << 16);
            if (isinf(b)) b = copysign(0x1p128, a); /* where infinity would stand in the row */
            double to_a = fabs((double)x - a), to_b = fabs(b - (double)x);
            bool up = to_a > to_b || (to_a == to_b && high % 2);
            assert_int_equal(bits_of_float(y), (up ? above : high) << 16);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exp_is_close),
                                       cmocka_unit_test(tanh_is_close),
                                       cmocka_unit_test(erf_is_close),
                                       cmocka_unit_test(sqrt_softplus_is_close),
                                       cmocka_unit_test(activations_equal_transformers),
                                       cmocka_unit_test(activations_at_the_ends),
                                       cmocka_unit_test(matmul_is_close),
                                       cmocka_unit_test(layer_norm_is_close),
                                       cmocka_unit_test(attention_is_close),
                                       cmocka_unit_test(rounding_is_to_nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
