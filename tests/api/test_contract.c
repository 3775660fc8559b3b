/* What nextoken.h promises beyond the right numbers: statuses, ownership, sizes, callbacks, and
 * that any allocation may fail. */
#include "api/small_model.h"

#include <math.h>
#include <pthread.h>

#include "base/memory.h"

static void version_matches_header(void **state) {
    (void)state;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%d.%d.%d", NT_VERSION_MAJOR, NT_VERSION_MINOR,
             NT_VERSION_PATCH);
    assert_string_equal(nt_version(), wanted);
}

static void statuses_have_names(void **state) {
    (void)state;
    for (int s = NT_E_CANCELLED; s <= NT_OK; s++)
        assert_memory_equal(nt_status_name(s), s ? "NT_E_" : "NT_OK", 5);
    assert_string_equal(nt_status_name(7), "unknown status");
}

static void wrong_arguments_are_refused(void **state) {
    nt_model *model = (nt_model *)1;
    nt_session *session = (nt_session *)1;
    nt_result *result = (nt_result *)1;
    nt_model_options unset = {0};
    assert_fails(nt_model_open(&model, *state, &unset), NT_E_ARGUMENT, "size");
    nt_model_options strange = NT_MODEL_OPTIONS_INIT;
    strange.precision = (nt_precision)99;
    assert_fails(nt_model_open(&model, *state, &strange), NT_E_ARGUMENT, "99");
    assert_fails(nt_model_open(&model, "/no/such", NULL), NT_E_NOT_FOUND, "/no/such");

    small_model m = small_open(*state);
    nt_session_options threads = NT_SESSION_OPTIONS_INIT;
    threads.threads = -1;
    assert_fails(nt_session_new(&session, m.model, &threads), NT_E_ARGUMENT, "-1");
    assert_null(session);
    nt_next_options k = NT_NEXT_OPTIONS_INIT;
    k.k = -3;
    assert_fails(nt_next(&result, m.session, nt_text("the"), &k), NT_E_ARGUMENT, "-3");
    assert_null(result);
    assert_fails(nt_next(&result, m.session, NULL, NULL), NT_E_ARGUMENT, "neither");
    nt_prompt sizeless = {.text = "a", .n_text = 1};
    assert_fails(nt_next(&result, m.session, &sizeless, NULL), NT_E_ARGUMENT, "size");
    int32_t id = 0;
    float logits[96];
    assert_fails(nt_forward(m.session, 0, &id, 1, NT_WANT_LAST, logits, NULL), NT_E_RANGE, "0");
    assert_fails(nt_forward(m.session, 0, &id, 1, NT_WANT_LAST, NULL, NULL), NT_E_ARGUMENT, "NULL");
    assert_fails(nt_forward(m.session, 0, &id, 0, NT_WANT_LAST, logits, NULL), NT_E_ARGUMENT,
                 "ids");
    small_close(&m);
}

/* This program was linked without the model; tests/builtin has it. */
static void a_build_may_carry_no_model(void **state) {
    (void)state;
    nt_model_options tokenizer = NT_MODEL_OPTIONS_INIT;
    tokenizer.tokenizer_only = true;
    nt_model *model = (nt_model *)1;
    assert_null(nt_builtin_model());
    assert_fails(nt_model_open(&model, NULL, NULL), NT_E_UNSUPPORTED, "tales");
    assert_null(model);
    assert_fails(nt_model_open(&model, "tales", NULL), NT_E_UNSUPPORTED, "tales");
    assert_fails(nt_model_open(&model, "tales", &tokenizer), NT_E_UNSUPPORTED, "tales");
    assert_ok(nt_model_open(&model, NULL, &tokenizer));
    nt_model_free(model);
}

static void null_is_harmless(void **state) {
    (void)state;
    nt_model_free(NULL);
    nt_session_free(NULL);
    nt_tokenizer_free(NULL);
    nt_stream_free(NULL);
    nt_result_free(NULL);
    nt_free(NULL);
    nt_sequence_drop(NULL, 0);
    assert_int_equal(nt_sequence_length(NULL, 0), 0);
    assert_int_equal(nt_result_n_tokens(NULL), 0);
    assert_null(nt_result_step(NULL, 0));
}

static void past_the_end_is_null(void **state) {
    small_model m = small_open(*state);
    nt_result *r;
    assert_ok(nt_next(&r, m.session, nt_text("the"), NULL));
    assert_int_equal(nt_result_n_steps(r), 1);
    assert_int_equal(nt_result_n_candidates(r, 0), 10);
    assert_int_equal(nt_result_n_candidates(r, 1), 0);
    assert_null(nt_result_step(r, 1));
    assert_null(nt_result_candidate(r, 0, 10));
    assert_null(nt_result_candidate(r, 1, 0));
    assert_null(nt_result_token(r, 99));
    assert_null(nt_result_output(r, 0));
    assert_null(nt_result_scored(r, 0));
    assert_null(nt_result_totals(r));
    assert_null(nt_result_tensor(r, "logits"));
    nt_result_free(r);
    small_close(&m);
}

static void a_result_outlives_its_model(void **state) {
    small_model m = small_open(*state);
    nt_result *r;
    assert_ok(nt_score(&r, m.session, nt_text("the cat"), NULL));
    small_close(&m);
    assert_int_equal(nt_result_get_kind(r), NT_RESULT_SCORE);
    assert_string_equal(nt_result_token(r, 0)->bytes, "the");
    assert_true(isnan(nt_result_scored(r, 0)->logprob));
    assert_true(nt_result_scored(r, 1)->logprob < 0);
    nt_result_free(r);
}

static void a_smaller_struct_is_an_older_one(void **state) {
    small_model m = small_open(*state);
    nt_model_info info = {.size = offsetof(nt_model_info, n_parameters)};
    info.n_vocab = -7;
    assert_ok(nt_model_get_info(&info, m.model));
    assert_string_equal(info.architecture, "gpt2");
    assert_int_equal(info.n_vocab, -7);
    nt_generate_options old = {
        .size = offsetof(nt_generate_options, eos_token_id), .max_new_tokens = 3, .choices = -1};
    nt_result *r;
    assert_ok(nt_generate(&r, m.session, nt_text("the"), &old));
    assert_true(nt_result_output(r, 0)->n_ids <= 3);
    nt_result_free(r);
    small_close(&m);
}

/* ---- Callbacks ---- */

typedef struct seen {
    char text[512];
    size_t n, stop_after, calls, cancel_after, asked;
    uint64_t done, total;
    char note[256];
} seen;

static int on_text(void *payload, const char *utf8, size_t n) {
    seen *s = payload;
    assert_true(s->n + n < sizeof s->text);
    memcpy(s->text + s->n, utf8, n);
    s->n += n;
    s->text[s->n] = 0;
    return s->stop_after && ++s->calls >= s->stop_after;
}

static void on_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    seen *s = payload;
    assert_string_equal(what, "tokens");
    assert_true(done >= s->done && done <= total);
    s->done = done;
    s->total = total;
}

static int on_cancel(void *payload) {
    seen *s = payload;
    return s->cancel_after && ++s->asked >= s->cancel_after;
}

static void on_note(void *payload, const char *line) {
    snprintf(((seen *)payload)->note, sizeof((seen *)payload)->note, "%s", line);
}

static nt_callbacks callbacks_to(seen *s) {
    return (nt_callbacks){.size = sizeof(nt_callbacks),
                          .payload = s,
                          .progress = on_progress,
                          .cancel = on_cancel,
                          .note = on_note,
                          .text = on_text};
}

static void text_arrives_as_it_is_made(void **state) {
    small_model m = small_open(*state);
    seen s = {0};
    nt_callbacks callbacks = callbacks_to(&s);
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    o.callbacks = &callbacks;
    o.eos_token_id = (int32_t[]){0};
    o.n_eos_token_id = 0;
    nt_result *r;
    assert_ok(nt_generate(&r, m.session, nt_text("the cat"), &o));
    const nt_output *output = nt_result_output(r, 0);
    assert_string_equal(s.text, output->text);
    assert_int_equal(output->n_ids, 20);
    assert_int_equal(s.done, 20);
    assert_int_equal(s.total, 20);
    assert_non_null(strstr(s.note, "20 new tokens"));
    assert_string_equal(output->finish_reason, "length");
    nt_result_free(r);

    s = (seen){.stop_after = 1};
    assert_ok(nt_generate(&r, m.session, nt_text("the cat"), &o));
    assert_string_equal(nt_result_output(r, 0)->finish_reason, "callback");
    assert_true(nt_result_output(r, 0)->n_ids < 20);
    assert_string_equal(s.text, nt_result_output(r, 0)->text);
    nt_result_free(r);
    small_close(&m);
}

static void cancel_ends_a_run_and_leaves_the_session_whole(void **state) {
    small_model m = small_open(*state);
    nt_result *before, *r, *after;
    assert_ok(nt_next(&before, m.session, nt_text("the cat"), NULL));
    int32_t first, again;
    assert_ok(nt_sequence_new(&first, m.session));
    nt_sequence_drop(m.session, first);
    for (size_t k = 1; k < 12; k++) {
        seen s = {.cancel_after = k};
        nt_callbacks callbacks = callbacks_to(&s);
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        o.callbacks = &callbacks;
        assert_fails(nt_generate(&r, m.session, nt_text("the cat"), &o), NT_E_CANCELLED, "stopped");
        assert_null(r);
        nt_score_options score = NT_SCORE_OPTIONS_INIT;
        s.asked = 0;
        s.cancel_after = 1;
        score.callbacks = &callbacks;
        assert_int_equal(nt_score(&r, m.session, nt_text("the cat"), &score), NT_E_CANCELLED);
    }
    assert_ok(nt_sequence_new(&again, m.session));
    assert_int_equal(again, first); /* no sequence was left behind */
    nt_sequence_drop(m.session, again);
    assert_ok(nt_next(&after, m.session, nt_text("the cat"), NULL));
    for (size_t i = 0; i < 10; i++) {
        const nt_candidate *a = nt_result_candidate(before, 0, i);
        const nt_candidate *b = nt_result_candidate(after, 0, i);
        assert_int_equal(a->token.id, b->token.id);
        assert_memory_equal(&a->logit, &b->logit, sizeof a->logit);
    }
    nt_result_free(before);
    nt_result_free(after);
    small_close(&m);
}

/* ---- Threads ---- */

static void *score_many(void *payload) {
    const nt_model *model = payload;
    nt_session *session;
    double *sum = calloc(1, sizeof *sum);
    if (nt_session_new(&session, model, &(nt_session_options){sizeof(nt_session_options), 2}) !=
        NT_OK)
        return sum;
    for (int i = 0; i < 20; i++) {
        nt_result *r;
        if (nt_score(&r, session, nt_text("the cat sat on the mat"), NULL) != NT_OK) break;
        *sum += nt_result_totals(r)->logprob;
        nt_result_free(r);
    }
    nt_session_free(session);
    return sum;
}

static void threads_share_a_model(void **state) {
    small_model m = small_open(*state);
    pthread_t threads[3];
    double *sums[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, score_many, m.model), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], (void **)&sums[i]), 0);
    assert_true(*sums[0] < 0);
    assert_memory_equal(sums[0], sums[1], sizeof *sums[0]);
    assert_memory_equal(sums[0], sums[2], sizeof *sums[0]);
    for (int i = 0; i < 3; i++)
        free(sums[i]);
    small_close(&m);
}

/* ---- Every allocation fails in turn ---- */

static int swallow(void *payload, const char *bytes, size_t n) {
    (void)bytes;
    *(size_t *)payload += n;
    return 0;
}

static int show_all(const nt_result *r) {
    for (int format = NT_TABLE; format <= NT_CSV; format++) {
        nt_view_options view = NT_VIEW_OPTIONS_INIT;
        view.format = (nt_format)format;
        size_t n = 0;
        int status = nt_result_show(r, &view, swallow, &n);
        if (status != NT_OK) return status;
        if (n == 0) return NT_E_IO;
    }
    return NT_OK;
}

static int show_and_free(int status, nt_result **r) {
    if (status == NT_OK) status = show_all(*r);
    nt_result_free(*r);
    return status;
}

/* Opens, runs every job, shows every result. */
static int everything(const char *path) {
    nt_model *model;
    nt_session *session = NULL;
    nt_result *r;
    int status = nt_model_open(&model, path, NULL);
    if (status == NT_OK)
        status =
            nt_session_new(&session, model, &(nt_session_options){sizeof(nt_session_options), 1});
    if (status == NT_OK) status = show_and_free(nt_tokenize(&r, model, nt_text("the c"), NULL), &r);
    if (status == NT_OK)
        status = show_and_free(nt_detokenize(&r, model, (int32_t[]){28, 26}, 2, false), &r);
    if (status == NT_OK) status = show_and_free(nt_info(&r, model), &r);
    if (status == NT_OK) status = show_and_free(nt_next(&r, session, nt_text("the c"), NULL), &r);
    if (status == NT_OK) status = show_and_free(nt_score(&r, session, nt_text("the c"), NULL), &r);
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    if (status == NT_OK) status = nt_generate_options_set(&o, "stop_strings", "zq");
    o.max_new_tokens = 3;
    if (status == NT_OK) status = show_and_free(nt_generate(&r, session, nt_text(""), &o), &r);
    if (status == NT_OK) status = show_and_free(nt_steps(&r, session, nt_text("the"), &o), &r);
    nt_generate_options_clear(&o);
    nt_inspect_options inspect = NT_INSPECT_OPTIONS_INIT;
    inspect.logits = inspect.hidden_states = inspect.attentions = inspect.logit_lens = true;
    if (status == NT_OK)
        status = show_and_free(nt_inspect(&r, session, nt_text("the c"), &inspect), &r);
    nt_session_free(session);
    nt_model_free(model);
    return status;
}

/* How many there are depends on the time that a run takes and shows. */
static void every_allocation_may_fail(void **state) {
    for (int once = 0; once < 2; once++) {
        size_t k = 1;
        for (bool reached = true; reached; k++) {
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = everything(*state);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (status != (reached ? NT_E_MEMORY : NT_OK))
                fail_msg("allocation %zu%s failed and the status was %s: %s", k,
                         once ? " alone" : "", nt_status_name(status), nt_error_message());
            if (reached) assert_non_null(strstr(nt_error_message(), "memory"));
        }
        assert_true(k > 500);
        print_message("%zu allocations failed in turn\n", k - 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_matches_header),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_build_may_carry_no_model),
        cmocka_unit_test(null_is_harmless),
        cmocka_unit_test(past_the_end_is_null),
        cmocka_unit_test(a_result_outlives_its_model),
        cmocka_unit_test(a_smaller_struct_is_an_older_one),
        cmocka_unit_test(text_arrives_as_it_is_made),
        cmocka_unit_test(cancel_ends_a_run_and_leaves_the_session_whole),
        cmocka_unit_test(threads_share_a_model),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
