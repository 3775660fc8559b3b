/* A session whose memory ends in the middle of any call: the call says so and gives nothing, the
 * session holds no sequence but the caller's, and goes on with the bits of one that never failed.
 * Each allocation fails in turn, alone and with all behind it, in a session of its own and in one
 * that has failed before. */
#include "api/small_model.h"

#include "base/memory.h"
#include "folder.h"
#include "wiring.h"

enum { V = 96, N_OWN = 5, ROOM = 1 << 17 };

static const int32_t own_ids[N_OWN] = {28, 26, 2, 0, 19}, more_ids[] = {3, 27, 26};

/* What a call gave, as bytes. */
typedef struct record {
    unsigned char bytes[ROOM];
    size_t n;
} record;

static void keep(record *r, const void *bytes, size_t n) {
    assert_true(r->n + n <= ROOM);
    memcpy(r->bytes + r->n, bytes, n);
    r->n += n;
}

static int keep_text(void *payload, const char *bytes, size_t n) {
    keep(payload, bytes, n);
    return 0;
}

/* Shows a result, whose floats have all their digits there, and frees it. */
static int keep_result(record *r, int status, nt_result *result) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_JSON;
    assert_int_equal(result == NULL, status != NT_OK);
    if (result) result->milliseconds = 0;
    if (status == NT_OK) status = nt_result_show(result, &options, keep_text, r);
    nt_result_free(result);
    return status;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static int32_t own; /* the caller's sequence */

static int forward(record *r, nt_session *session) {
    float logits[3 * V];
    int32_t child;
    NT_TRY(nt_sequence_fork(&child, session, own));
    int status = nt_forward(session, child, more_ids, 3, NT_WANT_ALL, logits, NULL);
    if (status == NT_OK) keep(r, logits, sizeof logits);
    assert_int_equal(nt_sequence_length(session, child), status == NT_OK ? N_OWN + 3 : N_OWN);
    nt_sequence_drop(session, child);
    return status;
}

static int next(record *r, nt_session *session) {
    nt_result *result;
    int status = nt_next(&result, session, nt_text("the c"), NULL);
    return keep_result(r, status, result);
}

static int generate(record *r, nt_session *session) {
    nt_result *result;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = 6;
    options.eos_token_id = more_ids;
    options.stop_strings = (const char *const[]){"qz"};
    options.n_stop_strings = 1;
    int status = nt_generate(&result, session, nt_text(""), &options);
    return keep_result(r, status, result);
}

static int sample(record *r, nt_session *session) {
    nt_result *result;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = 5;
    options.do_sample = 1;
    options.num_return_sequences = 3;
    options.seed_given = true;
    options.top_p = 0.9;
    int status = nt_steps(&result, session, nt_text("the"), &options);
    return keep_result(r, status, result);
}

/* Prefixes and forks, words, continuations, windows, and a text that fails. */
static int score_many(record *r, nt_session *session) {
    static const char *const endings[] = {" the", " fox"};
    static const int32_t ids[] = {23, 29}, outside[] = {1, V};
    nt_prompt prompts[] = {*nt_text("the fox the fox"), *nt_text("the fox the fox a"),
                           *nt_text("the fox the fox b c d"), *nt_ids(ids, 2), *nt_ids(outside, 2)};
    nt_score_options all = NT_SCORE_OPTIONS_INIT, compare = all, windows = all, prompted = all;
    all.by = NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR;
    all.add_eos = true;
    compare.continuations = endings;
    compare.n_continuations = 2;
    windows.window = 6;
    windows.stride = 4;
    prompted.prompt = "the fo";
    prompted.n_prompt = NT_ZERO_ENDED;
    const nt_score_options *options[] = {&all, &compare, &windows, &prompted, NULL, &all, &compare};
    nt_score_item items[7];
    for (size_t i = 0; i < 7; i++)
        items[i] = (nt_score_item){
            .size = sizeof *items, .prompt = &prompts[i % 5], .options = options[i]};
    items[6].prompt = &prompts[3];
    int status = nt_score_many(session, items, 7, NULL), shown = status;
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(items[i].result != NULL, status == NT_OK && i != 4);
        assert_int_equal(items[i].error != NULL, status == NT_OK && i == 4);
        assert_int_equal(items[i].status, status == NT_OK && i == 4 ? NT_E_RANGE : status);
        if (items[i].error) keep(r, items[i].error, strlen(items[i].error));
        nt_free(items[i].error);
        if (shown == NT_OK && items[i].result)
            shown = keep_result(r, NT_OK, items[i].result);
        else
            nt_result_free(items[i].result);
    }
    return shown;
}

static int score(record *r, nt_session *session) {
    nt_result *result;
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.prompt = "fox";
    options.n_prompt = 3;
    options.add_eos = true;
    int status = nt_score(&result, session, nt_text(" the quick"), &options);
    return keep_result(r, status, result);
}

static int loss(record *r, nt_session *session) {
    double mean;
    size_t n;
    int status = nt_loss(&mean, &n, session, own_ids, NULL, N_OWN, NULL);
    assert_int_equal(n, status == NT_OK ? N_OWN - 1 : 0);
    keep(r, &mean, sizeof mean);
    return status;
}

static int perplexity(record *r, nt_session *session) {
    nt_result *result;
    nt_perplexity_options options = {.size = sizeof options, .window = 5, .stride = 3};
    nt_prompt prompt = *nt_text("the fox the fox the fox");
    prompt.add_bos = true;
    int status = nt_perplexity(&result, session, &prompt, &options);
    return keep_result(r, status, result);
}

static int inspect(record *r, nt_session *session) {
    nt_result *result;
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    options.logits = options.hidden_states = options.attentions = options.logit_lens = true;
    int status = nt_inspect(&result, session, nt_text("the c"), &options);
    for (size_t i = 0; result && i < result->n_tensors; i++) {
        size_t n = 1;
        for (size_t k = 0; k < result->tensors[i].n_dims; k++)
            n *= result->tensors[i].shape[k];
        keep(r, result->tensors[i].data, n * sizeof(float));
    }
    return keep_result(r, status, result);
}

static int save_npz(record *r, nt_session *session) {
    nt_result *result;
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "a.npz");
    NT_TRY(nt_inspect(&result, session, nt_text("the c"), NULL));
    int status = nt_result_save_npz(result, path);
    assert_int_equal(unlink(path), status == NT_OK ? 0 : -1);
    return keep_result(r, status, status == NT_OK ? result : (nt_result_free(result), NULL));
}

static int see_one(void *payload, const nt_seen *seen) {
    keep(payload, seen->values, seen->n * sizeof(float));
    return 0;
}

/* A list that cannot be copied leaves the one before. */
static int edits_and_captures(record *r, nt_session *session) {
    nt_edit edit = {.place = {NT_POINT_MLP_OUT, 1, 0, NT_EVERY}, .action = NT_SCALE, .factor = 2};
    nt_capture capture = {{NT_POINT_FINAL_NORM, 0, 0, NT_EVERY}, see_one, r};
    int status = nt_session_set_edits(session, &edit, 1);
    if (status == NT_OK) status = nt_session_set_captures(session, &capture, 1);
    if (status == NT_OK) status = forward(r, session);
    assert_int_equal(nt_session_set_edits(session, NULL, 0), NT_OK);
    assert_int_equal(nt_session_set_captures(session, NULL, 0), NT_OK);
    return status;
}

static int text_and_ids(record *r, nt_session *session) {
    nt_result *result;
    int status = nt_tokenize(&result, session->model, nt_text("the fox"), NULL);
    NT_TRY(keep_result(r, status, result));
    status = nt_detokenize(&result, session->model, own_ids, N_OWN, false);
    NT_TRY(keep_result(r, status, result));
    status = nt_info(&result, session->model);
    return keep_result(r, status, result);
}

static const struct call {
    const char *name;
    int (*run)(record *r, nt_session *session);
    size_t least; /* allocations that it makes in a new session */
} calls[] = {
    {"forward", forward, 3},
    {"next", next, 20},
    {"generate", generate, 40},
    {"sample", sample, 40},
    {"score_many", score_many, 80},
    {"score", score, 30},
    {"loss", loss, 5},
    {"perplexity", perplexity, 20},
    {"inspect", inspect, 25},
    {"save_npz", save_npz, 25},
    {"edits_and_captures", edits_and_captures, 4},
    {"text_and_ids", text_and_ids, 5},
};

/* ---- Failing --------------------------------------------------------------------------------- */

static nt_session *session_with_own(const nt_model *model) {
    nt_session *session;
    nt_session_options options = {.size = sizeof options, .threads = 2};
    assert_ok(nt_session_new(&session, model, &options));
    assert_ok(nt_sequence_new(&own, session));
    assert_ok(nt_forward(session, own, own_ids, N_OWN, NT_WANT_NOTHING, NULL, NULL));
    return session;
}

static void is_as_before(nt_session *session, const record *after_own) {
    static record r;
    const nt_kv *kv = nt_runner_kv(session->runner);
    for (int32_t s = 0; s < 100; s++)
        assert_int_equal(nt_kv_exists(kv, s), s == own);
    assert_int_equal(nt_sequence_length(session, own), N_OWN);
    r.n = 0;
    assert_ok(forward(&r, session));
    assert_true(r.n == after_own->n && memcmp(r.bytes, after_own->bytes, r.n) == 0);
}

static void gives(const struct call *call, nt_session *session, const record *expected) {
    static record r;
    r.n = 0;
    if (call->run(&r, session) != NT_OK) fail_msg("%s: %s", call->name, nt_error_message());
    if (r.n != expected->n || memcmp(r.bytes, expected->bytes, r.n) != 0)
        fail_msg("%s gives something else after a failure", call->name);
}

/* Fails the k-th allocation of the call; false when it makes fewer. */
static bool fails_at(const struct call *call, nt_session *session, size_t k, bool once) {
    static record r;
    r.n = 0;
    if (once)
        nt_memory_fail_once(k);
    else
        nt_memory_fail_at(k);
    int status = call->run(&r, session);
    bool reached = nt_memory_count() >= k;
    nt_memory_fail_at(0);
    if (status != (reached ? NT_E_MEMORY : NT_OK))
        fail_msg("%s, allocation %zu%s: %s (%s)", call->name, k, once ? " alone" : "",
                 nt_status_name(status), nt_error_message());
    if (reached) assert_non_null(strstr(nt_error_message(), "out of memory"));
    return reached;
}

static void fail_each(const struct call *call, const nt_model *model, bool once, bool anew) {
    static record expected, after_own;
    nt_session *session = session_with_own(model);
    expected.n = after_own.n = 0;
    assert_ok(forward(&after_own, session));
    assert_ok(call->run(&expected, session));
    assert_true(expected.n > 0);
    nt_session_free(session);
    session = session_with_own(model);
    size_t k = 1;
    while (fails_at(call, session, k, once)) {
        is_as_before(session, &after_own);
        if (anew || k % 7 == 0) gives(call, session, &expected);
        if (anew) {
            nt_session_free(session);
            session = session_with_own(model);
        }
        k++;
    }
    gives(call, session, &expected);
    nt_session_free(session);
    if (anew) assert_true(k > call->least);
    if (anew && once) print_message("%s: %zu allocations\n", call->name, k - 1);
}

static void every_call(const char *path, bool anew) {
    small_model m = small_open(path);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        fail_each(&calls[i], m.model, false, anew);
        fail_each(&calls[i], m.model, true, anew);
    }
    small_close(&m);
}

static void in_new_sessions(void **state) {
    every_call(*state, true);
}

static void in_one_session(void **state) {
    every_call(*state, false);
}

/* A model and a session come whole or not at all, whichever allocation fails. */
static void while_opening(void **state) {
    for (int once = 0; once < 2; once++) {
        size_t k = 1;
        for (bool reached = true; reached; k++) {
            nt_model *model;
            nt_session *session = NULL;
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = nt_model_open(&model, *state, NULL);
            assert_int_equal(model != NULL, status == NT_OK);
            if (status == NT_OK) status = nt_session_new(&session, model, NULL);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (status != (reached ? NT_E_MEMORY : NT_OK))
                fail_msg("allocation %zu: %s", k, nt_error_message());
            assert_int_equal(session != NULL, status == NT_OK);
            nt_session_free(session);
            nt_model_free(model);
        }
        assert_true(k > 60);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_opening),
        cmocka_unit_test(in_new_sessions),
        cmocka_unit_test(in_one_session),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
