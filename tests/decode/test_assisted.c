/* Assisted decoding and prompt lookup on tables of logits: transformers' own ids and proposals,
 * plain decoding's output whatever is proposed, and the distribution of what is drawn. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chi_square.h"
#include "decode/assisted_case.h"
#include "decode/assisted_run.h"

/* ---- As transformers ---- */

static void check_case(const expected *e, const run *r) {
    const nt_output *output = nt_result_output(r->trace, 0);
    uint64_t n_accepted = 0;
    if (output->n_ids != e->n_ids || memcmp(output->ids, e->ids, e->n_ids * sizeof *e->ids) != 0)
        fail_msg("other ids than transformers' in: %s", e->line);
    assert_int_equal(e->n_drafted, e->n_ids);
    for (size_t i = 0; i < e->n_ids; i++) {
        const nt_step *step = nt_result_step(r->trace, i);
        if (step->drafted != e->drafted[i])
            fail_msg("proposed %d at %zu in: %s", (int)step->drafted, i, e->line);
        n_accepted += step->drafted == step->chosen.token.id;
    }
    const nt_effort *effort = nt_result_effort(r->trace);
    assert_int_equal(effort->n_accepted, n_accepted);
    assert_true(effort->n_drafted >= n_accepted);
}

static void as_transformers(void **state) {
    (void)state;
    char line[2048];
    static expected e; /* large */
    size_t n = 0, n_near = 0, n_sampled = 0, n_large = 0;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/decode/assisted_oracle.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        read_case(&e, line);
        run r = {.tables = &e.tables, .prompt = e.prompt, .plan = e.plan};
        run_it(&r);
        assert_int_equal(r.status, NT_OK);
        n++;
        n_near += e.near_ != 0;
        n_large += e.V == 50257 && e.n_prompt + e.n_ids > 256 && e.near_ == 0;
        n_sampled += e.plan.sample && e.near_ == 0;
        if (e.near_ == 0) check_case(&e, &r);
        run_free(&r);
    }
    fclose(file);
    free_tables(&e.tables);
    assert_true(n >= 120 && n_sampled >= 60 && n_near <= 4 && n_large >= 4);
}

/* ---- As plain decoding ---- */

static bool same_candidates(const nt_trace_step *a, const nt_trace_step *b) {
    if (a->n_candidates != b->n_candidates || a->n_demoted != b->n_demoted) return false;
    for (size_t i = 0; i < a->n_candidates; i++) {
        const nt_candidate *x = &a->candidates[i], *y = &b->candidates[i];
        if (x->token.id != y->token.id || x->logprob != y->logprob || x->logit != y->logit ||
            x->processed_prob != y->processed_prob || x->n_changes != y->n_changes)
            return false;
    }
    return true;
}

static bool same_number(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

/* The same in all but what was proposed. */
static void check_same(const run *a, const run *b) {
    const nt_output *x = nt_result_output(a->trace, 0), *y = nt_result_output(b->trace, 0);
    assert_true(x->n_ids == y->n_ids && memcmp(x->ids, y->ids, x->n_ids * sizeof *x->ids) == 0);
    assert_string_equal(x->text, y->text);
    assert_string_equal(x->finish_reason, y->finish_reason);
    assert_true(x->logprob == y->logprob);
    assert_int_equal(a->trace->n_steps, b->trace->n_steps);
    for (size_t i = 0; i < a->trace->n_steps; i++) {
        const nt_trace_step *s = &a->trace->steps[i], *t = &b->trace->steps[i];
        assert_true(s->step.chosen.token.id == t->step.chosen.token.id);
        assert_true(s->step.index == i && t->step.index == i);
        assert_true(s->step.sequence == t->step.sequence && s->step.entropy == t->step.entropy);
        assert_true(s->step.kept == t->step.kept);
        assert_true(same_candidates(s, t));
        assert_true(same_number(s->step.draw, t->step.draw));
    }
    assert_int_equal(a->heard.n, b->heard.n);
    if (a->heard.n) assert_memory_equal(a->heard.data, b->heard.data, a->heard.n);
}

static const table_word word_list[] = {
    {"a", 1, false},      {"b", 1, false},    {"END", 3, false},  {"EN", 2, false},
    {"D!", 2, false},     {"\xC3", 1, false}, {"\xA9", 1, false}, {"<|eos|>", 7, true},
    {"a stop", 6, false}, {" ", 1, false},    {"xyz", 3, false},  {"s", 1, false},
};
enum { WORDS = sizeof word_list / sizeof *word_list };
static const table_vocab words = {word_list, WORDS};
static const int32_t eos[] = {7};
static const char *const strings[] = {"END", "b\xC3\xA9", "ss"};
static const int32_t prompt[] = {3, 10, 0, 3, 10, 1, 3, 10, 0, 3};
static const int32_t negative[] = {1, 2, 3};
enum { N_PROMPT = sizeof prompt / sizeof *prompt };

static int stops(void *payload, const int32_t *ids, size_t n_ids) {
    (void)payload;
    return n_ids > N_PROMPT + 2 && ids[n_ids - 1] == 9 && ids[n_ids - 2] == 0;
}

/* Options that change what is written, by the bits of `kind`. */
static nt_plan plan_of(unsigned kind, uint64_t seed) {
    nt_plan plan = NT_PLAN_INIT;
    plan.n_prompt = N_PROMPT;
    plan.max_new = 5 + seed % 40;
    plan.seed = seed;
    plan.lookup = 1 + seed % 9;
    plan.max_ngram = 1 + seed % 3;
    plan.n_draft = 1 + seed % 7;
    plan.confidence = (double)(seed % 3) / 4;
    plan.schedule = NT_SCHEDULE_CONSTANT + seed % 3;
    if (kind & 1) plan.eos = eos, plan.n_eos = 1, plan.min_new = seed % 5;
    if (kind & 2) plan.stop_strings = strings, plan.n_stop_strings = 3;
    if (kind & 4) plan.no_repeat_ngram_size = 3, plan.repetition_penalty = 1.2;
    if (kind & 8) plan.guidance_scale = 1.5;
    if (kind & 16) plan.stop = stops;
    if (kind & 32) plan.temperature = 0.7, plan.top_k = 6, plan.top_p = 0.9;
    return plan;
}

static run run_of(const tables *t, nt_plan plan, nt_method method) {
    plan.method = method;
    return (run){.tables = t, .prompt = prompt, .plan = plan, .words = &words};
}

/* One question, plain and by `method`. Returns how many proposals were taken. */
static uint64_t compare(const tables *t, unsigned kind, uint64_t seed, nt_method method,
                        bool sample) {
    nt_plan plan = plan_of(kind, seed);
    plan.sample = sample;
    run plain = run_of(t, plan, sample ? NT_METHOD_SAMPLE : NT_METHOD_GREEDY);
    if (kind & 8 && seed % 2) plain.negative = negative, plain.n_negative = 3;
    run r = run_again(&plain, method);
    if (seed % 5 == 0) r.draft_context = N_PROMPT - 1 + seed % 8;
    run_it(&plain);
    run_it(&r);
    assert_int_equal(plain.status, NT_OK);
    assert_int_equal(r.status, NT_OK);
    check_same(&plain, &r);
    const nt_effort *a = nt_result_effort(plain.trace), *b = nt_result_effort(r.trace);
    /* every pass takes one more than was proposed and stands; the first row is the prompt's */
    assert_true(b->n_passes <= a->n_passes && b->n_accepted <= b->n_drafted);
    assert_string_equal(nt_result_method(r.trace, NULL),
                        method == NT_METHOD_ASSISTED ? "assisted" : "prompt_lookup");
    uint64_t n = b->n_accepted;
    run_free(&plain);
    run_free(&r);
    return n;
}

static void greedy_is_plain(void **state) {
    (void)state;
    tables t = {0};
    uint64_t n_lookup = 0, n_bad = 0, n_good = 0, n_same = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        t.by_id = true;
        make_tables(&t, WORDS, WORDS, seed * 50, 0, 8);
        n_lookup += compare(&t, (unsigned)seed, seed, NT_METHOD_PROMPT_LOOKUP, false);
        t.by_id = false;
        make_tables(&t, 61, WORDS, seed * 50, 0, 8);
        n_bad += compare(&t, (unsigned)seed, seed, NT_METHOD_ASSISTED, false);
        make_tables(&t, 61, WORDS, seed * 50, 3, 8);
        n_good += compare(&t, (unsigned)seed, seed, NT_METHOD_ASSISTED, false);
        make_tables(&t, 61, WORDS, seed * 50, 4, 8);
        n_same += compare(&t, (unsigned)seed, seed, NT_METHOD_ASSISTED, false);
    }
    assert_true(n_lookup > 200 && n_bad > 20 && n_good > 2 * n_bad && n_same > n_good);
    free_tables(&t);
}

/* With Philox a draw belongs to its place, so what is looked up changes not even the ids. */
static void drawn_by_lookup_is_plain(void **state) {
    (void)state;
    tables t = {0};
    uint64_t n = 0;
    t.by_id = true;
    for (uint64_t seed = 0; seed < 128; seed++) {
        make_tables(&t, WORDS, WORDS, seed * 50, 0, 4);
        n += compare(&t, (unsigned)seed % 64, seed, NT_METHOD_PROMPT_LOOKUP, true);
    }
    assert_true(n > 200);
    free_tables(&t);
}

/* ---- Distributions ---- */

enum { SMALL = 5, DEEP = 3, OUTCOMES = SMALL * SMALL * SMALL, N_DRAWS = 100000 };
static const int32_t small_prompt[] = {2, 4};

/* The probabilities that the plan draws from after ids [n]. */
static void distribution(long double p[SMALL], const float *rows, const tables *t,
                         const nt_plan *plan, const int32_t *ids, size_t n) {
    nt_processors processors;
    long double sum = 0;
    const float *row = rows + table_row_of(ids, n, t->n_rows) * t->V;
    assert_int_equal(nt_processors_begin(&processors, plan, t->V), NT_OK);
    assert_int_equal(nt_processors_run(&processors, row, NULL, ids, n), NT_OK);
    for (size_t i = 0; i < SMALL; i++)
        sum += p[i] = expl(nt_processed(&processors)[i]);
    for (size_t i = 0; i < SMALL; i++)
        p[i] /= sum;
    nt_processors_free(&processors);
}

/* How often each row of DEEP ids should come in N_DRAWS. */
static void joint(double expected_of[OUTCOMES], const tables *t, const nt_plan *plan) {
    for (size_t i = 0; i < OUTCOMES; i++) {
        int32_t ids[2 + DEEP] = {small_prompt[0], small_prompt[1], (int32_t)(i / SMALL / SMALL),
                                 (int32_t)(i / SMALL % SMALL), (int32_t)(i % SMALL)};
        long double all = N_DRAWS, p[SMALL];
        for (size_t j = 0; j < DEEP; j++) {
            distribution(p, t->model, t, plan, ids, 2 + j);
            all *= p[ids[2 + j]];
        }
        expected_of[i] = (double)all;
    }
}

/* Outcomes that are rarer than 8 count as one; what cannot be must not come. */
static void check_counts(const size_t *counts, const double *expected_of, size_t n) {
    size_t merged[OUTCOMES + 1] = {0}, used = 1;
    double wanted[OUTCOMES + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        if (expected_of[i] == 0) assert_int_equal(counts[i], 0);
        size_t at = expected_of[i] < 8 ? 0 : used++;
        merged[at] += counts[i];
        wanted[at] += expected_of[i];
    }
    size_t from = wanted[0] < 8;
    assert_true(used - from > 2);
    check_chi_square(merged + from, wanted + from, used - from);
}

static nt_plan small_plan(nt_rng_kind rng, size_t n_draft, bool warped) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = NT_METHOD_ASSISTED;
    plan.sample = true;
    plan.rng = rng;
    plan.n_prompt = 2;
    plan.max_new = DEEP;
    plan.n_draft = n_draft;
    plan.confidence = 0.3;
    if (warped) plan.temperature = 0.8, plan.top_k = 4, plan.top_p = 0.95;
    return plan;
}

/* Draws N_DRAWS times and counts the first `deep` ids. Returns how many proposals were taken. */
static uint64_t count(size_t *counts, const tables *t, nt_plan plan, size_t deep) {
    uint64_t n_accepted = 0;
    for (size_t i = 0; i < N_DRAWS; i++) {
        plan.seed = i;
        run r = {.tables = t, .prompt = small_prompt, .plan = plan};
        run_it(&r);
        const nt_output *output = nt_result_output(r.trace, 0);
        size_t at = 0;
        for (size_t j = 0; j < deep; j++)
            at = at * SMALL + (size_t)output->ids[j];
        counts[at]++;
        n_accepted += nt_result_effort(r.trace)->n_accepted;
        run_free(&r);
    }
    return n_accepted;
}

static void speculation_draws_as_the_model(void **state) {
    (void)state;
    static const struct {
        float like;
        nt_rng_kind rng;
        size_t n_draft;
        bool warped;
    } cases[] = {{0, NT_RNG_PHILOX, 3, false},
                 {1, NT_RNG_PHILOX, 2, true},
                 {3, NT_RNG_PHILOX, 3, false},
                 {2, NT_RNG_TORCH, 3, true}};
    tables t = {0};
    uint64_t accepted[4] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t counts[OUTCOMES] = {0};
        double expected_of[OUTCOMES];
        make_tables(&t, 31, SMALL, 3, cases[i].like, 32);
        nt_plan plan = small_plan(cases[i].rng, cases[i].n_draft, cases[i].warped);
        joint(expected_of, &t, &plan);
        accepted[i] = count(counts, &t, plan, DEEP);
        check_counts(counts, expected_of, OUTCOMES);
    }
    assert_true(accepted[0] > 1000 && accepted[2] > accepted[0]);
    free_tables(&t);
}

/* One id is proposed, and stands with probability sum of min(p, q); with an ensemble weight w the
 * ids are those of w p + (1 - w) q. */
static void speculation_accepts_what_it_may(void **state) {
    (void)state;
    tables t = {0};
    make_tables(&t, 31, SMALL, 8, 1, 32);
    for (int ensemble = 0; ensemble < 2; ensemble++) {
        nt_plan plan = small_plan(NT_RNG_PHILOX, 1, false);
        plan.max_new = 2;
        plan.confidence = 0;
        if (ensemble) plan.ensemble = 0.4;
        double w = plan.ensemble, accepts = 0, expected_of[SMALL];
        long double p[SMALL], q[SMALL];
        distribution(p, t.model, &t, &plan, small_prompt, 2);
        distribution(q, t.assistant, &t, &plan, small_prompt, 2);
        for (size_t i = 0; i < SMALL; i++) {
            expected_of[i] = N_DRAWS * (double)(w * p[i] + (1 - w) * q[i]);
            accepts += fmin((double)q[i], (double)(w * p[i] + (1 - w) * q[i]));
        }
        size_t counts[SMALL] = {0};
        double n = (double)count(counts, &t, plan, 1);
        check_chi_square(counts, expected_of, SMALL);
        assert_true(accepts < 0.95);
        assert_true(fabs(n - N_DRAWS * accepts) < 4 * sqrt(N_DRAWS * accepts * (1 - accepts)));
    }
    free_tables(&t);
}

/* ---- Edges ---- */

static void check_edge(const tables *t, const nt_plan *plan, const char *reason) {
    const nt_method methods[] = {NT_METHOD_ASSISTED, NT_METHOD_PROMPT_LOOKUP};
    for (size_t i = 0; i < 4; i++) {
        run plain = {.tables = t, .prompt = small_prompt, .plan = *plan};
        plain.plan.sample = i >= 2;
        plain.plan.method = i >= 2 ? NT_METHOD_SAMPLE : NT_METHOD_GREEDY;
        run r = run_again(&plain, methods[i % 2]);
        run_it(&plain);
        run_it(&r);
        assert_int_equal(r.status, NT_OK);
        assert_string_equal(nt_result_output(r.trace, 0)->finish_reason, reason);
        if (r.plan.method != NT_METHOD_ASSISTED || !r.plan.sample) check_same(&plain, &r);
        run_free(&plain);
        run_free(&r);
    }
}

static void edges(void **state) {
    (void)state;
    tables t = {0};
    nt_plan plan = NT_PLAN_INIT;
    const int32_t all[] = {0, 1, 2, 3, 4};
    plan.n_prompt = 2;
    plan.max_new = 6;
    plan.lookup = 3;
    plan.eos = all;
    make_tables(&t, 31, SMALL, 3, 2, 8);
    plan.n_eos = SMALL;
    check_edge(&t, &plan, "stop"); /* whatever comes */
    plan.n_eos = 0;
    plan.max_time = 0;
    check_edge(&t, &plan, "time");
    plan.max_time = INFINITY;
    plan.max_new = 1; /* nothing is proposed */
    check_edge(&t, &plan, "length");
    plan.max_new = 7;
    for (size_t i = 0; i < 31 * SMALL; i++)
        if (i % SMALL != i / SMALL % SMALL) t.model[i] = -INFINITY; /* one id is left */
    check_edge(&t, &plan, "length");
    make_tables(&t, 1, 1, 3, 2, 8); /* one word */
    t.by_id = true;
    plan.n_prompt = 1;
    run r = {.tables = &t, .prompt = (const int32_t[]){0}, .plan = plan};
    for (int i = 0; i < 4; i++) {
        r = run_again(&r, i % 2 ? NT_METHOD_ASSISTED : NT_METHOD_PROMPT_LOOKUP);
        r.plan.sample = i >= 2;
        run_it(&r);
        assert_int_equal(r.status, NT_OK);
        assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 7);
        run_free(&r);
    }
    free_tables(&t);
}

/* An assistant without sense is not asked again in that round; a model without is an error. */
static void rows_that_are_no_numbers(void **state) {
    (void)state;
    tables t = {0};
    const float broken[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        for (int sample = 0; sample < 2; sample++) {
            make_tables(&t, 31, WORDS, 3, 4, 8);
            for (size_t row = 0; row < 31; row += 2)
                for (size_t i = 0; i < WORDS; i++)
                    if (i == 3 || b == 2) t.assistant[row * WORDS + i] = broken[b];
            nt_plan plan = plan_of(0, 9);
            plan.sample = sample;
            run r = run_of(&t, plan, NT_METHOD_ASSISTED);
            run plain = run_again(&r, NT_METHOD_GREEDY);
            run_it(&r);
            run_it(&plain);
            assert_int_equal(r.status, NT_OK);
            assert_true(nt_result_effort(r.trace)->n_accepted > 0);
            if (!sample) check_same(&plain, &r);
            run_free(&r);
            run_free(&plain);
            memcpy(t.model, t.assistant, 31 * WORDS * sizeof *t.model);
            r = run_again(&r, sample ? NT_METHOD_ASSISTED : NT_METHOD_PROMPT_LOOKUP);
            run_it(&r);
            assert_int_equal(r.status, NT_E_NUMERIC);
            run_free(&r);
        }
    }
    free_tables(&t);
}

static void text_may_be_refused(void **state) {
    (void)state;
    tables t = {0};
    make_tables(&t, 61, WORDS, 50, 4, 8);
    for (size_t at = 1; at < 20; at++) {
        run r = run_of(&t, plan_of(2, 30), NT_METHOD_ASSISTED);
        r.plan.n_draft = 9;
        r.refuse_at = at;
        run plain = run_again(&r, NT_METHOD_GREEDY);
        run_it(&r);
        run_it(&plain);
        check_same(&plain, &r);
        run_free(&r);
        run_free(&plain);
    }
    free_tables(&t);
}

/* ---- What goes wrong ---- */

static run failing_run(const tables *t, unsigned kind) {
    nt_plan plan = plan_of(kind & 1 ? 8 + 4 : 32, 14);
    plan.max_new = 9;
    plan.sample = kind & 1;
    return run_of(t, plan, kind & 2 ? NT_METHOD_ASSISTED : NT_METHOD_PROMPT_LOOKUP);
}

/* Every call of either model fails in turn, and every question whether to go on is answered no:
 * run_it sees that no sequence is left. */
static void errors_leave_nothing(void **state) {
    (void)state;
    tables t = {0};
    make_tables(&t, 61, WORDS, 50, 3, 8);
    for (unsigned kind = 0; kind < 4; kind++) {
        size_t n_cancelled = 0, n_failed = 0;
        for (size_t at = 1; at < 40; at++) {
            run r = failing_run(&t, kind);
            r.cancel_at = at;
            run_it(&r);
            assert_true(r.status == NT_OK || r.status == NT_E_CANCELLED);
            n_cancelled += r.status != NT_OK;
            run_free(&r);
            r = failing_run(&t, kind);
            *(at % 2 ? &r.fail_model : &r.fail_assistant) = (at + 1) / 2;
            run_it(&r);
            assert_true(r.status == NT_OK || r.status == NT_E_NUMERIC);
            n_failed += r.status != NT_OK;
            run_free(&r);
        }
        assert_true(n_cancelled > 3 && n_failed > 3);
        run r = failing_run(&t, kind);
        r.fail_start = true;
        run_it(&r);
        assert_int_equal(r.status, NT_E_MEMORY);
        run_free(&r);
        r = failing_run(&t, kind);
        r.fail_assistant_start = true;
        run_it(&r);
        assert_int_equal(r.status, kind & 2 ? NT_E_MEMORY : NT_OK);
        run_free(&r);
    }
    free_tables(&t);
}

static void allocations_fail_in_turn(void **state) {
    (void)state;
    tables t = {0};
    make_tables(&t, 61, WORDS, 50, 3, 8);
    for (unsigned kind = 0; kind < 4; kind++) {
        int status = NT_E_MEMORY;
        size_t k = 0;
        while (status == NT_E_MEMORY) {
            run r = failing_run(&t, kind);
            nt_memory_fail_at(++k);
            run_it(&r);
            nt_memory_fail_at(0);
            status = r.status;
            run_free(&r);
        }
        assert_int_equal(status, NT_OK);
        assert_true(k > 15);
    }
    free_tables(&t);
}

static void another_vocabulary_is_refused(void **state) {
    (void)state;
    tables t = {0};
    make_tables(&t, 61, WORDS, 50, 3, 8);
    run r = run_of(&t, plan_of(0, 3), NT_METHOD_ASSISTED);
    r.draft_V = WORDS - 1;
    run_it(&r);
    assert_int_equal(r.status, NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "12"));
    assert_int_equal(r.model.model.n_started, 0);
    run_free(&r);
    free_tables(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_transformers),
        cmocka_unit_test(greedy_is_plain),
        cmocka_unit_test(drawn_by_lookup_is_plain),
        cmocka_unit_test(speculation_draws_as_the_model),
        cmocka_unit_test(speculation_accepts_what_it_may),
        cmocka_unit_test(edges),
        cmocka_unit_test(rows_that_are_no_numbers),
        cmocka_unit_test(text_may_be_refused),
        cmocka_unit_test(errors_leave_nothing),
        cmocka_unit_test(allocations_fail_in_turn),
        cmocka_unit_test(another_vocabulary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
