/* Several sequences in one call have the bits that each has alone; a failing call leaves all of
 * them as they were; a sequence that is cut goes on as if it had never been longer. */
#include "api/small_model.h"

enum { V = 96, N = 5, LONGEST = 40 };

static const size_t lengths[N] = {1, 7, LONGEST, 3, 12};

typedef struct texts {
    small_model m;
    int32_t ids[N][LONGEST], sequences[N];
    nt_forward_item items[N];
    float many[N][LONGEST * V];
} texts;

static texts *texts_new(void **state) {
    texts *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->m = small_open(*state);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < LONGEST; k++)
            t->ids[i][k] = (int32_t)((i * 31 + k * 17 + 5) % V);
        assert_ok(nt_sequence_new(&t->sequences[i], t->m.session));
        t->items[i] = (nt_forward_item){.size = sizeof t->items[i],
                                        .sequence = t->sequences[i],
                                        .want = (nt_want)(i % 3),
                                        .ids = t->ids[i],
                                        .n_ids = lengths[i],
                                        .logits = t->many[i]};
    }
    return t;
}

static void texts_free(texts *t) {
    small_close(&t->m);
    free(t);
}

static void assert_lengths(const texts *t, const size_t *expected) {
    for (size_t i = 0; i < N; i++)
        assert_int_equal(nt_sequence_length(t->m.session, t->sequences[i]),
                         expected ? expected[i] : 0);
}

static void each_as_alone(void **state) {
    texts *t = texts_new(state);
    assert_ok(nt_forward_many(t->m.session, t->items, N, NULL));
    assert_lengths(t, lengths);
    for (size_t i = 0; i < N; i++) {
        float alone[LONGEST * V] = {0};
        int32_t s;
        size_t n = i % 3 == NT_WANT_ALL ? lengths[i] : i % 3 == NT_WANT_LAST ? 1 : 0;
        assert_ok(nt_sequence_new(&s, t->m.session));
        assert_ok(
            nt_forward(t->m.session, s, t->ids[i], lengths[i], (nt_want)(i % 3), alone, NULL));
        assert_memory_equal(alone, t->many[i], n * V * sizeof *alone);
        nt_sequence_drop(t->m.session, s);
    }
    assert_ok(nt_forward_many(t->m.session, NULL, 0, NULL));
    texts_free(t);
}

static void failing_changes_nothing(void **state) {
    texts *t = texts_new(state);
    nt_session *session = t->m.session;
    t->ids[3][1] = V;
    assert_fails(nt_forward_many(session, t->items, N, NULL), NT_E_RANGE, "96");
    t->ids[3][1] = 0;
    t->items[4].sequence = t->items[0].sequence;
    assert_int_equal(nt_forward_many(session, t->items, N, NULL), NT_E_ARGUMENT);
    t->items[4].sequence = -1;
    assert_fails(nt_forward_many(session, t->items, N, NULL), NT_E_RANGE, "no sequence -1");
    t->items[4].sequence = t->sequences[4];
    t->items[2].logits = NULL;
    assert_fails(nt_forward_many(session, t->items, N, NULL), NT_E_ARGUMENT, "logits is NULL");
    t->items[2].logits = t->many[2];
    t->items[1].n_ids = 0;
    assert_fails(nt_forward_many(session, t->items, N, NULL), NT_E_ARGUMENT, "no ids");
    t->items[0].size = 8;
    assert_fails(nt_forward_many(session, t->items, N, NULL), NT_E_ARGUMENT, "set size");
    assert_fails(nt_forward_many(session, NULL, N, NULL), NT_E_ARGUMENT, "set size");
    assert_lengths(t, NULL);
    texts_free(t);
}

static void cut_goes_on_as_new(void **state) {
    texts *t = texts_new(state);
    nt_session *session = t->m.session;
    float cut[V], alone[V];
    int32_t s = t->sequences[2], other = t->sequences[0], child;
    assert_ok(nt_forward(session, s, t->ids[2], LONGEST, NT_WANT_NOTHING, NULL, NULL));
    assert_ok(nt_sequence_fork(&child, session, s));
    assert_ok(nt_sequence_cut(session, child, 17));
    assert_int_equal(nt_sequence_length(session, child), 17);
    assert_int_equal(nt_sequence_length(session, s), LONGEST);
    assert_ok(nt_forward(session, child, t->ids[1], 3, NT_WANT_LAST, cut, NULL));
    assert_ok(nt_forward(session, other, t->ids[2], 17, NT_WANT_NOTHING, NULL, NULL));
    assert_ok(nt_forward(session, other, t->ids[1], 3, NT_WANT_LAST, alone, NULL));
    assert_memory_equal(cut, alone, sizeof cut);
    assert_fails(nt_sequence_cut(session, child, 21), NT_E_RANGE, "21");
    assert_fails(nt_sequence_cut(session, 99, 0), NT_E_RANGE, "99");
    assert_ok(nt_sequence_cut(session, child, 0));
    assert_int_equal(nt_sequence_length(session, child), 0);
    texts_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_as_alone),
        cmocka_unit_test(failing_changes_nothing),
        cmocka_unit_test(cut_goes_on_as_new),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
