/* How often each id is drawn: chi-square over 100,000 draws of either generator, of one id over
 * 50,257 words, of weights, and of several without replacement. The probabilities are those of the
 * C library's exp in double. The counts run side by side. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chi_square.h"
#include "decode/draw/draw.h"
#include "decode/made_row.h"

enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    N_DRAWS = 2000, /* as many as sanitizers have time for */
#else
    N_DRAWS = 100000,
#endif
    BINS = 60,
    LARGE = 50257
};

typedef struct count {
    nt_rng_kind rng;
    bool weighted;
    size_t V;
    const char *kind;
    double temperature;
    /* made: */
    float *row;    /* [V] logits */
    double *p;     /* [V] */
    size_t *times; /* [V] each id was drawn */
    bool ready;
} count;

static void *draw_all(void *payload) {
    count *c = payload;
    nt_plan plan = NT_PLAN_INIT;
    nt_draws draws;
    float *weights = calloc(c->V, sizeof *weights);
    plan.rng = c->rng;
    plan.seed = 12;
    c->ready = weights && nt_draws_begin(&draws, &plan, c->V) == NT_OK;
    for (size_t i = 0; i < c->V && c->ready; i++)
        weights[i] = (float)(7 * c->p[i]);
    for (uint64_t j = 0; j < N_DRAWS && c->ready; j++) {
        double u;
        int32_t id = c->weighted ? nt_draws_weighted(&draws, &u, weights, 3, j)
                                 : nt_draws_one(&draws, &u, c->row, 3, j);
        c->times[id]++;
    }
    if (c->ready) nt_draws_free(&draws);
    free(weights);
    return NULL;
}

static void make(count *c) {
    double sum = 0;
    c->row = calloc(c->V, sizeof *c->row);
    c->p = calloc(c->V, sizeof *c->p);
    c->times = calloc(c->V, sizeof *c->times);
    made_row(c->row, c->kind, c->V, 5);
    for (size_t i = 0; i < c->V; i++) {
        c->row[i] /= (float)c->temperature;
        sum += c->p[i] = exp(c->row[i]);
    }
    for (size_t i = 0; i < c->V; i++)
        c->p[i] /= sum;
}

static const double *sorted_by;
static int likelier(const void *a, const void *b) {
    double x = sorted_by[*(const size_t *)a], y = sorted_by[*(const size_t *)b];
    return (x < y) - (x > y);
}

/* Bins of ids from the likeliest down, of about equal probability; what is left behind the last
 * full one goes with it. Of probability^power, to see that the bounds would tell another. */
static size_t fill_bins(size_t *counts, double *expected, const count *c, double power) {
    size_t *ids = calloc(c->V, sizeof *ids), n = 0;
    double all = 0, inside = 0;
    memset(counts, 0, (BINS + 1) * sizeof *counts);
    memset(expected, 0, (BINS + 1) * sizeof *expected);
    for (size_t i = 0; i < c->V; i++) {
        ids[i] = i;
        all += pow(c->p[i], power);
    }
    sorted_by = c->p;
    qsort(ids, c->V, sizeof *ids, likelier);
    for (size_t i = 0; i < c->V; i++) {
        inside += c->p[ids[i]];
        counts[n] += c->times[ids[i]];
        expected[n] += N_DRAWS * pow(c->p[ids[i]], power) / all;
        if (inside < 1.0 / BINS) continue;
        inside = 0;
        n++;
    }
    counts[n - 1] += counts[n];
    expected[n - 1] += expected[n];
    free(ids);
    return n;
}

static void check_count(const count *c) {
    size_t counts[BINS + 1], drawn = 0;
    double expected[BINS + 1];
    assert_true(c->ready);
    for (size_t i = 0; i < c->V; i++) {
        drawn += c->times[i];
        assert_true(c->row[i] > -INFINITY || c->times[i] == 0);
    }
    assert_int_equal(drawn, N_DRAWS);
    size_t n = fill_bins(counts, expected, c, 1);
    assert_true(n > 3);
    check_chi_square(counts, expected, n);
    if (strcmp(c->kind, "flat") == 0) return;
    n = fill_bins(counts, expected, c, N_DRAWS < 100000 ? 0.8 : 0.95); /* other temperatures show */
    assert_true(chi_square(counts, expected, n) > chi_square_quantile(n - 1, CHI_FAR));
}

static void one_follows_the_probabilities(void **state) {
    (void)state;
    count counts[] = {
        {.rng = NT_RNG_PHILOX, .V = LARGE, .kind = "peaked", .temperature = 1},
        {.rng = NT_RNG_TORCH, .V = LARGE, .kind = "peaked", .temperature = 1},
        {.rng = NT_RNG_PHILOX, .weighted = true, .V = 2000, .kind = "smooth", .temperature = 9},
        {.rng = NT_RNG_TORCH, .weighted = true, .V = 2000, .kind = "holes", .temperature = 9},
        {.rng = NT_RNG_PHILOX, .V = 317, .kind = "flat", .temperature = 1},
        {.rng = NT_RNG_TORCH, .V = 317, .kind = "flat", .temperature = 1},
        {.rng = NT_RNG_PHILOX, .V = 300, .kind = "holes", .temperature = 20},
        {.rng = NT_RNG_TORCH, .V = 300, .kind = "ties", .temperature = 2},
    };
    enum { N = sizeof counts / sizeof *counts };
    pthread_t threads[N];
    for (size_t i = 0; i < N; i++) {
        make(&counts[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, draw_all, &counts[i]), 0);
    }
    for (size_t i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        check_count(&counts[i]);
        free(counts[i].row);
        free(counts[i].p);
        free(counts[i].times);
    }
}

/* Of three without replacement: the first has the probabilities p, and a pair (i, j) of the first
 * two p_i p_j / (1 - p_i). */
static void several_follow_the_probabilities(void **state) {
    (void)state;
    enum { V = 6, R = 2, ALL = V * R };
    const float rows[R][V] = {{0, 1, 2, -INFINITY, 0.5f, -1}, {1.5f, 0, -INFINITY, 2, 1, -2}};
    const float *const list[] = {rows[0], rows[1]};
    double p[ALL], sum = 0;
    for (size_t i = 0; i < ALL; i++)
        sum += p[i] = exp(rows[i / V][i % V]);
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        size_t first[ALL] = {0}, pairs[ALL * ALL] = {0}, n_first = 0, n_pairs = 0;
        double odds_first[ALL], odds_pairs[ALL * ALL];
        nt_plan plan = NT_PLAN_INIT;
        nt_draws draws;
        plan.rng = rng;
        plan.seed = 3;
        assert_int_equal(nt_draws_begin(&draws, &plan, V), NT_OK);
        for (uint64_t index = 0; index < N_DRAWS; index++) {
            nt_drawn out[3];
            size_t n;
            assert_int_equal(nt_draws_several(&draws, out, &n, list, R, 3, index), NT_OK);
            assert_int_equal(n, 3);
            size_t i = out[0].row * V + (size_t)out[0].id, j = out[1].row * V + (size_t)out[1].id;
            first[i]++;
            pairs[i * ALL + j]++;
        }
        nt_draws_free(&draws);
        for (size_t i = 0; i < ALL; i++) {
            double one = p[i] / sum;
            for (size_t j = 0; j < ALL; j++) {
                double pair = i == j ? 0 : N_DRAWS * one * (p[j] / sum) / (1 - one);
                assert_true(pair > 0 || pairs[i * ALL + j] == 0);
                if (!(pair > 5)) continue; /* too few to count */
                pairs[n_pairs] = pairs[i * ALL + j];
                odds_pairs[n_pairs++] = pair;
            }
            if (one > 0) {
                first[n_first] = first[i];
                odds_first[n_first++] = N_DRAWS * one;
            }
        }
        assert_true(n_first == 10 && n_pairs > 20);
        check_chi_square(first, odds_first, n_first);
        check_chi_square(pairs, odds_pairs, n_pairs);
    }
}

static void uniform_numbers_are_even(void **state) {
    (void)state;
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        size_t single[64] = {0}, pairs[64] = {0};
        double expected[64], before = 0;
        nt_plan plan = NT_PLAN_INIT;
        nt_draws draws;
        plan.rng = rng;
        assert_int_equal(nt_draws_begin(&draws, &plan, 1), NT_OK);
        for (uint64_t i = 0; i < 64000; i++) {
            double u = nt_draws_uniform(&draws, 0, i);
            assert_true(u >= 0 && u < 1);
            single[(size_t)(u * 64)]++;
            pairs[(size_t)(before * 8) * 8 + (size_t)(u * 8)]++;
            before = u;
        }
        for (size_t b = 0; b < 64; b++)
            expected[b] = 1000;
        check_chi_square(single, expected, 64);
        check_chi_square(pairs, expected, 64);
        nt_draws_free(&draws);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_follows_the_probabilities),
        cmocka_unit_test(several_follow_the_probabilities),
        cmocka_unit_test(uniform_numbers_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
