/* nt_next on logits that are kept: the bits are those of nt_next alone, and a walk of such steps is
 * what nt_steps makes of the same options, step by step. */
#include "api/small_model.h"

#include <math.h>

#include "base/memory.h"

enum { V = 96, N_PROMPT = 5, N_NEW = 8 };

static const int32_t prompt[N_PROMPT] = {3, 27, 26, 4, 26}, no_eos[1];

/* The logits behind ids [n]. */
static void logits_behind(float *logits, const small_model *m, const int32_t *ids, size_t n) {
    int32_t sequence;
    assert_ok(nt_sequence_new(&sequence, m->session));
    if (n > 1) /* cut in two: it must not matter */
        assert_ok(nt_forward(m->session, sequence, ids, n - 1, NT_WANT_NOTHING, NULL, NULL));
    assert_ok(nt_forward(m->session, sequence, ids + n - 1, 1, NT_WANT_LAST, logits, NULL));
    nt_sequence_drop(m->session, sequence);
}

static nt_result *look(const small_model *m, const int32_t *ids, size_t n,
                       const nt_next_options *options) {
    nt_result *result = NULL;
    assert_ok(nt_next(&result, m->session, nt_ids(ids, n), options));
    return result;
}

static void same_candidate(const nt_candidate *a, const nt_candidate *b) {
    assert_int_equal(a->token.id, b->token.id);
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(&a->logit, &b->logit, sizeof a->logit);
    assert_memory_equal(&a->logprob, &b->logprob, sizeof a->logprob);
    assert_memory_equal(&a->processed_prob, &b->processed_prob, sizeof a->processed_prob);
    assert_memory_equal(&a->processed_logit, &b->processed_logit, sizeof a->processed_logit);
    assert_int_equal(a->n_changes, b->n_changes);
    for (size_t i = 0; i < a->n_changes; i++)
        assert_string_equal(a->changes[i].option, b->changes[i].option);
}

/* Steps of two results: what stood to choose. */
static void same_step(const nt_result *a, size_t i, const nt_result *b, size_t k) {
    const nt_step *x = nt_result_step(a, i), *y = nt_result_step(b, k);
    assert_int_equal(x->kept, y->kept);
    assert_memory_equal(&x->entropy, &y->entropy, sizeof x->entropy);
    assert_int_equal(nt_result_n_candidates(a, i), nt_result_n_candidates(b, k));
    for (size_t c = 0; c < nt_result_n_candidates(a, i); c++)
        same_candidate(nt_result_candidate(a, i, c), nt_result_candidate(b, k, c));
    assert_int_equal(nt_result_n_demoted(a, i), nt_result_n_demoted(b, k));
}

static void test_same_bits_as_alone(void **state) {
    small_model m = small_open(*state);
    float logits[V];
    nt_generate_options generate = NT_GENERATE_OPTIONS_INIT;
    generate.do_sample = 1;
    generate.temperature = 0.7;
    generate.top_p = 0.8;
    generate.repetition_penalty = 1.4;
    logits_behind(logits, &m, prompt, N_PROMPT);
    for (int with = 0; with < 2; with++) {
        nt_next_options alone = NT_NEXT_OPTIONS_INIT, row = NT_NEXT_OPTIONS_INIT;
        alone.k = row.k = V;
        alone.generate = row.generate = with ? &generate : NULL;
        row.row = logits;
        nt_result *a = look(&m, prompt, N_PROMPT, &alone), *b = look(&m, prompt, N_PROMPT, &row);
        same_step(a, 0, b, 0);
        assert_int_equal(nt_result_n_tokens(b), N_PROMPT);
        nt_result_free(a);
        nt_result_free(b);
    }
    small_close(&m);
}

/* Walks along what nt_steps chose, and holds every step against it. */
static void walk(const small_model *m, nt_generate_options *generate, bool drawn) {
    nt_result *steps = NULL;
    float logits[V];
    int32_t ids[N_PROMPT + N_NEW];
    memcpy(ids, prompt, sizeof prompt);
    generate->max_new_tokens = N_NEW;
    generate->eos_token_id = no_eos;
    generate->n_eos_token_id = 0;
    generate->choices = V;
    assert_ok(nt_steps(&steps, m->session, nt_ids(prompt, N_PROMPT), generate));
    assert_int_equal(nt_result_n_steps(steps), N_NEW);
    for (size_t i = 0; i < N_NEW; i++) {
        nt_next_options options = NT_NEXT_OPTIONS_INIT;
        options.k = V;
        options.generate = generate;
        options.row = logits;
        options.n_new = i;
        options.drawn = drawn;
        logits_behind(logits, m, ids, N_PROMPT + i);
        nt_result *next = look(m, ids, N_PROMPT + i, &options);
        const nt_step *theirs = nt_result_step(steps, i), *ours = nt_result_step(next, 0);
        assert_int_equal(nt_result_n_steps(next), 1);
        same_step(next, 0, steps, i);
        if (drawn) {
            assert_int_equal(ours->chosen.token.id, theirs->chosen.token.id);
            if (!isnan(theirs->draw))
                assert_memory_equal(&ours->draw, &theirs->draw, sizeof ours->draw);
        } else {
            assert_int_equal(ours->chosen.token.id, -1);
        }
        ids[N_PROMPT + i] = theirs->chosen.token.id;
        nt_result_free(next);
    }
    nt_result_free(steps);
}

static void test_new_tokens_are_told_from_the_prompt(void **state) {
    small_model m = small_open(*state);
    static const int32_t begin[] = {7, 8, 9, 40, 41};
    nt_generate_options generate = NT_GENERATE_OPTIONS_INIT;
    generate.encoder_repetition_penalty = 1.6;
    generate.repetition_penalty = 1.2;
    generate.presence_penalty = 0.5;
    generate.no_repeat_ngram_size = 2;
    generate.begin_suppress_tokens = begin;
    generate.n_begin_suppress_tokens = 5;
    walk(&m, &generate, false);
    small_close(&m);
}

static void test_guidance(void **state) {
    small_model m = small_open(*state);
    static const int32_t negative[] = {12, 13, 26};
    nt_generate_options generate = NT_GENERATE_OPTIONS_INIT;
    generate.guidance_scale = 1.7;
    walk(&m, &generate, false);
    generate.negative_prompt_ids = negative;
    generate.n_negative_prompt_ids = 3;
    walk(&m, &generate, false);
    small_close(&m);
}

static void test_draws(void **state) {
    small_model m = small_open(*state);
    for (int rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        nt_generate_options generate = NT_GENERATE_OPTIONS_INIT;
        generate.do_sample = 1;
        generate.temperature = 1.3;
        generate.top_k = 30;
        generate.seed_given = true;
        generate.seed = 77;
        generate.rng = rng;
        walk(&m, &generate, true);
    }
    small_close(&m);
}

static void test_what_cannot_be(void **state) {
    small_model m = small_open(*state);
    float logits[V];
    nt_result *result;
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    logits_behind(logits, &m, prompt, N_PROMPT);
    options.row = logits;
    options.n_new = N_PROMPT;
    assert_fails(nt_next(&result, m.session, nt_ids(prompt, N_PROMPT), &options), NT_E_ARGUMENT,
                 "n_new is 5 of 5 ids");
    assert_null(result);
    options.n_new = 0;
    logits[3] = NAN;
    assert_int_equal(nt_next(&result, m.session, nt_ids(prompt, N_PROMPT), &options), NT_E_NUMERIC);
    small_close(&m);
}

static void test_memory(void **state) {
    small_model m = small_open(*state);
    float logits[V];
    nt_generate_options generate = NT_GENERATE_OPTIONS_INIT;
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    nt_result *result;
    generate.do_sample = 1;
    generate.guidance_scale = 1.5;
    logits_behind(logits, &m, prompt, N_PROMPT);
    options.row = logits;
    options.n_new = 2;
    options.drawn = true;
    options.generate = &generate;
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK && k < 1000; k++) {
        nt_memory_fail_at(k);
        status = nt_next(&result, m.session, nt_ids(prompt, N_PROMPT), &options);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
    }
    assert_int_equal(status, NT_OK);
    assert_true(k > 5);
    nt_result_free(result);
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_alone),
        cmocka_unit_test(test_new_tokens_are_told_from_the_prompt),
        cmocka_unit_test(test_guidance),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_memory),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed + cmocka_run_group_tests_name("bf16", tests, small_model_make, NULL);
}
