/* One model, many threads: each has a session of its own and makes other calls than its neighbours
 * at the same time. All results have the bits of one thread's, and errors stay with the thread that
 * made them. Run under ThreadSanitizer by scripts/test. */
#include "api/small_model.h"

#include <pthread.h>

enum { N_VOCAB = 96, N_IDS = 40, N_JOBS = 6, ROUNDS = 3, MOST = 4, ROOM = 1 << 16 };

/* What a job gave, as bytes. */
typedef struct record {
    unsigned char bytes[ROOM];
    size_t n;
    char error[256]; /* "" when all went well */
} record;

static void keep(record *r, const void *bytes, size_t n) {
    if (r->n + n > ROOM) {
        snprintf(r->error, sizeof r->error, "the record is full");
        return;
    }
    memcpy(r->bytes + r->n, bytes, n);
    r->n += n;
}

/* Asserts belong to the main thread; the others write down what went wrong. */
static bool went_well(record *r, const char *what, int status) {
    if (status != NT_OK) snprintf(r->error, sizeof r->error, "%s: %s", what, nt_error_message());
    return status == NT_OK;
}

static void ids_of(int32_t ids[N_IDS], size_t seed) {
    for (size_t i = 0; i < N_IDS; i++)
        ids[i] = (int32_t)((i * 31 + i / 4 * 7 + seed) % (N_VOCAB - 1));
}

static void run_forward(record *r, nt_session *session) {
    int32_t ids[N_IDS], s, child = -1;
    float logits[N_IDS * N_VOCAB];
    ids_of(ids, 3);
    if (!went_well(r, "new", nt_sequence_new(&s, session))) return;
    if (went_well(r, "forward", nt_forward(session, s, ids, N_IDS, NT_WANT_ALL, logits, NULL)))
        keep(r, logits, sizeof logits);
    if (went_well(r, "fork", nt_sequence_fork(&child, session, s)) &&
        went_well(r, "forward", nt_forward(session, child, ids, 5, NT_WANT_ALL, logits, NULL)))
        keep(r, logits, 5 * N_VOCAB * sizeof *logits);
    nt_sequence_drop(session, s);
    nt_sequence_drop(session, child);
}

static void run_score(record *r, nt_session *session) {
    nt_result *result;
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.by = NT_BY_TOKEN | NT_BY_WORD;
    if (!went_well(r, "score",
                   nt_score(&result, session, nt_text("the thing then is the other"), &options)))
        return;
    for (size_t i = 0; i < nt_result_n_tokens(result); i++) {
        const nt_scored *scored = nt_result_scored(result, i);
        keep(r, &scored->logprob, sizeof scored->logprob);
        keep(r, &scored->entropy, sizeof scored->entropy);
        keep(r, &scored->rank, sizeof scored->rank);
    }
    for (size_t i = 0; i < nt_result_n_units(result, NT_BY_WORD); i++) {
        const nt_unit *word = nt_result_unit(result, NT_BY_WORD, i);
        keep(r, &word->corrected, sizeof word->corrected);
    }
    keep(r, &nt_result_totals(result)->logprob, sizeof(double));
    nt_result_free(result);
}

static void run_generate(record *r, nt_session *session, int do_sample) {
    nt_result *result;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = 12;
    options.n_eos_token_id = 0;
    options.eos_token_id = &(int32_t){0};
    options.do_sample = do_sample;
    options.seed_given = true;
    options.seed = 7;
    options.num_return_sequences = do_sample > 0 ? 3 : 1;
    if (!went_well(r, "generate", nt_generate(&result, session, nt_text("the"), &options))) return;
    for (size_t i = 0; i < nt_result_n_outputs(result); i++) {
        const nt_output *output = nt_result_output(result, i);
        keep(r, output->ids, output->n_ids * sizeof *output->ids);
        keep(r, &output->logprob, sizeof output->logprob);
    }
    nt_result_free(result);
}

static void run_next(record *r, nt_session *session) {
    nt_result *result;
    if (!went_well(r, "next", nt_next(&result, session, nt_text("abc the"), NULL))) return;
    for (size_t i = 0; i < nt_result_n_candidates(result, 0); i++) {
        const nt_candidate *c = nt_result_candidate(result, 0, i);
        keep(r, &c->token.id, sizeof c->token.id);
        keep(r, &c->logit, sizeof c->logit);
        keep(r, &c->prob, sizeof c->prob);
    }
    nt_result_free(result);
}

static void run_loss(record *r, nt_session *session) {
    int32_t ids[N_IDS];
    double loss;
    ids_of(ids, 11);
    if (went_well(r, "loss", nt_loss(&loss, NULL, session, ids, NULL, N_IDS, NULL)))
        keep(r, &loss, sizeof loss);
}

static void run_job(record *r, nt_session *session, size_t job) {
    switch (job) {
    case 0: run_forward(r, session); break;
    case 1: run_score(r, session); break;
    case 2: run_generate(r, session, -1); break;
    case 3: run_generate(r, session, 1); break;
    case 4: run_next(r, session); break;
    default: run_loss(r, session); break;
    }
}

typedef struct worker {
    const nt_model *model;
    const record *expected; /* [N_JOBS] */
    pthread_barrier_t *start;
    size_t number;
    int threads; /* of its session */
    record found;
    char error[400];
} worker;

/* A failing call of each thread's own, with a message that only it can have. */
static void check_message(worker *w, nt_session *session) {
    char word[32];
    int32_t id = N_VOCAB + 1 + (int32_t)w->number, s;
    snprintf(word, sizeof word, "id %d ", (int)id);
    if (nt_sequence_new(&s, session) != NT_OK ||
        nt_forward(session, s, &id, 1, NT_WANT_NOTHING, NULL, NULL) != NT_E_RANGE ||
        !strstr(nt_error_message(), word))
        snprintf(w->error, sizeof w->error, "no \"%s\" in: %s", word, nt_error_message());
    nt_sequence_drop(session, s);
}

static void *work(void *payload) {
    worker *w = payload;
    nt_session *session;
    nt_session_options options = NT_SESSION_OPTIONS_INIT;
    options.threads = w->threads;
    pthread_barrier_wait(w->start);
    if (nt_session_new(&session, w->model, &options) != NT_OK) {
        snprintf(w->error, sizeof w->error, "session: %s", nt_error_message());
        return NULL;
    }
    for (size_t i = 0; i < ROUNDS * N_JOBS && !w->error[0]; i++) {
        size_t job = (i + w->number) % N_JOBS; /* neighbours do other things */
        record *r = &w->found;
        r->n = 0;
        run_job(r, session, job);
        if (r->error[0])
            snprintf(w->error, sizeof w->error, "job %zu: %s", job, r->error);
        else if (r->n != w->expected[job].n || memcmp(r->bytes, w->expected[job].bytes, r->n) != 0)
            snprintf(w->error, sizeof w->error, "job %zu gave other bits in round %zu", job,
                     i / N_JOBS);
        else
            check_message(w, session);
    }
    nt_session_free(session);
    return NULL;
}

static void share(const char *path, size_t n_workers, int threads) {
    nt_model *model;
    nt_session *session;
    pthread_t ids[MOST];
    pthread_barrier_t start;
    record *expected = calloc(N_JOBS, sizeof *expected);
    worker *workers = calloc(n_workers, sizeof *workers);
    assert_true(expected && workers);
    assert_ok(nt_model_open(&model, path, NULL));
    nt_session_options options = NT_SESSION_OPTIONS_INIT;
    options.threads = 1;
    assert_ok(nt_session_new(&session, model, &options));
    for (size_t job = 0; job < N_JOBS; job++) {
        run_job(&expected[job], session, job);
        assert_string_equal(expected[job].error, "");
        assert_true(expected[job].n > 0);
    }
    nt_session_free(session);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)n_workers), 0);
    for (size_t i = 0; i < n_workers; i++) {
        workers[i] = (worker){
            .model = model, .expected = expected, .start = &start, .number = i, .threads = threads};
        assert_int_equal(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < n_workers; i++)
        assert_int_equal(pthread_join(ids[i], NULL), 0);
    for (size_t i = 0; i < n_workers; i++)
        if (workers[i].error[0]) fail_msg("thread %zu of %zu: %s", i, n_workers, workers[i].error);
    pthread_barrier_destroy(&start);
    nt_model_free(model);
    free(workers);
    free(expected);
}

static void two_sessions(void **state) {
    share(*state, 2, 2);
}

static void four_sessions(void **state) {
    share(*state, 4, 1);
}

/* Wide enough that a session's own threads share every row. */
static void with_wide_rows(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    CHECKPOINT("wide", "--shape", "tiny", "--seed", "12", "--n-embd", "112", "--n-head", "7",
               "--n-layer", "1");
    checkpoint_path(path, "wide");
    write_file(path, "tokenizer.json", small_tokenizer);
    share(path, 3, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sessions),
        cmocka_unit_test(four_sessions),
        cmocka_unit_test(with_wide_rows),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
