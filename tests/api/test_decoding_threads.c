/* Every method at once in sessions of one model, each in a thread of its own: the bits of each are
 * those that it has alone, with any number of threads inside the sessions; and until the context is
 * full, which no method passes. */
#include "api/small_model.h"

#include <pthread.h>

#include "wiring.h"

enum { ROOM = 1 << 22, CONTEXT = 64, N_AT_ONCE = 4, ROUNDS = 3 };

static const int32_t prompt[] = {3, 27, 26, 4, 3, 27, 26}, no_eos[1];

typedef struct job {
    const char *method;
    const nt_model *model;
    int threads, rounds, status;
    size_t n;
    char shown[ROOM];
} job;

static int keep(void *payload, const char *bytes, size_t n) {
    job *j = payload;
    if (j->n + n > ROOM) return 1;
    memcpy(j->shown + j->n, bytes, n);
    j->n += n;
    return 0;
}

/* What makes a method of the defaults. */
static const struct {
    const char *method;
    int32_t num_beams, lookup, best_of, n_returned;
    int sample;
    bool exact, assisted;
} methods[] = {
    {.method = "greedy"},
    {"sample", .sample = 1, .n_returned = 3},
    {"best_of", .sample = 1, .best_of = 3},
    {"beam_search", .num_beams = 4, .n_returned = 2},
    {"beam_sample", .num_beams = 3, .sample = 1},
    {"prompt_lookup", .lookup = 4},
    {"assisted", .assisted = true},
    {"assisted", .assisted = true, .sample = 1},
    {"exact", .exact = true},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

static nt_generate_options options_of(size_t m, nt_session *assistant) {
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    o.max_new_tokens = methods[m].exact ? 3 : 12;
    o.eos_token_id = no_eos;
    o.num_beams = methods[m].num_beams;
    o.prompt_lookup_num_tokens = methods[m].lookup;
    o.best_of = methods[m].best_of;
    o.num_return_sequences = methods[m].n_returned;
    o.do_sample = methods[m].sample;
    o.search = methods[m].exact ? NT_SEARCH_EXACT : NT_SEARCH_AUTO;
    o.seed_given = true;
    o.seed = 7;
    if (methods[m].assisted) o.assistant = assistant;
    return o;
}

/* The whole trace, but for times. */
static int show(job *j, nt_result *result) {
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    view.format = NT_JSON;
    view.trace = true;
    result->milliseconds = result->effort.milliseconds = 0;
    int status = nt_result_show(result, &view, keep, j);
    nt_result_free(result);
    return status;
}

static int run_methods(job *j, nt_session *session, nt_session *assistant) {
    for (size_t m = 0; m < N_METHODS; m++) {
        nt_generate_options o = options_of(m, assistant);
        nt_result *result;
        NT_TRY(nt_generate(&result, session, nt_ids(prompt, 7), &o));
        NT_TRY(show(j, result));
    }
    return NT_OK;
}

static void *run_job(void *arg) {
    job *j = arg;
    nt_session_options options = {.size = sizeof options, .threads = j->threads};
    nt_session *session = NULL, *assistant = NULL;
    j->status = nt_session_new(&session, j->model, &options);
    if (j->status == NT_OK) j->status = nt_session_new(&assistant, j->model, &options);
    for (int round = 0; round < j->rounds && j->status == NT_OK; round++) {
        j->n = 0;
        j->status = run_methods(j, session, assistant);
    }
    nt_session_free(session);
    nt_session_free(assistant);
    return NULL;
}

static void is_as_alone(const job *alone, const job *j) {
    assert_int_equal(j->status, NT_OK);
    assert_int_equal(j->n, alone->n);
    assert_memory_equal(j->shown, alone->shown, alone->n);
}

static void at_once_as_alone(void **state) {
    static job alone, jobs[N_AT_ONCE];
    pthread_t threads[N_AT_ONCE];
    small_model m = small_open(*state);
    alone = (job){.model = m.model, .threads = 1, .rounds = 1};
    run_job(&alone);
    assert_int_equal(alone.status, NT_OK);
    assert_true(alone.n > 10000);
    for (int i = 0; i < N_AT_ONCE; i++) {
        jobs[i] = (job){.model = m.model, .threads = 1 + i % 3, .rounds = ROUNDS};
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (int i = 0; i < N_AT_ONCE; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N_AT_ONCE; i++)
        is_as_alone(&alone, &jobs[i]);
    small_close(&m);
}

/* ---- Until nothing more fits ---- */

static void until_the_context_is_full(void **state) {
    small_model m = small_open(*state);
    nt_session *assistant;
    int32_t whole[CONTEXT];
    assert_ok(nt_session_new(&assistant, m.model, NULL));
    for (int32_t i = 0; i < CONTEXT; i++)
        whole[i] = i % 5;
    for (size_t i = 0; i < N_METHODS; i++) {
        nt_generate_options o = options_of(i, assistant);
        size_t n_prompt = methods[i].exact ? CONTEXT - 2 : 7;
        nt_result *result;
        o.max_new_tokens = (int32_t)(CONTEXT - n_prompt);
        assert_ok(nt_generate(&result, m.session, nt_ids(whole, n_prompt), &o));
        assert_string_equal(nt_result_method(result, NULL), methods[i].method);
        for (size_t s = 0; s < nt_result_n_outputs(result); s++) {
            assert_int_equal(nt_result_output(result, s)->n_ids, CONTEXT - n_prompt);
            assert_string_equal(nt_result_output(result, s)->finish_reason, "length");
        }
        nt_result_free(result);
        o.max_new_tokens++;
        assert_fails(nt_generate(&result, m.session, nt_ids(whole, n_prompt), &o), NT_E_CONTEXT,
                     "64");
        o.max_new_tokens = 0;
        assert_fails(nt_generate(&result, m.session, nt_ids(whole, CONTEXT), &o), NT_E_CONTEXT,
                     "64");
        assert_ok(nt_generate(&result, m.session, nt_ids(whole, CONTEXT - 1), &o));
        assert_int_equal(nt_result_output(result, 0)->n_ids, 1);
        nt_result_free(result);
    }
    nt_session_free(assistant);
    small_close(&m);
}

/* ---- Sequence i has the draws of sequence i ---- */

static void a_sequence_is_the_same_in_any_company(void **state) {
    small_model m = small_open(*state);
    nt_result *many, *few;
    for (int32_t n = 1; n <= 9; n += 2) {
        nt_generate_options o = options_of(1, NULL);
        o.num_return_sequences = 10;
        assert_ok(nt_generate(&many, m.session, nt_ids(prompt, 7), &o));
        o.num_return_sequences = n;
        assert_ok(nt_generate(&few, m.session, nt_ids(prompt, 7), &o));
        for (size_t s = 0; s < (size_t)n; s++) {
            const nt_output *a = nt_result_output(many, s), *b = nt_result_output(few, s);
            assert_int_equal(a->n_ids, b->n_ids);
            assert_memory_equal(a->ids, b->ids, a->n_ids * sizeof *a->ids);
            assert_true(a->logprob == b->logprob);
        }
        nt_result_free(many);
        nt_result_free(few);
    }
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once_as_alone),
        cmocka_unit_test(until_the_context_is_full),
        cmocka_unit_test(a_sequence_is_the_same_in_any_company),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
