/* Every instruction set against the reference, bit by bit, on shapes that divide by nothing; and
 * rows alone against the same rows in company. */
#include "compute/arrays.h"
#include "compute/cpu/polynomials.h"

static const nt_dtype DTYPES[] = {NT_F32, NT_F16, NT_BF16};
static const nt_layout LAYOUTS[] = {NT_IN_OUT, NT_OUT_IN};

typedef struct shape {
    size_t R, K, N;
} shape;

static const shape SHAPES[] = {
    {1, 1, 1},     {1, 7, 3},      {1, 16, 16},   {1, 17, 33},   {1, 768, 64},  {1, 100, 130},
    {2, 8, 15},    {2, 259, 40},   {3, 31, 64},   {4, 80, 97},   {5, 64, 31},   {6, 65, 4},
    {7, 300, 50},  {8, 129, 127},  {9, 15, 17},   {9, 256, 32},  {10, 257, 31}, {11, 512, 33},
    {12, 513, 64}, {13, 40, 449},  {14, 255, 96}, {15, 33, 385}, {17, 530, 48}, {23, 100, 65},
    {64, 300, 70}, {193, 270, 37}, {200, 19, 20}, {33, 1030, 50}};

static nt_matrix matrix_of(const void *data, nt_dtype dtype, nt_layout layout, const shape *s) {
    return (nt_matrix){.data = data, .dtype = dtype, .layout = layout, .K = s->K, .N = s->N};
}

static void check_matmul(const nt_kernels *best, nt_dtype dtype, nt_layout layout, const shape *s,
                         bool with_bias, float scale, uint64_t seed) {
    float *widened, *scratch = aligned_floats(NT_SCRATCH);
    float *x = random_floats(&seed, s->R * s->K, scale), *bias = random_floats(&seed, s->N, 1);
    void *data = random_weights(&seed, dtype, s->K * s->N, &widened);
    nt_matrix w = matrix_of(data, dtype, layout, s);
    float *expected = random_floats(&seed, s->R * s->N, 1),
          *y = random_floats(&seed, s->R * s->N, 1);
    float *alone = room(s->N, sizeof *alone);
    nt_product product = {expected, x, &w, with_bias ? bias : NULL, s->R};
    nt_kernels_ref.matmul(&product, 0, s->N, scratch);
    product.y = y;
    best->matmul(&product, 0, s->N, scratch);
    size_t i = first_difference(y, expected, s->R * s->N);
    if (i < s->R * s->N) {
        fail_msg("%s, layout %d, R %zu K %zu N %zu, bias %d: row %zu column %zu is %a, not %a",
                 nt_dtype_name(dtype), (int)layout, s->R, s->K, s->N, with_bias, i / s->N, i % s->N,
                 (double)y[i], (double)expected[i]);
    }
    /* In parts, as threads do it; and each row by itself. */
    for (size_t n = 0; n < s->R * s->N; n++)
        y[n] = 77;
    for (size_t n = 0; n < s->N; n += NT_COLUMN_STEP)
        best->matmul(&product, n, n + NT_COLUMN_STEP < s->N ? n + NT_COLUMN_STEP : s->N, scratch);
    assert_int_equal(first_difference(y, expected, s->R * s->N), s->R * s->N);
    for (size_t r = 0; r < s->R; r += 5) {
        nt_product one = {alone, x + r * s->K, &w, with_bias ? bias : NULL, 1};
        best->matmul(&one, 0, s->N, scratch);
        assert_int_equal(first_difference(alone, expected + r * s->N, s->N), s->N);
    }
    nt_free(alone);
    nt_free(y);
    nt_free(expected);
    nt_free(data);
    nt_free(widened);
    nt_free(bias);
    nt_free(x);
    nt_free(scratch);
}

static void matmul_equals_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        for (size_t d = 0; d < 3; d++) {
            for (size_t l = 0; l < 2; l++) {
                check_matmul(best, DTYPES[d], LAYOUTS[l], &SHAPES[i], (i + d) % 2,
                             i % 3 ? 3 : 0x1p-140f, i + 1);
            }
        }
    }
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* A made-up cache: `n_texts` sequences with filled pages, and rows that ask about them. */
typedef struct cache {
    float **pages[3];
    size_t n_pages, page_floats;
} cache;

static void cache_fill(cache *c, uint64_t *seed, size_t H, size_t E, size_t longest) {
    c->n_pages = (longest + NT_PAGE - 1) / NT_PAGE;
    c->page_floats = 2 * H * E * NT_PAGE;
    for (size_t s = 0; s < 3; s++) {
        c->pages[s] = room(c->n_pages, sizeof *c->pages[s]);
        for (size_t i = 0; i < c->n_pages; i++)
            c->pages[s][i] = random_floats(seed, c->page_floats, 2);
    }
}

static void cache_free(cache *c) {
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < c->n_pages; i++)
            nt_free(c->pages[s][i]);
        nt_free(c->pages[s]);
    }
}

static void run_heads(const nt_kernels *kernels, const nt_attention *a, size_t begin, size_t end,
                      float *scratch, size_t n_scratch) {
    for (size_t h = 0; h < a->H; h++)
        kernels->attend(a, h, begin, end, scratch, n_scratch);
}

static void check_attend(const nt_kernels *best, size_t H, size_t E, size_t longest,
                         size_t n_scratch, uint64_t seed) {
    enum { R = 13 };
    size_t D = H * E;
    cache c;
    cache_fill(&c, &seed, H, E, longest);
    float *const *tables[R];
    int32_t position[R];
    for (size_t r = 0; r < R; r++) { /* a run of one text, then texts by turns */
        tables[r] = c.pages[r < 9 ? 0 : r % 3];
        position[r] = (int32_t)(r < 9 ? (longest + r - 9) % longest : next_random(&seed) % longest);
    }
    float *qkv = random_floats(&seed, R * 3 * D, 2), *scratch = aligned_floats(NT_SCRATCH);
    float *expected = random_floats(&seed, R * D, 1), *y = random_floats(&seed, R * D, 1);
    float *probs = room(R * H * longest, sizeof *probs), *seen = room(R * H * longest, 4);
    nt_attention a = {R, H, E, qkv, expected, 0.37f, tables, position, probs, longest};
    run_heads(&nt_kernels_ref, &a, 0, R, scratch, NT_SCRATCH);
    a.y = y;
    a.probs = seen;
    run_heads(best, &a, 0, R, scratch, n_scratch);
    assert_int_equal(first_difference(y, expected, R * D), R * D);
    assert_int_equal(first_difference(seen, probs, R * H * longest), R * H * longest);
    /* Each row alone, without probabilities. */
    a.probs = NULL;
    memset(y, 0xFF, R * D * sizeof *y);
    for (size_t r = 0; r < R; r++)
        run_heads(best, &a, r, r + 1, scratch, n_scratch);
    assert_int_equal(first_difference(y, expected, R * D), R * D);
    nt_free(qkv);
    nt_free(scratch);
    nt_free(expected);
    nt_free(y);
    nt_free(probs);
    nt_free(seen);
    cache_free(&c);
}

static void attention_equals_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    static const size_t widths[] = {1, 7, 16, 32, 64, 80, 129};
    static const size_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 128, 200, 333};
    for (size_t e = 0; e < sizeof widths / sizeof *widths; e++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            size_t H = 1 + (e + l) % 3;
            check_attend(best, H, widths[e], lengths[l], NT_SCRATCH, e * 100 + l);
        }
    }
}

/* Where scratch is too small for a row's scores they are computed again, to the same bits. */
static void attention_longer_than_scratch(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    for (size_t pages = 4; pages < 9; pages++)
        check_attend(best, 2, 24, 700, pages * NT_PAGE, pages);
}

/* ---- Rows and vectors ------------------------------------------------------------------------ */

static void layer_norm_equals_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    static const size_t widths[] = {1, 2, 15, 16, 17, 31, 33, 64, 100, 768, 770, 1601};
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        size_t D = widths[i], R = 3;
        float *x = random_floats(&seed, R * D, 4), *gain = random_floats(&seed, D, 2);
        float *bias = random_floats(&seed, D, 2), *expected = room(R * D, sizeof *expected);
        nt_kernels_ref.layer_norm(expected, x, gain, bias, 1e-5f, R, D);
        best->layer_norm(x, x, gain, bias, 1e-5f, R, D); /* in place */
        assert_int_equal(first_difference(x, expected, R * D), R * D);
        nt_free(x);
        nt_free(gain);
        nt_free(bias);
        nt_free(expected);
    }
}

static void add_equals_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    uint64_t seed = 6;
    for (size_t n = 0; n < 70; n++) {
        float *x = random_floats(&seed, n + 1, 4), *y = random_floats(&seed, n + 1, 4);
        float *expected = room(n + 1, sizeof *expected);
        memcpy(expected, y, (n + 1) * sizeof *y);
        nt_kernels_ref.add(expected, x, n);
        best->add(y, x, n);
        assert_int_equal(first_difference(y, expected, n + 1), n + 1); /* none past the end */
        nt_free(x);
        nt_free(y);
        nt_free(expected);
    }
}

/* Every 2^11th float of all there are, NaN, infinities and denormals among them: 2^21 a
 * function. */
static void activations_equal_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    enum { N = 8191 };
    float *x = room(N, sizeof *x), *expected = room(N, sizeof *expected);
    for (int activation = 0; activation < NT_N_ACTIVATIONS; activation++) {
        for (uint64_t bits = (uint64_t)activation; bits < (uint64_t)1 << 32;) {
            for (size_t i = 0; i < N; i++, bits += 1 << 11)
                x[i] = float_of_bits((uint32_t)bits);
            memcpy(expected, x, N * sizeof *x);
            nt_kernels_ref.activate((nt_activation)activation, expected, N);
            best->activate((nt_activation)activation, x, N);
            size_t i = first_difference(x, expected, N);
            if (i < N) {
                fail_msg("activation %d: %a, not %a", activation, (double)x[i],
                         (double)expected[i]);
            }
        }
    }
    nt_free(x);
    nt_free(expected);
}

/* Where one formula gives way to another, to the bit: at the border and beside it. */
static void borders_equal_reference(void **state) {
    (void)state;
    const nt_kernels *best = best_kernels();
    static const float borders[] = {
        0, NT_TANH_SMALL, NT_ERF_SMALL, NT_ERF_ONE, NT_SOFTPLUS_LINEAR, NT_EXP_LOW, NT_EXP_HIGH};
    enum { N = 6 * sizeof borders / sizeof *borders };
    float x[N], y[N], expected[N];
    for (size_t i = 0; i < N / 6; i++) {
        x[6 * i] = borders[i];
        x[6 * i + 1] = nextafterf(borders[i], 0);
        x[6 * i + 2] = nextafterf(borders[i], 1000);
        for (size_t j = 0; j < 3; j++)
            x[6 * i + 3 + j] = -x[6 * i + j];
    }
    for (int function = 0; function < NT_N_ACTIVATIONS + 2; function++) {
        memcpy(expected, x, sizeof x);
        memcpy(y, x, sizeof x);
        if (function == NT_N_ACTIVATIONS) {
            nt_kernels_ref.exp(expected, N);
            best->exp(y, N);
        } else if (function == NT_N_ACTIVATIONS + 1) {
            nt_kernels_ref.erf(expected, N);
            best->erf(y, N);
        } else {
            nt_kernels_ref.activate((nt_activation)function, expected, N);
            best->activate((nt_activation)function, y, N);
        }
        size_t i = first_difference(y, expected, N);
        if (i < N) {
            fail_msg("function %d of %a: %a, not %a", function, (double)x[i], (double)y[i],
                     (double)expected[i]);
        }
    }
}

/* ---- What is not a number -------------------------------------------------------------------- */

/* A NaN or an infinity reaches its own outputs and no others. */
static void broken_numbers_stay_in_their_place(void **state) {
    (void)state;
    const nt_kernels *const *kernels = nt_cpu_kernels();
    enum { R = 11, K = 37, N = 41 };
    uint64_t seed = 9;
    float *x = random_floats(&seed, R * K, 1), *w = random_floats(&seed, K * N, 1);
    float *y = room(R * N, sizeof *y), *scratch = aligned_floats(NT_SCRATCH);
    x[K + 36] = NAN; /* row 1, in the ragged end */
    for (size_t i = 0; kernels[i]; i++) {
        for (int layout = 0; layout < 2; layout++) {
            size_t broken = layout == NT_IN_OUT ? 5 * N + 40 : 40 * K + 5; /* k 5, n 40 */
            float kept = w[broken];
            w[broken] = INFINITY;
            nt_matrix m = {w, NT_F32, (nt_layout)layout, K, N};
            nt_product product = {y, x, &m, NULL, R};
            kernels[i]->matmul(&product, 0, N, scratch);
            for (size_t at = 0; at < R * N; at++) {
                if (at / N == 1)
                    assert_true(isnan(y[at]));
                else if (at % N == 40)
                    assert_true(isinf(y[at]));
                else
                    assert_true(isfinite(y[at]));
            }
            w[broken] = kept;
        }
    }
    nt_free(x);
    nt_free(w);
    nt_free(y);
    nt_free(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(layer_norm_equals_reference),
                                       cmocka_unit_test(add_equals_reference),
                                       cmocka_unit_test(borders_equal_reference),
                                       cmocka_unit_test(attention_equals_reference),
                                       cmocka_unit_test(attention_longer_than_scratch),
                                       cmocka_unit_test(broken_numbers_stay_in_their_place),
                                       cmocka_unit_test(activations_equal_reference),
                                       cmocka_unit_test(matmul_equals_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
