/* The last step of the pass: which rows go through the final norm and the head, in groups, and what
 * is said of logits that are no numbers. */
#include "runner.h"

#include <math.h>
#include <stdatomic.h>

enum { V = 96, D = 32, T = 40 };

static nt_network *shared;
static int32_t text[T];
static float whole[T * V]; /* logits of the text in one call */

typedef struct sink {
    float *rows; /* row after row, width floats each; NULL: none are kept */
    size_t n, width;
} sink;

static int collect(void *payload, const nt_logits_row *rows, size_t n) {
    sink *s = payload;
    assert_in_range(n, 1, NT_HEAD_ROWS);
    for (size_t i = 0; i < n; i++, s->n++)
        if (s->rows) memcpy(s->rows + s->width * s->n, rows[i].logits, s->width * sizeof *s->rows);
    return NT_OK;
}

static nt_input fresh(nt_runner *runner, size_t n, nt_want want) {
    return input_of(sequence_of(runner), text, n, want);
}

static int setup(void **state) {
    (void)state;
    CHECKPOINT("shared", "--shape", "tiny", "--seed", "5");
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "shared");
    if (nt_network_open(&shared, path, NT_PRECISION_F32) != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_int_equal(shared->config.V, V);
    assert_int_equal(shared->config.D, D);
    for (size_t t = 0; t < T; t++)
        text[t] = (int32_t)((t * 31 + 3) % (V - 2) + 1); /* neither 0 nor V - 1 */
    nt_runner *runner = runner_of(shared, 2);
    nt_input input = fresh(runner, T, NT_WANT_ALL);
    sink s = {whole, 0, V};
    assert_int_equal(nt_runner_step(runner, &input, 1, collect, &s, NULL), NT_OK);
    nt_runner_free(runner);
    return 0;
}

static int teardown(void **state) {
    nt_network_free(shared);
    return checkpoints_remove(state);
}

/* So many ids that only some rows of logits are held at a time. The head repeats the model's, and
 * so must the logits. */
static void logits_in_groups(void **state) {
    (void)state;
    enum { MANY = 300000, ROWS = 37 };
    float *head = malloc((size_t)MANY * D * sizeof *head);
    float *rows = malloc((size_t)ROWS * MANY * sizeof *rows);
    assert_true(head && rows);
    for (size_t v = 0; v < MANY; v++)
        memcpy(head + v * D, (const float *)shared->head.data + v % V * D, D * sizeof *head);
    nt_network network = *shared;
    network.config.V = MANY;
    network.head.data = head;
    network.head.N = MANY;
    nt_runner *runner = runner_of(&network, 2);
    nt_input input = fresh(runner, ROWS, NT_WANT_ALL);
    sink s = {rows, 0, MANY};
    assert_int_equal(nt_runner_step(runner, &input, 1, collect, &s, NULL), NT_OK);
    assert_int_equal(s.n, ROWS);
    for (size_t t = 0; t < ROWS; t++)
        for (size_t v = 0; v < MANY; v += 7)
            assert_true(rows[t * MANY + v] == whole[t * V + v % V]);
    nt_runner_free(runner);
    free(rows);
    free(head);
}

static int look(void *payload, const nt_seen *seen) {
    (void)seen;
    ++*(size_t *)payload;
    return 0;
}

/* Someone looks at every row behind the final norm; logits are wanted of the last of each text. */
static void looked_at_but_not_wanted(void **state) {
    (void)state;
    size_t looks = 0;
    nt_runner *runner = runner_of(shared, 2);
    nt_capture capture = {{NT_POINT_FINAL_NORM, 0, 0, NT_EVERY}, look, &looks};
    assert_int_equal(nt_points_set_captures(nt_runner_points(runner), &shared->config, &capture, 1),
                     NT_OK);
    static const size_t lengths[] = {5, 1, 9, 20};
    nt_input inputs[4];
    for (size_t i = 0; i < 4; i++)
        inputs[i] = fresh(runner, lengths[i], NT_WANT_LAST);
    float rows[4 * V];
    sink s = {rows, 0, V};
    assert_int_equal(nt_runner_step(runner, inputs, 4, collect, &s, NULL), NT_OK);
    assert_int_equal(s.n, 4);
    assert_int_equal(looks, 35);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(rows + i * V, whole + (lengths[i] - 1) * V, V * sizeof *rows);
    nt_runner_free(runner);
}

static void expect_broken(const nt_network *network, const char *words) {
    nt_runner *runner = runner_of(network, 2);
    nt_input input = fresh(runner, 5, NT_WANT_ALL);
    sink s = {0};
    assert_int_equal(nt_runner_step(runner, &input, 1, collect, &s, NULL), NT_E_NUMERIC);
    if (!strstr(nt_error_message(), words)) fail_msg("no \"%s\": %s", words, nt_error_message());
    nt_runner_free(runner);
}

/* One logit of one row is enough, the first and the last too. */
static void one_broken_logit(void **state) {
    (void)state;
    static const size_t ids[] = {0, 1, 47, V - 1};
    float head[V * D], wte[V * D];
    nt_network network = *shared;
    network.head.data = head;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char words[64];
        memcpy(head, shared->head.data, sizeof head);
        head[ids[i] * D + 3] = INFINITY;
        snprintf(words, sizeof words, "position 0: the logit of id %zu is infinite", ids[i]);
        expect_broken(&network, words);
    }
    /* The embedding of the fourth token: the rows before it are sound. */
    network = *shared;
    memcpy(wte, shared->wte.data, sizeof wte);
    wte[(size_t)text[3] * D] = NAN;
    network.wte.data = wte;
    expect_broken(&network, "position 3: the logit of id 0 is NaN");
}

/* What a fresh allocation happens to hold is not taken for sequences of this call. */
static void used_memory(void **state) {
    (void)state;
    for (size_t bytes = 64; bytes <= 512; bytes *= 2) {
        uint64_t *used[7];
        for (size_t i = 0; i < 7; i++) {
            used[i] = malloc(bytes);
            assert_non_null(used[i]);
            for (size_t k = 0; k < bytes / sizeof **used; k++)
                ((volatile uint64_t *)used[i])[k] = 1; /* the number of a first call */
        }
        for (size_t i = 0; i < 7; i++)
            free(used[i]);
    }
    nt_runner *runner = runner_of(shared, 2);
    nt_input inputs[40];
    for (size_t i = 0; i < 40; i++)
        inputs[i] = fresh(runner, 1, NT_WANT_NOTHING);
    if (nt_runner_step(runner, inputs + 5, 35, NULL, NULL, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    nt_runner_free(runner);
}

/* Rows one by one, on any thread. */
typedef struct taken {
    float rows[T * V];
    atomic_int times[T];
} taken;

static void take(void *payload, const nt_logits_row *row) {
    taken *into = payload;
    atomic_fetch_add(&into->times[row->t], 1);
    memcpy(into->rows + row->t * V, row->logits, V * sizeof *into->rows);
}

/* Each row that is wanted comes once, and is the row of any other call; of broken logits those that
 * are not may be seen, and the call fails as ever. */
static void one_row_at_a_time(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        taken into = {0};
        nt_runner *runner = runner_of(shared, threads);
        nt_input input = fresh(runner, T, NT_WANT_ALL);
        input.wanted = 7;
        assert_int_equal(nt_runner_step_each(runner, &input, 1, take, &into, NULL), NT_OK);
        for (size_t t = 0; t < T; t++)
            assert_int_equal(into.times[t], t >= 7);
        assert_memory_equal(into.rows + 7 * V, whole + 7 * V, (T - 7) * V * sizeof *whole);
        nt_runner_free(runner);
    }
    float wte[V * D];
    nt_network network = *shared;
    memcpy(wte, shared->wte.data, sizeof wte);
    wte[(size_t)text[3] * D] = NAN;
    network.wte.data = wte;
    taken into = {0};
    nt_runner *runner = runner_of(&network, 2);
    nt_input input = fresh(runner, 5, NT_WANT_ALL);
    assert_int_equal(nt_runner_step_each(runner, &input, 1, take, &into, NULL), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "position 3"));
    for (size_t t = 3; t < 5; t++) /* behind it all are broken */
        assert_int_equal(into.times[t], 0);
    nt_runner_free(runner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_in_groups), cmocka_unit_test(looked_at_but_not_wanted),
        cmocka_unit_test(one_broken_logit), cmocka_unit_test(used_memory),
        cmocka_unit_test(one_row_at_a_time)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
