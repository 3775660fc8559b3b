/* The logit lens: final norm and head on any layer's states, beside a pass and within one. */
#include "runner.h"

#include <math.h>

#include "base/memory.h"

enum { V = 96, D = 32, L = 3, T = 150 };

static nt_network *shared;
static int32_t text[T];
static float whole[T * V]; /* logits of the text */

typedef struct sink {
    float *rows; /* [.., V] by t */
    size_t n, fail_at;
} sink;

static int collect(void *payload, const nt_logits_row *rows, size_t n) {
    sink *s = payload;
    assert_in_range(n, 1, NT_HEAD_ROWS);
    for (size_t i = 0; i < n; i++, s->n++) {
        if (s->fail_at && s->n == s->fail_at) return nt_fail(NT_E_IO, "the test's own failure");
        assert_int_equal(rows[i].input, 0);
        assert_int_equal(rows[i].t, s->n);
        memcpy(s->rows + rows[i].t * V, rows[i].logits, V * sizeof *s->rows);
    }
    return NT_OK;
}

static void run(nt_runner *runner, float *rows) {
    nt_input input = input_of(NT_ALONE, text, T, NT_WANT_ALL);
    sink s = {.rows = rows};
    if (nt_runner_step(runner, &input, 1, collect, &s, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_int_equal(s.n, T);
}

static int setup(void **state) {
    (void)state;
    CHECKPOINT("lens", "--shape", "tiny", "--n-layer", "3", "--n-positions", "200", "--seed", "4");
    shared = network_named("lens");
    for (size_t t = 0; t < T; t++)
        text[t] = (int32_t)((t * 29 + t / 3 * 7 + 1) % V);
    nt_runner *runner = runner_of(shared, 2);
    run(runner, whole);
    nt_runner_free(runner);
    return 0;
}

static int teardown(void **state) {
    nt_network_free(shared);
    return checkpoints_remove(state);
}

/* Keeps each block's states, and reads each row out at once, while the pass runs. */
typedef struct lens {
    nt_runner *runner;
    float states[L * T * D], rows[L * T * V];
} lens;

static int read_row(void *payload, const nt_seen *seen) {
    lens *l = payload;
    size_t at = (size_t)seen->place.layer * T + (size_t)seen->place.position;
    memcpy(l->states + at * D, seen->values, D * sizeof *seen->values);
    sink s = {.rows = l->rows + at * V};
    return nt_runner_read_out(l->runner, seen->values, 1, collect, &s) != NT_OK || s.n != 1;
}

static void set_capture(nt_runner *runner, const nt_capture *capture) {
    assert_int_equal(
        nt_points_set_captures(nt_runner_points(runner), &shared->config, capture, !!capture),
        NT_OK);
}

/* What a model of the first layer + 1 blocks alone says is what the lens shows of that layer. */
static void equals_a_shorter_model(void **state) {
    (void)state;
    lens *l = malloc(sizeof *l);
    float *rows = malloc(T * V * sizeof *rows);
    assert_true(l && rows);
    l->runner = runner_of(shared, 2);
    set_capture(l->runner, &(nt_capture){{NT_POINT_BLOCK_OUT, NT_EVERY, 0, NT_EVERY}, read_row, l});
    run(l->runner, rows);
    assert_memory_equal(rows, whole, T * V * sizeof *rows); /* reading disturbed nothing */
    set_capture(l->runner, NULL);
    for (size_t layer = 0; layer < L; layer++) {
        nt_network shorter = *shared;
        shorter.config.L = (int32_t)layer + 1;
        nt_runner *runner = runner_of(&shorter, 1);
        run(runner, rows);
        nt_runner_free(runner);
        assert_memory_equal(l->rows + layer * T * V, rows, T * V * sizeof *rows);
        sink s = {.rows = l->rows + layer * T * V}; /* once more, in blocks */
        memset(s.rows, 0, T * V * sizeof *rows);
        assert_int_equal(nt_runner_read_out(l->runner, l->states + layer * T * D, T, collect, &s),
                         NT_OK);
        assert_int_equal(s.n, T);
        assert_memory_equal(s.rows, rows, T * V * sizeof *rows);
    }
    nt_runner_free(l->runner);
    free(l);
    free(rows);
}

static int forbid(void *payload, const nt_seen *seen) {
    (void)payload, (void)seen;
    fail_msg("a capture acted on a read-out");
    return 1;
}

static void edits_and_captures_leave_it_alone(void **state) {
    (void)state;
    lens *l = malloc(sizeof *l);
    float *rows = malloc(T * V * sizeof *rows);
    assert_true(l && rows);
    l->runner = runner_of(shared, 1);
    set_capture(l->runner, &(nt_capture){{NT_POINT_BLOCK_OUT, NT_EVERY, 0, NT_EVERY}, read_row, l});
    run(l->runner, rows);
    nt_points *points = nt_runner_points(l->runner);
    set_capture(l->runner, &(nt_capture){{NT_POINT_FINAL_NORM, 0, 0, NT_EVERY}, forbid, NULL});
    nt_edit edit = {{NT_POINT_FINAL_NORM, 0, 0, NT_EVERY}, NT_ZERO, 0, NULL, 0};
    assert_int_equal(nt_points_set_edits(points, &shared->config, &edit, 1), NT_OK);
    sink s = {.rows = rows};
    assert_int_equal(
        nt_runner_read_out(l->runner, l->states + (size_t)(L - 1) * T * D, T, collect, &s), NT_OK);
    assert_memory_equal(rows, whole, T * V * sizeof *rows);
    nt_runner_free(l->runner);
    free(l);
    free(rows);
}

static void what_it_refuses(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 3);
    float *states = calloc(T * D, sizeof *states), *rows = malloc(T * V * sizeof *rows);
    assert_true(states && rows);
    sink s = {.rows = rows};
    assert_int_equal(nt_runner_read_out(runner, NULL, 0, collect, &s), NT_OK);
    assert_int_equal(nt_runner_read_out(runner, NULL, 1, collect, &s), NT_E_ARGUMENT);
    assert_int_equal(nt_runner_read_out(runner, states, 1, NULL, NULL), NT_E_ARGUMENT);
    assert_int_equal(s.n, 0);
    s.fail_at = 70;
    assert_int_equal(nt_runner_read_out(runner, states, T, collect, &s), NT_E_IO);
    assert_int_equal(s.n, 70);
    /* Broken states in one block: the first is named, the block is not handed out. */
    static const size_t broken[] = {NT_HEAD_ROWS + 50, NT_HEAD_ROWS + 7, NT_HEAD_ROWS + 30};
    for (size_t i = 0; i < 3; i++)
        states[broken[i] * D + 3] = i == 1 ? INFINITY : NAN;
    s = (sink){.rows = rows};
    assert_int_equal(nt_runner_read_out(runner, states, T, collect, &s), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "overflowed at state 71: the logit of id 0 is NaN"));
    assert_int_equal(s.n, NT_HEAD_ROWS);
    free(states);
    free(rows);
    nt_runner_free(runner);
}

/* The first buffers, then those of more states: each allocation fails, and the next call is right.
 */
static void every_allocation_may_fail(void **state) {
    (void)state;
    static const size_t counts[] = {3, T};
    float states[T * D] = {1}, *rows = malloc(T * V * sizeof *rows);
    assert_non_null(rows);
    nt_runner *runner = runner_of(shared, 1);
    for (size_t i = 0; i < 2; i++) {
        size_t k = 1;
        for (int status = NT_E_MEMORY; status != NT_OK; k++) {
            sink s = {.rows = rows};
            nt_memory_fail_at(k);
            status = nt_runner_read_out(runner, states, counts[i], collect, &s);
            nt_memory_fail_at(0);
            if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
            assert_int_equal(s.n, status == NT_OK ? counts[i] : 0);
        }
        assert_int_equal(k, 4); /* two allocations failed, then none was left to fail */
    }
    free(rows);
    nt_runner_free(runner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_shorter_model),
        cmocka_unit_test(edits_and_captures_leave_it_alone),
        cmocka_unit_test(what_it_refuses),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
