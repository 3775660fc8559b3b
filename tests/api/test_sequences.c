/* Sequences that are made, forked, grown and dropped in a seeded disorder, with failing calls in
 * between: each must give the bits of the same ids run alone, in one call, in another session. */
#include "api/small_model.h"

enum { N_LIVE = 10, CONTEXT = 200, N_VOCAB = 96, STEPS = 1500, WIDTH = 32 };

typedef struct text {
    int32_t number; /* -1: none */
    int32_t ids[CONTEXT];
    size_t n;
} text;

/* What a capture keeps: the last state it saw. */
typedef struct kept {
    float values[WIDTH];
    int32_t position, sequence;
    int stop_at; /* ends the pass at this position */
} kept;

static uint64_t random_state;

static uint32_t below(uint32_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static int keep(void *payload, const nt_seen *seen) {
    kept *k = payload;
    assert_int_equal(seen->n, WIDTH);
    memcpy(k->values, seen->values, sizeof k->values);
    k->position = seen->place.position;
    k->sequence = seen->sequence;
    return k->stop_at >= 0 && seen->place.position == k->stop_at;
}

static int say_stop(void *payload) {
    int *left = payload;
    return --*left < 0;
}

static void watch(nt_session *session, kept *k) {
    k->stop_at = -1;
    nt_capture capture = {{NT_POINT_BLOCK_OUT, 1, 0, NT_EVERY}, keep, k};
    assert_ok(nt_session_set_captures(session, &capture, 1));
}

typedef struct trial {
    small_model m;
    nt_session *alone; /* runs each text anew */
    text texts[N_LIVE];
    kept mine, other;
    size_t n_compared, n_failed;
} trial;

/* The text's last logits and state, against a fresh sequence of the same ids. */
static void compare(trial *t, const text *x, const float *logits) {
    float expected[N_VOCAB];
    int32_t s;
    assert_ok(nt_sequence_new(&s, t->alone));
    assert_ok(nt_forward(t->alone, s, x->ids, x->n, NT_WANT_LAST, expected, NULL));
    nt_sequence_drop(t->alone, s);
    assert_memory_equal(logits, expected, sizeof expected);
    assert_memory_equal(t->mine.values, t->other.values, sizeof t->mine.values);
    assert_int_equal(t->mine.position, x->n - 1);
    assert_int_equal(t->mine.sequence, x->number);
    t->n_compared++;
}

/* One of the ways in which a forward pass fails; the sequence is then as it was. */
static void fail_to_grow(trial *t, const text *x) {
    int32_t ids[CONTEXT + 1] = {0};
    float logits[N_VOCAB];
    size_t room = CONTEXT - x->n;
    int calls = (int)below(3);
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.cancel = say_stop;
    callbacks.payload = &calls;
    int status, wanted;
    switch (below(4)) {
    case 0:
        wanted = NT_E_CONTEXT;
        status = nt_forward(t->m.session, x->number, ids, room + 1, NT_WANT_LAST, logits, NULL);
        break;
    case 1:
        if (room < 3) return;
        ids[2] = N_VOCAB;
        wanted = NT_E_RANGE;
        status = nt_forward(t->m.session, x->number, ids, 3, NT_WANT_LAST, logits, NULL);
        break;
    case 2:
        if (room == 0) return;
        wanted = NT_E_CANCELLED;
        status = nt_forward(t->m.session, x->number, ids, room, NT_WANT_LAST, logits, &callbacks);
        break;
    default:
        if (room == 0) return;
        wanted = NT_E_CANCELLED;
        t->mine.stop_at = (int)(x->n + below((uint32_t)room));
        status = nt_forward(t->m.session, x->number, ids, room, NT_WANT_NOTHING, NULL, NULL);
        t->mine.stop_at = -1;
    }
    assert_int_equal(status, wanted);
    assert_int_equal(nt_sequence_length(t->m.session, x->number), x->n);
    t->n_failed++;
}

static void grow(trial *t, text *x) {
    size_t room = CONTEXT - x->n, n = 1 + below(below(8) ? 12 : CONTEXT);
    float logits[N_VOCAB];
    if (room == 0) return;
    if (n > room) n = room; /* exactly full */
    for (size_t i = 0; i < n; i++)
        x->ids[x->n + i] = (int32_t)below(N_VOCAB);
    assert_ok(nt_forward(t->m.session, x->number, x->ids + x->n, n, NT_WANT_LAST, logits, NULL));
    x->n += n;
    assert_int_equal(nt_sequence_length(t->m.session, x->number), x->n);
    compare(t, x, logits);
}

static void drop(trial *t, text *x) {
    int32_t id = 0, child;
    nt_sequence_drop(t->m.session, x->number);
    assert_int_equal(nt_sequence_length(t->m.session, x->number), 0);
    assert_fails(nt_forward(t->m.session, x->number, &id, 1, NT_WANT_NOTHING, NULL, NULL),
                 NT_E_RANGE, "no sequence");
    assert_int_equal(nt_sequence_fork(&child, t->m.session, x->number), NT_E_RANGE);
    nt_sequence_drop(t->m.session, x->number);
    x->number = -1;
}

static void step(trial *t) {
    static const int32_t unknown[] = {-1, N_LIVE, INT32_MAX, INT32_MIN};
    text *x = &t->texts[below(N_LIVE)], *from = &t->texts[below(N_LIVE)];
    if (x->number >= 0) {
        if (below(4) == 0) fail_to_grow(t, x);
        if (below(5) == 0)
            drop(t, x);
        else
            grow(t, x);
    } else if (from->number >= 0) {
        *x = *from;
        assert_ok(nt_sequence_fork(&x->number, t->m.session, from->number));
        assert_int_equal(nt_sequence_length(t->m.session, x->number), from->n);
    } else {
        x->n = 0;
        assert_ok(nt_sequence_new(&x->number, t->m.session));
    }
    nt_sequence_drop(t->m.session, unknown[below(4)]);
}

static void disorder(const char *path, uint64_t seed, const nt_edit *edits, size_t n_edits) {
    trial t = {.m = small_open(path)};
    random_state = seed;
    assert_ok(nt_session_new(&t.alone, t.m.model, NULL));
    watch(t.m.session, &t.mine);
    watch(t.alone, &t.other);
    assert_ok(nt_session_set_edits(t.m.session, edits, n_edits));
    assert_ok(nt_session_set_edits(t.alone, edits, n_edits));
    for (size_t i = 0; i < N_LIVE; i++)
        t.texts[i].number = -1;
    for (size_t i = 0; i < STEPS; i++)
        step(&t);
    assert_true(t.n_compared > STEPS / 4 && t.n_failed > STEPS / 20);
    print_message("%zu passes compared, %zu failed on purpose\n", t.n_compared, t.n_failed);
    nt_session_free(t.alone);
    small_close(&t.m);
}

static void forks_give_the_bits_of_fresh_sequences(void **state) {
    disorder(*state, 1, NULL, 0);
}

static void with_edits_too(void **state) {
    float shift[WIDTH], head[WIDTH / 4];
    for (size_t i = 0; i < WIDTH; i++)
        shift[i] = (float)i / 16;
    for (size_t i = 0; i < WIDTH / 4; i++)
        head[i] = -1;
    const nt_edit edits[] = {
        {{NT_POINT_HEAD_OUT, 0, 2, NT_EVERY}, NT_ZERO, 0, NULL, 0},
        {{NT_POINT_HEAD_OUT, 1, NT_EVERY, 70}, NT_REPLACE, 0, head, WIDTH / 4},
        {{NT_POINT_BLOCK_IN, 1, 0, 3}, NT_ADD, 0, shift, WIDTH},
        {{NT_POINT_MLP_OUT, NT_EVERY, 0, 130}, NT_SCALE, 0.5f, NULL, 0},
    };
    disorder(*state, 2, edits, sizeof edits / sizeof *edits);
}

/* Three pages of keys and values to a full sequence. */
static int make(void **state) {
    static char path[CHECKPOINT_PATH];
    CHECKPOINT("long", "--shape", "tiny", "--seed", "21", "--n-positions", "200");
    checkpoint_path(path, "long");
    *state = path;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forks_give_the_bits_of_fresh_sequences),
        cmocka_unit_test(with_edits_too),
    };
    int failed = cmocka_run_group_tests(tests, make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed + cmocka_run_group_tests_name("bf16", tests, make, checkpoints_remove);
}
