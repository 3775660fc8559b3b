/* Greedy decoding on tables of logits: exact, without a model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/run_plan.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"
#include "trace/trace.h"

static const table_word word_list[] = {
    {"a", 1, false},        {"b", 1, false},       {"END", 3, false},  {"EN", 2, false},
    {"D!", 2, false},       {"\xC3", 1, false},    {"\xA9", 1, false}, {"<|eos|>", 7, true},
    {"\xE6\x97", 2, false}, {"\xA5x", 2, false},   {" ", 1, false},    {NULL, 0, false},
    {"\xFF", 1, false},     {"o|>\xC3", 4, false}, {"xyz", 3, false},
};
enum { V = sizeof word_list / sizeof *word_list, A = 0, B, END, EN, D, C3, A9, EOS, E6, A5, SPACE };
static const table_vocab words = {word_list, V};

/* Logits of which the likeliest are `script` [n], after a prompt of n_prompt tokens. */
static float *rows_of(const int32_t *script, size_t n, size_t n_prompt) {
    float *rows = calloc((n_prompt + n) * V, sizeof *rows);
    for (size_t i = 0; i < n; i++)
        rows[(n_prompt - 1 + i) * V + (size_t)script[i]] = 3;
    return rows;
}

/* What the callbacks saw. */
typedef struct heard {
    nt_buffer text;
    size_t n_pieces, stop_at_piece, n_progress, cancel_at, n_cancel;
    uint64_t done, total;
    size_t last_piece;
} heard;

static int hear_text(void *payload, const char *utf8, size_t n) {
    heard *h = payload;
    assert_true(n > 0);
    assert_int_equal(nt_utf8_check(utf8, n), n); /* never half a character */
    nt_buffer_put(&h->text, utf8, n);
    h->last_piece = n;
    return ++h->n_pieces == h->stop_at_piece;
}

static void hear_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    heard *h = payload;
    assert_string_equal(what, "tokens");
    h->done = done;
    h->total = total;
    h->n_progress++;
}

static int hear_cancel(void *payload) {
    heard *h = payload;
    return ++h->n_cancel == h->cancel_at;
}

static nt_callbacks callbacks_of(heard *h) {
    return (nt_callbacks){.size = sizeof(nt_callbacks),
                          .payload = h,
                          .progress = hear_progress,
                          .cancel = hear_cancel,
                          .text = hear_text};
}

typedef struct run {
    nt_result *trace;
    const nt_output *output; /* NULL: it failed */
    int status;
    heard heard;
    table_model model;
} run;

static void run_with(run *r, const float *rows, size_t n_rows, const int32_t *prompt,
                     size_t n_prompt, const nt_plan *plan) {
    r->model.rows = rows;
    r->model.n_rows = n_rows;
    r->model.V = V;
    nt_stepper stepper = table_stepper(&r->model, 1024);
    nt_vocab vocab = vocab_of(&words);
    size_t n_open = 0;
    table_texts texts = {&words, &n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    nt_callbacks callbacks = callbacks_of(&r->heard);
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, &vocab);
    if (r->status == NT_OK) {
        r->status = run_plan(r->trace, &stepper, &detokenizer, prompt, n_prompt, plan, &callbacks);
    }
    assert_int_equal(n_open, 0);
    r->output = r->status == NT_OK ? nt_result_output(r->trace, 0) : NULL;
    assert_int_equal(r->model.n_live, 0); /* the sequence is dropped on every path */
}

static void run_free(run *r) {
    nt_result_free(r->trace);
    nt_buffer_free(&r->heard.text);
}

static const int32_t one_token[] = {A};

/* Runs a script after the prompt "a" and checks ids, text and reason; streaming gives the text. */
static void check_run(const int32_t *script, size_t n, const nt_plan *plan, size_t n_ids,
                      const char *text, const char *reason) {
    run r = {0};
    float *rows = rows_of(script, n, 1);
    run_with(&r, rows, n, one_token, 1, plan);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(r.output->n_ids, n_ids);
    assert_memory_equal(r.output->ids, script, n_ids * sizeof *script);
    assert_string_equal(r.output->text, text);
    assert_int_equal(r.output->n_text, strlen(text));
    assert_string_equal(r.output->finish_reason, reason);
    assert_string_equal(r.heard.text.n ? r.heard.text.data : "", text);
    assert_int_equal(nt_result_n_steps(r.trace), n_ids);
    assert_int_equal(r.heard.n_progress, n_ids);
    assert_int_equal(r.heard.done, n_ids);
    assert_int_equal(r.heard.total, plan->max_new);
    assert_int_equal(r.model.n_tokens, n_ids); /* the last id is never fed */
    /* 3 beside V - 1 zeros, at every step */
    double each = 3 - log(exp(3.0) + (V - 1));
    assert_true(fabs(r.output->logprob - (double)n_ids * each) < 1e-12);
    run_free(&r);
    free(rows);
}

static void length_ends(void **state) {
    (void)state;
    int32_t script[] = {B, A, END};
    nt_plan plan = plan_with((nt_plan){.max_new = 3, .choices = 2});
    check_run(script, 3, &plan, 3, "baEND", "length");
    plan.max_new = 1;
    check_run(script, 3, &plan, 1, "b", "length");
}

static void eos_ends(void **state) {
    (void)state;
    int32_t at_once[] = {EOS, A}, later[] = {B, B, EOS, A}, second[] = {B, D, A};
    int32_t eos[] = {A9, EOS, D};
    nt_plan plan = plan_with((nt_plan){.max_new = 10, .choices = 2, .eos = eos, .n_eos = 3});
    check_run(at_once, 2, &plan, 1, "", "stop");
    check_run(later, 4, &plan, 3, "bb", "stop");
    check_run(second, 3, &plan, 2, "bD!", "stop"); /* no special token: it shows */
    int32_t first[] = {D, EOS};
    plan.eos = first;
    plan.n_eos = 2;
    check_run(second, 3, &plan, 2, "bD!", "stop");
    plan.eos = eos;
    plan.n_eos = 3;
    plan.max_new = 3;
    check_run(later, 4, &plan, 3, "bb", "stop"); /* EOS goes before length */
    const char *strings[] = {"s|>"};
    plan.stop_strings = strings;
    plan.n_stop_strings = 1;
    check_run(later, 4, &plan, 3, "bb", "stop"); /* and before stop strings */
}

static void stop_strings_end(void **state) {
    (void)state;
    const char *strings[] = {"END", "zzz"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 10, .choices = 1, .stop_strings = strings, .n_stop_strings = 2});
    int32_t whole[] = {B, END, A}, parts[] = {B, EN, D, A}, never[] = {EN, EN, B, EN};
    check_run(whole, 3, &plan, 2, "b", "stop_string");
    check_run(parts, 4, &plan, 3, "b", "stop_string"); /* extra bytes of the token go too */
    plan.max_new = 2;
    check_run(parts, 4, &plan, 2, "bEN", "length"); /* what was held back comes at the end */
    plan.max_new = 4;
    check_run(never, 4, &plan, 4, "ENENbEN", "length");
    plan.max_new = 3;
    check_run(parts, 4, &plan, 3, "b", "stop_string"); /* goes before length */
}

static void stop_strings_across_characters(void **state) {
    (void)state;
    const char *strings[] = {"b\xC3\xA9", "\xE6\x97\xA5"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 6, .choices = 1, .stop_strings = strings, .n_stop_strings = 2});
    int32_t split[] = {A, B, C3, A9, A}, sun[] = {A, C3, A9, E6, A5, A};
    int32_t broken[] = {A, C3, E6, A5, A};
    check_run(split, 5, &plan, 4, "a", "stop_string");
    check_run(sun, 6, &plan, 5, "a\xC3\xA9", "stop_string");
    check_run(broken, 5, &plan, 4, "a\xEF\xBF\xBD", "stop_string");
    plan.max_new = 3;
    check_run(split, 5, &plan, 3, "ab\xEF\xBF\xBD", "length");
}

static void stop_string_begins_in_the_prompt(void **state) {
    (void)state;
    const char *strings[] = {"aEND"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 6, .choices = 1, .stop_strings = strings, .n_stop_strings = 1});
    int32_t script[] = {EN, D, A}, other[] = {B, EN, D, A};
    check_run(script, 3, &plan, 2, "", "stop_string");
    plan.max_new = 4;
    check_run(other, 4, &plan, 4, "bEND!a", "length");
    const char *before[] = {"a"}; /* in the prompt alone: no reason to stop */
    plan.stop_strings = before;
    plan.max_new = 2;
    check_run(other, 4, &plan, 2, "bEN", "length");
}

static void a_stop_string_longer_than_everything(void **state) {
    (void)state;
    const char *strings[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 5, .choices = 1, .stop_strings = strings, .n_stop_strings = 1});
    int32_t script[] = {A, A, A, A, A};
    check_run(script, 5, &plan, 5, "aaaaa", "length");
}

static void special_tokens_and_ids_without_token(void **state) {
    (void)state;
    enum { NOTHING = 11, BAD = 12 };
    nt_plan plan = plan_with((nt_plan){.max_new = 5, .choices = 1});
    int32_t script[] = {B, EOS, NOTHING, BAD, A};
    check_run(script, 5, &plan, 5,
              "b\xEF\xBF\xBD"
              "a",
              "length");
    const char *strings[] = {"b<|eo"};
    plan.stop_strings = strings;
    plan.n_stop_strings = 1;
    check_run(script, 5, &plan, 2, "", "stop_string");
}

static void text_comes_as_soon_as_it_may(void **state) {
    (void)state;
    const char *strings[] = {"END"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 4, .choices = 1, .stop_strings = strings, .n_stop_strings = 1});
    int32_t script[] = {B, EN, C3, A9};
    run r = {0};
    float *rows = rows_of(script, 4, 1);
    run_with(&r, rows, 4, one_token, 1, &plan);
    assert_int_equal(r.heard.n_pieces, 3); /* "b", "EN" with the next token, "é" */
    assert_int_equal(r.heard.last_piece, 2);
    assert_string_equal(r.heard.text.data, "bEN\xC3\xA9");
    run_free(&r);
    free(rows);
}

static void the_callback_ends(void **state) {
    (void)state;
    nt_plan plan = plan_with((nt_plan){.max_new = 9, .choices = 1});
    int32_t script[] = {B, C3, A9, A, B};
    run r = {.heard.stop_at_piece = 2};
    float *rows = rows_of(script, 5, 1);
    run_with(&r, rows, 5, one_token, 1, &plan);
    assert_int_equal(r.status, NT_OK);
    assert_string_equal(r.output->finish_reason, "callback");
    assert_int_equal(r.output->n_ids, 3);
    assert_string_equal(r.output->text, "b\xC3\xA9");
    assert_int_equal(r.heard.n_pieces, 2);
    run_free(&r);
    free(rows);
}

/* The callback has had its last piece when it refuses, though the output has more text. */
static void nothing_is_sent_after_a_refusal(void **state) {
    (void)state;
    enum { UNFINISHED = 13 };
    nt_plan plan = plan_with((nt_plan){.max_new = 9, .choices = 1});
    int32_t script[] = {UNFINISHED, A};
    run r = {.heard.stop_at_piece = 1};
    float *rows = rows_of(script, 2, 1);
    run_with(&r, rows, 2, one_token, 1, &plan);
    assert_int_equal(r.status, NT_OK);
    assert_string_equal(r.output->finish_reason, "callback");
    assert_string_equal(r.output->text, "o|>\xEF\xBF\xBD");
    assert_string_equal(r.heard.text.data, "o|>");
    run_free(&r);
    free(rows);
}

static void failures_and_cancel_come_through(void **state) {
    (void)state;
    nt_plan plan = plan_with((nt_plan){.max_new = 9, .choices = 1});
    int32_t script[] = {B, B, B};
    float *rows = rows_of(script, 3, 1);
    run failing = {.model.fail_at_step = 3}, cancelled = {.heard.cancel_at = 2};
    run no_start = {.model.fail_start = true};
    run_with(&failing, rows, 3, one_token, 1, &plan);
    assert_int_equal(failing.status, NT_E_NUMERIC);
    assert_string_equal(nt_error_message(), "the table fails");
    run_with(&cancelled, rows, 3, one_token, 1, &plan);
    assert_int_equal(cancelled.status, NT_E_CANCELLED);
    assert_int_equal(nt_result_n_steps(cancelled.trace), 1);
    run_with(&no_start, rows, 3, one_token, 1, &plan);
    assert_int_equal(no_start.status, NT_E_MEMORY);
    run_free(&failing);
    run_free(&cancelled);
    run_free(&no_start);
    free(rows);
}

static void ties_and_removed_ids(void **state) {
    (void)state;
    float rows[3][V];
    for (size_t i = 0; i < V; i++) {
        rows[0][i] = i == 4 || i == 9 ? 2 : -1; /* a tie: the lowest id */
        rows[1][i] = i == 9 ? -50 : -INFINITY;  /* one id is left */
        rows[2][i] = -INFINITY;                 /* none is left */
    }
    run r = {0};
    nt_plan plan = plan_with((nt_plan){.max_new = 2, .choices = V});
    run_with(&r, rows[0], 3, one_token, 1, &plan);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(r.output->ids[0], 4);
    assert_int_equal(r.output->ids[1], 9);
    assert_true(nt_result_step(r.trace, 1)->chosen.logprob == 0);
    assert_int_equal(nt_result_step(r.trace, 1)->kept, 1);
    assert_int_equal(nt_result_step(r.trace, 0)->chosen.rank, 1);
    run_free(&r);
    run all_removed = {0};
    plan.max_new = 3;
    run_with(&all_removed, rows[0], 3, one_token, 1, &plan);
    assert_int_equal(all_removed.status, NT_E_NUMERIC);
    run_free(&all_removed);
    run nan = {0};
    rows[1][3] = NAN;
    run_with(&nan, rows[0], 3, one_token, 1, &plan);
    assert_int_equal(nan.status, NT_E_NUMERIC);
    run_free(&nan);
}

static void one_word_and_no_tokenizer(void **state) {
    (void)state;
    float row[] = {-7};
    table_model model = {.rows = row, .n_rows = 1, .V = 1};
    nt_stepper stepper = table_stepper(&model, 8);
    nt_result *trace;
    int32_t prompt[] = {0, 0};
    nt_plan plan = plan_with((nt_plan){.max_new = 6, .choices = 10});
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_GENERATE, NULL), NT_OK);
    assert_int_equal(run_plan(trace, &stepper, NULL, prompt, 2, &plan, NULL), NT_OK);
    const nt_output *output = nt_result_output(trace, 0);
    assert_int_equal(output->n_ids, 6);
    assert_true(output->logprob == 0);
    assert_string_equal(output->text, "");
    assert_int_equal(nt_result_n_candidates(trace, 5), 1);
    assert_int_equal(model.n_tokens, 7);
    const char *strings[] = {"x"};
    plan.stop_strings = strings;
    plan.n_stop_strings = 1;
    assert_int_equal(run_plan(trace, &stepper, NULL, prompt, 2, &plan, NULL), NT_E_ARGUMENT);
    assert_int_equal(model.n_live, 0);
    nt_result_free(trace);
}

static uint64_t seed = 521288629;
static size_t draw(size_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

/* The text by definition: the bytes that show, before the earliest stop string that ends in the
 * last token, decoded as a whole. */
static void text_by_definition(nt_buffer *out, const int32_t *prompt, size_t n_prompt,
                               const nt_output *output, const char *const *strings, size_t n) {
    nt_buffer all = {0}, shown = {0};
    size_t last = 0, begin = SIZE_MAX, at = 0;
    for (size_t i = 0; i < n_prompt + output->n_ids; i++) {
        int32_t id = i < n_prompt ? prompt[i] : output->ids[i - n_prompt];
        last = all.n;
        nt_buffer_put(&all, word_list[id].bytes, word_list[id].n);
    }
    for (size_t s = 0; s < n; s++) {
        size_t length = strlen(strings[s]);
        for (size_t end = last + 1; end <= all.n; end++) {
            if (end < length || memcmp(all.data + end - length, strings[s], length) != 0) continue;
            if (end - length < begin) begin = end - length;
        }
    }
    for (size_t i = 0; i < n_prompt + output->n_ids; i++) {
        const table_word *word = &word_list[i < n_prompt ? prompt[i] : output->ids[i - n_prompt]];
        for (size_t b = 0; b < word->n; b++, at++)
            if (i >= n_prompt && !word->special && at < begin)
                nt_buffer_putc(&shown, word->bytes[b]);
    }
    if (begin != SIZE_MAX) assert_string_equal(output->finish_reason, "stop_string");
    nt_utf8_append_lossy(out, shown.data ? shown.data : "", shown.n);
    nt_buffer_free(&all);
    nt_buffer_free(&shown);
}

static void random_scripts_against_the_definition(void **state) {
    (void)state;
    static const char *const pool[] = {"END",      "b",        "a b",
                                       "\xC3\xA9", "ab",       "!a",
                                       "eos",      "<|eos|>b", "\xE6\x97\xA5",
                                       "D",        "zENx",     "s|>a",
                                       "o|>",      "x",        "b<|eos|>\xC3\xA9"};
    size_t stopped = 0;
    for (size_t round = 0; round < 5000; round++) {
        int32_t script[16], prompt[3];
        const char *strings[3];
        size_t n_strings = draw(4), n_prompt = 1 + draw(3);
        for (size_t i = 0; i < 16; i++)
            script[i] = (int32_t)draw(V);
        for (size_t i = 0; i < n_prompt; i++)
            prompt[i] = (int32_t)draw(V);
        for (size_t i = 0; i < n_strings; i++)
            strings[i] = pool[draw(sizeof pool / sizeof *pool)];
        nt_plan plan = plan_with((nt_plan){.max_new = 1 + draw(16),
                                           .choices = 1,
                                           .stop_strings = strings,
                                           .n_stop_strings = n_strings});
        run r = {0};
        float *rows = rows_of(script, 16, n_prompt);
        run_with(&r, rows, n_prompt + 15, prompt, n_prompt, &plan);
        assert_int_equal(r.status, NT_OK);
        nt_buffer wanted = {0};
        text_by_definition(&wanted, prompt, n_prompt, r.output, strings, n_strings);
        assert_string_equal(r.output->text, wanted.n ? wanted.data : "");
        assert_string_equal(r.heard.text.n ? r.heard.text.data : "", r.output->text);
        stopped += strcmp(r.output->finish_reason, "stop_string") == 0;
        nt_buffer_free(&wanted);
        run_free(&r);
        free(rows);
    }
    assert_true(stopped > 1000 && stopped < 4500);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    const char *strings[] = {"ENDab", "zzz"};
    nt_plan plan = plan_with(
        (nt_plan){.max_new = 20, .choices = 3, .stop_strings = strings, .n_stop_strings = 2});
    int32_t script[] = {B, EN, D, C3, A9, A, END, A, END, B, END, A, B, A, A, A, A, A, A, A};
    float *rows = rows_of(script, 20, 1);
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        run r = {0};
        nt_buffer_put(&r.heard.text, "", 0);
        nt_memory_fail_at(++k);
        run_with(&r, rows, 20, one_token, 1, &plan);
        nt_memory_fail_at(0);
        status = r.status;
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        run_free(&r);
    }
    assert_true(k > 10);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_ends),
        cmocka_unit_test(eos_ends),
        cmocka_unit_test(stop_strings_end),
        cmocka_unit_test(stop_strings_across_characters),
        cmocka_unit_test(stop_string_begins_in_the_prompt),
        cmocka_unit_test(a_stop_string_longer_than_everything),
        cmocka_unit_test(special_tokens_and_ids_without_token),
        cmocka_unit_test(text_comes_as_soon_as_it_may),
        cmocka_unit_test(the_callback_ends),
        cmocka_unit_test(nothing_is_sent_after_a_refusal),
        cmocka_unit_test(failures_and_cancel_come_through),
        cmocka_unit_test(ties_and_removed_ids),
        cmocka_unit_test(one_word_and_no_tokenizer),
        cmocka_unit_test(random_scripts_against_the_definition),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
