/* The trace: candidates, ranks and probabilities against plain formulas, and the accessors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "trace/candidates.h"
#include "trace/trace.h"

static const char *word(const void *self, int32_t id, size_t *n) {
    static const char *const words[] = {"zero", "one\0x", " two", "\xC3"};
    static const size_t lengths[] = {4, 5, 4, 1};
    (void)self;
    *n = 0;
    if (id < 0 || id > 3) return NULL;
    *n = lengths[id];
    return words[id];
}

static const nt_vocab words = {.bytes = word};

static uint64_t seed = 88172645463325252u;
static uint64_t draw(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* What a candidate must be, from the definitions, in long double. */
typedef struct expected {
    int32_t id;
    float logit, key;
    long double prob, processed;
} expected;

static int by_order(const void *a, const void *b) {
    const expected *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static void probabilities(long double *prob, const float *x, size_t V) {
    long double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < V; i++)
        max = x[i] > max ? x[i] : max;
    for (size_t i = 0; i < V; i++)
        sum += expl(x[i] - max);
    for (size_t i = 0; i < V; i++)
        prob[i] = expl(x[i] - max) / sum;
}

static int32_t rank_by_definition(const float *x, size_t V, int32_t id) {
    int32_t rank = 1;
    for (size_t i = 0; i < V; i++)
        rank += x[i] > x[id] || (x[i] == x[id] && (int32_t)i < id);
    return rank;
}

static void near(double got, long double wanted, double tolerance) {
    if (!(fabsl(got - wanted) <= tolerance * (1 + fabsl(wanted))))
        fail_msg("got %.17g, wanted %.17Lg", got, wanted);
}

/* A step of two stages, or of one where processed is NULL. */
static int add(nt_result *trace, const float *raw, const float *processed, size_t V, size_t k,
               int32_t chosen) {
    nt_stage stages[] = {{NULL, raw}, {"temperature", processed}};
    nt_sight sight = {.stages = stages, .n_stages = processed ? 2 : 1, .V = V, .k = k};
    return nt_trace_add_step(trace, &sight, chosen);
}

static void check_candidate(const nt_candidate *c, const expected *e, const float *raw, size_t V) {
    assert_int_equal(c->token.id, e->id);
    assert_true(c->logit == e->logit);
    near(c->prob, e->prob, 1e-14);
    near(c->processed_prob, e->processed, 1e-14);
    if (e->prob > 0)
        near(c->logprob, logl(e->prob), 1e-13);
    else
        assert_true(c->logprob < -11000 || c->logprob == -INFINITY);
    if (V < 1000) assert_int_equal(c->rank, rank_by_definition(raw, V, e->id));
}

static void check_step(const float *raw, const float *processed, size_t V, size_t k,
                       int32_t chosen) {
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_STEPS, &words), NT_OK);
    assert_int_equal(add(trace, raw, processed, V, k, chosen), NT_OK);
    const float *keys = processed ? processed : raw;
    long double *prob = calloc(2 * V, sizeof *prob);
    expected *all = calloc(V, sizeof *all);
    probabilities(prob, raw, V);
    probabilities(prob + V, keys, V);
    long double entropy = 0;
    size_t kept = 0;
    for (size_t i = 0; i < V; i++) {
        all[i] = (expected){(int32_t)i, raw[i], keys[i], prob[i], prob[V + i]};
        if (prob[i] > 0) entropy -= prob[i] * logl(prob[i]);
        kept += keys[i] != -INFINITY;
    }
    const nt_step *step = nt_result_step(trace, 0);
    if (chosen >= 0)
        check_candidate(&step->chosen, &all[chosen], raw, V);
    else
        assert_int_equal(step->chosen.token.id, -1);
    qsort(all, V, sizeof *all, by_order);
    assert_int_equal(nt_result_n_candidates(trace, 0), k < V ? k : V);
    for (size_t i = 0; i < k && i < V; i++)
        check_candidate(nt_result_candidate(trace, 0, i), &all[i], raw, V);
    assert_null(nt_result_candidate(trace, 0, k < V ? k : V));
    near(step->entropy, entropy, 1e-13);
    assert_int_equal(step->kept, kept);
    free(all);
    free(prob);
    nt_result_free(trace);
}

static void candidates_follow_the_definitions(void **state) {
    (void)state;
    for (size_t round = 0; round < 600; round++) {
        size_t V = 1 + draw() % 60, k = draw() % (V + 3);
        float raw[60], processed[60];
        for (size_t i = 0; i < V; i++) {
            raw[i] = (float)(draw() % 7) - 3; /* few values: ties everywhere */
            if (round % 3 == 0) raw[i] = (float)(draw() % 100000) * 1e-3f - 50;
            if (draw() % 6 == 0) raw[i] = -INFINITY;
            processed[i] = draw() % 3 ? raw[i] * 0.5f : -INFINITY;
        }
        raw[0] = 1;
        processed[0] = -0.25f;
        check_step(raw, round % 2 ? processed : NULL, V, k, (int32_t)(draw() % V));
    }
}

/* Ranks are 1 + the number of ids that stand before, whatever the scratch held. */
static void ranks_of_picks(void **state) {
    (void)state;
    enum { W = 40 };
    for (size_t round = 0; round < 100; round++) {
        float raw[W], keys[W];
        for (size_t i = 0; i < W; i++) {
            raw[i] = (float)(draw() % 9);
            keys[i] = draw() % 2 ? raw[i] : (float)(draw() % 5);
        }
        for (size_t k = 0; k <= W; k++) {
            nt_pick picks[W];
            int32_t ranks[W], scratch[2 * W];
            for (size_t i = 0; i < 2 * W; i++)
                scratch[i] = (int32_t)(draw() % W);
            nt_pick_best(picks, k, keys, raw, W);
            nt_rank_picks(ranks, picks, k, raw, W, scratch);
            for (size_t i = 0; i < k; i++) {
                int32_t rank = 1;
                for (size_t v = 0; v < W; v++) {
                    rank += raw[v] > raw[picks[i].id] ||
                            (raw[v] == raw[picks[i].id] && (int32_t)v < picks[i].id);
                }
                assert_int_equal(ranks[i], rank);
            }
        }
    }
}

static void one_word_vocabulary(void **state) {
    (void)state;
    float row[] = {-1234.5f};
    check_step(row, NULL, 1, 10, 0);
    check_step(row, row, 1, 1, -1);
}

static void probabilities_that_underflow_keep_their_order(void **state) {
    (void)state;
    float row[] = {-3000, 0, -INFINITY, -2000, -12000};
    check_step(row, NULL, 5, 5, 3);
}

static void the_whole_of_a_large_vocabulary(void **state) {
    (void)state;
    enum { V = 50257 };
    float *row = malloc(V * sizeof *row);
    for (size_t i = 0; i < V; i++)
        row[i] = (float)(draw() % 4000) * 0.005f; /* many ties */
    check_step(row, NULL, V, V, 50256);
    check_step(row, NULL, V, 10, 0);
    for (size_t i = 0; i < V; i++)
        row[i] = (float)i * 1e-4f; /* rising: every id enters the heap */
    check_step(row, NULL, V, 1000, 17);
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_NEXT, NULL), NT_OK);
    float *processed = malloc(V * sizeof *processed);
    for (size_t i = 0; i < V; i++)
        processed[i] = -row[i];
    assert_int_equal(add(trace, row, processed, V, V, -1), NT_OK);
    for (size_t i = 0; i < V; i++) {
        const nt_candidate *c = nt_result_candidate(trace, 0, i);
        assert_int_equal(c->token.id, i);
        assert_int_equal(c->rank, V - i);
    }
    nt_result_free(trace);
    free(processed);
    free(row);
}

static void rows_that_are_no_numbers(void **state) {
    (void)state;
    float nan_row[] = {1, NAN, 2}, all_out[] = {-INFINITY, -INFINITY, -INFINITY};
    float infinite[] = {0, 1, INFINITY}, good[] = {0, 1, 2};
    const float *bad[] = {nan_row, all_out, infinite};
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_NEXT, NULL), NT_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(add(trace, bad[i], NULL, 3, 2, -1), NT_E_NUMERIC);
        assert_int_equal(add(trace, good, bad[i], 3, 2, -1), NT_E_NUMERIC);
        assert_non_null(strstr(nt_error_message(), "processed logits"));
    }
    assert_int_equal(add(trace, good, NULL, 3, 2, 3), NT_E_RANGE);
    assert_int_equal(nt_result_n_steps(trace), 0);
    nt_result_free(trace);
}

static void argmax_takes_the_lowest_of_equals(void **state) {
    (void)state;
    float row[] = {-INFINITY, 2, 5, 5, -1, 5}, out[] = {-INFINITY, -INFINITY};
    assert_int_equal(nt_argmax(row, 6), 2);
    assert_int_equal(nt_argmax(out, 2), 0);
    for (size_t round = 0; round < 2000; round++) {
        float many[300];
        size_t V = 1 + draw() % 300, best = 0;
        for (size_t i = 0; i < V; i++)
            many[i] = (float)(draw() % (1 + round % 50));
        for (size_t i = 0; i < V; i++)
            best = many[i] > many[best] ? i : best;
        assert_int_equal(nt_argmax(many, V), best);
    }
    assert_int_equal(nt_rank_of(row, 6, 2), 1);
    assert_int_equal(nt_rank_of(row, 6, 5), 3);
    assert_int_equal(nt_rank_of(row, 6, 0), 6);
}

static int write_everything(nt_result **out) {
    int32_t ids[] = {1, 3, 7};
    size_t starts[] = {0, 4, 5}, ends[] = {4, 5, 9}, shape[] = {2, 3};
    float row[] = {3, 1, 2, 0}, processed[] = {1, -INFINITY, 2, 5};
    nt_output output = {.ids = ids, .n_ids = 2, .text = "hi", .n_text = 2, .finish_reason = "stop"};
    NT_TRY(nt_trace_new(out, NT_RESULT_SCORE, &words));
    nt_result *trace = *out;
    NT_TRY(nt_trace_head(trace, "m", NULL, "ref"));
    NT_TRY(nt_trace_set_tokens(trace, ids, starts, ends, 3));
    NT_TRY(nt_trace_set_text(trace, "a\0b", 3));
    for (size_t i = 0; i < 20; i++) {
        NT_TRY(add(trace, row, processed, 4, 3, 0));
        NT_TRY(nt_trace_fact_number(trace, "n", (double)i));
    }
    NT_TRY(nt_trace_add_output(trace, &output));
    float *data;
    NT_TRY(nt_trace_add_tensor(&data, trace, "t", 2, shape));
    data[5] = 4;
    NT_TRY(nt_trace_fact_text(trace, "architecture", "gpt2"));
    return nt_trace_fact_bool(trace, "tied", true);
}

static void accessors_read_what_was_written(void **state) {
    (void)state;
    nt_result *trace;
    size_t n;
    assert_int_equal(write_everything(&trace), NT_OK);
    assert_string_equal(trace->model, "m");
    assert_string_equal(trace->precision, "");
    assert_int_equal(nt_result_get_kind(trace), NT_RESULT_SCORE);
    assert_int_equal(nt_result_n_tokens(trace), 3);
    assert_int_equal(nt_result_token(trace, 0)->n_bytes, 5);
    assert_memory_equal(nt_result_token(trace, 0)->bytes, "one\0x", 6);
    assert_int_equal(nt_result_token(trace, 1)->end, 5);
    assert_string_equal(nt_result_token(trace, 2)->bytes, "");
    assert_null(nt_result_token(trace, 3));
    assert_memory_equal(nt_result_text(trace, &n), "a\0b", 4);
    assert_int_equal(n, 3);
    assert_int_equal(nt_result_n_steps(trace), 20);
    assert_int_equal(nt_result_step(trace, 19)->index, 19);
    assert_int_equal(nt_result_step(trace, 19)->kept, 3);
    assert_null(nt_result_step(trace, 20));
    assert_int_equal(nt_result_candidate(trace, 4, 0)->token.id, 3);
    assert_int_equal(nt_result_candidate(trace, 4, 0)->rank, 4);
    assert_int_equal(nt_result_n_candidates(trace, 20), 0);
    assert_null(nt_result_candidate(trace, 20, 0));
    assert_int_equal(nt_result_output(trace, 0)->ids[1], 3);
    assert_string_equal(nt_result_output(trace, 0)->text, "hi");
    assert_null(nt_result_output(trace, 1));
    assert_null(nt_result_scored(trace, 0));
    assert_true(isnan(nt_result_totals(trace)->loss));
    const nt_tensor_view *view = nt_result_tensor(trace, "t");
    assert_int_equal(view->shape[1], 3);
    assert_true(view->data[5] == 4 && view->data[0] == 0);
    assert_null(nt_result_tensor(trace, "u"));
    assert_int_equal(trace->n_facts, 22);
    assert_true(trace->facts[21].is_bool && trace->facts[21].number == 1);
    nt_result_free(trace);
}

static void nothing_is_safe_to_read(void **state) {
    (void)state;
    size_t n = 9;
    nt_result_free(NULL);
    assert_int_equal(nt_result_n_tokens(NULL) + nt_result_n_steps(NULL), 0);
    assert_int_equal(nt_result_n_outputs(NULL) + nt_result_n_candidates(NULL, 0), 0);
    assert_null(nt_result_token(NULL, 0));
    assert_null(nt_result_step(NULL, 0));
    assert_null(nt_result_candidate(NULL, 0, 0));
    assert_null(nt_result_output(NULL, 0));
    assert_null(nt_result_scored(NULL, 0));
    assert_null(nt_result_totals(NULL));
    assert_null(nt_result_tensor(NULL, "x"));
    uint64_t drawn = 9;
    assert_null(nt_result_method(NULL, &drawn));
    assert_true(drawn == 0);
    assert_int_equal(nt_result_n_units(NULL, NT_BY_WORD) + nt_result_n_continuations(NULL), 0);
    assert_null(nt_result_unit(NULL, NT_BY_WORD, 0));
    assert_null(nt_result_continuation(NULL, 0));
    assert_string_equal(nt_result_text(NULL, &n), "");
    assert_int_equal(n, 0);
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_INFO, NULL), NT_OK);
    assert_null(nt_result_tensor(trace, NULL));
    assert_null(nt_result_totals(trace));
    assert_string_equal(nt_result_text(trace, NULL), "");
    nt_result_free(trace);
}

/* Each of the four kinds answers for its own parts, and for no other's. */
static void parts_belong_to_their_kind(void **state) {
    (void)state;
    nt_unit units[3] = {{.bytes = "Alice", .n_bytes = 5}, {.start = 6}, {.start = 9}};
    nt_continuation endings[2] = {{.text = " Yes", .place = 2}, {.text = " No", .place = 1}};
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_PERPLEXITY; kind++) {
        bool score = kind == NT_RESULT_SCORE, compared = kind == NT_RESULT_CONTINUATIONS;
        bool decoded = kind == NT_RESULT_GENERATE || kind == NT_RESULT_STEPS;
        nt_result *trace;
        uint64_t drawn = 9;
        assert_int_equal(nt_trace_new(&trace, (nt_result_kind)kind, NULL), NT_OK);
        trace->words = units;
        trace->n_words = 2;
        trace->chars = units + 1;
        trace->n_chars = 2;
        trace->continuations = endings;
        trace->n_continuations = 2;
        trace->method = "sample";
        trace->seeded = true;
        trace->seed = UINT64_MAX;

        assert_int_equal(nt_result_n_units(trace, NT_BY_WORD), score ? 2 : 0);
        assert_int_equal(nt_result_n_units(trace, NT_BY_CHAR), score ? 2 : 0);
        assert_int_equal(nt_result_n_units(trace, NT_BY_TOKEN), 0);
        assert_int_equal(nt_result_n_units(trace, NT_BY_TEXT), 0);
        assert_int_equal(nt_result_n_units(trace, (nt_by)(NT_BY_WORD | NT_BY_CHAR)), 0);
        assert_ptr_equal(nt_result_unit(trace, NT_BY_WORD, 1), score ? &units[1] : NULL);
        assert_ptr_equal(nt_result_unit(trace, NT_BY_CHAR, 1), score ? &units[2] : NULL);
        assert_null(nt_result_unit(trace, NT_BY_WORD, 2));
        assert_null(nt_result_unit(trace, NT_BY_CHAR, SIZE_MAX));
        assert_null(nt_result_unit(trace, NT_BY_TOKEN, 0));
        assert_int_equal(nt_result_n_continuations(trace), compared ? 2 : 0);
        assert_ptr_equal(nt_result_continuation(trace, 1), compared ? &endings[1] : NULL);
        assert_null(nt_result_continuation(trace, 2));
        assert_true((nt_result_totals(trace) != NULL) == (score || kind == NT_RESULT_PERPLEXITY));
        const char *method = nt_result_method(trace, &drawn);
        assert_true(decoded ? strcmp(method, "sample") == 0 : method == NULL);
        assert_true(drawn == (decoded ? UINT64_MAX : 0));
        assert_ptr_equal(nt_result_method(trace, NULL), method);
        trace->seeded = false;
        drawn = 9;
        nt_result_method(trace, &drawn);
        assert_true(drawn == 0);
        nt_result_free(trace);
    }
}

/* Steps of sequences that ran side by side and ended at different lengths. */
static void steps_are_sorted_by_sequence(void **state) {
    (void)state;
    static const size_t lengths[] = {3, 0, 5, 1, 5};
    const float row[] = {1, 2, 3};
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_GENERATE, NULL), NT_OK);
    assert_int_equal(nt_trace_sort_steps(trace), NT_OK); /* none */
    for (size_t index = 0; index < 5; index++) {
        for (size_t s = 0; s < 5; s++) {
            if (index >= lengths[s]) continue;
            int32_t chosen = (int32_t)((s + index) % 3);
            assert_int_equal(add(trace, row, NULL, 3, 1 + (s + index) % 3, chosen), NT_OK);
            nt_step *step = &trace->steps[trace->n_steps - 1].step;
            assert_true(step->sequence == 0 && step->index == trace->n_steps - 1);
            step->sequence = s;
            step->index = index;
        }
    }
    nt_memory_fail_at(1);
    assert_int_equal(nt_trace_sort_steps(trace), NT_E_MEMORY);
    nt_memory_fail_at(2);
    assert_int_equal(nt_trace_sort_steps(trace), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_int_equal(trace->steps[1].step.sequence, 2); /* as it was */
    assert_int_equal(nt_trace_sort_steps(trace), NT_OK);
    size_t at = 0;
    for (size_t s = 0; s < 5; s++) {
        for (size_t index = 0; index < lengths[s]; index++, at++) {
            const nt_step *step = nt_result_step(trace, at);
            assert_true(step->sequence == s && step->index == index);
            assert_int_equal(step->chosen.token.id, (s + index) % 3);
            assert_int_equal(nt_result_n_candidates(trace, at), 1 + (s + index) % 3);
        }
    }
    assert_int_equal(at, nt_result_n_steps(trace));
    nt_result_free(trace);
}

static void arrays_too_large_are_refused(void **state) {
    (void)state;
    size_t huge[] = {SIZE_MAX / 2, 3, 1, 1, 1};
    float *data;
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_INSPECT, NULL), NT_OK);
    assert_int_equal(nt_trace_add_tensor(&data, trace, "x", 2, huge), NT_E_MEMORY);
    assert_int_equal(nt_trace_add_tensor(&data, trace, "x", 5, huge), NT_E_ARGUMENT);
    assert_null(data);
    nt_result_free(trace);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    size_t k = 0;
    int status = NT_E_MEMORY;
    while (status != NT_OK) {
        nt_result *trace = NULL;
        nt_memory_fail_at(++k);
        status = write_everything(&trace);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
        nt_result_free(trace);
    }
    assert_true(k > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_follow_the_definitions),
        cmocka_unit_test(ranks_of_picks),
        cmocka_unit_test(one_word_vocabulary),
        cmocka_unit_test(probabilities_that_underflow_keep_their_order),
        cmocka_unit_test(the_whole_of_a_large_vocabulary),
        cmocka_unit_test(rows_that_are_no_numbers),
        cmocka_unit_test(argmax_takes_the_lowest_of_equals),
        cmocka_unit_test(accessors_read_what_was_written),
        cmocka_unit_test(nothing_is_safe_to_read),
        cmocka_unit_test(parts_belong_to_their_kind),
        cmocka_unit_test(steps_are_sorted_by_sequence),
        cmocka_unit_test(arrays_too_large_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
