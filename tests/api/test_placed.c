/* Ids that stand elsewhere than a sequence's length would put them, and padding that looks at a
 * text without being part of it. Their figures are held against transformers in tests/python
 * (forwarding.py); here is what must hold besides. And captures that are kept. */
#include <math.h>

#include "api/small_model.h"
#include "base/memory.h"

enum { V = 96, T = 64, D = 32, LAYERS = 2, HEADS = 4, N = 6 };

static const int32_t ids[N] = {11, 3, 40, 7, 22, 9}, pads[4] = {0, 0, 5, 0};

typedef struct placed {
    small_model m;
    int32_t sequence;
} placed;

static placed begin(void **state) {
    placed p = {.m = small_open(*state)};
    assert_ok(nt_sequence_new(&p.sequence, p.m.session));
    return p;
}

static void end(placed *p) {
    small_close(&p->m);
}

static void run(const placed *p, int32_t sequence, size_t from, size_t n, float *logits) {
    assert_ok(nt_forward(p->m.session, sequence, ids + from, n, NT_WANT_LAST, logits, NULL));
}

static void sizes_are_those_of_the_model(void **state) {
    placed p = begin(state);
    nt_model_info info = {.size = sizeof info};
    assert_ok(nt_model_get_info(&info, p.m.model));
    assert_true(info.n_vocab == V && info.n_context == T && info.n_embd == D);
    assert_true(info.n_layer == LAYERS && info.n_head == HEADS);
    end(&p);
}

static void at_its_own_place_no_bit_changes(void **state) {
    placed p = begin(state);
    float plain[V], again[V], other[V];
    run(&p, p.sequence, 0, N, plain);
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 0));
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 0));
    run(&p, p.sequence, 0, 2, again);
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 2));
    run(&p, p.sequence, 2, N - 2, again);
    assert_memory_equal(plain, again, sizeof plain);
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 0));
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 9));
    run(&p, p.sequence, 0, N, other);
    assert_memory_not_equal(plain, other, sizeof plain);
    end(&p);
}

static void a_fork_stands_where_its_parent_does(void **state) {
    placed p = begin(state);
    float one[V], two[V];
    int32_t child;
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 5));
    run(&p, p.sequence, 0, 3, one);
    assert_ok(nt_sequence_fork(&child, p.m.session, p.sequence));
    run(&p, p.sequence, 3, 2, one);
    run(&p, child, 3, 2, two);
    assert_memory_equal(one, two, sizeof one);
    end(&p);
}

static void a_cut_keeps_the_difference(void **state) {
    placed p = begin(state);
    float one[V], two[V];
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 7));
    run(&p, p.sequence, 0, N, one);
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 4));
    run(&p, p.sequence, 4, N - 4, two);
    assert_memory_equal(one, two, sizeof one);
    /* back to front: nothing stands before 0 */
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 1));
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 2));
    run(&p, p.sequence, 2, N - 2, two);
    end(&p);
}

static void places_that_are_none(void **state) {
    placed p = begin(state);
    float logits[V];
    nt_session *session = p.m.session;
    assert_fails(nt_sequence_place(session, 99, 0), NT_E_RANGE, "99");
    assert_fails(nt_sequence_place(session, -1, 0), NT_E_RANGE, "-1");
    assert_fails(nt_sequence_place(session, p.sequence, T), NT_E_CONTEXT, "64");
    assert_fails(nt_sequence_place(session, p.sequence, SIZE_MAX), NT_E_CONTEXT, "64");
    assert_ok(nt_sequence_place(session, p.sequence, T - 2));
    assert_fails(nt_forward(session, p.sequence, ids, 3, NT_WANT_LAST, logits, NULL), NT_E_CONTEXT,
                 "64");
    assert_int_equal(nt_sequence_length(session, p.sequence), 0);
    run(&p, p.sequence, 0, 2, logits);
    assert_fails(nt_forward(session, p.sequence, ids, 1, NT_WANT_LAST, logits, NULL), NT_E_CONTEXT,
                 "64");
    end(&p);
}

/* ---- Padding ---- */

static void pad(const placed *p, const int32_t *of, size_t n, float *logits) {
    nt_forward_item item = {.size = sizeof item,
                            .sequence = p->sequence,
                            .want = NT_WANT_ALL,
                            .ids = of,
                            .n_ids = n,
                            .logits = logits,
                            .padding = true};
    assert_ok(nt_forward_many(p->m.session, &item, 1, NULL));
}

/* Each id of it is as it is alone, and the text goes on as if there had been none. */
static void padding_is_seen_by_nobody(void **state) {
    placed p = begin(state);
    float plain[V], behind[V], together[4][V], alone[4][V];
    run(&p, p.sequence, 0, 4, plain);
    run(&p, p.sequence, 4, 2, plain);
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 4));
    pad(&p, pads, 4, together[0]);
    assert_int_equal(nt_sequence_length(p.m.session, p.sequence), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_ok(nt_sequence_place(p.m.session, p.sequence, 4 + i));
        pad(&p, pads + i, 1, alone[i]);
    }
    assert_memory_equal(together, alone, sizeof together);
    assert_memory_not_equal(together[0], together[1], sizeof together[0]); /* other positions */
    assert_ok(nt_sequence_place(p.m.session, p.sequence, 4));
    run(&p, p.sequence, 4, 2, behind);
    assert_memory_equal(plain, behind, sizeof plain);
    end(&p);
}

/* In front of a text there is nothing to look at: every head gives zeros. */
static void padding_before_anything(void **state) {
    placed p = begin(state);
    float logits[4][V], edited[V], plain[V], behind[V];
    const nt_edit out = {.place = {NT_POINT_HEAD_OUT, NT_EVERY, NT_EVERY, NT_EVERY},
                         .action = NT_ZERO};
    run(&p, p.sequence, 0, 3, plain);
    assert_ok(nt_sequence_cut(p.m.session, p.sequence, 0));
    pad(&p, pads, 4, logits[0]);
    assert_int_equal(nt_sequence_length(p.m.session, p.sequence), 0);
    for (size_t i = 0; i < 4; i++) {
        int32_t alone;
        assert_ok(nt_session_set_edits(p.m.session, &out, 1));
        assert_ok(nt_sequence_new(&alone, p.m.session));
        assert_ok(nt_sequence_place(p.m.session, alone, i));
        assert_ok(nt_forward(p.m.session, alone, pads + i, 1, NT_WANT_LAST, edited, NULL));
        assert_ok(nt_session_set_edits(p.m.session, NULL, 0));
        assert_memory_equal(logits[i], edited, sizeof edited);
    }
    run(&p, p.sequence, 0, 3, behind);
    assert_memory_equal(plain, behind, sizeof plain);
    end(&p);
}

/* A program of before knows no padding; what stands behind its items is not looked at. */
static void texts_and_padding_in_one_call(void **state) {
    placed p = begin(state);
    float wanted[2][V], seen[2][V], scratch[V];
    int32_t other;
    nt_session *session = p.m.session;
    run(&p, p.sequence, 0, 3, scratch);
    assert_ok(nt_sequence_fork(&other, session, p.sequence));
    run(&p, other, 3, 1, wanted[0]);
    pad(&p, pads, 1, wanted[1]);
    assert_ok(nt_sequence_cut(session, other, 3));
    nt_forward_item items[] = {{sizeof *items, other, NT_WANT_LAST, ids + 3, 1, seen[0], false},
                               {sizeof *items, p.sequence, NT_WANT_LAST, pads, 1, seen[1], true}};
    assert_ok(nt_forward_many(session, items, 2, NULL));
    assert_memory_equal(wanted, seen, sizeof wanted);
    assert_int_equal(nt_sequence_length(session, other), 4);
    assert_int_equal(nt_sequence_length(session, p.sequence), 3);
    end(&p);
}

static void memory_that_ends(void **state) {
    placed p = begin(state);
    float logits[V], wanted[V];
    run(&p, p.sequence, 0, 4, logits);
    pad(&p, pads, 1, wanted);
    nt_session_free(p.m.session);
    assert_ok(nt_session_new(&p.m.session, p.m.model, NULL));
    assert_ok(nt_sequence_new(&p.sequence, p.m.session));
    run(&p, p.sequence, 0, 4, logits);
    nt_forward_item item = {sizeof item, p.sequence, NT_WANT_LAST, pads, 1, logits, true};
    int status = NT_E_MEMORY;
    for (size_t k = 1; status == NT_E_MEMORY && k < 1000; k++) {
        nt_memory_fail_at(k);
        status = nt_forward_many(p.m.session, &item, 1, NULL);
        nt_memory_fail_at(0);
        assert_int_equal(nt_sequence_length(p.m.session, p.sequence), 4);
    }
    assert_ok(status);
    assert_memory_equal(wanted, logits, sizeof wanted);
    end(&p);
}

/* ---- Captures that are kept ---- */

typedef struct heads {
    float of[LAYERS][HEADS][N][N];
} heads;

static int see(void *payload, const nt_seen *seen) {
    heads *h = payload;
    memcpy(h->of[seen->place.layer][seen->place.head][seen->place.position], seen->values,
           seen->n * sizeof(float));
    return 0;
}

static void keepers_copy_what_captures_see(void **state) {
    placed p = begin(state);
    static heads own, kept;
    float states[N - 2][D], logits[V];
    memset(states, 0, sizeof states);
    nt_keeper keeper = {.sequence = NT_EVERY,
                        .data = kept.of[0][0][0],
                        .per_layer = HEADS * N * N,
                        .per_head = N * N,
                        .per_position = N};
    nt_keeper late = {.sequence = p.sequence, .first = 2, .data = states[0], .per_position = D},
              nobodys = late;
    nobodys.sequence = p.sequence + 1;
    nobodys.data = NULL;
    const nt_place every = {NT_POINT_ATTENTION, NT_EVERY, NT_EVERY, NT_EVERY};
    const nt_place norm = {NT_POINT_FINAL_NORM, NT_EVERY, NT_EVERY, NT_EVERY};
    const nt_capture captures[] = {{every, see, &own},
                                   {every, nt_keep, &keeper},
                                   {norm, nt_keep, &late},
                                   {norm, nt_keep, &nobodys}};
    assert_ok(nt_session_set_captures(p.m.session, captures, 4));
    run(&p, p.sequence, 0, N, logits);
    assert_ok(nt_session_set_captures(p.m.session, NULL, 0));
    assert_memory_equal(&own, &kept, sizeof own);
    double sum = 0;
    for (size_t t = 0; t < N; t++)
        sum += own.of[1][3][N - 1][t];
    assert_true(fabs(sum - 1) < 1e-6);
    for (size_t t = 0; t < N - 2; t++) {
        double squares = 0;
        for (size_t d = 0; d < D; d++)
            squares += (double)states[t][d] * states[t][d];
        assert_true(squares > 0);
    }
    end(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_those_of_the_model),
        cmocka_unit_test(at_its_own_place_no_bit_changes),
        cmocka_unit_test(a_fork_stands_where_its_parent_does),
        cmocka_unit_test(a_cut_keeps_the_difference),
        cmocka_unit_test(places_that_are_none),
        cmocka_unit_test(padding_is_seen_by_nobody),
        cmocka_unit_test(padding_before_anything),
        cmocka_unit_test(texts_and_padding_in_one_call),
        cmocka_unit_test(memory_that_ends),
        cmocka_unit_test(keepers_copy_what_captures_see),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
