/* The CPU device: equal bits with 1, 2 and 3 threads, tables and cache in their places, the choice
 * of the instruction set, and every allocation failing in turn. */
#include "compute/arrays.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#endif

enum { R = 21, D = 96, H = 3, E = 32, F = 250, V = 130, T = 200, LAYER_PAGES = 3 };

/* Everything that one small block computes, through a device of n threads. */
typedef struct run_outputs {
    float embedded[R * D], normed[R * D], qkv[R * 3 * D], page[LAYER_PAGES][2 * D * NT_PAGE];
    float attended[R * D], probs[R * H * T], inner[R * F], outer[R * D], logits[R * V];
} run_outputs;

typedef struct run_inputs {
    float *wte, *wpe, *gain, *bias, *w_qkv, *w_in, *w_out;
    int32_t ids[R], position[R];
} run_inputs;

static void run_all(run_outputs *o, const run_inputs *in, int threads) {
    nt_device *device;
    assert_int_equal(nt_cpu_open(&device, threads), NT_OK);
    const nt_device_ops *ops = device->ops;
    nt_matrix wte = {in->wte, NT_F32, NT_OUT_IN, D, V}, wpe = {in->wpe, NT_F32, NT_OUT_IN, D, T};
    nt_matrix w_qkv = {in->w_qkv, NT_F32, NT_IN_OUT, D, 3 * D};
    nt_matrix w_in = {in->w_in, NT_F32, NT_IN_OUT, D, F};
    nt_matrix w_out = {in->w_out, NT_F32, NT_IN_OUT, F, D};
    ops->embed(device, o->embedded, &wte, &wpe, in->ids, in->position, R);
    ops->layer_norm(device, o->normed, o->embedded, in->gain, in->bias, 1e-5f, R, D);
    ops->matmul(device, o->qkv, o->normed, &w_qkv, in->bias, R);
    void *pages[LAYER_PAGES] = {o->page[0], o->page[1], o->page[2]}, *const * tables[R];
    for (size_t r = 0; r < R; r++)
        tables[r] = pages;
    nt_attention a =
        fused_attention(R, H, E, o->qkv, o->attended, 0.2f, tables, in->position, o->probs, T);
    ops->store_kv(device, &a);
    ops->attend(device, &a);
    ops->matmul(device, o->inner, o->attended, &w_in, NULL, R);
    ops->activate(device, NT_GELU_TANH, o->inner, R * F);
    ops->matmul(device, o->outer, o->inner, &w_out, in->bias, R);
    ops->add(device, o->outer, o->embedded, R * D);
    ops->matmul(device, o->logits, o->outer, &wte, NULL, R);
    nt_cpu_close(device);
}

static void inputs_make(run_inputs *in) {
    uint64_t seed = 20;
    *in = (run_inputs){.wte = random_floats(&seed, V * D, 1),
                       .wpe = random_floats(&seed, T * D, 1),
                       .gain = random_floats(&seed, 3 * D, 1),
                       .bias = random_floats(&seed, 3 * D, 1),
                       .w_qkv = random_floats(&seed, 3 * D * D, 0.2f),
                       .w_in = random_floats(&seed, D * F, 0.2f),
                       .w_out = random_floats(&seed, D * F, 0.2f)};
    for (size_t r = 0; r < R; r++) {
        in->ids[r] = (int32_t)(next_random(&seed) % V);
        in->position[r] = (int32_t)(r + 110); /* across the border of two pages */
    }
}

static void inputs_free(run_inputs *in) {
    nt_free(in->wte);
    nt_free(in->wpe);
    nt_free(in->gain);
    nt_free(in->bias);
    nt_free(in->w_qkv);
    nt_free(in->w_in);
    nt_free(in->w_out);
}

static void assert_same(const run_outputs *a, const run_outputs *b) {
    size_t n = sizeof *a / sizeof(float);
    const float *x = (const void *)a, *y = (const void *)b;
    assert_int_equal(first_difference(x, y, n), n);
}

/* Pages that no row of this run wrote hold earlier positions of the text. */
static void pages_fill(run_outputs *o) {
    uint64_t seed = 21;
    for (size_t i = 0; i < LAYER_PAGES * 2 * D * NT_PAGE; i++)
        (&o->page[0][0])[i] = next_float(&seed);
}

static void threads_and_sets_give_the_same_bits(void **state) {
    (void)state;
    run_inputs in;
    inputs_make(&in);
    run_outputs *first = room(1, sizeof *first), *other = room(1, sizeof *other);
    setenv("NEXTOKEN_ISA", "ref", 1);
    pages_fill(first);
    run_all(first, &in, 1);
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        setenv("NEXTOKEN_ISA", (*k)->isa, 1);
        for (int threads = 1; threads <= 5; threads++) {
            memset(other, 0, sizeof *other);
            pages_fill(other);
            run_all(other, &in, threads);
            assert_same(first, other);
        }
    }
    unsetenv("NEXTOKEN_ISA");
    for (size_t i = 0; i < R * V; i++)
        assert_true(isfinite(first->logits[i]) && first->logits[i] != 0);
    nt_free(first);
    nt_free(other);
    inputs_free(&in);
}

/* A thread's floating-point state: flushing of denormals, rounding. */
#if defined(__x86_64__)
static const unsigned long STRANGE = _MM_FLUSH_ZERO_ON | _MM_ROUND_UP | 0x40, STATE = 0xFFC0;

static unsigned long state_get(void) {
    return _mm_getcsr();
}

static void state_set(unsigned long state) {
    _mm_setcsr((unsigned)state);
}
#elif defined(__aarch64__)
static const unsigned long STRANGE = 1ul << 24 | 1ul << 22, STATE = 0x1C00000; /* FZ, RMode up */

static unsigned long state_get(void) {
    unsigned long state;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(state));
    return state;
}

static void state_set(unsigned long state) {
    __asm__ __volatile__("msr fpcr, %0" : : "r"(state));
}
#endif

#if defined(__x86_64__) || defined(__aarch64__)
/* A caller whose thread flushes denormals or rounds up gets the same bits, and its own state back.
 */
static void callers_rounding_does_not_show(void **state) {
    (void)state;
    run_inputs in;
    inputs_make(&in);
    for (size_t i = 0; i < D; i++)
        in.gain[i] *= 0x1p-130f; /* denormals on the way */
    run_outputs *first = room(1, sizeof *first), *other = room(1, sizeof *other);
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++) {
        setenv("NEXTOKEN_ISA", (*k)->isa, 1);
        pages_fill(first);
        pages_fill(other);
        run_all(first, &in, 2);
        unsigned long before = state_get();
        state_set(before | STRANGE);
        run_all(other, &in, 2);
        unsigned long after = state_get();
        state_set(before);
        assert_int_equal(after & STATE, (before | STRANGE) & STATE);
        assert_same(first, other);
    }
    unsetenv("NEXTOKEN_ISA");
    nt_free(first);
    nt_free(other);
    inputs_free(&in);
}
#endif

/* Tables of every type; rows and threads that do not divide. */
static void embed_adds_token_and_position(void **state) {
    (void)state;
    nt_device *device;
    assert_int_equal(nt_cpu_open(&device, 2), NT_OK);
    uint64_t seed = 22;
    enum { ROWS = 500 };
    for (int i = NT_F32; i < NT_N_DTYPES; i++) {
        nt_dtype dtype = (nt_dtype)i;
        if (dtype == NT_F64) continue;
        const size_t WIDE = nt_dtype_block(dtype) > 1 ? 256 : 77;
        float *token, *place, *y = room(ROWS * WIDE, sizeof *y);
        void *wte_data = random_weights(&seed, dtype, V * WIDE, &token);
        void *wpe_data = random_weights(&seed, dtype, T * WIDE, &place);
        nt_matrix wte = {wte_data, dtype, NT_OUT_IN, WIDE, V};
        nt_matrix wpe = {wpe_data, dtype, NT_OUT_IN, WIDE, T};
        int32_t ids[ROWS], position[ROWS];
        for (size_t r = 0; r < ROWS; r++) {
            ids[r] = (int32_t)(next_random(&seed) % V);
            position[r] = (int32_t)(next_random(&seed) % T);
        }
        device->ops->embed(device, y, &wte, &wpe, ids, position, ROWS);
        for (size_t k = 0; k < ROWS * WIDE; k++) {
            size_t r = k / WIDE, d = k % WIDE;
            assert_true(y[k] ==
                        token[(size_t)ids[r] * WIDE + d] + place[(size_t)position[r] * WIDE + d]);
        }
        nt_free(token);
        nt_free(place);
        nt_free(wte_data);
        nt_free(wpe_data);
        nt_free(y);
    }
    nt_cpu_close(device);
}

/* Keys [H, E, NT_PAGE], then values [H, NT_PAGE, E], and not a number elsewhere changed. */
static void store_kv_writes_its_slots_only(void **state) {
    (void)state;
    nt_device *device;
    assert_int_equal(nt_cpu_open(&device, 2), NT_OK);
    enum { ROWS = 3, HEADS = 2, WIDTH = 5, ALL = HEADS * WIDTH, PAGE_FLOATS = 2 * ALL * NT_PAGE };
    float qkv[ROWS * 3 * ALL], pages[2][PAGE_FLOATS], expected[2][PAGE_FLOATS];
    uint64_t seed = 23;
    for (size_t i = 0; i < sizeof qkv / sizeof *qkv; i++)
        qkv[i] = next_float(&seed);
    for (size_t i = 0; i < PAGE_FLOATS; i++)
        pages[0][i] = pages[1][i] = expected[0][i] = expected[1][i] = 9;
    void *table[2] = {pages[0], pages[1]}, *const * tables[ROWS] = {table, table, table};
    int32_t position[ROWS] = {63, 64, 127};
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t h = 0; h < HEADS; h++) {
            for (size_t e = 0; e < WIDTH; e++) {
                float *page = expected[position[r] / NT_PAGE];
                size_t slot = (size_t)position[r] % NT_PAGE, d = h * WIDTH + e;
                page[(h * WIDTH + e) * NT_PAGE + slot] = qkv[r * 3 * ALL + ALL + d];
                page[ALL * NT_PAGE + (h * NT_PAGE + slot) * WIDTH + e] =
                    qkv[r * 3 * ALL + 2 * ALL + d];
            }
        }
    }
    nt_attention a = fused_attention(ROWS, HEADS, WIDTH, qkv, NULL, 1, tables, position, NULL, 0);
    device->ops->store_kv(device, &a);
    assert_int_equal(first_difference(pages[0], expected[0], PAGE_FLOATS), PAGE_FLOATS);
    assert_int_equal(first_difference(pages[1], expected[1], PAGE_FLOATS), PAGE_FLOATS);
    /* The same in pages of bfloat16, rounded. */
    uint16_t halves[2][PAGE_FLOATS], rounded[PAGE_FLOATS];
    float nine[PAGE_FLOATS];
    for (size_t i = 0; i < PAGE_FLOATS; i++)
        nine[i] = 9;
    for (size_t i = 0; i < 2; i++) {
        table[i] = halves[i];
        assert_true(nt_dtype_store(halves[i], NT_BF16, nine, PAGE_FLOATS));
    }
    a.stored = NT_BF16;
    device->ops->store_kv(device, &a);
    for (size_t i = 0; i < 2; i++) {
        assert_true(nt_dtype_store(rounded, NT_BF16, expected[i], PAGE_FLOATS));
        assert_memory_equal(halves[i], rounded, sizeof rounded);
    }
    nt_cpu_close(device);
}

/* So much work that threads share operations which small shapes leave to one: what each writes is
 * what the reference computes in one go. */
static void shared_work(void **state) {
    (void)state;
    enum { ROWS = 401, HEADS = 3, WIDTH = 32, ALL = HEADS * WIDTH, N = ROWS * ALL, PAGES = 7 };
    uint64_t seed = 24;
    float *x = random_floats(&seed, 3 * N, 2), *gain = random_floats(&seed, ALL, 1);
    float *bias = random_floats(&seed, ALL, 1), *y = room(N, sizeof *y);
    float *expected = room(N, sizeof *expected);
    void *page[PAGES], *const *tables[ROWS];
    int32_t position[ROWS];
    for (int threads = 1; threads <= 4; threads++) {
        nt_device *device;
        assert_int_equal(nt_cpu_open(&device, threads), NT_OK);
        nt_kernels_ref.layer_norm(expected, x, gain, bias, 1e-5f, ROWS, ALL);
        memset(y, 0, N * sizeof *y);
        device->ops->layer_norm(device, y, x, gain, bias, 1e-5f, ROWS, ALL);
        assert_int_equal(first_difference(y, expected, N), N);
        nt_kernels_ref.add(expected, x, N);
        device->ops->add(device, y, x, N);
        assert_int_equal(first_difference(y, expected, N), N);
        nt_kernels_ref.activate(NT_GELU_TANH, expected, N);
        device->ops->activate(device, NT_GELU_TANH, y, N);
        assert_int_equal(first_difference(y, expected, N), N);
        nt_kernels_ref.round(expected, N);
        device->ops->round(device, y, N);
        assert_int_equal(first_difference(y, expected, N), N);
        for (size_t i = 0; i < PAGES; i++)
            page[i] = room(2 * ALL * NT_PAGE, sizeof(float));
        for (size_t r = 0; r < ROWS; r++) {
            tables[r] = page;
            position[r] = (int32_t)r;
        }
        nt_attention a = fused_attention(ROWS, HEADS, WIDTH, x, NULL, 1, tables, position, NULL, 0);
        device->ops->store_kv(device, &a);
        for (size_t i = 0; i < N; i++) {
            size_t r = i / ALL, d = i % ALL, slot = r % NT_PAGE;
            const float *keys = page[r / NT_PAGE], *values = keys + ALL * NT_PAGE;
            assert_true(keys[d * NT_PAGE + slot] == x[r * 3 * ALL + ALL + d]);
            assert_true(values[(d / WIDTH * NT_PAGE + slot) * WIDTH + d % WIDTH] ==
                        x[r * 3 * ALL + 2 * ALL + d]);
        }
        for (size_t i = 0; i < PAGES; i++)
            nt_free(page[i]);
        nt_cpu_close(device);
    }
    nt_free(x);
    nt_free(gain);
    nt_free(bias);
    nt_free(y);
    nt_free(expected);
}

static bool is_listed(const char *isa) {
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++)
        if (strcmp((*k)->isa, isa) == 0) return true;
    return false;
}

#if defined(__x86_64__)
/* Whether Linux lists all of these flags (" fma avx2 ") in /proc/cpuinfo. */
static bool has_flags(const char *flags) {
    static char line[8192];
    FILE *file = fopen("/proc/cpuinfo", "r");
    assert_non_null(file);
    bool found = false;
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, "flags", 5) == 0;
    fclose(file);
    assert_true(found);
    line[strcspn(line, "\n")] = ' ';
    for (const char *at = flags; at[1]; at += 1 + strcspn(at + 1, " ")) {
        char flag[32];
        snprintf(flag, sizeof flag, " %.*s ", (int)strcspn(at + 1, " "), at + 1);
        if (!strstr(line, flag)) return false;
    }
    return true;
}
#endif

/* Best first, the reference last, and none left out. */
static void the_sets_are_those_of_the_processor(void **state) {
    (void)state;
    static const char *const order[] = {"amx", "avx512", "avx2", "neon", "ref"};
    size_t n = 0, at = 0;
    for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++, n++) {
        while (at < 5 && strcmp(order[at], (*k)->isa) != 0)
            at++;
        assert_true(at < 5);
    }
    assert_true(at == 4);
    assert_ptr_equal(nt_cpu_kernels()[n - 1], &nt_kernels_ref);
#if defined(__x86_64__)
    bool avx2 = has_flags(" avx2 fma f16c ");
    assert_int_equal(is_listed("avx2"), avx2);
    assert_int_equal(is_listed("avx512"),
                     avx2 && has_flags(" avx512f avx512bw avx512vl avx512dq "));
    assert_false(is_listed("neon"));
#elif defined(__aarch64__)
    assert_true(is_listed("neon"));
    assert_int_equal(n, 2);
#endif
}

static void the_environment_chooses_the_set(void **state) {
    (void)state;
    const char *isa;
    nt_device *device;
    unsetenv("NEXTOKEN_ISA");
    assert_int_equal(nt_cpu_isa(&isa), NT_OK);
    assert_string_equal(isa, nt_cpu_kernels()[0]->isa);
    print_message("this machine runs %s\n", isa);
    setenv("NEXTOKEN_ISA", "", 1);
    assert_int_equal(nt_cpu_isa(&isa), NT_OK);
    assert_string_equal(isa, nt_cpu_kernels()[0]->isa);
    setenv("NEXTOKEN_ISA", "ref", 1);
    assert_int_equal(nt_cpu_isa(&isa), NT_OK);
    assert_string_equal(isa, "ref");
    assert_int_equal(nt_cpu_open(&device, 1), NT_OK);
    assert_string_equal(device->ops->isa, "ref");
    nt_cpu_close(device);
    static const char *const bad[] = {"sse9", "REF", "ref ", "avx512,ref"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("NEXTOKEN_ISA", bad[i], 1);
        assert_int_equal(nt_cpu_isa(&isa), NT_E_ARGUMENT);
        assert_null(isa);
        assert_int_equal(nt_cpu_open(&device, 1), NT_E_ARGUMENT);
        assert_null(device);
        assert_non_null(strstr(nt_error_message(), bad[i]));
        assert_non_null(strstr(nt_error_message(), "there is"));
        assert_non_null(strstr(nt_error_message(), "ref"));
    }
    static const char *const known[] = {"avx2", "avx512", "amx", "neon"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bool here = is_listed(known[i]);
        setenv("NEXTOKEN_ISA", known[i], 1);
        assert_int_equal(nt_cpu_isa(&isa), here ? NT_OK : NT_E_ARGUMENT);
        assert_int_equal(nt_cpu_open(&device, 1), here ? NT_OK : NT_E_ARGUMENT);
        if (here) {
            assert_string_equal(isa, known[i]);
            assert_string_equal(device->ops->isa, known[i]);
            nt_cpu_close(device);
            continue;
        }
        assert_non_null(strstr(nt_error_message(), "this machine"));
        for (const nt_kernels *const *k = nt_cpu_kernels(); *k; k++)
            assert_non_null(strstr(nt_error_message(), (*k)->isa));
    }
    unsetenv("NEXTOKEN_ISA");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    nt_device *device;
    nt_memory_fail_at(SIZE_MAX);
    assert_int_equal(nt_cpu_open(&device, 2), NT_OK);
    size_t n = nt_memory_count();
    nt_cpu_close(device);
    assert_true(n >= 3);
    for (size_t k = 1; k <= n; k++) {
        nt_memory_fail_at(k);
        assert_int_equal(nt_cpu_open(&device, 2), NT_E_MEMORY);
        nt_memory_fail_at(0);
        assert_null(device);
    }
    assert_int_equal(nt_cpu_open(&device, -3), NT_E_ARGUMENT);
    assert_null(device);
    nt_cpu_close(NULL);
}

/* Nothing to do is done without touching anything. */
static void empty_shapes(void **state) {
    (void)state;
    const nt_kernels *const *kernels = nt_cpu_kernels();
    float y[3] = {1, 2, 3}, bias[3] = {4, 5, 6}, x[1] = {0};
    float *scratch = aligned_floats(NT_SCRATCH);
    for (; *kernels; kernels++) {
        for (int layout = 0; layout < 2; layout++) {
            nt_matrix none = {x, NT_F32, (nt_layout)layout, 0, 3}; /* K 0: the bias alone */
            nt_product product = {y, x, &none, bias, 1};
            (*kernels)->matmul(&product, 0, 3, scratch);
            assert_true(y[0] == 4 && y[1] == 5 && y[2] == 6);
            product.bias = NULL;
            (*kernels)->matmul(&product, 0, 3, scratch);
            assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
        }
        (*kernels)->add(y, x, 0);
        (*kernels)->activate(NT_RELU, y, 0);
        (*kernels)->layer_norm(y, x, x, x, 1, 0, 3);
    }
    nt_free(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_sets_give_the_same_bits),
#if defined(__x86_64__) || defined(__aarch64__)
        cmocka_unit_test(callers_rounding_does_not_show),
#endif
        cmocka_unit_test(embed_adds_token_and_position),
        cmocka_unit_test(store_kv_writes_its_slots_only),
        cmocka_unit_test(shared_work),
        cmocka_unit_test(the_sets_are_those_of_the_processor),
        cmocka_unit_test(the_environment_chooses_the_set),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(empty_shapes)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
