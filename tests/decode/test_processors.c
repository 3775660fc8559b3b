/* The warpers and the draw against transformers, torch and NumPy (sampling_oracle.txt,
 * tools/oracle/decode.py), and what no oracle has: the limits. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/random.h"
#include "chi_square.h"
#include "decode/made_row.h"
#include "decode/process/processor.h"

static nt_plan plan_of(double temperature, size_t top_k, double top_p) {
    return (nt_plan){.sample = true, .temperature = temperature, .top_k = top_k, .top_p = top_p};
}

/* Runs the plan's processors over row [V], in place. */
static void process(float *row, size_t V, const nt_plan *plan) {
    nt_processors processors;
    assert_int_equal(nt_processors_begin(&processors, plan, V), NT_OK);
    const float *processed = nt_processors_run(&processors, row);
    if (processed) memcpy(row, processed, V * sizeof *row);
    assert_true(processed || processors.n == 0);
    nt_processors_free(&processors);
}

static size_t kept_of(const float *row, size_t V) {
    size_t n = 0;
    for (size_t i = 0; i < V; i++)
        n += row[i] > -INFINITY;
    return n;
}

static uint64_t checksum(const float *row, size_t V) {
    uint64_t sum = 0;
    for (size_t i = 0; i < V; i++) {
        uint32_t bits;
        memcpy(&bits, &row[i], sizeof bits);
        sum += bits * (2 * (uint64_t)i + 1);
    }
    return sum;
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

typedef struct oracle_case {
    char kind[16], mark[16];
    size_t V, least, kept, most;
    unsigned long long row_seed, sum, seed, sequence;
    double temperature, top_p;
    size_t top_k;
} oracle_case;

/* The row of a case after its warpers; for free. */
static float *row_of(const oracle_case *c) {
    float *row = calloc(c->V, sizeof *row);
    nt_plan plan = plan_of(c->temperature, c->top_k, c->top_p);
    made_row(row, c->kind, c->V, c->row_seed);
    process(row, c->V, &plan);
    return row;
}

/* Returns whether exactly as many stay as in transformers. */
static bool check_warp(const oracle_case *c) {
    float *row = row_of(c);
    size_t kept = kept_of(row, c->V);
    if (kept < c->least || kept > c->most)
        fail_msg("%s %zu: %zu kept, %zu to %zu", c->kind, c->V, kept, c->least, c->most);
    if (strcmp(c->mark, "exact") != 0) qsort(row, c->V, sizeof *row, by_size);
    if (kept == c->kept && checksum(row, c->V) != c->sum)
        fail_msg("%s %zu %llu %g %zu %g: %llx, not %llx", c->kind, c->V, c->row_seed,
                 c->temperature, c->top_k, c->top_p, (unsigned long long)checksum(row, c->V),
                 c->sum);
    free(row);
    return kept == c->kept;
}

static void warpers_as_transformers_has_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/sampling_oracle.txt", "r");
    char line[1024];
    size_t near = 0, near_equal = 0, others = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        oracle_case c;
        if (sscanf(line, "warp %15s %zu %llu %lf %zu %lf %15s %zu %zu %zu %llx", c.kind, &c.V,
                   &c.row_seed, &c.temperature, &c.top_k, &c.top_p, c.mark, &c.least, &c.kept,
                   &c.most, &c.sum) != 11)
            continue;
        bool equal = check_warp(&c);
        if (c.least < c.most) {
            near++;
            near_equal += equal;
        } else {
            assert_true(equal);
            others++;
        }
    }
    fclose(file);
    print_message("%zu rows as transformers', %zu of %zu where float32 decides\n", others,
                  near_equal, near);
    assert_true(others > 600 && near < 80 && near_equal + 5 > near);
}

static void draws_as_numpy_has_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/sampling_oracle.txt", "r");
    char line[1024];
    size_t cases = 0, draws = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        oracle_case c;
        int at;
        if (sscanf(line, "draw %15s %zu %llu %lf %zu %lf %llu %llu%n", c.kind, &c.V, &c.row_seed,
                   &c.temperature, &c.top_k, &c.top_p, &c.seed, &c.sequence, &at) != 8)
            continue;
        float *row = row_of(&c);
        double *sums = calloc(c.V, sizeof *sums);
        char *next = line + at;
        nt_draw_ready(sums, row, c.V);
        for (uint64_t j = 0; strtol(next, NULL, 10) || *next == ' '; j++) {
            long wanted = strtol(next, &next, 10);
            int32_t got = nt_draw(sums, c.V, nt_random_uniform(c.seed, c.sequence, j));
            if (wanted < 0) continue;
            assert_int_equal(got, wanted);
            draws++;
        }
        free(sums);
        free(row);
        cases++;
    }
    fclose(file);
    assert_true(cases == 7 && draws > 270);
}

/* By the definition: logits far above what float32 can divide. The limit is the likeliest alone. */
static void temperatures_near_zero(void **state) {
    (void)state;
    const double temperatures[] = {DBL_TRUE_MIN, 1e-300, 1e-45, 1e-40, 1e-38};
    for (size_t t = 0; t < 5; t++) {
        float row[] = {-80, -INFINITY, 3, 2.5f, 3}, low[] = {-2000, -1999, -2001};
        float zeros[] = {0, 0, -INFINITY}, largest[] = {FLT_MAX, -FLT_MAX};
        nt_plan plan = plan_of(temperatures[t], 0, 1);
        process(row, 5, &plan);
        process(low, 3, &plan);
        process(zeros, 3, &plan);
        process(largest, 2, &plan);
        assert_true(row[0] == -INFINITY && row[1] == -INFINITY && row[2] == 0 && row[4] == 0);
        assert_true(row[3] < -1e37f);
        assert_true(low[1] == 0 && low[0] < -1e37f && low[2] < -1e37f);
        assert_true(zeros[0] == 0 && zeros[1] == 0 && zeros[2] == -INFINITY);
        assert_true(largest[0] == 0 && largest[1] == -INFINITY);
    }
    float last[] = {0.001f, 0, -80}; /* one that overflows is enough, wherever it stands */
    nt_plan cold = plan_of(1e-37, 0, 1);
    process(last, 3, &cold);
    assert_true(last[0] == 0 && last[1] < -9e33f && last[1] > -INFINITY && last[2] == -INFINITY);
    float row[] = {-80, -INFINITY, 3}; /* and the largest: all the same */
    nt_plan plan = plan_of(FLT_MAX, 0, 1);
    process(row, 3, &plan);
    assert_true(fabsf(row[0]) < 1e-36f && row[1] == -INFINITY && row[2] < 1e-36f);
}

static void which_of_equals_stay(void **state) {
    (void)state;
    float a[] = {1, 2, 2, 2, 0, 2}, b[] = {2, 1, 2, 2}, c[] = {0, 0, 0, 0}, d[] = {5, 7, 7, 1};
    nt_plan two = plan_of(1, 2, 1), most = plan_of(1, 0, 0.6), half = plan_of(1, 0, 0.5);
    nt_plan first = plan_of(1, 0, 0);
    process(a, 6, &two); /* four stand at the second place */
    assert_true(kept_of(a, 6) == 4 && a[0] == -INFINITY && a[4] == -INFINITY);
    process(b, 4, &most); /* 0.89 of it are three twos: two of them, the lower ids, are 0.59 */
    assert_true(kept_of(b, 4) == 3 && b[1] == -INFINITY);
    process(c, 4, &half);
    assert_true(kept_of(c, 4) == 2 && c[0] == 0 && c[1] == 0);
    process(d, 4, &first);
    assert_true(kept_of(d, 4) == 1 && d[1] == 7);
}

static void only_what_is_wanted_runs(void **state) {
    (void)state;
    static const struct {
        double temperature, top_p;
        size_t top_k;
        const char *names[4];
    } cases[] = {
        {1, 1, 0, {NULL}},
        {0.5, 1, 0, {"temperature"}},
        {1, 1, 7, {"top_k"}},
        {1, 0.5, 0, {"top_p"}},
        {2, 0, 1, {"temperature", "top_k", "top_p"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_plan plan = plan_of(cases[i].temperature, cases[i].top_k, cases[i].top_p);
        nt_processors p;
        assert_int_equal(nt_processors_begin(&p, &plan, 9), NT_OK);
        for (size_t n = 0; n < p.n; n++)
            assert_string_equal(p.wanted[n]->name, cases[i].names[n]);
        assert_null(cases[i].names[p.n]);
        nt_processors_free(&p);
        plan.sample = false; /* greedy decoding has no warpers */
        assert_int_equal(nt_processors_begin(&p, &plan, 9), NT_OK);
        assert_true(p.n == 0 && !p.row.logits);
        nt_processors_free(&p);
    }
}

/* Rows that are no numbers: any answer, inside the vocabulary, and no crash. */
static void broken_rows(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 0, -5};
    enum { V = 6 };
    for (size_t round = 0; round < 5 * 5 * 5 * 5; round++) {
        float row[V];
        double sums[V];
        for (size_t i = 0, r = round; i < V; i++, r = r / 5 + r)
            row[i] = values[r % 5];
        nt_draw_ready(sums, row, V);
        for (double u = 0; u < 1; u += 0.49) {
            int32_t id = nt_draw(sums, V, u);
            assert_true(id >= 0 && id < V);
        }
        for (size_t k = 0; k < 8; k += 3) {
            nt_plan plan = plan_of(k ? 1e-40 : 0.5, k, 0.3);
            process(row, V, &plan);
        }
    }
}

static int32_t one_draw(const float *row, size_t V, double u) {
    double sums[8];
    nt_draw_ready(sums, row, V);
    return nt_draw(sums, V, u);
}

static void the_ends_of_a_draw(void **state) {
    (void)state;
    float row[] = {-INFINITY, 0, -INFINITY, 0, -800, -INFINITY};
    double last = 1 - 0x1p-53;
    assert_int_equal(one_draw(row, 6, 0), 1);
    assert_int_equal(one_draw(row, 6, 0.5 - 0x1p-53), 1);
    assert_int_equal(one_draw(row, 6, 0.5), 3);
    assert_int_equal(one_draw(row, 6, last), 3); /* e^-800 is nothing */
    float uneven[] = {0, 0, 0, -INFINITY};       /* u * 3 rounds up to 3 */
    assert_int_equal(one_draw(uneven, 4, last), 2);
    float one[] = {-3};
    assert_int_equal(one_draw(one, 1, last), 0);
}

enum { N_DRAWS = 20000, BINS = 60 };

static const float *sorted_by;
static int by_logit(const void *a, const void *b) {
    float x = sorted_by[*(const size_t *)a], y = sorted_by[*(const size_t *)b];
    return (x < y) - (x > y);
}

/* Counts of draws in bins of ids, from the likeliest in row [V] down, of about equal probability;
 * expected from row, drawn from drawn_from. */
static void count_draws(size_t *counts, double *expected, size_t *n_bins, const float *drawn_from,
                        const float *row, size_t V) {
    double *sums = calloc(V, sizeof *sums);
    size_t *ids = calloc(V, sizeof *ids), *bin = calloc(V, sizeof *bin), n = 0;
    nt_softmax all = nt_softmax_of(row, V);
    memset(counts, 0, 2 * BINS * sizeof *counts);
    memset(expected, 0, 2 * BINS * sizeof *expected);
    for (size_t i = 0; i < V; i++)
        ids[i] = i;
    sorted_by = row;
    qsort(ids, V, sizeof *ids, by_logit);
    for (size_t i = 0; i < V; i++) {
        bin[ids[i]] = n;
        expected[n] += N_DRAWS * exp(row[ids[i]] - all.logsum);
        if (expected[n] >= (double)N_DRAWS / BINS) n++;
    }
    *n_bins = n; /* what is left behind the last full bin goes with it */
    expected[n - 1] += expected[n];
    nt_draw_ready(sums, drawn_from, V);
    for (uint64_t j = 0; j < N_DRAWS; j++) {
        int32_t id = nt_draw(sums, V, nt_random_uniform(12, 3, j));
        assert_true(drawn_from[id] > -INFINITY);
        counts[bin[id] < n ? bin[id] : n - 1]++;
    }
    free(bin);
    free(ids);
    free(sums);
}

static void draws_follow_the_probabilities(void **state) {
    (void)state;
    static const struct {
        const char *kind;
        size_t V;
        double temperature, top_p;
        size_t top_k;
    } cases[] = {
        {"peaked", 50257, 1, 1, 0}, {"peaked", 50257, 1.5, 1, 40}, {"smooth", 50257, 9, 0.9, 0},
        {"flat", 50257, 1, 1, 0},   {"ties", 300, 2, 0.95, 100},   {"holes", 300, 20, 1, 0},
        {"peaked", 12, 0.7, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t V = cases[i].V, counts[2 * BINS], n;
        double expected[2 * BINS];
        float *row = calloc(V, sizeof *row), *other = calloc(V, sizeof *row);
        nt_plan plan = plan_of(cases[i].temperature, cases[i].top_k, cases[i].top_p);
        made_row(row, cases[i].kind, V, 5);
        process(row, V, &plan);
        count_draws(counts, expected, &n, row, row, V);
        assert_true(n > 1);
        check_chi_square(counts, expected, n);
        for (size_t v = 0; v < V; v++) /* another temperature is seen, but in a flat row */
            other[v] = row[v] / 0.6f;
        count_draws(counts, expected, &n, other, row, V);
        if (strcmp(cases[i].kind, "flat") != 0)
            assert_true(chi_square(counts, expected, n) > chi_square_quantile(n - 1, CHI_FAR));
        free(other);
        free(row);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warpers_as_transformers_has_them),
        cmocka_unit_test(draws_as_numpy_has_them),
        cmocka_unit_test(temperatures_near_zero),
        cmocka_unit_test(which_of_equals_stay),
        cmocka_unit_test(only_what_is_wanted_runs),
        cmocka_unit_test(broken_rows),
        cmocka_unit_test(the_ends_of_a_draw),
        cmocka_unit_test(draws_follow_the_probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
