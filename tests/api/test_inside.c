/* inspect, captures and edits through the public interface: that they agree with each other and
 * leave nothing behind. Their values are held against transformers in tests/model. */
#include "api/small_model.h"

#include <math.h>

enum { D = 32, L = 2, H = 4, V = 96, T = 5 };

static const int32_t prompt[T] = {28, 26, 2, 0, 19};

static void inspect_agrees_with_forward(void **state) {
    small_model m = small_open(*state);
    nt_inspect_options o = NT_INSPECT_OPTIONS_INIT;
    o.logits = o.hidden_states = o.attentions = true;
    nt_result *r;
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, T), &o));
    const nt_tensor_view *logits = nt_result_tensor(r, "logits");
    const nt_tensor_view *hidden = nt_result_tensor(r, "hidden_states");
    const nt_tensor_view *norms = nt_result_tensor(r, "hidden_norms");
    const nt_tensor_view *attentions = nt_result_tensor(r, "attentions");
    assert_true(logits->n_dims == 2 && logits->shape[0] == T && logits->shape[1] == V);
    assert_true(hidden->n_dims == 3 && hidden->shape[0] == L + 1 && hidden->shape[1] == T &&
                hidden->shape[2] == D);
    assert_true(attentions->n_dims == 4 && attentions->shape[0] == L && attentions->shape[1] == H &&
                attentions->shape[2] == T && attentions->shape[3] == T);

    float direct[T * V];
    int32_t sequence;
    assert_ok(nt_sequence_new(&sequence, m.session));
    assert_ok(nt_forward(m.session, sequence, prompt, T, NT_WANT_ALL, direct, NULL));
    assert_int_equal(nt_sequence_length(m.session, sequence), T);
    nt_sequence_drop(m.session, sequence);
    assert_int_equal(nt_sequence_length(m.session, sequence), 0);
    assert_memory_equal(direct, logits->data, sizeof direct);

    for (size_t l = 0; l <= L; l++) {
        double sum = 0;
        for (size_t i = 0; i < T * D; i++)
            sum += pow(hidden->data[l * T * D + i], 2);
        assert_float_equal(norms->data[l], sqrt(sum), 1e-5 * sqrt(sum));
    }
    for (size_t row = 0; row < L * H * T; row++) {
        double sum = 0;
        for (size_t t = 0; t < T; t++) {
            float p = attentions->data[row * T + t];
            assert_true(t <= row % T ? p > 0 : p == 0);
            sum += p;
        }
        assert_float_equal(sum, 1, 1e-6);
    }
    nt_result_free(r);
    small_close(&m);
}

static void inspect_without_arrays_keeps_the_last_row(void **state) {
    small_model m = small_open(*state);
    nt_inspect_options all = NT_INSPECT_OPTIONS_INIT;
    all.logits = all.hidden_states = all.attentions = true;
    nt_result *a, *b;
    assert_ok(nt_inspect(&a, m.session, nt_ids(prompt, T), &all));
    assert_ok(nt_inspect(&b, m.session, nt_ids(prompt, T), NULL));
    const nt_tensor_view *x = nt_result_tensor(a, "logits"), *y = nt_result_tensor(b, "logits");
    assert_int_equal(y->shape[0], 1);
    assert_memory_equal(x->data + (T - 1) * V, y->data, V * sizeof(float));
    assert_memory_equal(nt_result_tensor(a, "hidden_norms")->data,
                        nt_result_tensor(b, "hidden_norms")->data, (L + 1) * sizeof(float));
    assert_null(nt_result_tensor(b, "attentions"));
    nt_result_free(a);
    nt_result_free(b);
    small_close(&m);
}

static int count(void *payload, const nt_seen *seen) {
    assert_int_equal(seen->n, D / H);
    assert_int_equal(seen->place.head, 1);
    ++*(int *)payload;
    return 0;
}

static void inspect_leaves_the_callers_captures(void **state) {
    small_model m = small_open(*state);
    int seen = 0;
    nt_capture capture = {{NT_POINT_HEAD_OUT, 1, 1, NT_EVERY}, count, &seen};
    assert_ok(nt_session_set_captures(m.session, &capture, 1));
    nt_result *r;
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, T), NULL));
    nt_result_free(r);
    assert_int_equal(seen, T);
    assert_ok(nt_next(&r, m.session, nt_ids(prompt, T), NULL));
    nt_result_free(r);
    assert_int_equal(seen, 2 * T);
    assert_ok(nt_session_set_captures(m.session, NULL, 0));
    assert_ok(nt_next(&r, m.session, nt_ids(prompt, T), NULL));
    nt_result_free(r);
    assert_int_equal(seen, 2 * T);
    small_close(&m);
}

static void top_logit(float *out, nt_session *session) {
    nt_result *r;
    assert_ok(nt_next(&r, session, nt_ids(prompt, T), NULL));
    *out = nt_result_candidate(r, 0, 0)->logit;
    nt_result_free(r);
}

static void edits_act_and_go(void **state) {
    small_model m = small_open(*state);
    float plain, edited, again;
    top_logit(&plain, m.session);
    nt_edit edit = {.place = {NT_POINT_HEAD_OUT, 0, 2, NT_EVERY}, .action = NT_ZERO};
    assert_ok(nt_session_set_edits(m.session, &edit, 1));
    top_logit(&edited, m.session);
    assert_true(plain != edited);
    assert_ok(nt_session_set_edits(m.session, NULL, 0));
    top_logit(&again, m.session);
    assert_memory_equal(&plain, &again, sizeof plain);

    edit.place.point = NT_POINT_ATTENTION;
    assert_fails(nt_session_set_edits(m.session, &edit, 1), NT_E_ARGUMENT, "ATTENTION");
    edit.place = (nt_place){NT_POINT_MLP_OUT, 7, 0, 0};
    assert_fails(nt_session_set_edits(m.session, &edit, 1), NT_E_RANGE, "7");
    small_close(&m);
}

static void loss_is_the_mean_of_the_score(void **state) {
    small_model m = small_open(*state);
    nt_result *r;
    double loss;
    size_t n;
    assert_ok(nt_score(&r, m.session, nt_ids(prompt, T), NULL));
    assert_ok(nt_loss(&loss, &n, m.session, prompt, NULL, T, NULL));
    assert_int_equal(n, T - 1);
    assert_float_equal(loss, nt_result_totals(r)->loss, 1e-12);
    double some = -(nt_result_scored(r, 1)->logprob + nt_result_scored(r, 4)->logprob) / 2;
    int32_t labels[T] = {V + 7, prompt[1], -100, -100, prompt[4]}; /* the first is for nobody */
    assert_ok(nt_loss(&loss, &n, m.session, prompt, labels, T, NULL));
    assert_int_equal(n, 2);
    assert_float_equal(loss, some, 1e-12);
    for (size_t i = 0; i < T; i++)
        labels[i] = -100;
    assert_ok(nt_loss(&loss, &n, m.session, prompt, labels, T, NULL));
    assert_true(isnan(loss) && n == 0);
    static const int32_t outside[] = {1, V};
    assert_fails(nt_loss(&loss, &n, m.session, outside, labels, 2, NULL), NT_E_RANGE, "token 1");
    labels[2] = V;
    assert_fails(nt_loss(&loss, &n, m.session, prompt, labels, T, NULL), NT_E_RANGE, "96");
    nt_result_free(r);
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect_agrees_with_forward),
        cmocka_unit_test(inspect_without_arrays_keeps_the_last_row),
        cmocka_unit_test(inspect_leaves_the_callers_captures),
        cmocka_unit_test(edits_act_and_go),
        cmocka_unit_test(loss_is_the_mean_of_the_score),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
