/* Every instruction set against the reference, bit by bit, on shapes that divide by nothing; and
 * rows alone against the same rows in company. */
#include <sys/mman.h>
#include <unistd.h>

#include "compute/arrays.h"
#include "compute/cpu/polynomials.h"

static const nt_dtype DTYPES[] = {NT_F32, NT_F16, NT_BF16};
static const nt_dtype BLOCKS[] = {NT_Q8_0, NT_Q4_0, NT_Q6_K};
static const nt_layout LAYOUTS[] = {NT_IN_OUT, NT_OUT_IN};

typedef struct shape {
    size_t R, K, N;
} shape;

/* Rows: one and few, where w is streamed, and more, where register tiles of every height have their
 * turn. K and N: below, at and above a vector, a block and a panel of columns. */
static const shape SHAPES[] = {
    {1, 1, 1},     {1, 7, 3},      {1, 16, 16},   {1, 17, 33},    {1, 768, 64},  {1, 100, 130},
    {2, 8, 15},    {2, 259, 40},   {3, 31, 64},   {4, 80, 97},    {5, 64, 31},   {6, 65, 4},
    {7, 300, 50},  {8, 129, 127},  {9, 15, 17},   {9, 256, 32},   {10, 257, 31}, {11, 512, 33},
    {12, 513, 64}, {13, 40, 449},  {14, 255, 96}, {15, 33, 385},  {17, 530, 48}, {23, 100, 65},
    {64, 300, 70}, {193, 270, 37}, {200, 19, 20}, {33, 1030, 50}, {97, 785, 540}};

static nt_matrix matrix_of(const void *data, nt_dtype dtype, nt_layout layout, const shape *s) {
    return (nt_matrix){.data = data, .dtype = dtype, .layout = layout, .K = s->K, .N = s->N};
}

static void check_matmul(const nt_kernels *set, nt_dtype dtype, nt_layout layout, const shape *s,
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
    set->matmul(&product, 0, s->N, scratch);
    size_t i = first_difference(y, expected, s->R * s->N);
    if (i < s->R * s->N) {
        fail_msg("%s, %s, layout %d, R %zu K %zu N %zu, bias %d: row %zu column %zu is %a, not %a",
                 set->isa, nt_dtype_name(dtype), (int)layout, s->R, s->K, s->N, with_bias, i / s->N,
                 i % s->N, (double)y[i], (double)expected[i]);
    }
    /* In parts, as threads do it; and each row by itself. */
    for (size_t n = 0; n < s->R * s->N; n++)
        y[n] = 77;
    for (size_t n = 0; n < s->N; n += NT_COLUMN_STEP)
        set->matmul(&product, n, n + NT_COLUMN_STEP < s->N ? n + NT_COLUMN_STEP : s->N, scratch);
    assert_int_equal(first_difference(y, expected, s->R * s->N), s->R * s->N);
    for (size_t r = 0; r < s->R; r += 5) {
        nt_product one = {alone, x + r * s->K, &w, with_bias ? bias : NULL, 1};
        set->matmul(&one, 0, s->N, scratch);
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

static void matmul_equals_reference(const nt_kernels *set) {
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        for (size_t d = 0; d < 3; d++) {
            for (size_t l = 0; l < 2; l++) {
                check_matmul(set, DTYPES[d], LAYOUTS[l], &SHAPES[i], (i + d) % 2,
                             i % 3 ? 3 : 0x1p-140f, i + 1);
            }
        }
    }
}

/* Every length of a ragged end, along k and along n. */
static void ragged_ends_equal_reference(const nt_kernels *set) {
    for (size_t n = 1; n < 40; n++) {
        for (size_t d = 0; d < 3; d++) {
            for (size_t R = 1; R < 16; R += 7) { /* streamed, and in tiles */
                shape s = {R, n, 41 - n};
                check_matmul(set, DTYPES[d], NT_IN_OUT, &s, n % 2, 2, n);
                check_matmul(set, DTYPES[d], NT_OUT_IN, &s, n % 2, 2, n);
            }
        }
    }
}

/* Every number of rows that a tile or a group of tiles may get; several passes along k and, in the
 * wider shape, several strips along n. */
static void rows_equal_reference(const nt_kernels *set) {
    for (size_t R = 1; R < 20; R++) {
        for (size_t d = 0; d < 3; d++) {
            shape s = {R, 53, 107}, wide = {R, 33, 4200 + R};
            check_matmul(set, DTYPES[d], NT_IN_OUT, &s, R % 2, 2, R);
            check_matmul(set, DTYPES[d], NT_OUT_IN, &s, R % 2, 2, R);
            if (R % 5 == 1 + d) check_matmul(set, DTYPES[d], NT_IN_OUT, &wide, R % 2, 2, R);
        }
    }
}

/* Rows of whole blocks; ragged along n, and in rows of x. */
static void blocks_equal_reference(const nt_kernels *set) {
    for (size_t d = 0; d < 3; d++) {
        size_t block = nt_dtype_block(BLOCKS[d]);
        for (size_t R = 1; R < 20; R += R < 8 ? 1 : 5) {
            for (size_t n = 1; n < 140; n += n < 10 ? 1 : 29) {
                shape s = {R, block * (1 + (R + n) % 3), n};
                check_matmul(set, BLOCKS[d], NT_OUT_IN, &s, n % 2, 2, R + n);
            }
        }
        shape wide = {3, 3072 / block * block, 70};
        check_matmul(set, BLOCKS[d], NT_OUT_IN, &wide, true, 2, d);
    }
}

/* Blocks are computed from as the numbers that they hold would be: the same bits as from these in
 * float32. */
static void blocks_equal_their_numbers(const nt_kernels *set) {
    enum { R = 5, K = 512, N = 37 };
    float *scratch = aligned_floats(NT_SCRATCH), *y = room(R * N, sizeof *y);
    float *expected = room(R * N, sizeof *expected);
    for (size_t d = 0; d < 3; d++) {
        uint64_t seed = d;
        float *widened, *x = random_floats(&seed, R * K, 1);
        void *data = random_weights(&seed, BLOCKS[d], K * N, &widened);
        nt_matrix w = {data, BLOCKS[d], NT_OUT_IN, K, N}, f = {widened, NT_F32, NT_OUT_IN, K, N};
        nt_product product = {expected, x, &f, NULL, R};
        nt_kernels_ref.matmul(&product, 0, N, scratch);
        product = (nt_product){y, x, &w, NULL, R};
        set->matmul(&product, 0, N, scratch);
        assert_int_equal(first_difference(y, expected, R * N), R * N);
        nt_free(x);
        nt_free(data);
        nt_free(widened);
    }
    nt_free(scratch);
    nt_free(y);
    nt_free(expected);
}

/* Every number of two bytes that there is, times one: denormals, infinities and NaN. */
static void halves_equal_reference(const nt_kernels *set) {
    enum { N = 1 << 16 };
    uint16_t *halves = room(N, sizeof *halves);
    float x[9], *expected = room(9 * N, sizeof *expected), *y = room(9 * N, sizeof *y);
    float *scratch = aligned_floats(NT_SCRATCH);
    for (size_t i = 0; i < N; i++)
        halves[i] = (uint16_t)i;
    for (size_t r = 0; r < 9; r++)
        x[r] = r % 2 ? -1.0f : 1.0f;
    for (int dtype = NT_F16; dtype <= NT_BF16; dtype++) {
        for (int layout = 0; layout < 2; layout++) {
            for (size_t R = 1; R <= 9; R += 8) {
                nt_matrix w = {halves, (nt_dtype)dtype, (nt_layout)layout, 1, N};
                nt_product product = {expected, x, &w, NULL, R};
                nt_kernels_ref.matmul(&product, 0, N, scratch);
                for (size_t i = 0; i < N; i++) {
                    float exact = nt_dtype_load(halves, (nt_dtype)dtype, i) + 0.0f;
                    assert_true(same_float(expected[i], exact));
                }
                product.y = y;
                set->matmul(&product, 0, N, scratch);
                assert_int_equal(first_difference(y, expected, R * N), R * N);
            }
        }
    }
    nt_free(halves);
    nt_free(expected);
    nt_free(y);
    nt_free(scratch);
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* A made-up cache: `n_texts` sequences with filled pages, and rows that ask about them. */
typedef struct cache {
    void **pages[3];
    size_t n_pages;
} cache;

static void cache_fill(cache *c, uint64_t *seed, size_t H, size_t E, size_t longest,
                       nt_dtype stored) {
    size_t n = 2 * H * E * NT_PAGE;
    c->n_pages = (longest + NT_PAGE - 1) / NT_PAGE;
    for (size_t s = 0; s < 3; s++) {
        c->pages[s] = room(c->n_pages, sizeof *c->pages[s]);
        for (size_t i = 0; i < c->n_pages; i++) {
            float *numbers = random_floats(seed, n, 2);
            c->pages[s][i] = room(n, nt_dtype_size(stored));
            assert_true(nt_dtype_store(c->pages[s][i], stored, numbers, n));
            nt_free(numbers);
        }
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

static void check_attend(const nt_kernels *set, size_t H, size_t E, size_t longest,
                         size_t n_scratch, nt_dtype stored, uint64_t seed) {
    enum { R = 13 };
    size_t D = H * E;
    cache c;
    cache_fill(&c, &seed, H, E, longest, stored);
    void *const *tables[R];
    int32_t position[R];
    for (size_t r = 0; r < R; r++) { /* a run of one text, then texts by turns */
        tables[r] = c.pages[r < 9 ? 0 : r % 3];
        position[r] = (int32_t)(r < 9 ? (longest + r - 9) % longest : next_random(&seed) % longest);
    }
    float *qkv = random_floats(&seed, R * 3 * D, 2), *scratch = aligned_floats(NT_SCRATCH);
    float *expected = random_floats(&seed, R * D, 1), *y = random_floats(&seed, R * D, 1);
    float *probs = room(R * H * longest, sizeof *probs), *seen = room(R * H * longest, 4);
    nt_attention a =
        fused_attention(R, H, E, qkv, expected, 0.37f, tables, position, probs, longest);
    a.stored = stored;
    run_heads(&nt_kernels_ref, &a, 0, R, scratch, NT_SCRATCH);
    a.y = y;
    a.probs = seen;
    run_heads(set, &a, 0, R, scratch, n_scratch);
    assert_int_equal(first_difference(y, expected, R * D), R * D);
    assert_int_equal(first_difference(seen, probs, R * H * longest), R * H * longest);
    /* Each row alone, without probabilities. */
    a.probs = NULL;
    memset(y, 0xFF, R * D * sizeof *y);
    for (size_t r = 0; r < R; r++)
        run_heads(set, &a, r, r + 1, scratch, n_scratch);
    assert_int_equal(first_difference(y, expected, R * D), R * D);
    nt_free(qkv);
    nt_free(scratch);
    nt_free(expected);
    nt_free(y);
    nt_free(probs);
    nt_free(seen);
    cache_free(&c);
}

static void attention_equals_reference(const nt_kernels *set) {
    static const size_t widths[] = {1, 7, 16, 32, 64, 80, 129};
    static const size_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 128, 200, 333};
    for (size_t e = 0; e < sizeof widths / sizeof *widths; e++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            size_t H = 1 + (e + l) % 3;
            check_attend(set, H, widths[e], lengths[l], NT_SCRATCH, NT_F32, e * 100 + l);
            check_attend(set, H, widths[e], lengths[l], NT_SCRATCH, NT_BF16, e * 100 + l);
        }
    }
}

/* Where scratch is too small for a row's scores they are computed again, to the same bits. */
static void attention_longer_than_scratch(const nt_kernels *set) {
    for (size_t pages = 4; pages < 9; pages++)
        check_attend(set, 2, 24, 700, pages * NT_PAGE, pages % 2 ? NT_F32 : NT_BF16, pages);
}

/* A score that is no number spoils its row; infinite ones do what they do in the reference. */
static void attention_with_broken_scores(const nt_kernels *set) {
    enum { H = 1, E = 8, R = 5, LENGTH = 40 };
    static const float broken[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f};
    static const size_t places[] = {0, 5, 15, 16, 31, 39};
    uint64_t seed = 31;
    float *page = random_floats(&seed, 2 * H * E * NT_PAGE, 2);
    void *const table[] = {page};
    float *qkv = random_floats(&seed, R * 3 * E, 2), *scratch = aligned_floats(NT_SCRATCH);
    void *const *tables[R] = {table, table, table, table, table};
    int32_t position[R] = {39, 38, 39, 20, 39};
    float y[R * E], expected[R * E], probs[R * LENGTH], seen[R * LENGTH];
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            float *key = page + 3 * NT_PAGE + places[j], kept = *key;
            *key = broken[i];
            memset(probs, 0, sizeof probs);
            memset(seen, 0, sizeof seen);
            nt_attention a =
                fused_attention(R, H, E, qkv, expected, 0.3f, tables, position, probs, LENGTH);
            run_heads(&nt_kernels_ref, &a, 0, R, scratch, NT_SCRATCH);
            a.y = y;
            a.probs = seen;
            run_heads(set, &a, 0, R, scratch, NT_SCRATCH);
            assert_int_equal(first_difference(y, expected, R * E), R * E);
            for (size_t r = 0; r < R; r++) { /* up to its own position */
                size_t n = (size_t)position[r] + 1;
                assert_int_equal(first_difference(seen + r * LENGTH, probs + r * LENGTH, n), n);
            }
            *key = kept;
        }
    }
    nt_free(page);
    nt_free(qkv);
    nt_free(scratch);
}

/* ---- Rows and vectors ------------------------------------------------------------------------ */

static void layer_norm_equals_reference(const nt_kernels *set) {
    static const size_t widths[] = {64, 100, 768, 770, 1601};
    uint64_t seed = 5;
    for (size_t i = 1; i < 50 + sizeof widths / sizeof *widths; i++) {
        size_t D = i < 50 ? i : widths[i - 50], R = 3;
        float *x = random_floats(&seed, R * D, 4), *gain = random_floats(&seed, D, 2);
        float *bias = random_floats(&seed, D, 2), *expected = room(R * D, sizeof *expected);
        nt_kernels_ref.layer_norm(expected, x, gain, bias, 1e-5f, R, D);
        set->layer_norm(x, x, gain, bias, 1e-5f, R, D); /* in place */
        assert_int_equal(first_difference(x, expected, R * D), R * D);
        nt_free(x);
        nt_free(gain);
        nt_free(bias);
        nt_free(expected);
    }
}

static void add_equals_reference(const nt_kernels *set) {
    uint64_t seed = 6;
    for (size_t n = 0; n < 70; n++) {
        float *x = random_floats(&seed, n + 1, 4), *y = random_floats(&seed, n + 1, 4);
        float *expected = room(n + 1, sizeof *expected);
        memcpy(expected, y, (n + 1) * sizeof *y);
        nt_kernels_ref.add(expected, x, n);
        set->add(y, x, n);
        assert_int_equal(first_difference(y, expected, n + 1), n + 1); /* none past the end */
        nt_free(x);
        nt_free(y);
        nt_free(expected);
    }
}

/* Numbers around every border between two bfloat16 numbers and around these themselves, and every
 * 2^11th of all others (emulated every 2^14th). */
static void rounding_equals_reference(const nt_kernels *set) {
    enum { N = 6 * 4096 };
    static const uint32_t low[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
    float *x = room(N, sizeof *x), *expected = room(N, sizeof *expected);
    for (uint64_t high = 0; high < 1 << 16; high += N / 6) {
        for (size_t i = 0; i < N; i++)
            x[i] = float_of_bits((uint32_t)(high + i / 6) << 16 | low[i % 6]);
        memcpy(expected, x, N * sizeof *x);
        nt_kernels_ref.round(expected, N);
        set->round(x, N);
        assert_memory_equal(x, expected, N * sizeof *x); /* of a NaN, too */
    }
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32;) {
        for (size_t i = 0; i < N; i++, bits += SPARSER << 11)
            x[i] = float_of_bits((uint32_t)bits);
        memcpy(expected, x, N * sizeof *x);
        nt_kernels_ref.round(expected, N);
        set->round(x, N);
        assert_memory_equal(x, expected, N * sizeof *x);
    }
    nt_free(x);
    nt_free(expected);
}

/* Every 2^11th float of all there are (emulated every 2^14th), NaN, infinities and denormals among
 * them. */
static void activations_equal_reference(const nt_kernels *set) {
    enum { N = 8191 };
    float *x = room(N, sizeof *x), *expected = room(N, sizeof *expected);
    for (int activation = 0; activation < NT_N_ACTIVATIONS; activation++) {
        for (uint64_t bits = (uint64_t)activation; bits < (uint64_t)1 << 32;) {
            for (size_t i = 0; i < N; i++, bits += SPARSER << 11)
                x[i] = float_of_bits((uint32_t)bits);
            memcpy(expected, x, N * sizeof *x);
            nt_kernels_ref.activate((nt_activation)activation, expected, N);
            set->activate((nt_activation)activation, x, N);
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
static void borders_equal_reference(const nt_kernels *set) {
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
            set->exp(y, N);
        } else if (function == NT_N_ACTIVATIONS + 1) {
            nt_kernels_ref.erf(expected, N);
            set->erf(y, N);
        } else {
            nt_kernels_ref.activate((nt_activation)function, expected, N);
            set->activate((nt_activation)function, y, N);
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

/* ---- Ends of arrays -------------------------------------------------------------------------- */

/* An array whose end is the end of what may be touched: one byte further the program dies. */
typedef struct guarded {
    void *memory;
    size_t size;
    void *data;
} guarded;

static guarded guarded_copy(const void *data, size_t n_bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (n_bytes + page - 1) / page * page;
    guarded g = {.size = size + page};
    g.memory = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g.memory, MAP_FAILED);
    assert_int_equal(mprotect((char *)g.memory + size, page, PROT_NONE), 0);
    g.data = (char *)g.memory + size - n_bytes;
    memcpy(g.data, data, n_bytes);
    return g;
}

static void guarded_free(guarded *g) {
    munmap(g->memory, g->size);
}

static void guarded_matmul(const nt_kernels *set, nt_dtype dtype, nt_layout layout,
                           const shape *s) {
    uint64_t seed = s->R + s->K + s->N;
    float *widened, *scratch = aligned_floats(NT_SCRATCH);
    float *x = random_floats(&seed, s->R * s->K, 1), *bias = random_floats(&seed, s->N, 1);
    float *expected = random_floats(&seed, s->R * s->N, 1);
    void *data = random_weights(&seed, dtype, s->K * s->N, &widened);
    guarded gx = guarded_copy(x, s->R * s->K * sizeof *x);
    guarded gbias = guarded_copy(bias, s->N * sizeof *bias);
    guarded gw = guarded_copy(data, nt_dtype_bytes(dtype, s->K * s->N));
    guarded gy = guarded_copy(expected, s->R * s->N * sizeof *expected);
    nt_matrix w = matrix_of(gw.data, dtype, layout, s);
    nt_product product = {expected, gx.data, &w, gbias.data, s->R};
    nt_kernels_ref.matmul(&product, 0, s->N, scratch);
    product.y = gy.data;
    set->matmul(&product, 0, s->N, scratch);
    assert_int_equal(first_difference(gy.data, expected, s->R * s->N), s->R * s->N);
    guarded_free(&gx);
    guarded_free(&gbias);
    guarded_free(&gw);
    guarded_free(&gy);
    nt_free(x);
    nt_free(bias);
    nt_free(expected);
    nt_free(data);
    nt_free(widened);
    nt_free(scratch);
}

static void guarded_attend(const nt_kernels *set, size_t E, size_t length) {
    enum { R = 6 };
    uint64_t seed = E + length;
    float *page = random_floats(&seed, 2 * E * NT_PAGE, 2),
          *qkv = random_floats(&seed, R * 3 * E, 2);
    float *expected = random_floats(&seed, R * E, 1), *scratch = aligned_floats(NT_SCRATCH);
    float *probs = room(R * length, sizeof *probs);
    guarded gpage = guarded_copy(page, 2 * E * NT_PAGE * sizeof *page);
    guarded gqkv = guarded_copy(qkv, R * 3 * E * sizeof *qkv);
    guarded gy = guarded_copy(expected, R * E * sizeof *expected);
    guarded gprobs = guarded_copy(probs, R * length * sizeof *probs);
    void *const table[] = {gpage.data};
    void *const *tables[R] = {table, table, table, table, table, table};
    int32_t position[R];
    for (size_t r = 0; r < R; r++)
        position[r] = (int32_t)(length - 1);
    nt_attention a =
        fused_attention(R, 1, E, gqkv.data, expected, 0.5f, tables, position, probs, length);
    nt_kernels_ref.attend(&a, 0, 0, R, scratch, NT_SCRATCH);
    a.y = gy.data;
    a.probs = gprobs.data;
    set->attend(&a, 0, 0, R, scratch, NT_SCRATCH);
    assert_int_equal(first_difference(gy.data, expected, R * E), R * E);
    assert_int_equal(first_difference(gprobs.data, probs, R * length), R * length);
    guarded_free(&gpage);
    guarded_free(&gqkv);
    guarded_free(&gy);
    guarded_free(&gprobs);
    nt_free(page);
    nt_free(qkv);
    nt_free(expected);
    nt_free(probs);
    nt_free(scratch);
}

static void guarded_vectors(const nt_kernels *set, size_t n) {
    uint64_t seed = n;
    float *x = random_floats(&seed, n, 1), *gain = random_floats(&seed, n, 1);
    float *expected = room(n, sizeof *expected);
    guarded gx = guarded_copy(x, n * sizeof *x), ggain = guarded_copy(gain, n * sizeof *gain);
    guarded gy = guarded_copy(x, n * sizeof *x);
    nt_kernels_ref.layer_norm(expected, x, gain, gain, 1e-5f, 1, n);
    set->layer_norm(gy.data, gx.data, ggain.data, ggain.data, 1e-5f, 1, n);
    assert_int_equal(first_difference(gy.data, expected, n), n);
    nt_kernels_ref.add(expected, x, n);
    set->add(gy.data, gx.data, n);
    assert_int_equal(first_difference(gy.data, expected, n), n);
    for (int activation = 0; activation < NT_N_ACTIVATIONS; activation++) {
        nt_kernels_ref.activate((nt_activation)activation, expected, n);
        set->activate((nt_activation)activation, gy.data, n);
        assert_int_equal(first_difference(gy.data, expected, n), n);
    }
    nt_kernels_ref.exp(expected, n);
    set->exp(gy.data, n);
    assert_int_equal(first_difference(gy.data, expected, n), n);
    nt_kernels_ref.erf(expected, n);
    set->erf(gy.data, n);
    assert_int_equal(first_difference(gy.data, expected, n), n);
    guarded_free(&gx);
    guarded_free(&ggain);
    guarded_free(&gy);
    nt_free(x);
    nt_free(gain);
    nt_free(expected);
}

/* Not a byte past the end of an array is read or written. */
static void ends_of_arrays_are_kept(const nt_kernels *set) {
    static const size_t sizes[] = {1, 3, 4, 5, 8, 11, 15, 16, 17, 30, 33};
    enum { N_SIZES = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < N_SIZES * N_SIZES; i++) {
        for (size_t R = 1; R < 16; R += 6) {
            shape s = {R, sizes[i / N_SIZES], sizes[i % N_SIZES]};
            for (size_t d = 0; d < 3; d++) {
                guarded_matmul(set, DTYPES[d], NT_IN_OUT, &s);
                guarded_matmul(set, DTYPES[d], NT_OUT_IN, &s);
            }
        }
        guarded_attend(set, sizes[i / N_SIZES], sizes[i % N_SIZES]);
    }
    for (size_t i = 0; i < 3 * N_SIZES; i++) {
        nt_dtype dtype = BLOCKS[i / N_SIZES];
        shape s = {1 + i % 4, nt_dtype_block(dtype), sizes[i % N_SIZES]};
        guarded_matmul(set, dtype, NT_OUT_IN, &s);
    }
    for (size_t n = 1; n < 50; n++)
        guarded_vectors(set, n);
}

#define WITH_EVERY_SET(name)                                                                       \
    static void name##_everywhere(void **state) {                                                  \
        (void)state;                                                                               \
        with_every_set(name);                                                                      \
    }
WITH_EVERY_SET(layer_norm_equals_reference)
WITH_EVERY_SET(add_equals_reference)
WITH_EVERY_SET(borders_equal_reference)
WITH_EVERY_SET(ragged_ends_equal_reference)
WITH_EVERY_SET(rows_equal_reference)
WITH_EVERY_SET(blocks_equal_reference)
WITH_EVERY_SET(blocks_equal_their_numbers)
WITH_EVERY_SET(halves_equal_reference)
WITH_EVERY_SET(ends_of_arrays_are_kept)
WITH_EVERY_SET(attention_equals_reference)
WITH_EVERY_SET(attention_longer_than_scratch)
WITH_EVERY_SET(attention_with_broken_scores)
WITH_EVERY_SET(rounding_equals_reference)
WITH_EVERY_SET(activations_equal_reference)
WITH_EVERY_SET(matmul_equals_reference)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(layer_norm_equals_reference_everywhere),
                                       cmocka_unit_test(add_equals_reference_everywhere),
                                       cmocka_unit_test(borders_equal_reference_everywhere),
                                       cmocka_unit_test(ragged_ends_equal_reference_everywhere),
                                       cmocka_unit_test(rows_equal_reference_everywhere),
                                       cmocka_unit_test(blocks_equal_reference_everywhere),
                                       cmocka_unit_test(blocks_equal_their_numbers_everywhere),
                                       cmocka_unit_test(halves_equal_reference_everywhere),
                                       cmocka_unit_test(ends_of_arrays_are_kept_everywhere),
                                       cmocka_unit_test(attention_equals_reference_everywhere),
                                       cmocka_unit_test(attention_longer_than_scratch_everywhere),
                                       cmocka_unit_test(attention_with_broken_scores_everywhere),
                                       cmocka_unit_test(broken_numbers_stay_in_their_place),
                                       cmocka_unit_test(rounding_equals_reference_everywhere),
                                       cmocka_unit_test(activations_equal_reference_everywhere),
                                       cmocka_unit_test(matmul_equals_reference_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
