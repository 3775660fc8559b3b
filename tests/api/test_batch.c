/* Batches of texts under a small limit of cached keys and values, so that prefixes come in several
 * waves and what follows them in several slices: every row has the bits of its text run alone, rows
 * in common run once, and whatever happens the session holds no sequence afterwards. */
#include "api/small_model.h"

#include <stdatomic.h>

#include "base/memory.h"
#include "batch.h"

enum { V = 96, T = 700, L = 2, D = 32, PAGE = NT_PAGE * L * D * 2 * (int)sizeof(float) };

static uint64_t seed = 1;

static size_t below(size_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

/* Texts of a test; each owns its ids. */
typedef struct texts {
    nt_batch_text *of; /* [n] */
    int32_t **ids;     /* [n] */
    size_t n;
} texts;

static texts texts_new(size_t n) {
    return (texts){calloc(n, sizeof(nt_batch_text)), calloc(n, sizeof(int32_t *)), n};
}

static void texts_free(texts *t) {
    for (size_t i = 0; i < t->n; i++)
        free(t->ids[i]);
    free((void *)t->ids);
    free(t->of);
}

/* Text i: `shared` ids of text `from`, and random ones up to n. */
static void put_text(texts *t, size_t i, size_t from, size_t shared, size_t n, size_t wanted) {
    t->ids[i] = calloc(n, sizeof(int32_t));
    for (size_t k = 0; k < n; k++)
        t->ids[i][k] = k < shared ? t->ids[from][k] : (int32_t)below(V);
    t->of[i] = (nt_batch_text){t->ids[i], n, wanted};
}

/* A number for the bits of a row. */
static uint64_t digest(const float *logits) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < V; i++) {
        uint32_t bits;
        memcpy(&bits, &logits[i], sizeof bits);
        hash = (hash ^ bits) * 1099511628211u;
    }
    return hash | 1; /* 0: none */
}

/* What came of a run. */
typedef struct outcome {
    const texts *of;
    uint64_t **rows; /* [n][n_ids] digests, 0 where none came */
    atomic_size_t n_rows, n_twice;
    nt_session *session;
    atomic_size_t most_bytes; /* of keys and values */
    uint64_t done, total;
    size_t n_run; /* rows that went through the network */
    size_t asked, stop_at;
} outcome;

static outcome outcome_new(const texts *of, nt_session *session) {
    outcome o = {.of = of, .session = session, .rows = calloc(of->n, sizeof(uint64_t *))};
    for (size_t i = 0; i < of->n; i++)
        o.rows[i] = calloc(of->of[i].n_ids, sizeof(uint64_t));
    return o;
}

static void outcome_free(outcome *o) {
    for (size_t i = 0; i < o->of->n; i++)
        free(o->rows[i]);
    free((void *)o->rows);
}

static void take_row(void *payload, size_t text, size_t t, const float *logits) {
    outcome *o = payload;
    size_t bytes = nt_kv_bytes(nt_runner_kv(o->session->runner));
    for (size_t most = o->most_bytes;
         bytes > most && !atomic_compare_exchange_weak(&o->most_bytes, &most, bytes);) {
    }
    if (o->rows[text][t]) o->n_twice++;
    o->rows[text][t] = digest(logits);
    o->n_rows++;
}

static int count_row(void *payload, const nt_seen *seen) {
    outcome *o = payload;
    (void)seen;
    o->n_run++;
    return 0;
}

static void hear(void *payload, const char *what, uint64_t done, uint64_t total) {
    outcome *o = payload;
    assert_string_equal(what, "tokens");
    assert_true(done > o->done && done <= total);
    assert_true(o->total == 0 || o->total == total);
    o->done = done;
    o->total = total;
}

static int say_stop(void *payload) {
    outcome *o = payload;
    return ++o->asked == o->stop_at;
}

static int run_batch(outcome *o) {
    nt_callbacks callbacks = {
        .size = sizeof callbacks, .payload = o, .progress = hear, .cancel = say_stop};
    nt_capture capture = {{NT_POINT_EMBEDDING, 0, 0, NT_EVERY}, count_row, o};
    assert_ok(nt_session_set_captures(o->session, &capture, 1));
    int status = nt_batch_run(o->session, o->of->of, o->of->n, take_row, o, &callbacks);
    assert_ok(nt_session_set_captures(o->session, NULL, 0));
    return status;
}

/* No sequence but the caller's own. */
static void holds_nothing(nt_session *session, int32_t own, size_t length) {
    const nt_kv *kv = nt_runner_kv(session->runner);
    for (int32_t s = 0; s < 5000; s++)
        assert_int_equal(nt_kv_exists(kv, s), s == own);
    assert_int_equal(nt_sequence_length(session, own), length);
}

static nt_session *session_of(const nt_model *model, int threads) {
    nt_session *session;
    nt_session_options options = {.size = sizeof options, .threads = threads};
    assert_ok(nt_session_new(&session, model, &options));
    return session;
}

/* The wanted rows of each text run alone. */
static outcome run_alone(const texts *of, const nt_model *model) {
    nt_session *session = session_of(model, 1);
    float *logits = calloc((size_t)T * V, sizeof *logits);
    outcome o = outcome_new(of, session);
    for (size_t i = 0; i < of->n; i++) {
        const nt_batch_text *text = &of->of[i];
        int32_t s;
        assert_ok(nt_sequence_new(&s, session));
        assert_ok(nt_forward(session, s, text->ids, text->n_ids, NT_WANT_ALL, logits, NULL));
        nt_sequence_drop(session, s);
        for (size_t t = text->wanted; t < text->n_ids; t++)
            take_row(&o, i, t, logits + t * V);
    }
    nt_session_free(session);
    free(logits);
    return o;
}

/* Every row that is wanted, and no other, with the bits that it has alone. */
static void same_rows(const outcome *o, const outcome *alone) {
    for (size_t i = 0; i < o->of->n; i++)
        for (size_t t = 0; t < o->of->of[i].n_ids; t++)
            if (o->rows[i][t] != alone->rows[i][t]) fail_msg("text %zu row %zu", i, t);
    assert_int_equal(o->n_rows, alone->n_rows);
    assert_int_equal(o->n_twice, 0);
}

typedef struct scene {
    small_model m;
    int32_t own; /* the caller's sequence, of three ids */
} scene;

static scene scene_open(const char *path, int threads) {
    scene s = {0};
    int32_t first;
    assert_ok(nt_model_open(&s.m.model, path, NULL));
    s.m.session = session_of(s.m.model, threads);
    assert_ok(nt_sequence_new(&first, s.m.session));
    assert_ok(nt_sequence_new(&s.own, s.m.session));
    nt_sequence_drop(s.m.session, first);
    assert_ok(nt_forward(s.m.session, s.own, (int32_t[]){1, 2, 3}, 3, NT_WANT_NOTHING, NULL, NULL));
    return s;
}

static void scene_close(scene *s) {
    small_close(&s->m);
}

/* Under each limit the same rows, and the same number of rows run. */
static size_t run_under_limits(scene *s, const texts *of) {
    static const size_t limits[] = {256 << 20, 1, 3 * PAGE, 10 * PAGE + 1};
    size_t n_run = 0;
    outcome alone = run_alone(of, s->m.model);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        outcome o = outcome_new(of, s->m.session);
        s->m.session->most_cached = limits[i];
        assert_ok(run_batch(&o));
        assert_true(o.done == o.total && o.n_run == o.total);
        if (i > 0) assert_int_equal(o.n_run, n_run);
        n_run = o.n_run;
        same_rows(&o, &alone);
        holds_nothing(s->m.session, s->own, 3);
        outcome_free(&o);
    }
    outcome_free(&alone);
    return n_run;
}

/* Roots, texts that leave them at any place, some of them twice, some of one id, and any rows
 * wanted: from the first, within what is shared, behind it, the last. */
static void a_forest_of_texts(void **state) {
    enum { N = 160 };
    scene s = scene_open(*state, 2);
    texts all = texts_new(N);
    size_t n_ids = 0;
    for (size_t i = 0; i < N; i++) {
        size_t from = i ? below(i) : 0, length = i ? all.of[from].n_ids : 0;
        size_t shared = i % 5 ? below(length + 1) : 0, n = shared + 1 + below(i % 9 ? 40 : 200);
        if (i % 11 == 10) shared = n = length;
        if (i % 37 == 20) shared = 0, n = 1;
        if (i % 50 == 3) n = T;
        if (n > T) n = T;
        if (shared > n) shared = n;
        size_t wanted[] = {0, n - 1, shared, below(n), shared ? shared - 1 : 0, 0};
        put_text(&all, i, from, shared, n, wanted[below(6)] % n);
        n_ids += n;
    }
    size_t n_run = run_under_limits(&s, &all);
    assert_true(n_run * 10 < n_ids * 9);
    texts_free(&all);
    scene_close(&s);
}

/* What is shared runs once, however often a text comes and whatever of it is wanted. */
static void each_row_runs_once(void **state) {
    enum { GROUPS = 7, EACH = 9, SHARED = 70, TAIL = 5, N = GROUPS * EACH };
    scene s = scene_open(*state, 2);
    texts all = texts_new(N);
    for (size_t g = 0; g < GROUPS; g++) {
        size_t first = g * EACH;
        put_text(&all, first, 0, 0, SHARED, 0); /* the prefix itself */
        put_text(&all, first + 1, first, SHARED, SHARED, SHARED - 1);
        for (size_t i = 2; i < EACH; i++)
            put_text(&all, first + i, first, SHARED, SHARED + TAIL, i == 2 ? 0 : SHARED + i % TAIL);
        memcpy(all.ids[first + 5], all.ids[first + 4], (SHARED + TAIL) * sizeof(int32_t));
        memcpy(all.ids[first + 6], all.ids[first + 4], (SHARED + TAIL) * sizeof(int32_t));
    }
    assert_int_equal(run_under_limits(&s, &all), GROUPS * (SHARED + (EACH - 4) * TAIL));
    texts_free(&all);
    scene_close(&s);
}

/* Texts of few ids gain nothing from each other, but equal ones run once. */
static void thousands_of_short_texts(void **state) {
    enum { N = 2000, LEAST = 8 };
    scene s = scene_open(*state, 1);
    texts all = texts_new(N);
    bool single[V] = {0};
    size_t n_expected = 0;
    for (size_t i = 0; i < N; i++) {
        put_text(&all, i, 0, 0, i % 4 ? LEAST : 1, 0);
        if (i % 4)
            n_expected += LEAST;
        else
            n_expected += !single[all.ids[i][0]];
        if (i % 4 == 0) single[all.ids[i][0]] = true;
    }
    assert_int_equal(run_under_limits(&s, &all), n_expected);
    texts_free(&all);
    scene_close(&s);
}

/* Seven ids in common are run again, eight are not. */
static void too_little_to_share(void **state) {
    scene s = scene_open(*state, 1);
    for (size_t shared = 7; shared <= 8; shared++) {
        texts all = texts_new(3);
        for (size_t i = 0; i < 3; i++) {
            put_text(&all, i, 0, i ? shared : 0, 20, 0);
            all.ids[i][shared] = (int32_t)i;
        }
        assert_int_equal(run_under_limits(&s, &all), shared == 7 ? 60 : 8 + 3 * 12);
        texts_free(&all);
    }
    scene_close(&s);
}

/* A long prefix of few is not given up for a short one of many. */
static void the_better_prefix(void **state) {
    scene s = scene_open(*state, 1);
    texts all = texts_new(4);
    static const size_t shared[] = {0, 100, 100, 20};
    for (size_t i = 0; i < 4; i++) {
        put_text(&all, i, 0, shared[i], 110, 0);
        all.ids[i][shared[i]] = i == 3 ? V - 1 : (int32_t)i; /* the last in order */
        if (i == 0) all.ids[0][20] = all.ids[0][100] = 0;
    }
    assert_int_equal(run_under_limits(&s, &all), 100 + 3 * 10 + 110);
    texts_free(&all);
    scene_close(&s);
}

/* Keys and values stay within twice the limit: prefixes, and what follows them. */
static void memory_is_bounded(void **state) {
    enum { N = 300, LIMIT = 6 };
    scene s = scene_open(*state, 1);
    texts all = texts_new(N);
    for (size_t i = 0; i < N; i++) {
        size_t root = i / 3 * 3;
        put_text(&all, i, root, i == root ? 0 : NT_PAGE, 2 * NT_PAGE, 2 * NT_PAGE - 1);
    }
    outcome o = outcome_new(&all, s.m.session);
    s.m.session->most_cached = LIMIT * PAGE;
    assert_ok(run_batch(&o));
    outcome alone = run_alone(&all, s.m.model);
    same_rows(&o, &alone);
    outcome_free(&alone);
    assert_int_equal(o.n_run, N / 3 * NT_PAGE * 4);
    /* the caller's page, and two that the cache keeps for the next sequence */
    assert_in_range(o.most_bytes, (2 * LIMIT + 1) * PAGE, (2 * LIMIT + 3) * PAGE);
    outcome_free(&o);
    texts_free(&all);
    scene_close(&s);
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* Several waves of several slices, in few rows. */
static texts few_texts(void) {
    enum { N = 14 };
    texts all = texts_new(N);
    for (size_t i = 0; i < N; i++) {
        size_t root = i / 4 * 4;
        put_text(&all, i, root, i == root ? 0 : 10, 12 + i % 3, i % 5);
    }
    return all;
}

static void cancelled_anywhere(void **state) {
    scene s = scene_open(*state, 2);
    texts all = few_texts();
    outcome alone = run_alone(&all, s.m.model);
    s.m.session->most_cached = 2 * PAGE;
    int status = NT_E_CANCELLED;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        outcome o = outcome_new(&all, s.m.session);
        o.stop_at = k;
        status = run_batch(&o);
        holds_nothing(s.m.session, s.own, 3);
        if (status == NT_OK)
            same_rows(&o, &alone);
        else
            assert_int_equal(status, NT_E_CANCELLED);
        outcome_free(&o);
    }
    assert_true(k > 30);
    outcome_free(&alone);
    texts_free(&all);
    scene_close(&s);
}

/* At each allocation of a session's first batch; the same session then runs it to the end. */
static void every_allocation_may_fail(void **state) {
    texts all = few_texts();
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        scene s = scene_open(*state, 1);
        s.m.session->most_cached = 2 * PAGE;
        outcome o = outcome_new(&all, s.m.session);
        nt_memory_fail_at(k);
        status = nt_batch_run(s.m.session, all.of, all.n, take_row, &o, NULL);
        nt_memory_fail_at(0);
        holds_nothing(s.m.session, s.own, 3);
        if (status != NT_OK) {
            assert_int_equal(status, NT_E_MEMORY);
            assert_non_null(strstr(nt_error_message(), "out of memory"));
            outcome_free(&o);
            o = outcome_new(&all, s.m.session);
            assert_ok(run_batch(&o));
        }
        outcome alone = run_alone(&all, s.m.model);
        same_rows(&o, &alone);
        outcome_free(&alone);
        outcome_free(&o);
        scene_close(&s);
    }
    assert_true(k > 20);
    texts_free(&all);
}

static void nothing_to_run(void **state) {
    scene s = scene_open(*state, 1);
    texts none = texts_new(0);
    outcome o = outcome_new(&none, s.m.session);
    assert_ok(run_batch(&o));
    assert_true(o.n_run == 0 && o.total == 0);
    outcome_free(&o);
    texts_free(&none);
    scene_close(&s);
}

static int make(void **state) {
    static char path[CHECKPOINT_PATH];
    CHECKPOINT("wide", "--shape", "tiny", "--seed", "12", "--n-positions", "700");
    checkpoint_path(path, "wide");
    *state = path;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forest_of_texts),        cmocka_unit_test(each_row_runs_once),
        cmocka_unit_test(thousands_of_short_texts), cmocka_unit_test(too_little_to_share),
        cmocka_unit_test(the_better_prefix),        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(cancelled_anywhere),       cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(nothing_to_run),
    };
    return cmocka_run_group_tests(tests, make, checkpoints_remove);
}
