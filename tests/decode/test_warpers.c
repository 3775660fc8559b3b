/* The warpers against transformers' own, alone and in its order (warpers_oracle.txt,
 * tools/oracle/warpers.py), and by hand what no oracle decides: ties, and rows at the limits. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/made_row.h"
#include "decode/process/float_softmax.h"
#include "decode/process/order.h"
#include "decode/process/processor.h"

static const nt_processor *const warpers[] = {
    &nt_temperature, &nt_top_h,     &nt_top_k,          &nt_top_p,
    &nt_min_p,       &nt_typical_p, &nt_epsilon_cutoff, &nt_eta_cutoff,
};
enum { N_WARPERS = sizeof warpers / sizeof *warpers };

static nt_plan sampling(void) {
    nt_plan plan = NT_PLAN_INIT;
    plan.sample = true;
    return plan;
}

/* Runs the warpers that the plan wants over logits [V]. */
static void warp(float *logits, size_t V, const nt_plan *plan) {
    nt_row row = {.logits = logits,
                  .V = V,
                  .weights = calloc(V, sizeof(double)),
                  .scratch = calloc(2 * V, sizeof(uint64_t))};
    for (size_t i = 0; i < N_WARPERS; i++)
        if (warpers[i]->wanted(plan)) assert_int_equal(warpers[i]->run(&row, plan), NT_OK);
    free(row.weights);
    free(row.scratch);
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
        float x = row[i] + 0.0f; /* one zero */
        memcpy(&bits, &x, sizeof bits);
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
    unsigned long long seed, sum;
    nt_plan plan;
} oracle_case;

static bool read_case(oracle_case *c, const char *line) {
    nt_plan *p = &c->plan;
    *p = sampling();
    return sscanf(line, "%15s %zu %llu %zu %lf %lf %zu %lf %lf %lf %lf %lf %15s %zu %zu %zu %llx",
                  c->kind, &c->V, &c->seed, &p->keep, &p->temperature, &p->top_h, &p->top_k,
                  &p->top_p, &p->min_p, &p->typical_p, &p->epsilon_cutoff, &p->eta_cutoff, c->mark,
                  &c->least, &c->kept, &c->most, &c->sum) == 17;
}

/* Whether the row is transformers' own. */
static bool check_case(const oracle_case *c) {
    float *row = calloc(c->V, sizeof *row);
    made_row(row, c->kind, c->V, c->seed);
    warp(row, c->V, &c->plan);
    size_t kept = kept_of(row, c->V);
    if (kept < c->least || kept > c->most)
        fail_msg("%zu kept, %zu to %zu", kept, c->least, c->most);
    if (strcmp(c->mark, "exact") != 0) qsort(row, c->V, sizeof *row, by_size);
    bool same = kept == c->kept && checksum(row, c->V) == c->sum;
    free(row);
    return same;
}

static void as_transformers_has_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/warpers_oracle.txt", "r");
    char line[1024];
    size_t exact = 0, ties = 0, near = 0, near_same = 0, failed = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        oracle_case c;
        if (*line == '#') continue;
        assert_true(read_case(&c, line));
        bool same = check_case(&c);
        if (strcmp(c.mark, "near") == 0) {
            near++;
            near_same += same;
            continue;
        }
        if (!same) print_message("not transformers': %s", line);
        failed += !same;
        exact += strcmp(c.mark, "exact") == 0;
        ties += strcmp(c.mark, "tie") == 0;
    }
    fclose(file);
    print_message("%zu rows and %zu with ties as transformers has them; %zu of %zu where float32 "
                  "decides\n",
                  exact, ties, near_same, near);
    assert_int_equal(failed, 0);
    assert_true(exact > 1100 && ties > 80 && near < 160 && near_same * 10 > near * 9);
}

/* By the definition: logits far above what float32 can divide. The limit is the likeliest alone. */
static void temperatures_near_zero(void **state) {
    (void)state;
    const double temperatures[] = {DBL_TRUE_MIN, 1e-300, 1e-45, 1e-40, 2e-39};
    nt_plan plan = sampling();
    for (size_t t = 0; t < 5; t++) {
        float row[] = {-80, -INFINITY, 3, 2.5f, 3}, low[] = {-2000, -1999, -2001};
        float zeros[] = {0, 0, -INFINITY}, largest[] = {FLT_MAX, -FLT_MAX};
        plan.temperature = temperatures[t];
        warp(row, 5, &plan);
        warp(low, 3, &plan);
        warp(zeros, 3, &plan);
        warp(largest, 2, &plan);
        assert_true(row[0] == -INFINITY && row[1] == -INFINITY && row[2] == 0 && row[4] == 0);
        assert_true(row[3] < -1e37f);
        assert_true(low[1] == 0 && low[0] < -1e37f && low[2] < -1e37f);
        assert_true(zeros[0] == 0 && zeros[1] == 0 && zeros[2] == -INFINITY);
        assert_true(largest[0] == 0 && largest[1] == -INFINITY);
    }
    float last[] = {0.001f, 0, -80}; /* the largest does not overflow: divided as there */
    plan.temperature = 1e-37;
    warp(last, 3, &plan);
    assert_true(last[0] == 0.001f / 1e-37f && last[1] == 0 && last[2] == -INFINITY);
    float row[] = {-80, -INFINITY, 3}; /* and the largest: all the same */
    plan.temperature = FLT_MAX;
    warp(row, 3, &plan);
    assert_true(fabsf(row[0]) < 1e-36f && row[1] == -INFINITY && row[2] < 1e-36f);
}

/* Which ids stay, as a word of x and dots. */
static void check_stay(const char *wanted, const float *logits, const nt_plan *plan) {
    float row[32];
    char got[33] = {0};
    size_t V = strlen(wanted);
    memcpy(row, logits, V * sizeof *row);
    warp(row, V, plan);
    for (size_t i = 0; i < V; i++) {
        assert_true(row[i] == -INFINITY || row[i] == logits[i]);
        got[i] = row[i] > -INFINITY ? 'x' : '.';
    }
    assert_string_equal(got, wanted);
}

/* The lower ids stay where a number of them is meant; all where a value is. */
static void which_of_equals_stay(void **state) {
    (void)state;
    const float a[] = {1, 2, 2, 2, 0, 2}, b[] = {2, 1, 2, 2}, c[] = {0, 0, 0, 0}, d[] = {5, 7, 7};
    nt_plan plan = sampling();
    plan.top_k = 2;
    check_stay(".xxx.x", a, &plan); /* four stand at the second place */
    plan = sampling();
    plan.top_p = 0.6;
    check_stay("x.x", (float[]){2, 1, 2}, &plan);
    check_stay("x.xx", b, &plan); /* the one has 0.109, each two 0.297 */
    plan.top_p = 0.59;
    check_stay("x.x.", b, &plan);
    plan.top_p = 0.5;
    check_stay("xx..", c, &plan);
    plan.top_p = 0;
    check_stay(".x.", d, &plan);
    plan.keep = 2;
    check_stay(".xx", d, &plan);
    check_stay("xx..", c, &plan);
    plan = sampling();
    plan.min_p = 1;
    check_stay(".xxx.x", a, &plan);
    plan.keep = 5;
    check_stay("xxxx.x", a, &plan);
    check_stay(
        "xx.x", (float[]){1, 2, 0, 0.5f},
        &(nt_plan){
            .sample = true, .temperature = 1, .top_p = 1, .typical_p = 1, .min_p = 1, .keep = 3});
    plan = sampling();
    plan.epsilon_cutoff = 0.9;
    plan.keep = 2;
    check_stay(".xxx.x", a, &plan); /* the second largest and all that equal it */
    plan = sampling();
    plan.top_h = 0.5;
    check_stay("xx..", c, &plan);
    check_stay("x..", (float[]){0, 0, 0}, &plan); /* one has a third, two have two thirds */
}

/* Three of 1/4, two of 1/8: the entropy is 1.5 + 0.75 bits = 1.5596 nats; the quarters lie 0.1733
 * from it, the eighths 0.5199. */
static void typical_ones_stay(void **state) {
    (void)state;
    const float quarter = logf(0.25f), eighth = logf(0.125f);
    const float row[] = {eighth, quarter, quarter, eighth, quarter, -INFINITY};
    nt_plan plan = sampling();
    plan.typical_p = 0.7;
    check_stay(".xx.x.", row, &plan);
    plan.typical_p = 0.01; /* equals stay together */
    check_stay(".xx.x.", row, &plan);
    plan.typical_p = 0.8;
    check_stay("xxxxx.", row, &plan);
    plan.typical_p = 0.01;
    plan.keep = 4;
    check_stay("xxx.x.", row, &plan);
    plan.keep = 6;
    check_stay("xxxxx.", row, &plan);
    plan.keep = 4; /* nearer ones before and behind the first of the equals */
    check_stay("xxx.x", (float[]){quarter, eighth, quarter, eighth, quarter}, &plan);
    /* sixteen of 0.05 and one of 0.2: 2.719 nats, from which they lie 0.277 and 1.109. The
     * likeliest goes. */
    float untypical[17];
    for (size_t i = 0; i < 17; i++)
        untypical[i] = logf(i == 3 ? 0.2f : 0.05f);
    plan = sampling();
    plan.typical_p = 0.75;
    check_stay("xxx.xxxxxxxxxxxxx", untypical, &plan);
    plan.typical_p = 0.85;
    check_stay("xxxxxxxxxxxxxxxxx", untypical, &plan);
}

/* Probabilities that are exactly 1/2, 1/4 and twice 1/8, 1.213 nats, from which they lie 0.520,
 * 0.173 and 0.866: limits that are met and not passed, as transformers 5.23 has them. */
static void limits_that_are_met(void **state) {
    (void)state;
    const float two = logf(2), row[] = {2 * two, two, 0, 0};
    nt_plan plan = sampling();
    plan.epsilon_cutoff = 0.25;
    check_stay("xx..", row, &plan);
    plan.epsilon_cutoff = 0.125;
    check_stay("xxxx", row, &plan);
    plan = sampling();
    plan.min_p = 0.5;
    check_stay("xx..", row, &plan);
    plan = sampling();
    plan.typical_p = 0.25;
    check_stay(".x..", row, &plan);
    plan.typical_p = 0.75;
    check_stay("xx..", row, &plan);
    plan = sampling();
    plan.top_p = 0.75;
    check_stay("xx..", row, &plan);
    plan.top_p = 0.5;
    check_stay("x...", row, &plan);
}

static nt_plan one_of(size_t warper, size_t keep) {
    nt_plan plan = sampling();
    plan.keep = keep;
    switch (warper) {
    case 0: plan.temperature = 0.5; break;
    case 1: plan.top_h = 0.3; break;
    case 2: plan.top_k = 1; break;
    case 3: plan.top_p = 0.1; break;
    case 4: plan.min_p = 0.9; break;
    case 5: plan.typical_p = 0.1; break;
    case 6: plan.epsilon_cutoff = 0.99; break;
    default: plan.eta_cutoff = 0.99;
    }
    return plan;
}

static void rows_at_the_limits(void **state) {
    (void)state;
    for (size_t w = 1; w < N_WARPERS; w++) {
        for (size_t keep = 1; keep < 7; keep++) {
            nt_plan plan = one_of(w, keep);
            const float one[] = {-3}, live[] = {-INFINITY, 4, -INFINITY}, far[] = {0, -1e9f, -1e9f};
            check_stay("x", one, &plan); /* a vocabulary of one word */
            check_stay(".x.", live, &plan);
            if (w > 1 && keep > 2) check_stay("xxx", far, &plan); /* more than there are */
            if (keep == 1) check_stay("x..", far, &plan);
            float none[] = {-INFINITY, -INFINITY};
            warp(none, 2, &plan); /* nothing to choose from: left as it is */
            assert_true(none[0] == -INFINITY && none[1] == -INFINITY);
        }
    }
}

/* Rows that are no numbers: any answer, and no crash. */
static void broken_rows(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 0, -5};
    enum { V = 6 };
    for (size_t round = 0; round < 5 * 5 * 5 * 5; round++) {
        for (size_t w = 0; w < N_WARPERS; w++) {
            float row[V];
            for (size_t i = 0, r = round; i < V; i++, r = r / 5 + r)
                row[i] = values[r % 5];
            nt_plan plan = one_of(w, 1 + round % 8);
            warp(row, V, &plan);
        }
    }
}

static void only_what_is_wanted_runs(void **state) {
    (void)state;
    nt_plan off = sampling();
    for (size_t w = 0; w < N_WARPERS; w++) {
        nt_plan plan = one_of(w, 1);
        for (size_t other = 0; other < N_WARPERS; other++) {
            assert_true(warpers[other]->wanted(&plan) == (other == w));
            assert_false(warpers[other]->wanted(&off));
        }
        plan.sample = false; /* greedy decoding has no warpers */
        assert_false(warpers[w]->wanted(&plan));
    }
}

/* By sorting: the k-th largest for every k, whichever way it is found. */
static void the_kth_largest(void **state) {
    (void)state;
    enum { V = 1500 };
    static float logits[V], sorted[V];
    static uint64_t scratch[2 * V];
    const char *const kinds[] = {"smooth", "ties", "holes", "peaked", "flat"};
    for (size_t kind = 0; kind < 5; kind++) {
        made_row(logits, kinds[kind], V, 3);
        logits[7] = -0.0f;
        logits[9] = 0;
        logits[11] = -FLT_MIN / 4;
        memcpy(sorted, logits, sizeof sorted);
        qsort(sorted, V, sizeof *sorted, by_size);
        nt_row row = {.logits = logits, .V = V, .scratch = scratch};
        for (size_t k = 1; k <= V; k += k < 300 ? 1 : 97)
            assert_true(nt_kth_largest(&row, k) == sorted[V - k]);
        assert_true(nt_kth_largest(&row, V) == sorted[0]);
    }
}

static void probabilities_in_float32(void **state) {
    (void)state;
    enum { V = 1000 };
    static float row[V], p[V];
    made_row(row, "holes", V, 4);
    assert_true(nt_float_softmax(p, row, V));
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum += exp(row[i] - nt_peak(row, V));
    for (size_t i = 0; i < V; i++)
        assert_true(fabs(p[i] - exp(row[i] - nt_peak(row, V)) / sum) <= 1e-5 * p[i] + 1e-45);
    row[700] = NAN;
    assert_true(isnan(nt_peak(row, V)) && !nt_float_softmax(p, row, V));
    row[700] = INFINITY;
    assert_true(isnan(nt_peak(row, V)) && !nt_float_softmax(p, row, V));
    row[700] = -NAN;
    assert_true(isnan(nt_peak(row, V)) && !nt_float_softmax(p, row, V));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_transformers_has_them), cmocka_unit_test(temperatures_near_zero),
        cmocka_unit_test(which_of_equals_stay),     cmocka_unit_test(typical_ones_stay),
        cmocka_unit_test(rows_at_the_limits),       cmocka_unit_test(broken_rows),
        cmocka_unit_test(only_what_is_wanted_runs), cmocka_unit_test(the_kth_largest),
        cmocka_unit_test(probabilities_in_float32), cmocka_unit_test(limits_that_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
