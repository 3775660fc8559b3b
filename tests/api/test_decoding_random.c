/* Decoding with options thrown by dice, good and senseless, callbacks that refuse at any moment and
 * memory that ends anywhere: a call either fails with a status and one line, or gives a result in
 * which everything fits together; the sessions hold no sequence afterwards and go on with the bits
 * of one that never failed. Arguments: how many cases, and which is the first. */
#include "api/random_options.h"
#include "api/well_formed.h"

#include "base/memory.h"
#include "wiring.h"

enum { CASES = 1500, CONTEXT = 64 };

static uint64_t n_cases = CASES, first_case = 1, at_case;

typedef struct models {
    small_model model, draft, stranger; /* the stranger has another vocabulary */
    nt_session *beside;                 /* of the model */
} models;

/* ---- Callbacks ---- */

/* What callbacks hear, and when they refuse. */
typedef struct ear {
    uint32_t until; /* calls that are taken; 0: never refuses */
    uint32_t text_until;
    uint32_t meddles; /* what `process` does to logits */
    size_t n_text;
    char text[4096];
    uint64_t done;
} ear;

static int refuses(uint32_t *until) {
    return *until > 0 && --*until == 0;
}

static int asked(void *payload) {
    return refuses(&((ear *)payload)->until);
}

static int stop(void *payload, const int32_t *ids, size_t n_ids) {
    assert_in_range(ids[n_ids - 1], 0, RANDOM_V - 1);
    return asked(payload);
}

static void noted(void *payload, const char *line) {
    (void)payload;
    assert_true(*line && !strchr(line, '\n'));
}

static void progressed(void *payload, const char *what, uint64_t done, uint64_t total) {
    ear *e = payload;
    assert_true(*what);
    assert_true(total == 0 || done <= total);
    e->done = done;
}

static int hear(void *payload, const char *utf8, size_t n) {
    ear *e = payload;
    assert_true(e->n_text + n <= sizeof e->text); /* n is 0 while an exact search goes on */
    memcpy(e->text + e->n_text, utf8, n);
    e->n_text += n;
    return refuses(&e->text_until);
}

/* A processor that takes, adds and breaks. */
static int meddle(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 0};
    ear *e = payload;
    assert_int_equal(V, RANDOM_V);
    uint32_t last = (uint32_t)ids[n_ids - 1];
    for (size_t i = 0; e->meddles == 1 && i < V; i++)
        if ((i * 7 + last) % 3) logits[i] = -INFINITY;
    if (e->meddles == 2) logits[last] = odd[n_ids % 6];
    for (size_t i = 0; e->meddles == 3 && i < V; i++)
        logits[i] = -INFINITY;
    for (size_t i = 0; e->meddles == 4 && i < V; i++)
        logits[i] = 1;
    return refuses(&e->until);
}

static void random_callbacks(nt_generate_options *o, nt_callbacks *callbacks, ear *e) {
    *e = (ear){.until = dice(4) ? 0 : 1 + dice(40),
               .text_until = dice(4) ? 0 : 1 + dice(6),
               .meddles = dice(3) ? 0 : 1 + dice(4)};
    *callbacks = (nt_callbacks)NT_CALLBACKS_INIT;
    callbacks->payload = o->payload = e;
    callbacks->text = hear;
    if (dice(2)) callbacks->note = noted;
    if (dice(2)) callbacks->progress = progressed;
    if (dice(3) == 0) callbacks->cancel = asked;
    if (dice(5) == 0) o->stop = stop;
    if (dice(5) == 0) o->process = meddle;
    o->callbacks = callbacks;
}

/* ---- Calls ---- */

static void random_prompt(nt_prompt *prompt, int32_t ids[CONTEXT + 1]) {
    static const char *const texts[] = {"the",         "",          " the the th",
                                        "abc abc abc", "q\xc3\xa9", "\xff"};
    *prompt = (nt_prompt){.size = sizeof *prompt, .add_bos = dice(4) == 0};
    if (dice(4) == 0) {
        prompt->text = texts[dice(20) ? dice(4) : 4 + dice(2)];
        prompt->n_text = NT_ZERO_ENDED;
        return;
    }
    prompt->ids = ids;
    prompt->n_ids = dice(3) ? 1 + dice(12) : dice(CONTEXT + 2);
    uint32_t kinds = dice(2) ? 4 : RANDOM_V; /* of few kinds there are n-grams that repeat */
    for (size_t i = 0; i < prompt->n_ids; i++)
        ids[i] = (int32_t)dice(kinds);
    if (dice(30) == 0) ids[0] = wild_whole();
}

static void random_assistant(nt_generate_options *o, const models *m) {
    nt_session *const sessions[] = {m->beside,        m->beside,           m->draft.session,
                                    m->draft.session, m->stranger.session, m->model.session};
    if (dice(4) == 0) o->assistant = sessions[dice(16) ? dice(4) : 4 + dice(2)];
}

static int call(nt_result **out, nt_session *session, const nt_prompt *prompt,
                const nt_generate_options *o) {
    nt_next_options next = NT_NEXT_OPTIONS_INIT;
    switch (dice(8)) {
    case 0:
        next.generate = o;
        next.callbacks = o->callbacks;
        next.k = dice(9) ? (int32_t)dice(2 * RANDOM_V) : wild_whole();
        return nt_next(out, session, prompt, &next);
    case 1:
        return nt_explain(out, nt_option_at(dice((uint32_t)nt_n_options()))->name, session, prompt,
                          o);
    case 2: return nt_steps(out, session, prompt, o);
    default: return nt_generate(out, session, prompt, o);
    }
}

/* ---- What holds afterwards ---- */

static void is_empty(nt_session *session) {
    const nt_kv *kv = nt_runner_kv(session->runner);
    for (int32_t s = 0; s < 1100; s++)
        assert_false(nt_kv_exists(kv, s));
}

static void check_status(int status, const nt_result *result, bool memory_ended) {
    assert_int_equal(result != NULL, status == NT_OK);
    if (status == NT_OK) return;
    const char *message = nt_error_message();
    assert_in_range(status - NT_E_CANCELLED, 0, NT_E_MEMORY - NT_E_CANCELLED);
    assert_true(*message && !strchr(message, '\n') && strlen(message) < 512);
    if (status == NT_E_MEMORY) assert_true(memory_ended);
}

/* What was heard is the text of the output, or the beginning that was heard before a refusal. */
static void check_heard(const nt_result *r, const ear *e) {
    if (e->n_text == 0 || nt_result_n_outputs(r) != 1) return;
    const nt_output *output = nt_result_output(r, 0);
    assert_true(e->n_text <= output->n_text);
    assert_memory_equal(e->text, output->text, e->n_text);
    if (strcmp(output->finish_reason, "callback") != 0) assert_int_equal(e->n_text, output->n_text);
}

/* A call that always gives the same, whatever went on before. */
static void same_as_ever(nt_session *session) {
    static double wanted[2];
    static const int32_t ids[] = {3, 5, 3, 5, 3};
    for (int beams = 0; beams < 2; beams++) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        nt_result *result;
        o.max_new_tokens = 6;
        o.num_beams = beams ? 4 : 0;
        assert_ok(nt_generate(&result, session, nt_ids(ids, 5), &o));
        double logprob = nt_result_output(result, 0)->logprob;
        if (wanted[beams] == 0) wanted[beams] = logprob;
        assert_true(logprob == wanted[beams]);
        nt_result_free(result);
    }
}

/* ---- Cases ---- */

typedef struct tally {
    size_t n_made, n_memory, n_cancelled, n_numeric, n_refused;
} tally;

static void count(tally *t, int status) {
    if (status == NT_OK)
        t->n_made++;
    else if (status == NT_E_MEMORY)
        t->n_memory++;
    else if (status == NT_E_CANCELLED)
        t->n_cancelled++;
    else if (status == NT_E_NUMERIC)
        t->n_numeric++;
    else
        t->n_refused++;
}

static void run_case(const models *m, uint64_t n, tally *t) {
    static random_memory memory;
    static ear e;
    nt_generate_options options;
    nt_callbacks callbacks;
    nt_prompt prompt;
    int32_t ids[CONTEXT + 1];
    nt_result *result = (nt_result *)&e;
    dice_state = n * 0x9E3779B97F4A7C15u;
    dice(2);
    random_options(&options, &memory);
    random_callbacks(&options, &callbacks, &e);
    random_assistant(&options, m);
    random_prompt(&prompt, ids);
    size_t fails = dice(4) ? 0 : 1 + dice(4u << dice(10));
    if (fails && dice(2))
        nt_memory_fail_once(fails);
    else
        nt_memory_fail_at(fails);
    int status = call(&result, m->model.session, &prompt, &options);
    bool memory_ended = fails > 0 && nt_memory_count() >= fails;
    nt_memory_fail_at(0);
    check_status(status, result, memory_ended);
    count(t, status);
    is_empty(m->model.session);
    is_empty(m->beside);
    is_empty(m->draft.session);
    if (result) {
        check_result(result, RANDOM_V);
        if (nt_result_get_kind(result) != NT_RESULT_EXPLAIN) check_heard(result, &e);
        if (n % 4 == 0) check_views(result);
    }
    nt_result_free(result);
    if (n % 64 == 0) same_as_ever(m->model.session);
}

static void by_dice(void **state) {
    models *m = *state;
    tally t = {0};
    for (uint64_t n = first_case; n < first_case + n_cases; n++) {
        run_case(m, at_case = n, &t);
    }
    print_message("%zu made, %zu refused, %zu cancelled, %zu numeric, %zu out of memory\n",
                  t.n_made, t.n_refused, t.n_cancelled, t.n_numeric, t.n_memory);
    assert_true(n_cases < CASES || t.n_made > n_cases / 4);
}

/* Which case it was, when one failed: run it alone with the arguments 1 and its number. */
static int tell_case(void **state) {
    (void)state;
    print_message("last case: %llu\n", (unsigned long long)at_case);
    return 0;
}

/* ---- Models ---- */

static void open_one(small_model *m, const char *name, const char *seed, const char *vocab,
                     bool tokenizer) {
    char path[CHECKPOINT_PATH];
    CHECKPOINT(name, "--shape", "tiny", "--seed", seed, "--vocab-size", vocab);
    checkpoint_path(path, name);
    if (tokenizer) write_file(path, "tokenizer.json", small_tokenizer);
    write_file(path, "tokenizer_config.json",
               "{\"bos_token\":\"<|end|>\",\"eos_token\":\"<|end|>\"}");
    *m = small_open(path);
}

static int setup(void **state) {
    static models m;
    nt_session_options one_thread = {.size = sizeof one_thread, .threads = 1};
    open_one(&m.model, "model", "11", "96", true);
    open_one(&m.draft, "draft", "12", "96", true);
    open_one(&m.stranger, "stranger", "13", "64", false);
    assert_ok(nt_session_new(&m.beside, m.model.model, &one_thread));
    *state = &m;
    return 0;
}

static int teardown(void **state) {
    models *m = *state;
    nt_session_free(m->beside);
    small_close(&m->model);
    small_close(&m->draft);
    small_close(&m->stranger);
    return checkpoints_remove(state);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(by_dice, tell_case)};
    if (argc > 1) n_cases = strtoull(argv[1], NULL, 10);
    if (argc > 2) first_case = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, setup, teardown);
}
