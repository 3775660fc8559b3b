/* What families other than GPT-2 need: attention whose heads share keys and values, with windows,
 * in every layout; RMSNorm, rotary positions and products. Each set against the reference bit by
 * bit, and the reference against plain sums in double. */
#include "compute/arrays.h"

enum { ROWS = 13, MOST_PAGES = 8 };

/* A made-up cache of three texts, and rows that ask about them. */
typedef struct scene {
    size_t H, G, E, longest;
    nt_dtype stored;
    void *page[3][MOST_PAGES], *const *tables[ROWS];
    int32_t position[ROWS];
    float *x, *scratch, *y, *expected, *probs, *seen;
} scene;

static void scene_make(scene *s, size_t H, size_t G, size_t E, size_t longest, nt_dtype stored,
                       uint64_t seed) {
    *s = (scene){.H = H, .G = G, .E = E, .longest = longest, .stored = stored};
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < MOST_PAGES; i++) {
            size_t n = 2 * G * E * NT_PAGE;
            float *numbers = random_floats(&seed, n, 2);
            s->page[t][i] = room(n, nt_dtype_size(stored));
            assert_true(nt_dtype_store(s->page[t][i], stored, numbers, n));
            nt_free(numbers);
        }
    }
    for (size_t r = 0; r < ROWS; r++) { /* a run of one text, then texts by turns */
        s->tables[r] = s->page[r < 9 ? 0 : r % 3];
        s->position[r] =
            (int32_t)(r < 9 ? (longest + r - 9) % longest : next_random(&seed) % longest);
    }
    s->x = random_floats(&seed, ROWS * (H + 2 * G) * E, 2);
    s->scratch = aligned_floats(NT_SCRATCH);
    s->y = room(ROWS * H * E, sizeof *s->y);
    s->expected = room(ROWS * H * E, sizeof *s->y);
    s->probs = room(ROWS * H * longest, sizeof *s->probs);
    s->seen = room(ROWS * H * longest, sizeof *s->seen);
}

static void scene_free(scene *s) {
    for (size_t i = 0; i < 3 * MOST_PAGES; i++)
        nt_free(s->page[i / MOST_PAGES][i % MOST_PAGES]);
    nt_free(s->x);
    nt_free(s->scratch);
    nt_free(s->y);
    nt_free(s->expected);
    nt_free(s->probs);
    nt_free(s->seen);
}

static nt_attention call_of(scene *s, size_t window, float *y, float *probs) {
    size_t row = (s->H + 2 * s->G) * s->E;
    memset(y, 0xFF, ROWS * s->H * s->E * sizeof *y);
    if (probs) { /* behind a row's own position nothing is written */
        memset(probs, 0xFF, ROWS * s->H * s->longest * sizeof *probs);
        for (size_t i = 0; i < ROWS * s->H; i++)
            for (size_t t = (size_t)s->position[i / s->H] + 1; t < s->longest; t++)
                probs[i * s->longest + t] = 0;
    }
    return (nt_attention){.R = ROWS,
                          .H = s->H,
                          .G = s->G,
                          .E = s->E,
                          .q = {s->x, row, s->E},
                          .k = {s->x + s->H * s->E, row, s->E},
                          .v = {s->x + (s->H + s->G) * s->E, row, s->E},
                          .y = y,
                          .scale = 0.37f,
                          .window = window,
                          .pages = s->tables,
                          .stored = s->stored,
                          .position = s->position,
                          .probs = probs,
                          .ld_probs = s->longest};
}

static void run_heads(const nt_kernels *set, const nt_attention *a, size_t begin, size_t end,
                      float *scratch, size_t n_scratch) {
    for (size_t h = 0; h < a->H; h++)
        set->attend(a, h, begin, end, scratch, n_scratch);
}

static void check_scene(const nt_kernels *set, scene *s, size_t window, size_t n_scratch) {
    size_t n = ROWS * s->H * s->E, n_probs = ROWS * s->H * s->longest;
    nt_attention a = call_of(s, window, s->expected, s->probs);
    run_heads(&nt_kernels_ref, &a, 0, ROWS, s->scratch, NT_SCRATCH);
    a = call_of(s, window, s->y, s->seen);
    run_heads(set, &a, 0, ROWS, s->scratch, n_scratch);
    size_t i = first_difference(s->y, s->expected, n);
    if (i < n)
        fail_msg(
            "%s, H %zu G %zu E %zu, %zu positions, window %zu: row %zu number %zu is %a, not %a",
            set->isa, s->H, s->G, s->E, s->longest, window, i / (s->H * s->E), i % (s->H * s->E),
            (double)s->y[i], (double)s->expected[i]);
    assert_int_equal(first_difference(s->seen, s->probs, n_probs), n_probs);
    a = call_of(s, window, s->y, NULL);
    for (size_t r = 0; r < ROWS; r++) /* each row alone */
        run_heads(set, &a, r, r + 1, s->scratch, n_scratch);
    assert_int_equal(first_difference(s->y, s->expected, n), n);
}

static const size_t windows[] = {0, 1, 2, 7, 16, 63, 64, 65, 100, 256, 1000};
enum { N_WINDOWS = sizeof windows / sizeof *windows };

static void attention_equals_reference(const nt_kernels *set) {
    static const size_t shapes[][3] = {{1, 1, 7},  {2, 1, 16}, {4, 2, 12},
                                       {6, 2, 33}, {3, 3, 64}, {8, 1, 5}};
    static const size_t lengths[] = {1, 2, 17, 64, 65, 129, 200, 333};
    for (size_t i = 0; i < 6; i++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            scene s;
            scene_make(&s, shapes[i][0], shapes[i][1], shapes[i][2], lengths[l],
                       (i + l / 2) % 2 ? NT_BF16 : NT_F32, i * 10 + l);
            for (size_t w = (i + l) % 2; w<N_WINDOWS; w += SPARSER> 1 ? 4 : 2)
                check_scene(set, &s, windows[w], NT_SCRATCH);
            scene_free(&s);
        }
    }
}

/* Where scratch is too small for a row's scores they are computed again, to the same bits. */
static void windows_longer_than_scratch(const nt_kernels *set) {
    for (int halves = 0; halves < 2; halves++) {
        scene s;
        scene_make(&s, 4, 2, 24, 500, halves ? NT_BF16 : NT_F32, 5);
        for (size_t pages = 4; pages < 8; pages++)
            for (size_t w = 0; w < N_WINDOWS; w++)
                check_scene(set, &s, windows[w], pages * NT_PAGE);
        scene_free(&s);
    }
}

/* What lies before a window may be anything. */
static void broken_numbers_before_a_window_do_not_count(const nt_kernels *set) {
    scene s;
    scene_make(&s, 2, 1, 8, 200, NT_F32, 6);
    for (size_t r = 0; r < ROWS; r++)
        s.position[r] = (int32_t)(150 + r);
    for (size_t t = 0; t < 3; t++)
        for (size_t p = 64; p <= 130; p++) /* the last of them in the first window's own page */
            for (size_t e = 0; e < s.E; e++) {
                float *page = s.page[t][p / NT_PAGE];
                page[e * NT_PAGE + p % NT_PAGE] = NAN;
                page[(NT_PAGE + p % NT_PAGE) * s.E + e] = NAN;
            }
    nt_attention a = call_of(&s, 20, s.y, NULL);
    run_heads(set, &a, 0, ROWS, s.scratch, NT_SCRATCH);
    for (size_t i = 0; i < ROWS * s.H * s.E; i++)
        assert_true(isfinite(s.y[i]));
    check_scene(set, &s, 20, NT_SCRATCH);
    scene_free(&s);
}

/* What head h of row r attends to, positions [first, length), and what comes of it: in double. */
static void plain_attention(double *p, double *y, const scene *s, size_t r, size_t h, size_t first,
                            size_t length) {
    size_t g = h / (s->H / s->G), values = s->G * s->E * NT_PAGE;
    double sum = 0;
    for (size_t t = first; t < length; t++) {
        const void *page = s->tables[r][t / NT_PAGE];
        double score = 0;
        for (size_t e = 0; e < s->E; e++)
            score += (double)s->x[r * 200 + h * s->E + e] *
                     (double)nt_dtype_load(page, s->stored, (g * s->E + e) * NT_PAGE + t % NT_PAGE);
        p[t] = exp((double)0.37f * score);
        sum += p[t];
    }
    for (size_t t = first; t < length; t++) {
        size_t value = values + (g * NT_PAGE + t % NT_PAGE) * s->E;
        p[t] /= sum;
        for (size_t e = 0; e < s->E; e++)
            y[e] += p[t] * (double)nt_dtype_load(s->tables[r][t / NT_PAGE], s->stored, value + e);
    }
}

/* A NaN stays; fmax would lose it, and gcc 12 fails on it at -O3 for 64-bit Arm. */
static void take_error(double *worst, double expected, float found) {
    double error = fabs(expected - (double)found);
    if (error > *worst || isnan(error)) *worst = error;
}

static void hold_against_plain_sums(nt_dtype stored) {
    double worst = 0;
    scene s;
    scene_make(&s, 6, 2, 20, 150, stored, 7);
    for (size_t w = 0; w < N_WINDOWS; w++) {
        nt_attention a = call_of(&s, windows[w], s.y, s.probs);
        run_heads(&nt_kernels_ref, &a, 0, ROWS, s.scratch, NT_SCRATCH);
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t h = 0; h < s.H; h++) {
                double p[150] = {0}, y[20] = {0};
                size_t length = (size_t)s.position[r] + 1;
                size_t first = windows[w] && length > windows[w] ? length - windows[w] : 0;
                plain_attention(p, y, &s, r, h, first, length);
                for (size_t e = 0; e < s.E; e++)
                    take_error(&worst, y[e], s.y[(r * s.H + h) * s.E + e]);
                for (size_t t = 0; t < length; t++)
                    take_error(&worst, p[t], s.probs[(r * s.H + h) * s.longest + t]);
            }
        }
    }
    print_message("%s pages: largest error %.2g\n", nt_dtype_name(stored), worst);
    assert_true(worst > 0 && worst < 2e-6);
    scene_free(&s);
}

static void reference_equals_plain_sums(void **state) {
    (void)state;
    hold_against_plain_sums(NT_F32);
    hold_against_plain_sums(NT_BF16);
}

/* Heads that lie side by side, in threes, or apart: the same bits, through the device. */
static void layouts_are_equal(void **state) {
    (void)state;
    enum { H = 3, E = 10, D = H * E };
    nt_device *device;
    assert_int_equal(nt_cpu_open(&device, 2), NT_OK);
    uint64_t seed = 8;
    float *parts = random_floats(&seed, ROWS * 3 * D, 2), y[3][ROWS * D];
    float threes[ROWS * 3 * D], apart[3][ROWS * D];
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < 3 * D; i++) {
            size_t part = i / D, h = i % D / E, e = i % E;
            threes[r * 3 * D + (h * 3 + part) * E + e] = parts[r * 3 * D + i];
            apart[part][r * D + i % D] = parts[r * 3 * D + i];
        }
    const nt_heads heads[3][3] = {
        {{parts, 3 * D, E}, {parts + D, 3 * D, E}, {parts + 2 * D, 3 * D, E}},
        {{threes, 3 * D, 3 * E}, {threes + E, 3 * D, 3 * E}, {threes + 2 * E, 3 * D, 3 * E}},
        {{apart[0], D, E}, {apart[1], D, E}, {apart[2], D, E}}};
    for (int layout = 0; layout < 3; layout++) {
        void *page = room(2 * D * NT_PAGE, sizeof(float)), *const table[] = {page};
        void *const *tables[ROWS];
        int32_t position[ROWS];
        for (size_t r = 0; r < ROWS; r++) {
            tables[r] = table;
            position[r] = (int32_t)r;
        }
        nt_attention a = {.R = ROWS,
                          .H = H,
                          .G = H,
                          .E = E,
                          .q = heads[layout][0],
                          .k = heads[layout][1],
                          .v = heads[layout][2],
                          .y = y[layout],
                          .scale = 0.3f,
                          .pages = tables,
                          .position = position};
        device->ops->store_kv(device, &a);
        device->ops->attend(device, &a);
        assert_int_equal(first_difference(y[layout], y[0], ROWS * D), ROWS * D);
        nt_free(page);
    }
    nt_free(parts);
    nt_cpu_close(device);
}

static void vectors_equal_reference(const nt_kernels *set) {
    static const size_t widths[] = {64, 100, 768, 770, 1601};
    uint64_t seed = 9;
    for (size_t i = 1; i < 50 + sizeof widths / sizeof *widths; i++) {
        size_t n = i < 50 ? i : widths[i - 50], R = 3;
        float *x = random_floats(&seed, R * n + 1, 4), *gain = random_floats(&seed, 2 * n + 1, 2);
        float *expected = room(R * n + 1, sizeof *expected);
        memcpy(expected, x, (R * n + 1) * sizeof *x);
        nt_kernels_ref.rms_norm(expected, x, gain, 1e-5f, R, n);
        set->rms_norm(x, x, gain, 1e-5f, R, n); /* in place */
        assert_int_equal(first_difference(x, expected, R * n + 1), R * n + 1);
        nt_kernels_ref.rotate(expected, gain, gain + n, n);
        set->rotate(x, gain, gain + n, n);
        assert_int_equal(first_difference(x, expected, R * n + 1), R * n + 1);
        nt_kernels_ref.multiply(expected, gain, n);
        set->multiply(x, gain, n);
        assert_int_equal(first_difference(x, expected, R * n + 1), R * n + 1);
        nt_free(x);
        nt_free(gain);
        nt_free(expected);
    }
}

/* The device's operations against the same in double, with one thread and with three. */
static void device_equals_plain_sums(void **state) {
    (void)state;
    enum { R = 70, D = 130, H = 5, E = 26, N = 9 };
    uint64_t seed = 10;
    float *x = random_floats(&seed, R * D, 3), *gain = random_floats(&seed, D, 1);
    float *y = room(R * D, sizeof *y), *z = room(R * D, sizeof *z);
    float *table = random_floats(&seed, R * 2 * N, 1);
    int32_t position[R];
    for (size_t r = 0; r < R; r++)
        position[r] = (int32_t)((r * 31) % R);
    for (int threads = 1; threads <= 3; threads += 2) {
        nt_device *device;
        assert_int_equal(nt_cpu_open(&device, threads), NT_OK);
        device->ops->rms_norm(device, y, x, gain, 1e-3f, R, D);
        for (size_t r = 0; r < R; r++) {
            double sum = 0;
            for (size_t i = 0; i < D; i++)
                sum += (double)x[r * D + i] * (double)x[r * D + i];
            for (size_t i = 0; i < D; i++) {
                double wanted = x[r * D + i] / sqrt(sum / D + 1e-3) * (double)gain[i];
                assert_true(fabs(y[r * D + i] - wanted) < 1e-6);
            }
        }
        memcpy(y, x, R * D * sizeof *y);
        nt_heads heads = {y, D, E};
        device->ops->rotate(device, &heads, R, H, &(nt_rotary){N, table}, position);
        for (size_t i = 0; i < R * D; i++) {
            size_t e = i % D % E;
            if (e >= 2 * N) { /* what is not turned keeps its bits */
                assert_true(y[i] == x[i]);
                continue;
            }
            const float *turn = table + (size_t)position[i / D] * 2 * N + e % N;
            double other = e < N ? -(double)x[i + N] : (double)x[i - N];
            double wanted = (double)x[i] * (double)turn[0] + other * (double)turn[N];
            assert_true(fabs(y[i] - wanted) < 1e-6);
        }
        memcpy(y, x, R * D * sizeof *y);
        memcpy(z, x, R * D * sizeof *y);
        device->ops->gate(device, NT_SILU, y, gain, D);
        nt_kernels_ref.activate(NT_SILU, z, D);
        for (size_t i = 0; i < R * D; i++)
            assert_true(y[i] == (i < D ? z[i] * gain[i] : x[i]));
        memcpy(y, x, R * D * sizeof *y);
        memcpy(z, x, R * D * sizeof *y);
        device->ops->gate(device, NT_IDENTITY, y, z, R * D);
        for (size_t i = 0; i < R * D; i++)
            assert_true(y[i] == x[i] * x[i]);
        nt_cpu_close(device);
    }
    nt_free(x);
    nt_free(gain);
    nt_free(y);
    nt_free(z);
    nt_free(table);
}

#define WITH_EVERY_SET(name)                                                                       \
    static void name##_everywhere(void **state) {                                                  \
        (void)state;                                                                               \
        with_every_set(name);                                                                      \
    }
WITH_EVERY_SET(attention_equals_reference)
WITH_EVERY_SET(windows_longer_than_scratch)
WITH_EVERY_SET(broken_numbers_before_a_window_do_not_count)
WITH_EVERY_SET(vectors_equal_reference)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_equals_reference_everywhere),
        cmocka_unit_test(windows_longer_than_scratch_everywhere),
        cmocka_unit_test(broken_numbers_before_a_window_do_not_count_everywhere),
        cmocka_unit_test(vectors_equal_reference_everywhere),
        cmocka_unit_test(reference_equals_plain_sums),
        cmocka_unit_test(layouts_are_equal),
        cmocka_unit_test(device_equals_plain_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
