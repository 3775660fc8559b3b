/* Sampling on tables of logits: which token each sequence draws, and that nothing beside it, before
 * it or after it changes that. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "decode/run_plan.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"
#include "trace/trace.h"

static const table_word word_list[] = {
    {"a", 1, false},      {"b", 1, false},    {"END", 3, false},  {"EN", 2, false},
    {"D!", 2, false},     {"\xC3", 1, false}, {"\xA9", 1, false}, {"<|eos|>", 7, true},
    {"a stop", 6, false}, {" ", 1, false},    {"xyz", 3, false},
};
enum { V = sizeof word_list / sizeof *word_list, A = 0, EOS = 7, ROWS = V };
static const table_vocab words = {word_list, V};

/* What follows token i is row i: every id may come, some more often. */
static void make_rows(float rows[ROWS][V]) {
    uint64_t state = 99;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < V; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            rows[i][j] = (float)(state >> 40) * 0x1p-22f; /* 0 to 4 */
        }
        rows[i][EOS] = 1.5f;
        rows[i][2] = rows[i][8] = 0.5f; /* hold a stop string whole */
    }
}

typedef struct run {
    nt_result *trace;
    int status;
    table_model model;
    size_t n_open, n_text, n_progress, cancel_at, n_cancel;
    uint64_t done, total;
    nt_buffer heard;
} run;

static int hear_text(void *payload, const char *utf8, size_t n) {
    run *r = payload;
    r->n_text++;
    nt_buffer_put(&r->heard, utf8, n);
    return 0;
}

static void hear_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    run *r = payload;
    assert_string_equal(what, "tokens");
    assert_true(done == r->done + 1 && done <= total);
    r->done = done;
    r->total = total;
    r->n_progress++;
}

static int hear_cancel(void *payload) {
    run *r = payload;
    return ++r->n_cancel == r->cancel_at;
}

static const int32_t prompt[] = {3, 10, A};

static void run_with(run *r, float rows[ROWS][V], const nt_plan *plan) {
    r->model.rows = rows[0];
    r->model.n_rows = ROWS;
    r->model.V = V;
    r->model.by_id = true;
    nt_stepper stepper = table_stepper(&r->model, 1024);
    nt_vocab vocab = vocab_of(&words);
    table_texts texts = {&words, &r->n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    nt_callbacks callbacks = {.size = sizeof callbacks,
                              .payload = r,
                              .progress = hear_progress,
                              .cancel = hear_cancel,
                              .text = hear_text};
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, &vocab);
    if (r->status == NT_OK) {
        r->status = run_plan(r->trace, &stepper, &detokenizer, prompt, 3, plan, &callbacks);
    }
    assert_int_equal(r->model.n_live, 0); /* sequences and streams are given back on every path */
    assert_int_equal(r->n_open, 0);
}

static void run_free(run *r) {
    nt_result_free(r->trace);
    nt_buffer_free(&r->heard);
}

static const int32_t eos[] = {EOS};
static const char *const strings[] = {"END", "b\xC3\xA9", "stop"};

static nt_plan plan_of(size_t n, uint64_t seed) {
    return plan_with((nt_plan){.max_new = 24,
                               .eos = eos,
                               .n_eos = 1,
                               .stop_strings = strings,
                               .n_stop_strings = 3,
                               .choices = V,
                               .sample = true,
                               .n_sequences = n,
                               .seed = seed,
                               .temperature = 1,
                               .top_p = 1});
}

/* By definition: the first id whose cumulated probability is above u. */
static int32_t draw_of(const float *row, double u) {
    long double sum = 0, below = 0;
    for (size_t i = 0; i < V; i++)
        sum += expl(row[i]);
    for (size_t i = 0; i < V; i++) {
        below += expl(row[i]) / sum;
        if (below > u) return (int32_t)i;
    }
    return V - 1;
}

/* Steps stand sequence after sequence, each with the draw of its own number. */
static void check_draws(const run *r, float rows[ROWS][V], const nt_plan *plan) {
    size_t at = 0;
    for (size_t s = 0; s < nt_result_n_outputs(r->trace); s++) {
        const nt_output *output = nt_result_output(r->trace, s);
        int32_t last = prompt[2];
        double logprob = 0;
        for (size_t j = 0; j < output->n_ids; j++, at++) {
            const nt_step *step = nt_result_step(r->trace, at);
            int32_t wanted = draw_of(rows[last], nt_random_uniform(plan->seed, s, j));
            assert_int_equal(output->ids[j], wanted);
            assert_int_equal(step->chosen.token.id, wanted);
            assert_true(step->sequence == s && step->index == j);
            assert_true(step->chosen.logit == rows[last][wanted]);
            assert_true(step->chosen.processed_prob == step->chosen.prob && step->kept == V);
            logprob += step->chosen.logprob;
            last = wanted;
        }
        assert_true(output->logprob == logprob);
    }
    assert_int_equal(nt_result_n_steps(r->trace), at);
}

static void each_draw_has_its_number(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    for (size_t n = 1; n < 40; n += 19) {
        run r = {0};
        nt_plan plan = plan_of(n, 5 + n);
        run_with(&r, rows, &plan);
        assert_int_equal(r.status, NT_OK);
        assert_int_equal(nt_result_n_outputs(r.trace), n);
        check_draws(&r, rows, &plan);
        assert_true(strcmp(r.trace->method, "sample") == 0 && r.trace->seeded);
        assert_true(r.trace->seed == plan.seed);
        run_free(&r);
    }
}

static bool same_output(const nt_output *a, const nt_output *b) {
    return a->n_ids == b->n_ids && memcmp(a->ids, b->ids, a->n_ids * sizeof *a->ids) == 0 &&
           strcmp(a->text, b->text) == 0 && strcmp(a->finish_reason, b->finish_reason) == 0 &&
           a->logprob == b->logprob;
}

static void company_changes_nothing(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    run all = {0};
    nt_plan plan = plan_of(200, 77);
    run_with(&all, rows, &plan);
    assert_int_equal(all.status, NT_OK);
    const size_t numbers[] = {1, 2, 7, 63, 64, 65, 130};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        run some = {0};
        plan.n_sequences = numbers[i];
        run_with(&some, rows, &plan);
        assert_int_equal(nt_result_n_outputs(some.trace), numbers[i]);
        for (size_t s = 0; s < numbers[i]; s++)
            assert_true(
                same_output(nt_result_output(some.trace, s), nt_result_output(all.trace, s)));
        assert_int_equal(some.model.n_forks, numbers[i] - 1);
        run_free(&some);
    }
    size_t n_ids = 0, n_same = 0;
    for (size_t s = 0; s < 200; s++) {
        n_ids += nt_result_output(all.trace, s)->n_ids;
        n_same += s && same_output(nt_result_output(all.trace, s), nt_result_output(all.trace, 0));
    }
    assert_true(n_same < 20);
    assert_int_equal(all.model.n_tokens, 3 + n_ids - 200); /* the prompt once, no last id */
    assert_int_equal(all.model.most_rows, 64);
    assert_true(all.done == n_ids && all.n_progress == n_ids && all.total == 200 * plan.max_new);
    run_free(&all);
}

/* The end of each sequence by definition: text and reason from its ids alone. */
static const char *reason_by_definition(nt_buffer *text, const nt_output *output, size_t max_new) {
    nt_buffer bytes = {0};
    size_t n = output->n_ids, at = SIZE_MAX;
    for (size_t j = 0; j < n; j++)
        if (output->ids[j] != EOS)
            nt_buffer_put(&bytes, word_list[output->ids[j]].bytes, word_list[output->ids[j]].n);
    for (size_t i = 0; i < 3; i++) {
        const char *found = bytes.n ? strstr(bytes.data, strings[i]) : NULL;
        if (found && (size_t)(found - bytes.data) < at) at = (size_t)(found - bytes.data);
    }
    bool stopped = at != SIZE_MAX;
    nt_utf8_append_lossy(text, bytes.data, stopped ? at : bytes.n);
    nt_buffer_free(&bytes);
    if (output->ids[n - 1] == EOS) return "stop";
    return stopped ? "stop_string" : n == max_new ? "length" : "none";
}

static void each_ends_on_its_own(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    run r = {0};
    nt_plan plan = plan_of(300, 1);
    plan.max_new = 12;
    run_with(&r, rows, &plan);
    size_t reasons[3] = {0}, lengths = 0;
    for (size_t s = 0; s < 300; s++) {
        const nt_output *output = nt_result_output(r.trace, s);
        nt_buffer text = {0};
        const char *wanted = reason_by_definition(&text, output, plan.max_new);
        assert_string_equal(output->finish_reason, wanted);
        assert_string_equal(output->text, text.n ? text.data : "");
        reasons[strcmp(wanted, "stop") == 0 ? 0 : strcmp(wanted, "length") == 0 ? 1 : 2]++;
        lengths |= (size_t)1 << output->n_ids;
        nt_buffer_free(&text);
    }
    assert_true(reasons[0] > 20 && reasons[1] > 2 && reasons[2] > 20);
    assert_int_equal(lengths, 0x1FFE); /* every length from 1 to 12 */
    run_free(&r);
}

static void the_processors_are_in_the_trace(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    run r = {0};
    nt_plan plan = plan_of(5, 3);
    plan.temperature = 0.5;
    plan.top_k = 4;
    run_with(&r, rows, &plan);
    assert_int_equal(r.status, NT_OK);
    for (size_t i = 0; i < nt_result_n_steps(r.trace); i++) {
        const nt_step *step = nt_result_step(r.trace, i);
        double sum = 0, squares = 0;
        for (size_t c = 0; c < V; c++)
            sum += nt_result_candidate(r.trace, i, c)->processed_prob;
        for (size_t c = 0; c < 4; c++) {
            const nt_candidate *candidate = nt_result_candidate(r.trace, i, c);
            assert_int_equal(candidate->rank, c + 1);
            squares += exp(2 * (double)candidate->logit);
        }
        assert_int_equal(step->kept, 4);
        assert_true(fabs(sum - 1) < 1e-12);
        assert_true(step->chosen.rank <= 4);
        double wanted = exp(2 * (double)step->chosen.logit) / squares;
        assert_true(fabs(step->chosen.processed_prob - wanted) < 1e-12);
    }
    run_free(&r);
}

static void where_one_is_left_it_is_the_greedy_one(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    rows[A][1] = rows[A][4] = 7; /* a tie at the top */
    run greedy = {0};
    nt_plan plan = plan_of(1, 3);
    plan.sample = false;
    plan.method = NT_METHOD_GREEDY;
    run_with(&greedy, rows, &plan);
    assert_true(strcmp(greedy.trace->method, "greedy") == 0 && !greedy.trace->seeded);
    plan.sample = true;
    plan.method = NT_METHOD_SAMPLE;
    plan.n_sequences = plan.n_returned = 3;
    plan.top_p = 0;
    run none = {0};
    run_with(&none, rows, &plan);
    for (size_t s = 0; s < 3; s++)
        assert_true(
            same_output(nt_result_output(none.trace, s), nt_result_output(greedy.trace, 0)));
    run_free(&none);
    run_free(&greedy);
}

/* Of twelve that sampling makes too, the three of the highest log-probability a token. */
static void the_best_of_many(void **state) {
    (void)state;
    enum { N = 12, RETURNED = 3 };
    float rows[ROWS][V];
    make_rows(rows);
    run all = {0}, best = {0};
    nt_plan plan = plan_of(N, 4);
    run_with(&all, rows, &plan);
    plan.method = NT_METHOD_BEST_OF;
    plan.n_returned = RETURNED;
    run_with(&best, rows, &plan);
    assert_true(all.status == NT_OK && best.status == NT_OK);
    assert_int_equal(nt_result_n_outputs(best.trace), RETURNED);
    bool taken[N] = {false};
    size_t step = 0;
    for (size_t place = 0; place < RETURNED; place++) {
        const nt_output *got = nt_result_output(best.trace, place), *wanted = NULL;
        size_t from = 0;
        for (size_t s = 0; s < N; s++) {
            const nt_output *one = nt_result_output(all.trace, s);
            if (taken[s] || (wanted && one->logprob / (double)one->n_ids <=
                                           wanted->logprob / (double)wanted->n_ids))
                continue;
            wanted = one;
            from = s;
        }
        taken[from] = true;
        assert_true(same_output(got, wanted));
        assert_true(got->score == wanted->logprob / (double)wanted->n_ids && got->beam == -1);
        for (size_t i = 0; i < got->n_ids; i++, step++) {
            const nt_step *made = nt_result_step(best.trace, step);
            assert_true(made->sequence == place && made->index == i && made->beam == -1);
            assert_int_equal(made->chosen.token.id, got->ids[i]);
        }
    }
    assert_int_equal(nt_result_n_steps(best.trace), step);
    run_free(&best);
    run_free(&all);
}

static void seeds_differ_and_repeat(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    run r[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        nt_plan plan = plan_of(8, i == 2 ? UINT64_MAX : 4);
        run_with(&r[i], rows, &plan);
    }
    size_t other = 0;
    for (size_t s = 0; s < 8; s++) {
        const nt_output *output = nt_result_output(r[0].trace, s);
        assert_true(same_output(output, nt_result_output(r[1].trace, s)));
        other += !same_output(output, nt_result_output(r[2].trace, s));
    }
    assert_true(other > 5);
    for (size_t i = 0; i < 3; i++)
        run_free(&r[i]);
}

static void the_text_callback_hears_one_alone(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    run one = {0}, two = {0};
    nt_plan plan = plan_of(1, 8);
    run_with(&one, rows, &plan);
    assert_true(one.n_text > 0);
    assert_string_equal(one.heard.data, nt_result_output(one.trace, 0)->text);
    plan.n_sequences = 2;
    run_with(&two, rows, &plan);
    assert_int_equal(two.n_text, 0);
    run_free(&one);
    run_free(&two);
}

static void failures_at_every_place(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    nt_plan plan = plan_of(70, 8);
    run whole = {0};
    run_with(&whole, rows, &plan);
    for (size_t k = 1; k <= whole.model.n_steps; k++) {
        run step = {.model.fail_at_step = k}, cancel = {.cancel_at = k};
        run_with(&step, rows, &plan);
        assert_int_equal(step.status, NT_E_NUMERIC);
        run_free(&step);
        run_with(&cancel, rows, &plan);
        assert_int_equal(cancel.status, NT_E_CANCELLED);
        run_free(&cancel);
    }
    for (size_t k = 1; k < 70; k++) {
        run fork = {.model.fail_at_fork = k};
        run_with(&fork, rows, &plan);
        assert_int_equal(fork.status, NT_E_MEMORY);
        run_free(&fork);
    }
    run start = {.model.fail_start = true};
    run_with(&start, rows, &plan);
    assert_int_equal(start.status, NT_E_MEMORY);
    run_free(&start);
    run_free(&whole);
}

static void rows_that_are_no_numbers(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        for (size_t k = 0; k < 2; k++) {
            float rows[ROWS][V];
            make_rows(rows);
            for (size_t i = 0; i < V; i++)
                rows[1][i] = bad[b]; /* after "b" */
            run r = {0};
            nt_plan plan = plan_of(20, 8);
            plan.top_k = k * 3;
            plan.top_p = k ? 0.7 : 1;
            plan.temperature = k ? 1e-42 : 1;
            if (k) rows[A][1] = 9;
            run_with(&r, rows, &plan);
            assert_int_equal(r.status, NT_E_NUMERIC);
            run_free(&r);
        }
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    float rows[ROWS][V];
    make_rows(rows);
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        run r = {0};
        nt_plan plan = plan_of(6, 2);
        plan.top_k = 9;
        nt_memory_fail_at(++k);
        run_with(&r, rows, &plan);
        nt_memory_fail_at(0);
        status = r.status;
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        run_free(&r);
    }
    assert_true(k > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_draw_has_its_number),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(each_ends_on_its_own),
        cmocka_unit_test(the_processors_are_in_the_trace),
        cmocka_unit_test(where_one_is_left_it_is_the_greedy_one),
        cmocka_unit_test(the_best_of_many),
        cmocka_unit_test(seeds_differ_and_repeat),
        cmocka_unit_test(the_text_callback_hears_one_alone),
        cmocka_unit_test(failures_at_every_place),
        cmocka_unit_test(rows_that_are_no_numbers),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
