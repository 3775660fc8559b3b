/* Draws against NumPy's Philox and torch's CPU generator (draws_oracle.txt, tools/oracle/draws.py),
 * and what no oracle has: the limits, and that company changes nothing. How often each id comes is
 * test_draw_odds.c. */
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
#include "decode/draw/draw.h"
#include "decode/made_row.h"
#include "decode/process/float_softmax.h"
#include "decode/process/processor.h"

/* ---- The oracle ---- */

typedef struct draw_case {
    char kind[16];
    size_t V, top_k, n_rows, n_steps, n;
    unsigned long long row_seed, sequence;
    long long seed;
    double temperature, top_p, score;
    const char *ids;
} draw_case;

/* A row of the case; for free. */
static float *row_of(const draw_case *c, size_t r) {
    static const nt_processor *const warpers[] = {&nt_temperature, &nt_top_k, &nt_top_p};
    nt_plan plan = NT_PLAN_INIT;
    nt_row row = {.logits = calloc(c->V, sizeof(float)),
                  .V = c->V,
                  .weights = calloc(c->V, sizeof(double)),
                  .scratch = calloc(2 * c->V, sizeof(uint64_t))};
    plan.sample = true;
    plan.temperature = c->temperature;
    plan.top_k = c->top_k;
    plan.top_p = c->top_p;
    made_row(row.logits, c->kind, c->V, c->row_seed + r);
    for (size_t i = 0; i < 3; i++)
        if (warpers[i]->wanted(&plan)) warpers[i]->run(&row, &plan);
    free(row.weights);
    free(row.scratch);
    return row.logits;
}

static void begin(nt_draws *draws, nt_plan *plan, nt_rng_kind rng, uint64_t seed, size_t V) {
    *plan = (nt_plan)NT_PLAN_INIT;
    plan->sample = true;
    plan->rng = rng;
    plan->seed = seed;
    assert_int_equal(nt_draws_begin(draws, plan, V), NT_OK);
}

static long next_number(const char **text) {
    char *end;
    long number = strtol(*text, &end, 10);
    assert_true(end != *text);
    *text = end;
    return number;
}

static size_t check_philox(draw_case c) {
    nt_plan plan;
    nt_draws draws;
    float *row = row_of(&c, 0);
    size_t decided = 0;
    begin(&draws, &plan, NT_RNG_PHILOX, (uint64_t)c.seed, c.V);
    for (uint64_t j = 0; j < 40; j++) {
        double u;
        long wanted = next_number(&c.ids);
        int32_t got = nt_draws_one(&draws, &u, row, c.sequence, j);
        assert_true(u == nt_random_uniform((uint64_t)c.seed, c.sequence, j));
        if (wanted < 0) continue;
        assert_int_equal(got, wanted);
        decided++;
    }
    nt_draws_free(&draws);
    free(row);
    return decided;
}

static size_t check_torch(draw_case c) {
    nt_plan plan;
    nt_draws draws;
    float *rows[8];
    size_t decided = 0;
    begin(&draws, &plan, NT_RNG_TORCH, (uint64_t)c.seed, c.V);
    for (size_t r = 0; r < c.n_rows; r++)
        rows[r] = row_of(&c, r);
    for (size_t step = 0; step < c.n_steps; step++) {
        for (size_t r = 0; r < c.n_rows; r++) {
            double u = 7;
            long wanted = next_number(&c.ids);
            if (step >= 2 && (r + step) % 3 == 2) { /* ends() of draws.py */
                nt_draws_pass(&draws, 1);
                continue;
            }
            int32_t got = nt_draws_one(&draws, &u, rows[r], r, step);
            assert_true(isnan(u));
            if (wanted < 0) continue;
            assert_int_equal(got, wanted);
            decided++;
        }
    }
    for (size_t r = 0; r < c.n_rows; r++)
        free(rows[r]);
    nt_draws_free(&draws);
    return decided;
}

static size_t check_several(draw_case c) {
    nt_plan plan;
    nt_draws draws;
    float *rows[8];
    nt_drawn out[128];
    size_t decided = 0;
    begin(&draws, &plan, NT_RNG_TORCH, (uint64_t)c.seed, c.V);
    for (size_t r = 0; r < c.n_rows; r++) {
        rows[r] = row_of(&c, r);
        for (size_t i = 0; i < c.V; i++)
            rows[r][i] += (float)((double)r * c.score);
    }
    for (size_t step = 0; step < c.n_steps; step++) {
        size_t n = 99;
        assert_int_equal(
            nt_draws_several(&draws, out, &n, (const float *const *)rows, c.n_rows, c.n, step),
            NT_OK);
        assert_int_equal(n, next_number(&c.ids));
        for (size_t i = 0; i < n; i++) {
            long wanted = next_number(&c.ids);
            assert_true(i == 0 || out[i].key <= out[i - 1].key);
            if (wanted < 0) continue;
            assert_int_equal(out[i].row * c.V + (size_t)out[i].id, wanted);
            decided++;
        }
        double u = nt_draws_uniform(&draws, 0, step);
        assert_true(u * 0x1p24 == (double)next_number(&c.ids));
    }
    for (size_t r = 0; r < c.n_rows; r++)
        free(rows[r]);
    nt_draws_free(&draws);
    return decided;
}

static size_t check_weighted(draw_case c) {
    nt_plan plan;
    nt_draws draws;
    size_t decided = 0;
    float *p = calloc(c.V, sizeof *p), *q = calloc(c.V, sizeof *q);
    strcpy(c.kind, "peaked");
    c.temperature = c.top_p = 1;
    c.top_k = 0;
    for (size_t r = 0; r < 2; r++) {
        float *row = row_of(&c, r);
        assert_true(nt_float_softmax(r ? q : p, row, c.V));
        free(row);
    }
    for (size_t i = 0; i < c.V; i++)
        p[i] = p[i] > q[i] ? p[i] - q[i] : 0;
    begin(&draws, &plan, NT_RNG_TORCH, (uint64_t)c.seed, c.V);
    for (size_t step = 0; step < c.n_steps; step++) {
        double u;
        long wanted = next_number(&c.ids);
        int32_t got = nt_draws_weighted(&draws, &u, p, 0, step);
        if (wanted < 0) continue;
        assert_int_equal(got, wanted);
        decided++;
    }
    nt_draws_free(&draws);
    free(p);
    free(q);
    return decided;
}

enum { PHILOX, TORCH, SEVERAL, WEIGHTED };

static int read_case(draw_case *c, char *line) {
    int at = 0;
    *c = (draw_case){0};
#define ROW "%15s %zu %llu %lf %zu %lf %lld"
#define ROW_OF c->kind, &c->V, &c->row_seed, &c->temperature, &c->top_k, &c->top_p, &c->seed
    if (strncmp(line, "draw", 4) == 0) { /* its seeds are below 2^64 */
        unsigned long long seed;
        assert_int_equal(sscanf(line, "draw %15s %zu %llu %lf %zu %lf %llu %llu%n", c->kind, &c->V,
                                &c->row_seed, &c->temperature, &c->top_k, &c->top_p, &seed,
                                &c->sequence, &at),
                         8);
        c->seed = (long long)seed;
        c->ids = line + at;
        return PHILOX;
    }
    if (sscanf(line, "torch " ROW " %zu %zu%n", ROW_OF, &c->n_rows, &c->n_steps, &at) == 9) {
        c->ids = line + at;
        return TORCH;
    }
    if (sscanf(line, "several " ROW " %zu %zu %zu %lf%n", ROW_OF, &c->n_rows, &c->n_steps, &c->n,
               &c->score, &at) == 11) {
        c->ids = line + at;
        return SEVERAL;
    }
    assert_int_equal(sscanf(line, "weighted %zu %llu %lld %zu%n", &c->V, &c->row_seed, &c->seed,
                            &c->n_steps, &at),
                     4);
    c->ids = line + at;
    return WEIGHTED;
}

static void as_numpy_and_torch_have_them(void **state) {
    (void)state;
    static size_t (*const check[])(draw_case) = {check_philox, check_torch, check_several,
                                                 check_weighted};
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/draws_oracle.txt", "r");
    static char line[1 << 16];
    size_t cases[4] = {0}, ids[4] = {0};
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        draw_case c;
        if (*line == '#') continue;
        int kind = read_case(&c, line);
        cases[kind]++;
        ids[kind] += check[kind](c);
    }
    fclose(file);
    print_message("ids: %zu of Philox, %zu of multinomial, %zu without replacement, %zu weighted\n",
                  ids[0], ids[1], ids[2], ids[3]);
    assert_true(cases[0] == 7 && cases[1] == 35 && cases[2] == 30 && cases[3] == 10);
    assert_true(ids[0] > 270 && ids[1] > 990 && ids[2] > 4000 && ids[3] > 210);
}

/* torch rounds the C library's log1p to float32; ours is the logarithm of what 1 - u is exactly. */
static void log1p_as_the_c_library_has_it(void **state) {
    (void)state;
    const double edges[] = {0,   0x1p-53, 0x1p-52,     0x1p-30,    0.25,
                            0.5, 0.75,    1 - 0x1p-30, 1 - 0x1p-53};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        assert_true((float)(0 - nt_log(1 - edges[i])) == (float)-log1p(-edges[i]));
    for (uint64_t i = 0; i < 400000; i++) {
        double u = nt_random_uniform(1, 2, i);
        if (i % 4 == 0) u = ldexp(u, -(int)(i / 4 % 30)); /* small ones win races */
        u = floor(u * 0x1p53) * 0x1p-53;
        assert_true((float)(0 - nt_log(1 - u)) == (float)-log1p(-u));
    }
}

/* ---- Limits ---- */

static int32_t one_of(nt_rng_kind rng, const float *row, size_t V, uint64_t index) {
    nt_plan plan;
    nt_draws draws;
    double u;
    begin(&draws, &plan, rng, 3, V);
    int32_t id = nt_draws_one(&draws, &u, row, 1, index);
    nt_draws_free(&draws);
    return id;
}

static void only_what_can_be(void **state) {
    (void)state;
    const float row[] = {-INFINITY, 0, -INFINITY, 0, -800, -INFINITY}, one[] = {-3};
    size_t seen[6] = {0};
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        for (uint64_t j = 0; j < 60; j++) {
            seen[one_of(rng, row, 6, j)]++;
            assert_int_equal(one_of(rng, one, 1, j), 0);
        }
    }
    assert_true(seen[1] > 0 && seen[3] > 0 && seen[1] + seen[3] == 120); /* e^-800 is nothing */
}

/* Rows that are no numbers: an id inside the vocabulary, nothing drawn of several, no crash; and
 * the stream goes on as if they were. */
static void broken_rows(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 0, -5};
    enum { V = 6 };
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        nt_plan plan;
        nt_draws draws, beside;
        begin(&draws, &plan, rng, 3, V);
        begin(&beside, &plan, rng, 3, V);
        for (size_t round = 0; round < 5 * 5 * 5 * 5; round++) {
            float row[V];
            const float *const rows[] = {row, row};
            nt_drawn out[5];
            size_t n = 77, live = 0;
            double u;
            for (size_t i = 0, r = round; i < V; i++, r = r / 5 + r)
                row[i] = values[r % 5];
            int32_t id = nt_draws_one(&draws, &u, row, 0, round);
            assert_true(id >= 0 && id < V);
            nt_draws_several(&draws, out, &n, rows, 2, 5, round);
            for (size_t i = 0; i < V; i++)
                live += isnan(row[i]) || row[i] == INFINITY ? 1000 : row[i] > -INFINITY;
            assert_int_equal(n, live >= 1000 ? 0 : 2 * live < 5 ? 2 * live : 5);
            id = nt_draws_weighted(&draws, &u, row, 0, round);
            assert_true(id >= -1 && id < V);
            nt_draws_pass(&beside, 4);
            assert_true(nt_draws_uniform(&draws, 0, round) == nt_draws_uniform(&beside, 0, round));
        }
        nt_draws_free(&draws);
        nt_draws_free(&beside);
    }
}

static void weights_that_leave_nothing(void **state) {
    (void)state;
    const float bad[][3] = {
        {0, 0, 0}, {1, -1, 1}, {1, NAN, 0}, {INFINITY, 0, 0}, {FLT_MAX, FLT_MAX, 0}};
    const float tiny[] = {0, 1e-45f, 0}, last[] = {0, 0, FLT_MAX};
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        nt_plan plan;
        nt_draws draws;
        begin(&draws, &plan, rng, 3, 3);
        for (uint64_t i = 0; i < 20; i++) {
            double u = 7;
            assert_int_equal(nt_draws_weighted(&draws, &u, bad[i % 5], 0, i), -1);
            assert_true(isnan(u));
            assert_int_equal(nt_draws_weighted(&draws, &u, tiny, 0, i), 1);
            assert_int_equal(nt_draws_weighted(&draws, &u, last, 0, i), 2);
            assert_true(rng == NT_RNG_TORCH ? isnan(u) : u >= 0 && u < 1);
        }
        nt_draws_free(&draws);
    }
}

/* All entries come once, those that cannot be never; fewer wanted are the first of more. */
static void without_replacement(void **state) {
    (void)state;
    enum { V = 70, R = 3 };
    static float rows[R][V];
    static const char *const kinds[] = {"holes", "flat", "holes"};
    const float *const list[] = {rows[0], rows[1], rows[2]};
    for (size_t r = 0; r < R; r++)
        made_row(rows[r], kinds[r], V, r);
    for (size_t i = 0; i < V; i++)
        rows[2][i] -= 1e9f; /* no probability is left */
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        nt_drawn all[R * V], some[R * V];
        size_t n_all = 0, n;
        for (size_t k = R * V; k > 0; k -= k > 20 ? 19 : 1) {
            nt_plan plan;
            nt_draws draws;
            bool seen[R][V] = {{false}};
            begin(&draws, &plan, rng, 3, V);
            assert_int_equal(nt_draws_several(&draws, some, &n, list, R, k, 5), NT_OK);
            nt_draws_free(&draws);
            if (k == R * V) {
                memcpy(all, some, sizeof all);
                n_all = n;
            }
            assert_true(n == (k < n_all ? k : n_all) && n_all < 2 * V);
            for (size_t i = 0; i < n; i++) {
                assert_true(some[i].row == all[i].row && some[i].id == all[i].id);
                assert_true(some[i].row < 2 && rows[some[i].row][some[i].id] > -INFINITY);
                assert_false(seen[some[i].row][some[i].id]);
                seen[some[i].row][some[i].id] = true;
            }
        }
        assert_true(n_all > V);
    }
}

/* Of any number of ids, in parts of four or not, each may be drawn. */
static void the_last_id_has_its_turn(void **state) {
    (void)state;
    for (size_t V = 1; V < 10; V++) {
        for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
            float row[10];
            const float *const rows[] = {row};
            nt_plan plan;
            nt_draws draws;
            nt_drawn drawn;
            size_t n;
            for (size_t i = 0; i < V; i++)
                row[i] = i == V - 1 ? 0 : -60;
            begin(&draws, &plan, rng, 3, V);
            assert_int_equal(nt_draws_several(&draws, &drawn, &n, rows, 1, 1, V), NT_OK);
            assert_true(n == 1 && drawn.id == (int32_t)V - 1);
            assert_int_equal(one_of(rng, row, V, 0), V - 1);
            nt_draws_free(&draws);
        }
    }
}

/* Philox: an entry's number is its own, whatever stands in other rows; so are all kinds of draws.
 */
static void no_number_serves_twice(void **state) {
    (void)state;
    enum { V = 40 };
    float rows[2][V], none[V];
    const float *const two[] = {rows[0], rows[1]}, *const alone[] = {rows[0], none};
    nt_plan plan;
    nt_draws draws;
    nt_drawn a[V], b[2 * V];
    size_t n_a, n_b, at = 0;
    made_row(rows[0], "flat", V, 1);
    made_row(rows[1], "flat", V, 2);
    for (size_t i = 0; i < V; i++)
        none[i] = -INFINITY;
    begin(&draws, &plan, NT_RNG_PHILOX, 9, V);
    for (uint64_t index = 0; index < 30; index++) {
        nt_draws_several(&draws, a, &n_a, alone, 2, V, index);
        nt_draws_several(&draws, b, &n_b, two, 2, 2 * V, index);
        at = 0; /* the first row's, in the same order */
        for (size_t i = 0; i < n_b; i++)
            if (b[i].row == 0) assert_int_equal(b[i].id, a[at++].id);
        assert_true(at == V && n_a == V && n_b == 2 * V);
        double u, w, weights_u = nt_draws_uniform(&draws, 4, index);
        uint64_t block[4]; /* NumPy's, by test_random.c */
        nt_philox(block, (const uint64_t[]){9, 0}, (const uint64_t[]){index, 4, 0, 1});
        assert_true(weights_u == (double)(block[0] >> 11) * 0x1p-53);
        float weights[V] = {1};
        nt_draws_one(&draws, &u, rows[0], 4, index);
        nt_draws_weighted(&draws, &w, weights, 4, index);
        assert_true(u != w && u != weights_u && w != weights_u);
        assert_true(weights_u == nt_draws_uniform(&draws, 4, index));
        nt_draws_pass(&draws, 3); /* nothing to pass */
        assert_true(weights_u == nt_draws_uniform(&draws, 4, index));
    }
    nt_draws_free(&draws);
}

/* What is passed over is what would have been drawn. */
static void passing_is_drawing(void **state) {
    (void)state;
    enum { V = 333 };
    float row[V];
    nt_plan plan;
    nt_draws a, b;
    made_row(row, "peaked", V, 1);
    begin(&a, &plan, NT_RNG_TORCH, 9, V);
    begin(&b, &plan, NT_RNG_TORCH, 9, V);
    for (size_t n = 0; n < 9; n++) {
        double u;
        for (size_t i = 0; i < n; i++)
            nt_draws_one(&a, &u, row, i, 0);
        nt_draws_pass(&b, n);
        assert_true(nt_draws_uniform(&a, 0, 0) == nt_draws_uniform(&b, 8, 8)); /* an odd number */
    }
    nt_draws_free(&a);
    nt_draws_free(&b);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (nt_rng_kind rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        size_t k = 0;
        for (int status = NT_E_MEMORY; status != NT_OK;) {
            nt_plan plan = NT_PLAN_INIT;
            nt_draws draws;
            plan.rng = rng;
            nt_memory_fail_at(++k);
            status = nt_draws_begin(&draws, &plan, 100);
            nt_memory_fail_at(0);
            nt_draws_free(&draws);
            assert_true(status == NT_OK || status == NT_E_MEMORY);
        }
        assert_true(k > 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_numpy_and_torch_have_them),
        cmocka_unit_test(log1p_as_the_c_library_has_it),
        cmocka_unit_test(only_what_can_be),
        cmocka_unit_test(broken_rows),
        cmocka_unit_test(weights_that_leave_nothing),
        cmocka_unit_test(without_replacement),
        cmocka_unit_test(the_last_id_has_its_turn),
        cmocka_unit_test(no_number_serves_twice),
        cmocka_unit_test(passing_is_drawing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
