/* The forward pass against itself: equal bits however a text is cut, batched, forked, threaded, and
 * on every instruction set; and what it refuses, stops at and leaves behind. */
#include "runner.h"

#include <math.h>

#include "base/memory.h"

enum { V = 96, T = 1000 }; /* more than one chunk of rows, many pages */

static nt_network *shared; /* 2 layers, 32 wide */
static int32_t text[T];
static float *whole; /* [T, V]: logits of the text in one call, two threads */

/* Where the logits of each input go, row after row. */
typedef struct sink {
    float *rows[64];
    size_t n[64], first[64], width; /* first: t of an input's first row */
    int fail_at, calls;
} sink;

static int collect(void *payload, const nt_logits_row *rows, size_t n) {
    sink *s = payload;
    assert_in_range(n, 1, NT_HEAD_ROWS);
    if (++s->calls == s->fail_at) return nt_fail(NT_E_IO, "the test's own failure");
    for (size_t i = 0; i < n; i++) {
        size_t to = rows[i].input, first = s->first[to];
        if (s->n[to] == 0) s->first[to] = first = rows[i].t;
        assert_int_equal(rows[i].t, first + s->n[to]);
        memcpy(s->rows[to] + s->width * s->n[to]++, rows[i].logits,
               s->width * sizeof *rows[i].logits);
    }
    return NT_OK;
}

/* Appends ids to one sequence; rows [n or 1, width]. */
static void feed(nt_runner *runner, int32_t sequence, const int32_t *ids, size_t n, nt_want want,
                 float *rows) {
    sink s = {.rows = {rows}, .width = (size_t)nt_runner_network(runner)->config.V};
    nt_input input = input_of(sequence, ids, n, want);
    if (nt_runner_step(runner, &input, 1, collect, &s, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_int_equal(s.n[0], want == NT_WANT_ALL ? n : want == NT_WANT_LAST);
}

static float *rows_new(size_t n) {
    float *rows = malloc(n * V * sizeof *rows);
    assert_non_null(rows);
    return rows;
}

static void same_rows(const float *a, size_t from, size_t n) {
    assert_memory_equal(a, whole + from * V, n * V * sizeof *a);
}

static int setup(void **state) {
    (void)state;
    CHECKPOINT("shared", "--shape", "tiny", "--n-positions", "1010", "--seed", "5");
    shared = network_named("shared");
    for (size_t t = 0; t < T; t++)
        text[t] = (int32_t)((t * 31 + t / 7 * 5 + 3) % V);
    nt_runner *runner = runner_of(shared, 2);
    whole = rows_new(T);
    feed(runner, sequence_of(runner), text, T, NT_WANT_ALL, whole);
    nt_runner_free(runner);
    return 0;
}

static int teardown(void **state) {
    free(whole);
    nt_network_free(shared);
    return checkpoints_remove(state);
}

static void token_by_token(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 2);
    int32_t s = sequence_of(runner);
    float row[V];
    for (size_t t = 0; t < 300; t++) {
        feed(runner, s, text + t, 1, t % 2 ? NT_WANT_ALL : NT_WANT_LAST, row);
        same_rows(row, t, 1);
        assert_int_equal(nt_kv_length(nt_runner_kv(runner), s), t + 1);
    }
    nt_runner_free(runner);
}

static void cut_anyhow(void **state) {
    (void)state;
    static const size_t cuts[] = {1, 2, 3, 5, 63, 64, 65, 7, 127, 1, 300, 513};
    nt_runner *runner = runner_of(shared, 2);
    float *rows = rows_new(T);
    int32_t s = sequence_of(runner);
    for (size_t i = 0, t = 0; t < T; i++) {
        size_t n = cuts[i % 12] < T - t ? cuts[i % 12] : T - t;
        feed(runner, s, text + t, n, NT_WANT_ALL, rows);
        same_rows(rows, t, n);
        t += n;
    }
    /* Only the last, and nothing, give the same too. */
    s = sequence_of(runner);
    feed(runner, s, text, 600, NT_WANT_NOTHING, rows);
    feed(runner, s, text + 600, 400, NT_WANT_LAST, rows);
    same_rows(rows, T - 1, 1);
    free(rows);
    nt_runner_free(runner);
}

/* Ragged mates, some with a past, with unlike wants, more rows in all than one chunk holds. */
static void batch_equals_alone(void **state) {
    (void)state;
    static const size_t past[] = {0, 0, 5, 64, 63, 0, 130, 1, 400},
                        length[] = {1, 700, 2, 64, 65, 3, 170, 130, 1};
    enum { B = 9 };
    nt_runner *runner = runner_of(shared, 2);
    nt_input inputs[B];
    nt_want wants[B];
    sink s = {.width = V};
    for (size_t i = 0; i < B; i++) {
        nt_want want = i % 3 == 0 ? NT_WANT_LAST : i % 3 == 1 ? NT_WANT_ALL : NT_WANT_NOTHING;
        wants[i] = want;
        inputs[i] = input_of(sequence_of(runner), text + past[i], length[i], want);
        s.rows[i] = rows_new(length[i]);
        if (past[i]) feed(runner, inputs[i].sequence, text, past[i], NT_WANT_NOTHING, NULL);
    }
    assert_int_equal(nt_runner_step(runner, inputs, B, collect, &s, NULL), NT_OK);
    for (size_t i = 0; i < B; i++) {
        size_t end = past[i] + length[i];
        if (wants[i] == NT_WANT_ALL) {
            assert_int_equal(s.n[i], length[i]);
            same_rows(s.rows[i], past[i], length[i]);
        } else if (wants[i] == NT_WANT_LAST) {
            assert_int_equal(s.n[i], 1);
            same_rows(s.rows[i], end - 1, 1);
        } else {
            assert_int_equal(s.n[i], 0);
        }
        /* What was stored without asking for logits is right as well. */
        feed(runner, inputs[i].sequence, text + end, 1, NT_WANT_LAST, s.rows[i]);
        same_rows(s.rows[i], end, 1);
        free(s.rows[i]);
    }
    nt_runner_free(runner);
}

static void fork_equals_fresh(void **state) {
    (void)state;
    enum { PREFIX = 100, TAIL = 70, B = 4 };
    nt_runner *runner = runner_of(shared, 2);
    nt_kv *kv = nt_runner_kv(runner);
    int32_t parent = sequence_of(runner), tails[B][TAIL];
    nt_input inputs[B];
    sink s = {.width = V};
    feed(runner, parent, text, PREFIX, NT_WANT_NOTHING, NULL);
    for (size_t b = 0; b < B; b++) {
        for (size_t t = 0; t < TAIL; t++)
            tails[b][t] = (int32_t)((t * (b + 2) + b) % V);
        inputs[b] = input_of(parent, tails[b], TAIL, NT_WANT_ALL);
        if (b > 0) assert_int_equal(nt_kv_fork(&inputs[b].sequence, kv, parent), NT_OK);
        s.rows[b] = rows_new(TAIL);
    }
    assert_int_equal(nt_runner_step(runner, inputs, B, collect, &s, NULL), NT_OK);
    nt_runner *other = runner_of(shared, 1);
    float *rows = rows_new(TAIL);
    for (size_t b = 0; b < B; b++) {
        int32_t fresh = sequence_of(other);
        feed(other, fresh, text, PREFIX, NT_WANT_NOTHING, NULL);
        feed(other, fresh, tails[b], TAIL, NT_WANT_ALL, rows);
        assert_memory_equal(rows, s.rows[b], TAIL * V * sizeof *rows);
        free(s.rows[b]);
    }
    free(rows);
    nt_runner_free(other);
    nt_runner_free(runner);
}

static void threads_do_not_show(void **state) {
    (void)state;
    float *rows = rows_new(T);
    for (int threads = 1; threads <= 5; threads += threads == 3 ? 2 : 1) {
        nt_runner *runner = runner_of(shared, threads);
        feed(runner, sequence_of(runner), text, T, NT_WANT_ALL, rows);
        same_rows(rows, 0, T);
        nt_runner_free(runner);
    }
    free(rows);
}

/* The whole pass on the reference kernels and on this machine's best: the same bits. */
static void instruction_sets_do_not_show(void **state) {
    (void)state;
    static const char *const cases[][10] = {
        {"--n-embd", "32"},
        {"--n-embd", "60", "--n-head", "5", "--n-inner", "101", "--dtype", "F16"},
        {"--n-embd", "42", "--n-head", "3", "--dtype", "BF16", "--activation-function", "gelu"},
        {"--n-embd", "130", "--n-head", "1", "--untied", "--activation-function", "mish"},
        {"--n-embd", "24", "--n-head", "24", "--activation-function", "silu"},
    };
    const char *best;
    enum { LENGTH = 150 };
    assert_int_equal(nt_cpu_isa(&best), NT_OK);
    if (strcmp(best, "ref") == 0) skip();
    float *rows = rows_new(LENGTH), *reference = rows_new(LENGTH);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *args[16] = {"--shape", "tiny", "--n-positions", "160"};
        size_t n = 4;
        for (size_t k = 0; k < 10 && cases[i][k]; k++)
            args[n++] = cases[i][k];
        assert_int_equal(checkpoint_make("isa", args, n), 0);
        nt_network *network = network_named("isa");
        nt_runner *runner = runner_of(network, 2);
        feed(runner, sequence_of(runner), text, LENGTH, NT_WANT_ALL, rows);
        nt_runner_free(runner);
        assert_int_equal(setenv("NEXTOKEN_ISA", "ref", 1), 0);
        runner = runner_of(network, 2);
        assert_int_equal(unsetenv("NEXTOKEN_ISA"), 0);
        feed(runner, sequence_of(runner), text, LENGTH, NT_WANT_ALL, reference);
        assert_memory_equal(rows, reference, LENGTH * V * sizeof *rows);
        nt_runner_free(runner);
        nt_network_free(network);
    }
    free(rows);
    free(reference);
}

/* Pages come back from dropped sequences as they were left; nothing of that may show. */
static void stale_pages_do_not_show(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 2);
    nt_kv *kv = nt_runner_kv(runner);
    int32_t s = sequence_of(runner);
    assert_int_equal(nt_kv_extend(kv, s, 3 * NT_PAGE), NT_OK);
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t page = 0; page < 3; page++)
            for (size_t i = 0; i < 2 * 32 * NT_PAGE; i++)
                ((float *)nt_kv_pages(kv, s, layer)[page])[i] = NAN;
    nt_kv_truncate(kv, s, 0);
    float *rows = rows_new(150);
    for (size_t t = 0; t < 20; t++) {
        feed(runner, s, text + t, 1, NT_WANT_ALL, rows);
        same_rows(rows, t, 1);
    }
    feed(runner, s, text + 20, 130, NT_WANT_ALL, rows);
    same_rows(rows, 20, 130);
    free(rows);
    nt_runner_free(runner);
}

typedef struct tally {
    size_t seen[NT_N_POINTS];
    int32_t last;
    size_t stop_after;
    size_t n;
} tally;

static int count(void *payload, const nt_seen *seen) {
    tally *t = payload;
    t->seen[seen->place.point]++;
    assert_true(seen->place.layer >= 0 && seen->place.head >= 0 && seen->place.position >= 0);
    for (size_t i = 0; i < seen->n; i++)
        assert_true(isfinite(seen->values[i]));
    return ++t->n == t->stop_after;
}

/* Captures everywhere: the same bits, each place once, although only the last logits are wanted. */
static void captures_see_each_place_once(void **state) {
    (void)state;
    enum { LENGTH = 600 };
    nt_runner *runner = runner_of(shared, 2);
    nt_points *points = nt_runner_points(runner);
    tally t = {0};
    nt_capture captures[NT_N_POINTS];
    for (int p = 0; p < NT_N_POINTS; p++)
        captures[p] = (nt_capture){
            {(nt_point)p, NT_EVERY, NT_EVERY, p == NT_POINT_MLP_OUT ? 7 : NT_EVERY}, count, &t};
    assert_int_equal(nt_points_set_captures(points, &shared->config, captures, NT_N_POINTS), NT_OK);
    float row[V];
    int32_t s = sequence_of(runner);
    feed(runner, s, text, LENGTH, NT_WANT_LAST, row);
    same_rows(row, LENGTH - 1, 1);
    assert_int_equal(t.seen[NT_POINT_EMBEDDING], LENGTH);
    assert_int_equal(t.seen[NT_POINT_BLOCK_IN], 2 * LENGTH);
    assert_int_equal(t.seen[NT_POINT_ATTENTION], 2 * 4 * LENGTH);
    assert_int_equal(t.seen[NT_POINT_HEAD_OUT], 2 * 4 * LENGTH);
    assert_int_equal(t.seen[NT_POINT_ATTENTION_OUT], 2 * LENGTH);
    assert_int_equal(t.seen[NT_POINT_MLP_OUT], 2);
    assert_int_equal(t.seen[NT_POINT_BLOCK_OUT], 2 * LENGTH);
    assert_int_equal(t.seen[NT_POINT_FINAL_NORM], LENGTH);
    /* A capture that says stop: the sequence is as it was. */
    nt_input input = input_of(s, text + LENGTH, 10, NT_WANT_NOTHING);
    t.stop_after = t.n + 50;
    assert_int_equal(nt_runner_step(runner, &input, 1, NULL, NULL, NULL), NT_E_CANCELLED);
    assert_int_equal(nt_kv_length(nt_runner_kv(runner), s), LENGTH);
    nt_runner_free(runner);
}

enum { HEADS = 24, LONG = 1000 };

static int keep_attention(void *payload, const nt_seen *seen) {
    float *kept = payload; /* [2, HEADS, LONG] */
    assert_int_equal(seen->n, seen->place.position + 1);
    memcpy(kept + (seen->place.layer * HEADS + seen->place.head) * LONG, seen->values,
           seen->n * sizeof *kept);
    return 0;
}

/* So many heads and positions that the probabilities of a chunk do not fit the workspace at once:
 * what is captured is what the same positions show when they come alone. */
static void attention_in_parts(void **state) {
    (void)state;
    enum { PLACES = 2 * HEADS * LONG };
    CHECKPOINT("heads", "--shape", "tiny", "--n-embd", "48", "--n-head", "24", "--n-positions",
               "1000");
    nt_network *network = network_named("heads");
    nt_runner *runner = runner_of(network, 2);
    nt_points *points = nt_runner_points(runner);
    float *parts = calloc(PLACES, sizeof *parts), *alone = calloc(PLACES, sizeof *alone);
    float *rows = rows_new(LONG), *plain = rows_new(LONG), *probs;
    assert_true(parts && alone);
    nt_workspace work = {0};
    size_t fit, width = (size_t)HEADS * LONG;
    assert_int_equal(nt_workspace_probs(&probs, &fit, &work, NT_CHUNK, width), NT_OK);
    assert_true(fit > 0 && fit < NT_CHUNK); /* else the case tests nothing */
    nt_workspace_free(&work);
    feed(runner, sequence_of(runner), text, LONG, NT_WANT_ALL, plain);
    static const int32_t places[] = {530, 700, 999};
    for (size_t i = 0; i < 3; i++) {
        nt_capture capture = {
            {NT_POINT_ATTENTION, NT_EVERY, NT_EVERY, places[i]}, keep_attention, parts};
        size_t t = (size_t)places[i];
        assert_int_equal(nt_points_set_captures(points, &network->config, &capture, 1), NT_OK);
        /* A mate before it, so that parts of one chunk belong to two sequences. */
        sink out = {.rows = {NULL, rows}, .width = V};
        nt_input inputs[] = {input_of(sequence_of(runner), text + 9, 500, NT_WANT_NOTHING),
                             input_of(sequence_of(runner), text, LONG, NT_WANT_ALL)};
        assert_int_equal(nt_runner_step(runner, inputs, 2, collect, &out, NULL), NT_OK);
        assert_memory_equal(rows, plain, LONG * V * sizeof *rows);
        capture.payload = alone;
        assert_int_equal(nt_points_set_captures(points, &network->config, &capture, 1), NT_OK);
        int32_t s = sequence_of(runner);
        feed(runner, s, text, t, NT_WANT_NOTHING, NULL);
        feed(runner, s, text + t, 1, NT_WANT_LAST, rows);
        assert_memory_equal(parts, alone, PLACES * sizeof *parts);
        double sum = 0;
        for (size_t k = 0; k <= t; k++)
            sum += parts[(HEADS + 5) * LONG + k];
        assert_true(fabs(sum - 1) < 1e-5);
    }
    free(parts);
    free(alone);
    free(rows);
    free(plain);
    nt_runner_free(runner);
    nt_network_free(network);
}

static void expect(nt_runner *runner, const nt_input *inputs, size_t n, nt_logits_fn logits,
                   int status, const char *words) {
    nt_kv *kv = nt_runner_kv(runner);
    size_t before = nt_kv_length(kv, 0);
    sink s = {.width = V};
    int found = nt_runner_step(runner, inputs, n, logits, &s, NULL);
    if (found != status) fail_msg("status %d: %s", found, nt_error_message());
    if (!strstr(nt_error_message(), words)) fail_msg("no \"%s\": %s", words, nt_error_message());
    assert_int_equal(nt_kv_length(kv, 0), before);
    assert_int_equal(s.calls, 0);
}

static void refused_inputs(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 1);
    int32_t s = sequence_of(runner), other = sequence_of(runner);
    assert_int_equal(s, 0);
    feed(runner, s, text, 10, NT_WANT_NOTHING, NULL);
    int32_t bad[] = {1, 2, 96}, negative[] = {-1}, long_text[1001] = {0};
    nt_input good = input_of(other, text, 5, NT_WANT_NOTHING);
    nt_input one[] = {good, input_of(s, bad, 3, NT_WANT_LAST)};
    expect(runner, one, 2, collect, NT_E_RANGE, "id 96 at index 2");
    one[1] = input_of(s, negative, 1, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_RANGE, "id -1 at index 0");
    one[1] = input_of(s, long_text, 1001, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_CONTEXT,
           "10 positions and 1001 new tokens are more than the model's context of 1010");
    one[1] = input_of(9, text, 1, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_RANGE, "no sequence 9");
    one[1] = input_of(-2, text, 1, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_RANGE, "no sequence -2");
    one[1] = input_of(s, text, 0, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_ARGUMENT, "no ids");
    one[1] = input_of(s, text, 1, NT_WANT_LAST);
    expect(runner, one, 2, NULL, NT_E_ARGUMENT, "no place");
    one[1] = input_of(other, text, 1, NT_WANT_LAST);
    expect(runner, one, 2, collect, NT_E_ARGUMENT, "twice");
    assert_int_equal(nt_kv_length(nt_runner_kv(runner), other), 0);
    assert_int_equal(nt_runner_step(runner, NULL, 0, NULL, NULL, NULL), NT_OK);
    /* The context can be filled to the last position, and no further. */
    feed(runner, s, long_text, 1000, NT_WANT_NOTHING, NULL);
    one[0] = input_of(s, text, 1, NT_WANT_LAST);
    expect(runner, one, 1, collect, NT_E_CONTEXT, "1010 positions and 1 new");
    nt_runner_free(runner);
}

typedef struct watch {
    int asked, stop_at;
    uint64_t done, total;
    size_t reports;
} watch;

static int stop(void *payload) {
    watch *w = payload;
    return ++w->asked == w->stop_at;
}

static void progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    watch *w = payload;
    assert_string_equal(what, "tokens");
    assert_true(done > w->done && done <= total);
    w->done = done;
    w->total = total;
    w->reports++;
}

static void cancelling_and_progress(void **state) {
    (void)state;
    enum { LENGTH = 700 };
    nt_runner *runner = runner_of(shared, 2);
    nt_kv *kv = nt_runner_kv(runner);
    int32_t a = sequence_of(runner), b = sequence_of(runner);
    feed(runner, a, text, 70, NT_WANT_NOTHING, NULL);
    float *rows = rows_new(LENGTH), row[V];
    int status = NT_E_CANCELLED, k = 1;
    for (; status != NT_OK; k++) {
        watch w = {.stop_at = k};
        nt_callbacks callbacks = {sizeof callbacks, &w, progress, stop, NULL, NULL};
        sink s = {.rows = {rows, row}, .width = V};
        nt_input inputs[] = {input_of(a, text + 70, LENGTH, NT_WANT_ALL),
                             input_of(b, text, 3, NT_WANT_LAST)};
        status = nt_runner_step(runner, inputs, 2, collect, &s, &callbacks);
        if (status == NT_OK) {
            assert_int_equal(w.asked, k - 1);
            assert_int_equal(w.done, LENGTH + 3);
            assert_int_equal(w.total, LENGTH + 3);
            assert_int_equal(w.reports, 2);
            break;
        }
        assert_int_equal(status, NT_E_CANCELLED);
        assert_int_equal(nt_kv_length(kv, a), 70);
        assert_int_equal(nt_kv_length(kv, b), 0);
    }
    assert_true(k > 6);
    same_rows(rows, 70, LENGTH);
    same_rows(row, 2, 1);
    free(rows);
    nt_runner_free(runner);
}

static void receiver_may_fail(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 1);
    int32_t s = sequence_of(runner);
    enum { LENGTH = 2 * NT_HEAD_ROWS + 5 };
    float *rows = rows_new(LENGTH);
    sink out = {.rows = {rows}, .width = V, .fail_at = 2};
    nt_input input = input_of(s, text, LENGTH, NT_WANT_ALL);
    assert_int_equal(nt_runner_step(runner, &input, 1, collect, &out, NULL), NT_E_IO);
    assert_int_equal(out.n[0], NT_HEAD_ROWS);
    assert_int_equal(out.calls, 2);
    assert_int_equal(nt_kv_length(nt_runner_kv(runner), s), 0);
    feed(runner, s, text, LENGTH, NT_WANT_ALL, rows);
    same_rows(rows, 0, LENGTH);
    free(rows);
    nt_runner_free(runner);
}

static void numeric(const char *name, const char *words) {
    nt_network *network = network_named(name);
    nt_runner *runner = runner_of(network, 1);
    int32_t s = sequence_of(runner);
    float *rows = rows_new(4);
    sink out = {.rows = {rows}, .width = V};
    nt_input input = input_of(s, text, 4, NT_WANT_LAST);
    assert_int_equal(nt_runner_step(runner, &input, 1, collect, &out, NULL), NT_E_NUMERIC);
    if (!strstr(nt_error_message(), words)) fail_msg("no \"%s\": %s", words, nt_error_message());
    assert_int_equal(out.n[0], 0);
    assert_int_equal(nt_kv_length(nt_runner_kv(runner), s), 0);
    free(rows);
    nt_runner_free(runner);
    nt_network_free(network);
}

static void broken_weights(void **state) {
    (void)state;
    CHECKPOINT("nan", "--shape", "tiny", "--nan", "h.1.attn.c_attn.weight");
    numeric("nan", "tensor h.1.attn.c_attn.weight holds NaN at index 1536");
    CHECKPOINT("nan16", "--shape", "tiny", "--nan", "ln_f.bias", "--dtype", "F16", "--prefix");
    numeric("nan16", "tensor transformer.ln_f.bias holds NaN");
    CHECKPOINT("huge", "--shape", "tiny", "--untied", "--boost", "lm_head.weight", "--boost",
               "ln_f.bias");
    numeric("huge", "overflowed at position 3");
}

/* Opens, steps twice with a fork between; every allocation in it may fail. */
static int scenario(const char *path, nt_network **network, nt_runner **runner, float *rows) {
    NT_TRY(nt_network_open(network, path, NT_PRECISION_F32));
    NT_TRY(nt_runner_new(runner, *network, 1));
    tally t = {0};
    nt_capture capture = {{NT_POINT_ATTENTION, NT_EVERY, NT_EVERY, NT_EVERY}, count, &t};
    nt_points *points = nt_runner_points(*runner);
    NT_TRY(nt_points_set_captures(points, &(*network)->config, &capture, 1));
    nt_kv *kv = nt_runner_kv(*runner);
    int32_t a, b;
    NT_TRY(nt_kv_sequence_new(&a, kv));
    sink s = {.rows = {rows, rows}, .width = V};
    nt_input inputs[] = {input_of(a, text, 30, NT_WANT_LAST),
                         input_of(0, text + 30, 60, NT_WANT_LAST)};
    int status = nt_runner_step(*runner, inputs, 1, collect, &s, NULL);
    assert_int_equal(nt_kv_length(kv, a), status == NT_OK ? 30 : 0);
    if (status != NT_OK) return status;
    NT_TRY(nt_kv_fork(&b, kv, a));
    inputs[0] = input_of(a, text + 30, 1, NT_WANT_NOTHING);
    inputs[1].sequence = b;
    status = nt_runner_step(*runner, inputs, 2, collect, &s, NULL);
    assert_int_equal(nt_kv_length(kv, a), status == NT_OK ? 31 : 30);
    assert_int_equal(nt_kv_length(kv, b), status == NT_OK ? 90 : 30);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "shared");
    float row[V];
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        nt_network *network = NULL;
        nt_runner *runner = NULL;
        nt_memory_fail_at(k);
        status = scenario(path, &network, &runner, row);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
        nt_runner_free(runner);
        nt_network_free(network);
    }
    same_rows(row, 89, 1);
    assert_true(k > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_by_token),          cmocka_unit_test(cut_anyhow),
        cmocka_unit_test(batch_equals_alone),      cmocka_unit_test(fork_equals_fresh),
        cmocka_unit_test(threads_do_not_show),     cmocka_unit_test(instruction_sets_do_not_show),
        cmocka_unit_test(stale_pages_do_not_show), cmocka_unit_test(captures_see_each_place_once),
        cmocka_unit_test(attention_in_parts),      cmocka_unit_test(refused_inputs),
        cmocka_unit_test(cancelling_and_progress), cmocka_unit_test(receiver_may_fail),
        cmocka_unit_test(broken_weights),          cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
