/* Exact search against transformers (tools/oracle/exact.py): all continuations of tables enumerated
 * there, and what its greedy and beam search find. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/exact_run.h"
#include "decode/made_row.h"

enum { WIDE = 9, DEEP = 40 };

typedef struct figures {
    int n_rows, seed, n_beams, n_eos, n_best, n_all, n_above;
    int V, length, ngram;
    double divisor, penalty, sum, greedy, beams, threshold;
    char next[64];
    int32_t eos[4], best[8];
} figures;

static bool read_case(figures *c, FILE *file) {
    if (fscanf(file, "%d %d %lf %d %d %d %lf %d %d", &c->V, &c->n_rows, &c->divisor, &c->seed,
               &c->length, &c->n_beams, &c->penalty, &c->ngram, &c->n_eos) != 9)
        return false;
    assert_true(c->n_eos <= 4 && c->V <= WIDE && c->n_rows <= DEEP);
    for (int i = 0; i < c->n_eos; i++)
        assert_int_equal(fscanf(file, "%d", &c->eos[i]), 1);
    assert_int_equal(fscanf(file, " : %d", &c->n_best), 1);
    assert_true(c->n_best <= 8);
    for (int i = 0; i < c->n_best; i++)
        assert_int_equal(fscanf(file, "%d", &c->best[i]), 1);
    assert_int_equal(fscanf(file, "%lf %63s %d %lf %lf %lf %d", &c->sum, c->next, &c->n_all,
                            &c->greedy, &c->beams, &c->threshold, &c->n_above),
                     7);
    return true;
}

static void search_for(run *r, float *rows, const figures *c, nt_plan *plan) {
    for (int i = 0; i < c->n_rows; i++) {
        float *row = rows + i * c->V;
        made_row(row, "smooth", (size_t)c->V, 1000 * (uint64_t)c->seed + (uint64_t)i);
        for (int j = 0; j < c->V; j++)
            row[j] /= (float)c->divisor;
    }
    r->model = (table_model){
        .rows = rows, .n_rows = (size_t)c->n_rows, .V = (size_t)c->V, .by_prefix = true};
    r->no_words = true;
    plan->n_beams = (size_t)c->n_beams;
    plan->repetition_penalty = c->penalty;
    plan->no_repeat_ngram_size = (size_t)c->ngram;
    plan->eos = c->eos;
    plan->n_eos = (size_t)c->n_eos;
    run_with(r, plan, NULL);
    assert_int_equal(r->status, NT_OK);
}

static bool near(double a, double b, double allowed) {
    return a == b || fabs(a - b) <= allowed;
}

static void as_transformers(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/exact_oracle.txt", "r");
    assert_non_null(file);
    size_t n_cases = 0, n_beams = 0, n_missed = 0;
    figures c = {0};
    for (float rows[DEEP * WIDE]; read_case(&c, file); n_cases++) {
        run r = {0};
        nt_plan plan = plan_of((size_t)c.length, 2);
        bool marked = strcmp(c.next, "near") == 0;
        search_for(&r, rows, &c, &plan);
        const nt_proof *proof = nt_result_proof(r.trace);
        const nt_output *best = nt_result_output(r.trace, 0);
        assert_true(proof->proved);
        assert_true(near(best->score, c.sum, 1e-9));
        assert_true(near(proof->greedy, c.greedy, 1e-9));
        if (!marked) {
            assert_int_equal(best->n_ids, c.n_best);
            assert_memory_equal(best->ids, c.best, best->n_ids * sizeof *c.best);
            assert_true(near(nt_result_output(r.trace, 1)->score, atof(c.next), 1e-9));
        }
        if (!isnan(c.beams)) {
            assert_true(near(proof->beams, c.beams, 2e-5)); /* summed in float32 there */
            n_missed += c.beams < c.sum - 1e-3;
            n_beams++;
        }
        run_free(&r);
        plan.min_probability = exp(c.threshold);
        if (plan.min_probability > 0) {
            search_for(&r, rows, &c, &plan);
            assert_true(nt_result_proof(r.trace)->proved);
            assert_int_equal(nt_result_n_outputs(r.trace), c.n_above);
            run_free(&r);
        }
    }
    assert_true(feof(file));
    fclose(file);
    assert_true(n_cases >= 100 && n_beams >= 40);
    assert_true(n_missed > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_transformers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
