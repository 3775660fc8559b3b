/* Every instruction set against the reference, bit by bit, on shapes that divide by nothing; and
 * rows alone against the same rows in company. */
#include "compute/arrays.h"

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
                         bool with_bias, uint64_t seed) {
    float *widened, *scratch = aligned_floats(NT_SCRATCH);
    float *x = random_floats(&seed, s->R * s->K, 3), *bias = random_floats(&seed, s->N, 1);
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
                check_matmul(best, DTYPES[d], LAYOUTS[l], &SHAPES[i], (i + d) % 2, i + 1);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(matmul_equals_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
