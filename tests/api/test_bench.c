/* nt_bench: which lines there are, what they point to, cancelling, errors, memory that ends. No
 * figure is held to a value: machines differ. */
#include "small_model.h"

#include <math.h>

#include "base/memory.h"

static double start_in_a_second(void *payload) {
    ++*(int *)payload;
    return 1.0;
}

static double start_fails(void *payload) {
    ++*(int *)payload;
    return -1;
}

static size_t lines_of(const nt_result *r, nt_bench_job job) {
    size_t n = 0;
    for (size_t i = 0; i < nt_result_n_measured(r); i++)
        n += nt_result_measured(r, i)->job == job;
    return n;
}

static void check_line(const nt_result *r, const nt_measured *m, size_t rounds) {
    bool limited = m->job & (NT_BENCH_DECODE | NT_BENCH_PROMPT | NT_BENCH_SCORE | NT_BENCH_BEAMS |
                             NT_BENCH_BATCH);
    assert_non_null(nt_bench_job_name(m->job));
    assert_true(strlen(m->name) > 0);
    assert_int_equal(m->n_values, m->job == NT_BENCH_MEMORY ? 1 : rounds);
    for (size_t i = 0; i < m->n_values; i++)
        assert_true(m->values[i] > 0 && isfinite(m->values[i]));
    assert_true(m->low <= m->median && m->median <= m->high && m->spread >= 0);
    assert_true(m->threads >= 1);
    assert_int_equal(m->limit >= 0, limited);
    assert_int_equal(isnan(m->share), !limited);
    if (limited) {
        const nt_measured *limit = nt_result_measured(r, (size_t)m->limit);
        assert_int_equal(limit->job, NT_BENCH_LIMITS);
        assert_int_equal(limit->threads, m->threads);
        assert_true(m->share > 0 && m->n_bytes > 0 && m->n_flops > 0);
    }
    assert_int_equal(isnan(m->ratio), m->against < 0);
    if (m->against >= 0) {
        assert_true((size_t)m->against < nt_result_n_measured(r) && m->ratio > 0);
        assert_true(nt_result_measured(r, (size_t)m->against) != m);
    }
}

static void show_all(const nt_result *r) {
    static const nt_format formats[] = {NT_TABLE, NT_JSON, NT_CSV, NT_TSV, NT_HTML};
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "shown");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        nt_view_options options = NT_VIEW_OPTIONS_INIT;
        options.format = formats[i];
        assert_ok(nt_result_save(r, &options, path));
    }
    remove(path);
}

static void measures_everything(void **state) {
    int started = 0;
    nt_session_options threads = {.size = sizeof threads, .threads = 2};
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    small_model m = small_open(*state);
    nt_session *two;
    nt_result *r;
    assert_ok(nt_session_new(&two, m.model, &threads));
    options.rounds = 2;
    options.seconds = 0.1;
    options.start = start_in_a_second;
    options.payload = &started;
    assert_ok(nt_bench(&r, two, &options));
    assert_int_equal(nt_result_get_kind(r), NT_RESULT_BENCH);
    assert_int_equal(started, 2);
    for (unsigned job = 1; job & NT_BENCH_ALL; job <<= 1) /* its tokenizer has letters alone */
        assert_int_equal(lines_of(r, (nt_bench_job)job) > 0, job != NT_BENCH_TOKENIZE);
    assert_int_equal(lines_of(r, NT_BENCH_DECODE), 2);
    assert_int_equal(lines_of(r, NT_BENCH_BATCH), 3);
    for (size_t i = 0; i < nt_result_n_measured(r); i++)
        check_line(r, nt_result_measured(r, i), 2);
    const nt_bench_info *info = nt_result_bench(r);
    assert_true(info->whole && info->threads == 2 && info->n_processors > 0);
    assert_string_equal(info->storage, "F32");
    nt_model_info model = {.size = sizeof model};
    assert_ok(nt_model_get_info(&model, m.model));
    assert_true(info->n_weight_bytes > 0 && info->n_weight_bytes < 4 * model.n_parameters);
    assert_true(info->n_notes > 0 && strstr(info->notes[0], "three rounds"));
    show_all(r);
    nt_result_free(r);
    nt_session_free(two);
    small_close(&m);
}

static void measures_what_is_asked(void **state) {
    int started = 0;
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    small_model m = small_open(*state);
    nt_result *r;
    options.rounds = 3;
    options.jobs = NT_BENCH_MEMORY | NT_BENCH_TOKENIZE | NT_BENCH_START;
    options.start = start_fails;
    options.payload = &started;
    assert_ok(nt_bench(&r, m.session, &options));
    assert_int_equal(started, 1); /* it is not tried again */
    assert_int_equal(lines_of(r, NT_BENCH_START), 0);
    assert_int_equal(lines_of(r, NT_BENCH_MEMORY), 3);
    assert_int_equal(3 + lines_of(r, NT_BENCH_LIMITS), nt_result_n_measured(r));
    const nt_bench_info *info = nt_result_bench(r);
    assert_non_null(strstr(info->notes[info->n_notes - 1], "no tokens for a text"));
    nt_result_free(r);
    small_close(&m);
}

static int stop_at_zero(void *payload) {
    int *left = payload;
    return --*left < 0;
}

/* Cancelled after any number of questions it says so, or has what was measured; the session goes
 * on. */
static void may_be_cancelled(void **state) {
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    small_model m = small_open(*state);
    int32_t before, after;
    bool seen[2] = {false};
    assert_ok(nt_sequence_new(&before, m.session));
    nt_sequence_drop(m.session, before);
    for (int n = 0; n < 3000; n += 1 + n / 2) {
        int left = n;
        nt_result *r;
        options.rounds = 1;
        options.jobs = NT_BENCH_DECODE | NT_BENCH_BATCH;
        options.callbacks = &callbacks;
        callbacks.cancel = stop_at_zero;
        callbacks.payload = &left;
        int status = nt_bench(&r, m.session, &options);
        if (status == NT_OK && !nt_result_bench(r)->whole) {
            assert_non_null(strstr(nt_result_bench(r)->notes[0], "cancelled"));
            assert_true(nt_result_n_measured(r) > 0);
            seen[0] = true;
        } else if (status != NT_OK) {
            assert_int_equal(status, NT_E_CANCELLED);
            assert_null(r);
            seen[1] = true;
        }
        nt_result_free(r);
        assert_ok(nt_sequence_new(&after, m.session));
        assert_int_equal(after, before); /* none was left behind */
        nt_sequence_drop(m.session, after);
    }
    assert_true(seen[0] && seen[1]);
    small_close(&m);
}

static void refuses(void **state) {
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    small_model m = small_open(*state);
    nt_result *r;
    options.jobs = 1u << 20;
    assert_fails(nt_bench(&r, m.session, &options), NT_E_ARGUMENT, "jobs");
    options = (nt_bench_options)NT_BENCH_OPTIONS_INIT;
    options.rounds = -1;
    assert_fails(nt_bench(&r, m.session, &options), NT_E_ARGUMENT, "rounds");
    options = (nt_bench_options)NT_BENCH_OPTIONS_INIT;
    options.seconds = NAN;
    assert_fails(nt_bench(&r, m.session, &options), NT_E_ARGUMENT, "seconds");
    assert_fails(nt_bench(&r, NULL, NULL), NT_E_ARGUMENT, "session");
    small_close(&m);
    char path[CHECKPOINT_PATH];
    CHECKPOINT("short", "--seed", "3", "--n-embd", "16", "--n-layer", "1", "--n-head", "2",
               "--n-positions", "16", "--vocab-size", "50");
    checkpoint_path(path, "short");
    m = small_open(path);
    assert_fails(nt_bench(&r, m.session, NULL), NT_E_CONTEXT, "16");
    small_close(&m);
}

static void nothing_leaks_when_memory_ends(void **state) {
    nt_bench_options options = NT_BENCH_OPTIONS_INIT;
    options.rounds = 1;
    options.seconds = 0.01;
    options.jobs = NT_BENCH_DECODE | NT_BENCH_PROMPT | NT_BENCH_SCORE | NT_BENCH_BEAMS |
                   NT_BENCH_BATCH | NT_BENCH_MEMORY;
    bool reached = true;
    size_t swept = 0;
    for (size_t k = 1; reached; k += 1 + k / 12, swept++) {
        small_model m = small_open(*state);
        nt_result *r;
        nt_memory_fail_at(k);
        int status = nt_bench(&r, m.session, &options);
        reached = nt_memory_count() >= k;
        nt_memory_fail_at(0);
        if (status != (reached ? NT_E_MEMORY : NT_OK))
            fail_msg("allocation %zu: %s: %s", k, nt_status_name(status), nt_error_message());
        nt_result_free(r);
        small_close(&m);
    }
    print_message("%zu places\n", swept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_everything),
        cmocka_unit_test(measures_what_is_asked),
        cmocka_unit_test(may_be_cancelled),
        cmocka_unit_test(refuses),
        cmocka_unit_test(nothing_leaks_when_memory_ends),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
