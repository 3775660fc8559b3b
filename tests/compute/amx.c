/* Products in AMX tiles: against float64, each row alone, in parts as threads take them, and what
 * the terms do with every kind of number. Built twice: over a model of the tiles in C, and over the
 * processor's own where it has them. */
#include "compute/cpu/amx.h"
#include "compute/arrays.h"

static bool can_run(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           nt_amx_usable();
}

typedef struct shape {
    size_t R, K, N;
} shape;

/* Few rows and many; steps along k, panels, strips and packed blocks below, at and above their
 * sizes. */
static const shape SHAPES[] = {{1, 1, 1},      {1, 7, 3},     {1, 768, 64},   {2, 100, 130},
                               {5, 64, 31},    {15, 33, 17},  {16, 300, 50},  {17, 530, 48},
                               {31, 32, 16},   {32, 64, 32},  {33, 1030, 50}, {40, 2100, 100},
                               {100, 96, 700}, {1, 96, 2200}, {16, 40, 2048}, {49, 31, 65}};

typedef struct operands {
    nt_matrix w;
    float *w_numbers; /* as float32, laid out as w is */
    float *x, *bias, *y, *scratch;
    uint16_t *packed;
    shape s;
} operands;

static float one_term(float x) { /* rounded to bfloat16 */
    uint16_t half;
    assert_true(nt_dtype_store(&half, NT_BF16, &x, 1));
    return nt_dtype_load(&half, NT_BF16, 0);
}

static void make(operands *o, const shape *s, nt_dtype dtype, nt_layout layout, size_t terms,
                 uint64_t seed) {
    o->s = *s;
    void *data = random_weights(&seed, dtype, s->K * s->N, &o->w_numbers);
    o->w = (nt_matrix){.data = data, .dtype = dtype, .layout = layout, .K = s->K, .N = s->N};
    o->x = random_floats(&seed, s->R * s->K, 1);
    for (size_t i = 0; terms == 1 && i < s->R * s->K; i++)
        o->x[i] = one_term(o->x[i]);
    o->bias = random_floats(&seed, s->N, 1);
    o->y = random_floats(&seed, s->R * s->N, 1);
    o->scratch = aligned_floats(NT_SCRATCH);
    o->packed = nt_alloc_aligned(nt_tiles_amx.packed(s->R, s->K, terms), sizeof *o->packed);
    assert_non_null(o->packed);
}

static void drop(operands *o) {
    nt_free((void *)(uintptr_t)o->w.data);
    nt_free(o->w_numbers);
    nt_free(o->x);
    nt_free(o->bias);
    nt_free(o->y);
    nt_free(o->scratch);
    nt_free(o->packed);
}

/* Rows [r, r + R) of x, outputs [begin, end), into y as if it held these rows alone. */
static void multiply(operands *o, float *y, size_t terms, size_t r, size_t R, size_t begin,
                     size_t end) {
    nt_tiles_amx.pack(o->packed, o->x + r * o->s.K, R, o->s.K, terms, 0,
                      (R + NT_AMX_ROWS - 1) / NT_AMX_ROWS);
    nt_tile_product p = {{y, NULL, &o->w, o->bias, R}, o->packed, terms};
    nt_tiles_amx.matmul(&p, begin, end, o->scratch);
}

typedef struct errors {
    double tiles, chain; /* sums of squares of shares of the sum of sizes; chain: of float32 fma */
    size_t n;
} errors;

static void measure(errors *e, const operands *o) {
    const shape *s = &o->s;
    for (size_t r = 0; r < s->R; r++) {
        for (size_t n = 0; n < s->N; n++) {
            double sum = (double)o->bias[n], size = fabs(sum);
            float chain = 0;
            for (size_t k = 0; k < s->K; k++) {
                float x = o->x[r * s->K + k];
                float w = o->w_numbers[o->w.layout == NT_IN_OUT ? k * s->N + n : n * s->K + k];
                sum += (double)x * (double)w;
                size += fabs((double)x * (double)w);
                chain = fmaf(x, w, chain);
            }
            double tiles = ((double)o->y[r * s->N + n] - sum) / size;
            double plain = ((double)(chain + o->bias[n]) - sum) / size;
            e->tiles += tiles * tiles;
            e->chain += plain * plain;
            e->n++;
        }
    }
}

/* No further from the true sums than float32 is: the root of the mean square over all shapes. */
static void check_errors(nt_dtype dtype, nt_layout layout, size_t terms) {
    errors e = {0, 0, 0};
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        operands o;
        make(&o, &SHAPES[i], dtype, layout, terms, i + 1);
        multiply(&o, o.y, terms, 0, o.s.R, 0, o.s.N);
        measure(&e, &o);
        drop(&o);
    }
    print_message("%-4s %s, %zu terms: %.2g, %.0f %% of float32's own error\n",
                  nt_dtype_name(dtype), layout == NT_IN_OUT ? "in, out" : "out, in", terms,
                  sqrt(e.tiles / (double)e.n), 100 * sqrt(e.tiles / e.chain));
    assert_true(e.tiles <= e.chain);
}

static void is_as_exact_as_float32(void **state) {
    (void)state;
    static const nt_dtype DTYPES[] = {NT_F32, NT_F16, NT_BF16};
    if (!can_run()) skip();
    for (int layout = 0; layout < 2; layout++) {
        for (size_t d = 0; d < 3; d++)
            check_errors(DTYPES[d], (nt_layout)layout, 3);
        check_errors(NT_BF16, (nt_layout)layout, 1);
    }
}

static void same_rows(operands *o, size_t terms) {
    const shape *s = &o->s;
    float *part = room(s->R * s->N, sizeof *part);
    multiply(o, o->y, terms, 0, s->R, 0, s->N);
    for (size_t n = 0; n < s->N; n += NT_COLUMN_STEP) /* as threads share the columns */
        multiply(o, part, terms, 0, s->R, n, n + NT_COLUMN_STEP < s->N ? n + NT_COLUMN_STEP : s->N);
    assert_int_equal(first_difference(part, o->y, s->R * s->N), s->R * s->N);
    for (size_t r = 0; r < s->R; r += 3) {
        multiply(o, part, terms, r, 1, 0, s->N);
        assert_int_equal(first_difference(part, o->y + r * s->N, s->N), s->N);
    }
    if (s->R > 20) { /* some that go another way than all */
        multiply(o, part, terms, 3, 14, 0, s->N);
        assert_int_equal(first_difference(part, o->y + 3 * s->N, 14 * s->N), 14 * s->N);
    }
    nt_free(part);
}

static void does_not_depend_on_company(void **state) {
    (void)state;
    static const nt_dtype DTYPES[] = {NT_F32, NT_F16, NT_BF16};
    if (!can_run()) skip();
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        for (size_t d = 0; d < 6; d++) {
            operands o;
            size_t terms = DTYPES[d % 3] == NT_BF16 && i % 2 ? 1 : 3;
            make(&o, &SHAPES[i], DTYPES[d % 3], d < 3 ? NT_IN_OUT : NT_OUT_IN, terms, i + 77);
            same_rows(&o, terms);
            drop(&o);
        }
    }
}

/* What one number times 1 comes out as. */
static float passed(float x, nt_dtype dtype, size_t terms, bool as_weight) {
    uint16_t half = 0x3F80;
    float one = 1, y = 5, *scratch = aligned_floats(NT_SCRATCH);
    uint16_t *packed = nt_alloc_aligned(nt_tiles_amx.packed(1, 1, terms), sizeof *packed);
    const void *weight = as_weight ? (const void *)&x : dtype == NT_F32 ? (void *)&one : &half;
    nt_matrix w = {.data = weight, .dtype = dtype, .layout = NT_IN_OUT, .K = 1, .N = 1};
    assert_non_null(packed);
    nt_tiles_amx.pack(packed, as_weight ? &one : &x, 1, 1, terms, 0, 1);
    nt_tile_product p = {{&y, NULL, &w, NULL, 1}, packed, terms};
    nt_tiles_amx.matmul(&p, 0, 1, scratch);
    nt_free(packed);
    nt_free(scratch);
    return y;
}

/* Three terms are the number itself, one is the nearest bfloat16. */
static void terms_hold_a_number(void **state) {
    (void)state;
    uint64_t seed = 9;
    if (!can_run()) skip();
    for (size_t i = 0; i < 20000; i++) {
        float x = float_of_bits((uint32_t)next_random(&seed));
        if (x != x || fabsf(x) > 0x1.FEp127f) continue; /* rounding would make it infinite */
        if (fabsf(x) >= 0x1p-100f) {                    /* below, its last term is a denormal */
            assert_int_equal(bits_of_float(passed(x, NT_F32, 3, false)), bits_of_float(x));
            assert_int_equal(bits_of_float(passed(x, NT_F32, 3, true)), bits_of_float(x));
        }
        if (fabsf(x) >= 0x1p-126f)
            assert_int_equal(bits_of_float(passed(x, NT_BF16, 1, false)),
                             bits_of_float(one_term(x)));
    }
}

static void broken_numbers_are_seen(void **state) {
    (void)state;
    static const float broken[] = {INFINITY, -INFINITY, NAN};
    if (!can_run()) skip();
    for (size_t i = 0; i < 3; i++) {
        assert_false(isfinite(passed(broken[i], NT_F32, 3, false)));
        assert_false(isfinite(passed(broken[i], NT_F32, 3, true)));
        assert_false(isfinite(passed(broken[i], NT_BF16, 1, false)));
    }
    float sly = float_of_bits(0x7F800001); /* a NaN whose upper half alone is an infinity */
    assert_true(isnan(passed(sly, NT_F32, 3, false)));
    assert_true(isnan(passed(sly, NT_BF16, 1, false)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_exact_as_float32), cmocka_unit_test(does_not_depend_on_company),
        cmocka_unit_test(terms_hold_a_number), cmocka_unit_test(broken_numbers_are_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
