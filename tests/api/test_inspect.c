/* inspect with every choice of arrays, in memory and into an .npz file: the same bits both ways and
 * as nt_forward gives, the logit lens against what is written down of it, and every way to fail.
 * Values are held against transformers in test_lens.c and tests/model. */
#include "api/small_model.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "folder.h"

enum { D = 32, L = 2, H = 4, V = 96, MOST = 64, N_CHOICES = 16 };

static int32_t prompt[MOST];

/* Bit by bit: logits, hidden states, attentions, lens. */
static nt_inspect_options choose(unsigned bits, const char *npz) {
    nt_inspect_options o = NT_INSPECT_OPTIONS_INIT;
    o.logits = bits & 1;
    o.hidden_states = bits & 2;
    o.attentions = bits & 4;
    o.logit_lens = bits & 8;
    o.npz = npz;
    return o;
}

static void expect_same_files(const char *a, const char *b) {
    nt_map one, two;
    assert_ok(nt_map_open(&one, a));
    assert_ok(nt_map_open(&two, b));
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.data, two.data, one.n);
    nt_map_close(&one);
    nt_map_close(&two);
}

/* Every array of the file in the directory's order, against the result's tensors of that name. */
static void expect_arrays(const char *path, const nt_result *all, unsigned bits) {
    static const char *const names[] = {"logits", "hidden_states", "attentions",
                                        "logit_lens_uncalibrated", "hidden_norms"};
    nt_map map;
    assert_ok(nt_map_open(&map, path));
    const unsigned char *at = map.data;
    for (size_t i = 0; i < 5; i++) {
        if (i < 4 && !(bits >> i & 1)) continue;
        const nt_tensor_view *tensor = nt_result_tensor(all, names[i]);
        size_t n = sizeof(float), n_name = strlen(names[i]);
        for (size_t d = 0; d < tensor->n_dims; d++)
            n *= tensor->shape[d];
        assert_memory_equal(at, "PK\x03\x04", 4);
        assert_memory_equal(at + 30, names[i], n_name);
        const unsigned char *npy = at + 30 + n_name + 4;
        assert_memory_equal(npy, "\x93NUMPY", 6);
        const unsigned char *data = npy + 10 + npy[8] + 256 * npy[9];
        assert_memory_equal(data, tensor->data, n);
        at = data + n;
    }
    assert_memory_equal(at, "PK\x01\x02", 4); /* the directory: no array more */
    nt_map_close(&map);
}

/* Every choice in memory and in a file, for texts of one id, of less than a block of the lens, and
 * of the whole context. */
static void the_same_bits_both_ways(void **state) {
    small_model m = small_open(*state);
    const char *folder = folder_new();
    static const size_t lengths[] = {1, 5, MOST};
    for (size_t i = 0; i < 3; i++) {
        const nt_prompt *p = nt_ids(prompt, lengths[i]);
        nt_inspect_options o = choose(15, NULL);
        nt_result *all, *some, *filed;
        assert_ok(nt_inspect(&all, m.session, p, &o));
        for (unsigned bits = 0; bits < N_CHOICES; bits++) {
            const char *path = folder_path(folder, "a.npz"), *saved = folder_path(folder, "b.npz");
            o = choose(bits, NULL);
            assert_ok(nt_inspect(&some, m.session, p, &o));
            assert_ok(nt_result_save_npz(some, saved));
            o = choose(bits, path);
            assert_ok(nt_inspect(&filed, m.session, p, &o));
            if (bits & 1) expect_same_files(saved, path);
            expect_arrays(path, all, bits);
            const nt_tensor_view *last = nt_result_tensor(filed, "logits");
            assert_true(last->n_dims == 2 && last->shape[0] == 1 && last->shape[1] == V);
            assert_memory_equal(last->data,
                                nt_result_tensor(all, "logits")->data + (lengths[i] - 1) * V,
                                V * sizeof(float));
            assert_memory_equal(nt_result_tensor(filed, "hidden_norms")->data,
                                nt_result_tensor(all, "hidden_norms")->data,
                                (L + 1) * sizeof(float));
            assert_null(nt_result_tensor(filed, "hidden_states"));
            assert_null(nt_result_tensor(filed, "attentions"));
            assert_null(nt_result_tensor(filed, "logit_lens_uncalibrated"));
            nt_result_free(some);
            nt_result_free(filed);
        }
        nt_result_free(all);
    }
    assert_int_equal(folder_count(folder), 2);
    folder_remove(folder);
    small_close(&m);
}

/* Logits and the lens' last layer are nt_forward's bits. */
static void logits_are_those_of_forward(void **state) {
    small_model m = small_open(*state);
    static float direct[MOST * V];
    int32_t sequence;
    assert_ok(nt_sequence_new(&sequence, m.session));
    assert_ok(nt_forward(m.session, sequence, prompt, MOST, NT_WANT_ALL, direct, NULL));
    nt_inspect_options o = choose(9, NULL);
    nt_result *r;
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, MOST), &o));
    assert_memory_equal(direct, nt_result_tensor(r, "logits")->data, sizeof direct);
    const nt_tensor_view *lens = nt_result_tensor(r, "logit_lens_uncalibrated");
    assert_true(lens->n_dims == 3 && lens->shape[0] == L + 1 && lens->shape[1] == MOST &&
                lens->shape[2] == V);
    assert_memory_equal(direct, lens->data + (size_t)L * MOST * V, sizeof direct);
    nt_result_free(r);
    small_close(&m);
}

/* What a block's output would say if the network ended there: the state replaces what leaves the
 * last block, and the logits of that pass are the lens of that layer. */
static void the_lens_is_the_head_on_any_state(void **state) {
    small_model m = small_open(*state);
    enum { T = 6, WHERE = 4 };
    nt_inspect_options o = choose(10, NULL);
    nt_result *r;
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, T), &o));
    const float *hidden = nt_result_tensor(r, "hidden_states")->data;
    const float *lens = nt_result_tensor(r, "logit_lens_uncalibrated")->data;
    for (size_t layer = 0; layer < L; layer++) {
        nt_edit edit = {.place = {NT_POINT_BLOCK_OUT, L - 1, 0, WHERE},
                        .action = NT_REPLACE,
                        .values = hidden + (layer * T + WHERE) * D,
                        .n_values = D};
        float direct[T * V];
        int32_t sequence;
        assert_ok(nt_session_set_edits(m.session, &edit, 1));
        assert_ok(nt_sequence_new(&sequence, m.session));
        assert_ok(nt_forward(m.session, sequence, prompt, T, NT_WANT_ALL, direct, NULL));
        nt_sequence_drop(m.session, sequence);
        assert_memory_equal(direct + WHERE * V, lens + (layer * T + WHERE) * V, V * sizeof(float));
    }
    nt_result_free(r);
    small_close(&m);
}

static void arrays_beyond_a_chunk(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    enum { T = 600, LAYERS = 3 };
    CHECKPOINT("longer", "--seed", "5", "--n-layer", "3", "--n-positions", "640", "--vocab-size",
               "80", "--n-embd", "24", "--n-head", "2");
    checkpoint_path(path, "longer");
    small_model m = small_open(path);
    const char *folder = folder_new();
    static int32_t ids[T];
    for (int t = 0; t < T; t++)
        ids[t] = (t * 37 + 11) % 80;
    nt_result *r;
    nt_inspect_options o = choose(15, NULL);
    assert_ok(nt_inspect(&r, m.session, nt_ids(ids, T), &o));
    const float *logits = nt_result_tensor(r, "logits")->data;
    const float *lens = nt_result_tensor(r, "logit_lens_uncalibrated")->data;
    assert_memory_equal(logits, lens + (size_t)LAYERS * T * 80, T * 80 * sizeof(float));
    assert_ok(nt_result_save_npz(r, folder_path(folder, "memory.npz")));
    nt_result_free(r);
    o = choose(15, folder_path(folder, "file.npz"));
    assert_ok(nt_inspect(&r, m.session, nt_ids(ids, T), &o));
    nt_result_free(r);
    expect_same_files(folder_path(folder, "memory.npz"), folder_path(folder, "file.npz"));

    /* The first 512 positions alone: the lens does not know of chunks. */
    o = choose(8, NULL);
    assert_ok(nt_inspect(&r, m.session, nt_ids(ids, 70), &o));
    const float *brief = nt_result_tensor(r, "logit_lens_uncalibrated")->data;
    o = choose(8, NULL);
    nt_result *whole;
    assert_ok(nt_inspect(&whole, m.session, nt_ids(ids, T), &o));
    lens = nt_result_tensor(whole, "logit_lens_uncalibrated")->data;
    for (size_t layer = 0; layer <= LAYERS; layer++)
        assert_memory_equal(brief + layer * 70 * 80, lens + layer * T * 80, 70 * 80 * 4);
    nt_result_free(r);
    nt_result_free(whole);
    folder_remove(folder);
    small_close(&m);
}

typedef struct watcher {
    int seen, stop_at; /* stop_at 0: never */
    int how;           /* what it then returns; SIGKILL kills instead */
} watcher;

static int watch(void *payload, const nt_seen *seen) {
    watcher *w = payload;
    (void)seen;
    if (++w->seen != w->stop_at) return 0;
    if (w->how == SIGKILL) kill(getpid(), SIGKILL);
    return w->how;
}

/* The caller's captures see what they always see, and may stop the pass. */
static void captures_of_the_caller(void **state) {
    small_model m = small_open(*state);
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    watcher w = {0};
    nt_capture capture = {{NT_POINT_BLOCK_OUT, NT_EVERY, 0, NT_EVERY}, watch, &w};
    assert_ok(nt_session_set_captures(m.session, &capture, 1));
    nt_inspect_options o = choose(15, path);
    nt_result *r;
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, 7), &o));
    nt_result_free(r);
    assert_int_equal(w.seen, 7 * L);
    assert_int_equal(remove(path), 0);
    w = (watcher){.stop_at = 9, .how = 1};
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 7), &o), NT_E_CANCELLED, "BLOCK_OUT");
    assert_null(r);
    assert_int_equal(w.seen, 9);
    w = (watcher){0};
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, 7), NULL));
    nt_result_free(r);
    assert_int_equal(w.seen, 7 * L);
    assert_int_equal(folder_count(folder), 0);
    folder_remove(folder);
    small_close(&m);
}

static int asked_often(void *payload) {
    return ++*(int *)payload > 2;
}

static void expect_old_text(const char *folder) {
    char *text;
    size_t n;
    assert_ok(nt_file_read(&text, &n, folder_path(folder, "a.npz"), 100));
    assert_string_equal(text, "what was there");
    nt_free(text);
    assert_int_equal(folder_count(folder), 1);
}

/* However it ends early, the old file is as it was and nothing lies beside it. */
static void the_old_file_stays(void **state) {
    small_model m = small_open(*state);
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    folder_put_text(folder, "a.npz", "what was there");
    nt_result *r;
    int asked = 0;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.cancel = asked_often;
    callbacks.payload = &asked;
    nt_inspect_options o = choose(15, path);
    o.callbacks = &callbacks;
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_CANCELLED, "stopped");
    expect_old_text(folder);
    o.callbacks = NULL;
    assert_fails(nt_inspect(&r, m.session, nt_ids(((int32_t[]){1, V}), 2), &o), NT_E_RANGE, "96");
    expect_old_text(folder);
    int32_t many[MOST + 1] = {0};
    assert_fails(nt_inspect(&r, m.session, nt_ids(many, MOST + 1), &o), NT_E_CONTEXT, "65 tokens");
    expect_old_text(folder);

    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 20000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = nt_inspect(&r, m.session, nt_ids(prompt, MOST), &o);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_fails(status, NT_E_IO, "File too large");
    assert_non_null(strstr(nt_error_message(), path));
    assert_null(r);
    expect_old_text(folder);
    assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, MOST), &o));
    nt_result_free(r);
    folder_remove(folder);
    small_close(&m);
}

static void places_that_take_no_file(void **state) {
    small_model m = small_open(*state);
    const char *folder = folder_new();
    nt_result *r;
    nt_inspect_options o = choose(1, "");
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_NOT_FOUND, "No such file");
    o.npz = folder;
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_IO, "it is a folder");
    o.npz = folder_path(folder, "no/a.npz");
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_NOT_FOUND, "no/a.npz");
    o.npz = "/dev/full";
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_IO, "a device or pipe");
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    o.npz = folder_path(folder, name);
    assert_fails(nt_inspect(&r, m.session, nt_ids(prompt, 5), &o), NT_E_IO, "File name too long");
    assert_int_equal(folder_count(folder), 0);
    folder_remove(folder);
    small_close(&m);
}

/* kill -9 in the middle of the pass. */
static void a_process_that_is_killed(void **state) {
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    folder_put_text(folder, "a.npz", "what was there");
    int fd = open(folder, O_WRONLY | O_TMPFILE, 0600); /* whether the file system can do it */
    if (fd >= 0) close(fd);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        small_model m = small_open(*state);
        watcher w = {.stop_at = 70, .how = SIGKILL};
        nt_capture capture = {{NT_POINT_BLOCK_OUT, NT_EVERY, 0, NT_EVERY}, watch, &w};
        nt_inspect_options o = choose(15, path);
        nt_result *r;
        assert_ok(nt_session_set_captures(m.session, &capture, 1));
        nt_inspect(&r, m.session, nt_ids(prompt, MOST), &o);
        _exit(1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    if (fd >= 0) expect_old_text(folder);
    folder_remove(folder);
}

/* Every choice of arrays, in memory and into a file, each allocation failed in turn. Afterwards the
 * session works as ever. */
static void every_failing_allocation(void **state) {
    const char *folder = folder_new(), *path = folder_path(folder, "a.npz");
    for (unsigned bits = 0; bits < 2 * N_CHOICES; bits++) {
        int status = NT_E_MEMORY;
        for (size_t k = 1; status == NT_E_MEMORY; k++) {
            small_model m = small_open(*state);
            nt_inspect_options o = choose(bits % N_CHOICES, bits < N_CHOICES ? NULL : path);
            nt_result *r;
            nt_memory_fail_at(k);
            status = nt_inspect(&r, m.session, nt_ids(prompt, 3), &o);
            nt_memory_fail_at(0);
            bool there = folder_count(folder) == 1;
            if (status != NT_OK) {
                assert_int_equal(status, NT_E_MEMORY);
                assert_null(r);
                assert_false(there);
                assert_ok(nt_inspect(&r, m.session, nt_ids(prompt, 3), NULL));
            } else {
                assert_true(k > 15);
                assert_int_equal(there, o.npz != NULL);
                if (there) assert_int_equal(remove(path), 0);
            }
            nt_result_free(r);
            small_close(&m);
        }
    }
    folder_remove(folder);
}

int main(void) {
    for (int t = 0; t < MOST; t++)
        prompt[t] = (t * 31 + 7) % V;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_both_ways),
        cmocka_unit_test(logits_are_those_of_forward),
        cmocka_unit_test(the_lens_is_the_head_on_any_state),
        cmocka_unit_test(arrays_beyond_a_chunk),
        cmocka_unit_test(captures_of_the_caller),
        cmocka_unit_test(the_old_file_stays),
        cmocka_unit_test(places_that_take_no_file),
        cmocka_unit_test(a_process_that_is_killed),
        cmocka_unit_test(every_failing_allocation),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
