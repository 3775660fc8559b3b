/* Sentences of nextoken.h that test_contract.c leaves out: what the out parameters hold when a call
 * fails, calls on things that are not there, and arguments that no call takes. */
#include "api/small_model.h"

#include <math.h>

#include "base/memory.h"

static void *const anything = (void *)1;

static void a_failed_tokenizer_call_clears_what_it_would_give(void **state) {
    nt_tokenizer *t = anything;
    assert_fails(nt_tokenizer_open(&t, NULL), NT_E_ARGUMENT, "path");
    assert_null(t);
    t = anything;
    assert_fails(nt_tokenizer_open(&t, "/no/such"), NT_E_NOT_FOUND, "/no/such");
    assert_null(t);
    assert_ok(nt_tokenizer_open(&t, *state));

    int32_t *ids = anything;
    size_t *starts = anything, *ends = anything, n = 7;
    assert_fails(nt_encode(&ids, &starts, &ends, &n, t, "th\xff", 3, NULL), NT_E_TEXT, "byte 2");
    assert_true(!ids && !starts && !ends && n == 0);
    nt_encode_options unset = {.size = 0, .add_bos = true};
    ids = anything, n = 7;
    assert_fails(nt_encode(&ids, NULL, NULL, &n, t, "the", 3, &unset), NT_E_ARGUMENT, "size");
    assert_true(!ids && n == 0);
    ids = anything, n = 7;
    assert_fails(nt_encode(&ids, NULL, NULL, &n, t, NULL, NT_ZERO_ENDED, NULL), NT_E_ARGUMENT,
                 "NULL");
    assert_true(!ids && n == 0);

    char *text = anything;
    n = 7;
    assert_fails(nt_decode(&text, &n, t, (int32_t[]){0, 99}, 2, false), NT_E_RANGE, "index 1");
    assert_true(!text && n == 0);

    nt_stream *stream = anything;
    nt_memory_fail_at(1);
    assert_int_equal(nt_stream_new(&stream, t, false), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_null(stream);
    assert_ok(nt_stream_new(&stream, t, false));
    static const int32_t outside[] = {96, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        const char *utf8 = anything;
        n = 7;
        assert_fails(nt_stream_put(&utf8, &n, stream, outside[i]), NT_E_RANGE, "outside");
        assert_true(!utf8 && n == 0);
        assert_null(nt_tokenizer_bytes(t, outside[i], &n));
        assert_int_equal(n, 0);
        assert_false(nt_tokenizer_is_special(t, outside[i]));
    }
    nt_stream_free(stream);
    nt_tokenizer_free(t);
}

static void a_failed_session_call_clears_what_it_would_give(void **state) {
    small_model m = small_open(*state);
    int32_t child = 7;
    assert_fails(nt_sequence_fork(&child, m.session, 3), NT_E_RANGE, "3");
    assert_int_equal(child, 0);
    int32_t sequence = 7;
    nt_memory_fail_at(1);
    assert_int_equal(nt_sequence_new(&sequence, m.session), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_int_equal(sequence, 0);

    double loss = 7;
    size_t n = 7;
    assert_fails(nt_loss(&loss, &n, m.session, (int32_t[]){1, 96}, NULL, 2, NULL), NT_E_RANGE,
                 "96");
    assert_true(loss == 0 && n == 0);
    loss = 7, n = 7;
    assert_fails(nt_loss(&loss, &n, m.session, (int32_t[]){1, 2}, (int32_t[]){1, -99}, 2, NULL),
                 NT_E_RANGE, "-99");
    assert_true(loss == 0 && n == 0);
    assert_ok(nt_loss(&loss, NULL, m.session, (int32_t[]){1, 2}, (int32_t[]){1, -100}, 2, NULL));
    assert_true(isnan(loss));
    assert_ok(nt_loss(&loss, &n, m.session, (int32_t[]){1}, NULL, 1, NULL));
    assert_true(isnan(loss) && n == 0);

    nt_result *r = anything;
    assert_fails(nt_detokenize(&r, m.model, (int32_t[]){96}, 1, false), NT_E_RANGE, "96");
    assert_null(r);
    r = anything;
    assert_fails(nt_tokenize(&r, m.model, NULL, NULL), NT_E_ARGUMENT, "neither");
    assert_null(r);
    nt_score_options score = NT_SCORE_OPTIONS_INIT;
    score.prompt_len = 4;
    r = anything;
    assert_fails(nt_score(&r, m.session, nt_text("the"), &score), NT_E_ARGUMENT, "prompt_len");
    assert_null(r);
    int32_t too_long[65] = {0};
    r = anything;
    assert_fails(nt_inspect(&r, m.session, nt_ids(too_long, 65), NULL), NT_E_CONTEXT, "65");
    assert_null(r);
    r = anything;
    assert_fails(nt_generate(&r, m.session, nt_ids(too_long, 64), NULL), NT_E_CONTEXT, "64");
    assert_null(r);
    r = anything;
    assert_fails(nt_steps(&r, m.session, nt_ids(&(int32_t){96}, 1), NULL), NT_E_RANGE, "96");
    assert_null(r);
    nt_model_info info = {0};
    assert_fails(nt_model_get_info(&info, m.model), NT_E_ARGUMENT, "size");
    small_close(&m);
}

static void forward_takes_the_wants_that_there_are(void **state) {
    small_model m = small_open(*state);
    int32_t s, id = 1;
    float logits[96] = {7};
    assert_ok(nt_sequence_new(&s, m.session));
    assert_fails(nt_forward(m.session, s, &id, 1, (nt_want)3, logits, NULL), NT_E_ARGUMENT, "3");
    assert_fails(nt_forward(m.session, s, NULL, 1, NT_WANT_LAST, logits, NULL), NT_E_ARGUMENT,
                 "ids");
    assert_int_equal(nt_sequence_length(m.session, s), 0);
    assert_true(logits[0] == 7);
    assert_ok(nt_forward(m.session, s, &id, 1, NT_WANT_NOTHING, NULL, NULL));
    assert_int_equal(nt_sequence_length(m.session, s), 1);
    small_close(&m);
}

/* Neither a tokenizer nor a BOS of its own: the default one, 50256, is outside 96 ids. */
static void a_model_without_a_tokenizer(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    CHECKPOINT("mute", "--shape", "tiny", "--seed", "11");
    checkpoint_path(path, "mute");
    write_file(path, "generation_config.json", "{}");
    write_file(path, "config.json",
               "{\"model_type\":\"gpt2\",\"vocab_size\":96,\"n_positions\":64,\"n_embd\":32,"
               "\"n_layer\":2,\"n_head\":4}");
    small_model m = small_open(path);
    const nt_tokenizer *none = nt_model_tokenizer(m.model);
    size_t n = 7;
    assert_null(none);
    assert_int_equal(nt_tokenizer_size(none), 0);
    assert_int_equal(nt_tokenizer_bos(none), -1);
    assert_int_equal(nt_tokenizer_eos(none), -1);
    assert_int_equal(nt_tokenizer_pad(none), -1);
    assert_false(nt_tokenizer_is_special(none, 0));
    assert_null(nt_tokenizer_bytes(none, 0, &n));
    assert_int_equal(n, 0);

    nt_result *r;
    assert_fails(nt_next(&r, m.session, nt_text("the"), NULL), NT_E_UNSUPPORTED, "no tokenizer");
    assert_fails(nt_next(&r, m.session, nt_ids(&(int32_t){0}, 0), NULL), NT_E_ARGUMENT, "no BOS");
    assert_ok(nt_next(&r, m.session, nt_ids(&(int32_t){1}, 1), NULL));
    assert_int_equal(nt_result_token(r, 0)->n_bytes, 0);
    nt_result_free(r);
    small_close(&m);
}

static void a_result_that_is_not_there(void **state) {
    (void)state;
    size_t n = 7;
    assert_string_equal(nt_result_text(NULL, &n), "");
    assert_int_equal(n, 0);
    assert_string_equal(nt_result_text(NULL, NULL), "");
    assert_int_equal(nt_result_n_steps(NULL), 0);
    assert_int_equal(nt_result_n_candidates(NULL, 0), 0);
    assert_int_equal(nt_result_n_outputs(NULL), 0);
    assert_null(nt_result_token(NULL, 0));
    assert_null(nt_result_candidate(NULL, 0, 0));
    assert_null(nt_result_output(NULL, 0));
    assert_null(nt_result_scored(NULL, 0));
    assert_null(nt_result_totals(NULL));
    assert_null(nt_result_tensor(NULL, "logits"));
    nt_generate_options_clear(NULL);
    assert_null(nt_option_at(nt_n_options()));
    assert_null(nt_option_at(SIZE_MAX));
}

static int refuse(void *payload, const char *bytes, size_t n) {
    (void)payload, (void)bytes, (void)n;
    return 1;
}

static void a_view_that_cannot_be(void **state) {
    small_model m = small_open(*state);
    nt_result *r;
    assert_ok(nt_info(&r, m.model));
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    assert_int_equal(nt_result_show(r, &view, refuse, NULL), NT_E_IO);
    view.format = (nt_format)9;
    assert_fails(nt_result_show(r, &view, refuse, NULL), NT_E_ARGUMENT, "9");
    assert_fails(nt_result_show(r, NULL, NULL, NULL), NT_E_ARGUMENT, "NULL");
    assert_fails(nt_result_show(NULL, NULL, refuse, NULL), NT_E_ARGUMENT, "NULL");
    view.format = NT_SVG;
    assert_fails(nt_result_show(r, &view, refuse, NULL), NT_E_UNSUPPORTED, "no picture");
    assert_fails(nt_result_save(r, &view, "never"), NT_E_UNSUPPORTED, "no picture");
    assert_fails(nt_result_save(r, NULL, NULL), NT_E_ARGUMENT, "NULL");
    assert_fails(nt_result_save(NULL, NULL, "never"), NT_E_ARGUMENT, "NULL");
    assert_fails(nt_result_save(r, NULL, "/no/such/file"), NT_E_NOT_FOUND, "/no/such");
    assert_fails(nt_result_save_npz(r, "never"), NT_E_ARGUMENT, "no arrays");
    assert_fails(nt_result_save_npz(NULL, "never"), NT_E_ARGUMENT, "no arrays");
    assert_int_equal(access("never", F_OK), -1);
    view = (nt_view_options){0};
    assert_fails(nt_result_show(r, &view, refuse, NULL), NT_E_ARGUMENT, "size");
    nt_result_free(r);
    assert_ok(nt_inspect(&r, m.session, nt_text("the"), NULL));
    assert_fails(nt_result_save_npz(r, NULL), NT_E_ARGUMENT, "path");
    assert_fails(nt_result_save_npz(r, "/no/such/file.npz"), NT_E_NOT_FOUND, "/no/such");
    nt_result_free(r);
    small_close(&m);
}

static void generation_numbers_are_checked(void **state) {
    small_model m = small_open(*state);
    nt_result *r;
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    o.max_new_tokens = -1;
    assert_fails(nt_generate(&r, m.session, nt_text("the"), &o), NT_E_ARGUMENT, "max_new_tokens");
    o.max_new_tokens = INT32_MAX;
    assert_fails(nt_generate(&r, m.session, nt_text("the"), &o), NT_E_CONTEXT, "64");
    o.max_new_tokens = 0;
    o.max_length = -5;
    assert_fails(nt_generate(&r, m.session, nt_text("the"), &o), NT_E_ARGUMENT, "max_length");
    o.max_length = 0;
    o.choices = INT32_MIN;
    assert_fails(nt_generate(&r, m.session, nt_text("the"), &o), NT_E_ARGUMENT, "choices");
    o.choices = 0;
    o.stop_strings = (const char *[]){"\xff"};
    o.n_stop_strings = 1;
    int status = nt_generate(&r, m.session, nt_text("the"), &o);
    assert_true(status == NT_E_TEXT || status == NT_E_ARGUMENT);
    o.stop_strings = NULL;
    o.n_stop_strings = 0;
    o.eos_token_id = (int32_t[]){96};
    o.n_eos_token_id = 1;
    assert_int_not_equal(nt_generate(&r, m.session, nt_text("the"), &o), NT_OK);
    assert_null(r);
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_tokenizer_call_clears_what_it_would_give),
        cmocka_unit_test(a_failed_session_call_clears_what_it_would_give),
        cmocka_unit_test(forward_takes_the_wants_that_there_are),
        cmocka_unit_test(a_model_without_a_tokenizer),
        cmocka_unit_test(a_result_that_is_not_there),
        cmocka_unit_test(a_view_that_cannot_be),
        cmocka_unit_test(generation_numbers_are_checked),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
