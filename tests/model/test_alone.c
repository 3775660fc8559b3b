/* Inputs that stand alone: the bits of a sequence, memory of one layer for as long as a chunk runs,
 * nothing left behind however the call ends. */
#include "runner.h"

#include "base/memory.h"

enum { V = 96, D = 32, L = 3, T = 700, MOST = 640 };
#define PAGE_BYTES (2 * D * NT_PAGE * sizeof(float)) /* of one layer */

static nt_network *shared;
static int32_t text[T];

static int setup(void **state) {
    (void)state;
    CHECKPOINT("alone", "--shape", "tiny", "--n-layer", "3", "--n-positions", "650", "--seed", "9");
    shared = network_named("alone");
    assert_int_equal(shared->config.D, D);
    for (size_t t = 0; t < T; t++)
        text[t] = (int32_t)((t * 37 + t / 5 * 11 + 2) % V);
    return 0;
}

static int teardown(void **state) {
    nt_network_free(shared);
    return checkpoints_remove(state);
}

/* Where rows go: those of input i to rows + first[i] * V, beginning with its first wanted one. */
typedef struct sink {
    const nt_input *inputs;
    const size_t *first; /* NULL: rows are only counted */
    float *rows;
    size_t n, calls, fail_at;
    const nt_kv *kv;
    size_t most_bytes; /* that the cache held while a block was received */
} sink;

static int collect(void *payload, const nt_logits_row *rows, size_t n) {
    sink *s = payload;
    assert_in_range(n, 1, NT_HEAD_ROWS);
    if (++s->calls == s->fail_at) return nt_fail(NT_E_IO, "the test's own failure");
    if (s->kv && nt_kv_bytes(s->kv) > s->most_bytes) s->most_bytes = nt_kv_bytes(s->kv);
    for (size_t i = 0; i < n; i++, s->n++) {
        const nt_logits_row *row = &rows[i];
        assert_true(row->t >= s->inputs[row->input].wanted);
        if (!s->first) continue;
        size_t at = s->first[row->input] + row->t - s->inputs[row->input].wanted;
        memcpy(s->rows + at * V, row->logits, V * sizeof *s->rows);
    }
    return NT_OK;
}

static size_t n_wanted(const nt_input *input) {
    return input->wanted < input->n_ids ? input->n_ids - input->wanted : 0;
}

static int step(nt_runner *runner, const nt_input *inputs, size_t n, sink *s) {
    s->inputs = inputs;
    return nt_runner_step(runner, inputs, n, collect, s, NULL);
}

/* The wanted rows [n_wanted, V] of one input in a runner and a sequence of its own. */
static void reference(float *rows, const nt_network *network, const nt_input *input,
                      const nt_edit *edits, size_t n_edits) {
    nt_runner *runner = runner_of(network, 1);
    nt_points *points = nt_runner_points(runner);
    assert_int_equal(nt_points_set_edits(points, &network->config, edits, n_edits), NT_OK);
    nt_input own = *input;
    own.sequence = sequence_of(runner);
    sink s = {.rows = rows, .first = (size_t[]){0}};
    if (step(runner, &own, 1, &s) != NT_OK) fail_msg("%s", nt_error_message());
    nt_runner_free(runner);
}

static size_t n_sequences(const nt_kv *kv) {
    size_t n = 0;
    for (int32_t s = 0; s < 1000; s++)
        n += nt_kv_exists(kv, s);
    return n;
}

/* ---- Bits ----------------------------------------------------------------------------------- */

enum { N_MIXED = 12 };

/* Ragged, longer than a chunk too, with sequences between them; from none to all rows wanted. */
static void mixed_inputs(nt_input inputs[N_MIXED], nt_runner *runner) {
    static const size_t length[N_MIXED] = {1, 600, 64, 65, 130, 3, 40, 512, 20, 1, 513, 63},
                        from[N_MIXED] = {0, 0, 60, 5, 129, 3, 0, 511, 10, 0, 0, 1};
    for (size_t i = 0; i < N_MIXED; i++) {
        bool alone = i % 3 != 2;
        inputs[i] = (nt_input){alone ? NT_ALONE : sequence_of(runner), text + i * 3, length[i],
                               from[i], false};
    }
}

static void compare_mixed(const nt_edit *edits, size_t n_edits) {
    nt_runner *runner = runner_of(shared, 2);
    nt_points *points = nt_runner_points(runner);
    nt_input inputs[N_MIXED];
    size_t first[N_MIXED], total = 0;
    assert_int_equal(nt_points_set_edits(points, &shared->config, edits, n_edits), NT_OK);
    mixed_inputs(inputs, runner);
    for (size_t i = 0; i < N_MIXED; i++) {
        first[i] = total;
        total += n_wanted(&inputs[i]);
    }
    float *rows = malloc(total * V * sizeof *rows), *own = malloc(MOST * V * sizeof *own);
    assert_true(rows && own);
    sink s = {.rows = rows, .first = first};
    if (step(runner, inputs, N_MIXED, &s) != NT_OK) fail_msg("%s", nt_error_message());
    assert_int_equal(s.n, total);
    for (size_t i = 0; i < N_MIXED; i++) {
        size_t n = n_wanted(&inputs[i]);
        reference(own, shared, &inputs[i], edits, n_edits);
        if (memcmp(rows + first[i] * V, own, n * V * sizeof *own) != 0)
            fail_msg("input %zu of %zu ids has other bits than in a sequence", i, inputs[i].n_ids);
    }
    assert_int_equal(n_sequences(nt_runner_kv(runner)), N_MIXED / 3);
    free(rows);
    free(own);
    nt_runner_free(runner);
}

static void the_bits_of_a_sequence(void **state) {
    (void)state;
    compare_mixed(NULL, 0);
}

static void edits_act_on_them(void **state) {
    (void)state;
    float shift[D];
    for (size_t i = 0; i < D; i++)
        shift[i] = (float)i / 8 - 1;
    const nt_edit edits[] = {
        {{NT_POINT_HEAD_OUT, 1, 2, NT_EVERY}, NT_ZERO, 0, NULL, 0},
        {{NT_POINT_BLOCK_IN, 2, 0, 5}, NT_ADD, 0, shift, D},
        {{NT_POINT_MLP_OUT, 0, 0, NT_EVERY}, NT_SCALE, 0.5f, NULL, 0},
        {{NT_POINT_FINAL_NORM, 0, 0, 40}, NT_REPLACE, 0, shift, D},
    };
    compare_mixed(edits, 4);
    /* And they do act. */
    nt_input input = input_of(NT_ALONE, text, 50, NT_WANT_LAST);
    float plain[V], edited[V];
    reference(plain, shared, &input, NULL, 0);
    reference(edited, shared, &input, edits, 4);
    assert_memory_not_equal(plain, edited, sizeof plain);
}

/* ---- What captures see ----------------------------------------------------------------------- */

typedef struct seen_rows {
    size_t n[3]; /* of embedding, attention, final norm */
    int32_t sequences[4], positions[4];
    size_t n_sequences;
    int32_t taken; /* a sequence that exists */
} seen_rows;

static int watch(void *payload, const nt_seen *seen) {
    seen_rows *w = payload;
    assert_int_not_equal(seen->sequence, w->taken);
    assert_true(seen->sequence >= 0);
    if (seen->place.point == NT_POINT_ATTENTION) {
        float sum = 0;
        for (size_t i = 0; i < seen->n; i++)
            sum += seen->values[i];
        assert_int_equal(seen->n, seen->place.position + 1);
        assert_true(sum > 0.999f && sum < 1.001f);
        w->n[1]++;
        return 0;
    }
    w->n[seen->place.point == NT_POINT_FINAL_NORM ? 2 : 0]++;
    if (seen->place.point == NT_POINT_FINAL_NORM) return 0;
    if (seen->place.position == 0) {
        assert_in_range(w->n_sequences, 0, 3);
        for (size_t i = 0; i < w->n_sequences; i++)
            assert_int_not_equal(seen->sequence,
                                 w->sequences[i]); /* each in a sequence of its own */
        w->sequences[w->n_sequences++] = seen->sequence;
    }
    size_t i = 0;
    while (i < w->n_sequences && w->sequences[i] != seen->sequence)
        i++;
    assert_in_range(i, 0, w->n_sequences - 1);
    assert_int_equal(seen->place.position, w->positions[i]++);
    return 0;
}

static void captures_see_them(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 2);
    seen_rows w = {.taken = sequence_of(runner)};
    const nt_capture captures[] = {
        {{NT_POINT_EMBEDDING, 0, 0, NT_EVERY}, watch, &w},
        {{NT_POINT_ATTENTION, NT_EVERY, NT_EVERY, NT_EVERY}, watch, &w},
        {{NT_POINT_FINAL_NORM, 0, 0, NT_EVERY}, watch, &w},
    };
    assert_int_equal(nt_points_set_captures(nt_runner_points(runner), &shared->config, captures, 3),
                     NT_OK);
    nt_input inputs[] = {input_of(NT_ALONE, text, 70, NT_WANT_NOTHING),
                         input_of(NT_ALONE, text, 1, NT_WANT_LAST),
                         input_of(NT_ALONE, text + 9, 130, NT_WANT_LAST)};
    sink s = {0};
    assert_int_equal(step(runner, inputs, 3, &s), NT_OK);
    assert_int_equal(s.n, 2);
    assert_int_equal(w.n[0], 201);
    assert_int_equal(w.n[1], 201 * L * 4);
    assert_int_equal(w.n[2], 201);
    assert_true(w.positions[0] == 70 && w.positions[1] == 1 && w.positions[2] == 130);
    assert_int_equal(n_sequences(nt_runner_kv(runner)), 1);
    nt_runner_free(runner);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void memory_of_one_layer(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 1);
    nt_kv *kv = nt_runner_kv(runner);
    nt_input brief = input_of(NT_ALONE, text, 500, NT_WANT_LAST);
    sink s = {.kv = kv};
    assert_int_equal(step(runner, &brief, 1, &s), NT_OK);
    assert_int_equal(s.most_bytes, 8 * PAGE_BYTES);
    nt_runner_free(runner);
    runner = runner_of(shared, 1);
    kv = nt_runner_kv(runner);
    nt_input whole = input_of(NT_ALONE, text, 513, NT_WANT_LAST); /* does not fit a chunk */
    s = (sink){.kv = kv};
    assert_int_equal(step(runner, &whole, 1, &s), NT_OK);
    assert_int_equal(s.most_bytes, 9 * L * PAGE_BYTES);
    assert_int_equal(n_sequences(kv), 0);
    assert_true(nt_kv_bytes(kv) <= 2 * L * PAGE_BYTES);
    nt_runner_free(runner);
}

/* Five thousand in one call hold no more than fill a chunk. */
static void any_number_of_them(void **state) {
    (void)state;
    enum { N = 5000, SHORTEST = 8 };
    nt_runner *runner = runner_of(shared, 2);
    nt_kv *kv = nt_runner_kv(runner);
    nt_input *inputs = malloc(N * sizeof *inputs);
    assert_non_null(inputs);
    size_t total = 0;
    for (size_t i = 0; i < N; i++) {
        inputs[i] = (nt_input){NT_ALONE, text + i % 500, SHORTEST + i * 7 % 20, i % 8, false};
        total += n_wanted(&inputs[i]);
    }
    sink s = {.kv = kv};
    assert_int_equal(step(runner, inputs, N, &s), NT_OK);
    assert_int_equal(s.n, total);
    assert_in_range(s.most_bytes, 20 * PAGE_BYTES, NT_CHUNK / SHORTEST * PAGE_BYTES);
    assert_int_equal(n_sequences(kv), 0);
    free(inputs);
    nt_runner_free(runner);
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

typedef struct reports {
    uint64_t done[8];
    size_t n;
    int asked, stop_at;
} reports;

static void note_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    reports *r = payload;
    (void)what, (void)total;
    assert_in_range(r->n, 0, 7);
    r->done[r->n++] = done;
}

static int say_stop(void *payload) {
    reports *r = payload;
    return ++r->asked == r->stop_at;
}

/* Each lies in one chunk where it fits; the others fill what there is. */
static void chunks_end_where_one_does_not_fit(void **state) {
    (void)state;
    enum { SEQUENCE = -2 };
    static const struct {
        nt_input inputs[4];
        size_t n;
        uint64_t done[4];
        size_t n_done;
    } cases[] = {
        {{{NT_ALONE, text, 300, 300, false}, {NT_ALONE, text, 300, 300, false}}, 2, {300, 600}, 2},
        {{{NT_ALONE, text, 300, 300, false}, {NT_ALONE, text, 212, 212, false}}, 2, {512}, 1},
        {{{NT_ALONE, text, 600, 600, false}, {NT_ALONE, text, 424, 424, false}}, 2, {512, 1024}, 2},
        {{{NT_ALONE, text, 600, 600, false}, {NT_ALONE, text, 425, 425, false}},
         2,
         {512, 600, 1025},
         3},
        {{{SEQUENCE, text, 1, 1, false}, {NT_ALONE, text, 512, 512, false}}, 2, {1, 513}, 2},
        {{{NT_ALONE, text, 1, 1, false}, {SEQUENCE, text, 512, 512, false}}, 2, {512, 513}, 2},
        {{{NT_ALONE, text, 1, 1, false}, {NT_ALONE, text, 513, 513, false}}, 2, {512, 514}, 2},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        nt_runner *runner = runner_of(shared, 1);
        nt_input inputs[4];
        reports r = {0};
        nt_callbacks callbacks = NT_CALLBACKS_INIT;
        callbacks.progress = note_progress;
        callbacks.payload = &r;
        memcpy(inputs, cases[c].inputs, sizeof inputs);
        for (size_t i = 0; i < cases[c].n; i++)
            if (inputs[i].sequence == SEQUENCE) inputs[i].sequence = sequence_of(runner);
        assert_int_equal(nt_runner_step(runner, inputs, cases[c].n, NULL, NULL, &callbacks), NT_OK);
        assert_int_equal(r.n, cases[c].n_done);
        assert_memory_equal(r.done, cases[c].done, r.n * sizeof *r.done);
        nt_runner_free(runner);
    }
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static void expect(nt_runner *runner, const nt_input *inputs, size_t n, nt_logits_fn logits,
                   int status, const char *words) {
    sink s = {.inputs = inputs};
    int found = nt_runner_step(runner, inputs, n, logits, &s, NULL);
    if (found != status) fail_msg("status %d: %s", found, nt_error_message());
    if (!strstr(nt_error_message(), words)) fail_msg("no \"%s\": %s", words, nt_error_message());
    assert_int_equal(s.calls, 0);
    assert_int_equal(n_sequences(nt_runner_kv(runner)), 0);
}

static void refused_inputs(void **state) {
    (void)state;
    nt_runner *runner = runner_of(shared, 1);
    static int32_t zeros[651];
    int32_t bad[] = {5, V};
    nt_input inputs[] = {input_of(NT_ALONE, text, 5, NT_WANT_NOTHING),
                         {NT_ALONE, text, 0, 0, false}};
    expect(runner, inputs, 2, collect, NT_E_ARGUMENT, "no ids for input 1");
    inputs[1] = (nt_input){NT_ALONE, NULL, 3, 0, false};
    expect(runner, inputs, 2, collect, NT_E_ARGUMENT, "no ids for input 1");
    inputs[1] = (nt_input){NT_ALONE, text, 3, 2, false};
    expect(runner, inputs, 2, NULL, NT_E_ARGUMENT, "wanted of input 1");
    inputs[1] = (nt_input){NT_ALONE, bad, 2, 0, false};
    expect(runner, inputs, 2, collect, NT_E_RANGE, "id 96 at index 1");
    inputs[1] = (nt_input){NT_ALONE, zeros, 651, 0, false};
    expect(runner, inputs, 2, collect, NT_E_CONTEXT, "0 positions and 651 new tokens");
    inputs[1] = (nt_input){-2, text, 2, 0, false};
    expect(runner, inputs, 2, collect, NT_E_RANGE, "no sequence -2");
    inputs[1] = (nt_input){NT_ALONE, zeros, 650, 649, false}; /* the whole context */
    sink s = {0};
    assert_int_equal(step(runner, inputs, 2, &s), NT_OK);
    assert_int_equal(s.n, 1);
    nt_runner_free(runner);
}

/* A sequence of 50 positions, inputs that stand alone before and behind what it gets. */
typedef struct scene {
    nt_runner *runner;
    int32_t sequence;
    nt_input inputs[5];
    float expected[V]; /* the sequence's last logits when all goes well */
} scene;

static int scene_begin(scene *c) {
    NT_TRY(nt_runner_new(&c->runner, shared, 2));
    NT_TRY(nt_kv_sequence_new(&c->sequence, nt_runner_kv(c->runner)));
    nt_input past = input_of(c->sequence, text, 50, NT_WANT_NOTHING);
    NT_TRY(nt_runner_step(c->runner, &past, 1, NULL, NULL, NULL));
    c->inputs[0] = input_of(NT_ALONE, text + 7, 200, NT_WANT_ALL);
    c->inputs[1] = input_of(NT_ALONE, text + 3, 520, NT_WANT_LAST);
    c->inputs[2] = input_of(c->sequence, text + 50, 20, NT_WANT_LAST);
    c->inputs[3] = input_of(NT_ALONE, text + 1, 400, NT_WANT_LAST);
    c->inputs[4] = input_of(NT_ALONE, text + 2, 30, NT_WANT_NOTHING);
    return NT_OK;
}

static void scene_is_as_it_was(const scene *c) {
    const nt_kv *kv = nt_runner_kv(c->runner);
    assert_int_equal(nt_kv_length(kv, c->sequence), 50);
    assert_int_equal(n_sequences(kv), 1);
}

/* After whatever failed, the sequence goes on with the bits that it should have. */
static void scene_goes_on(const scene *c) {
    float row[V], own[V];
    sink s = {.rows = row, .first = (size_t[]){0}};
    assert_int_equal(step(c->runner, &c->inputs[2], 1, &s), NT_OK);
    nt_input whole = input_of(NT_ALONE, text, 70, NT_WANT_LAST);
    reference(own, shared, &whole, NULL, 0);
    assert_memory_equal(row, own, sizeof row);
}

static void nothing_is_left_after_an_error(void **state) {
    (void)state;
    scene c;
    assert_int_equal(scene_begin(&c), NT_OK);
    size_t k = 1;
    for (;; k++) { /* the receiver fails at its k-th block */
        sink s = {.fail_at = k};
        if (step(c.runner, c.inputs, 5, &s) == NT_OK) break;
        scene_is_as_it_was(&c);
    }
    assert_true(k > 5);
    nt_kv_truncate(nt_runner_kv(c.runner), c.sequence, 50);
    for (k = 1;; k++) { /* the caller says stop when asked the k-th time */
        reports r = {.stop_at = (int)k};
        nt_callbacks callbacks = NT_CALLBACKS_INIT;
        callbacks.cancel = say_stop;
        callbacks.payload = &r;
        sink s = {.inputs = c.inputs};
        int status = nt_runner_step(c.runner, c.inputs, 5, collect, &s, &callbacks);
        if (status == NT_OK) break;
        assert_int_equal(status, NT_E_CANCELLED);
        scene_is_as_it_was(&c);
    }
    assert_true(k > 3 * L);
    nt_kv_truncate(nt_runner_kv(c.runner), c.sequence, 50);
    scene_goes_on(&c);
    nt_runner_free(c.runner);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    size_t in_step = 0;
    for (size_t k = 1;; k++) {
        scene c = {0};
        nt_memory_fail_at(k);
        int status = scene_begin(&c);
        if (status == NT_OK) {
            sink s = {0};
            status = step(c.runner, c.inputs, 5, &s);
            nt_memory_fail_at(0);
            if (status != NT_OK) {
                assert_int_equal(status, NT_E_MEMORY);
                in_step++;
                scene_is_as_it_was(&c);
                scene_goes_on(&c);
            }
        }
        nt_memory_fail_at(0);
        nt_runner_free(c.runner);
        if (status == NT_OK) break;
        assert_int_equal(status, NT_E_MEMORY);
    }
    assert_true(in_step > 20); /* places, sequences, tables, pages */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_of_a_sequence),
        cmocka_unit_test(edits_act_on_them),
        cmocka_unit_test(captures_see_them),
        cmocka_unit_test(memory_of_one_layer),
        cmocka_unit_test(any_number_of_them),
        cmocka_unit_test(chunks_end_where_one_does_not_fit),
        cmocka_unit_test(refused_inputs),
        cmocka_unit_test(nothing_is_left_after_an_error),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
