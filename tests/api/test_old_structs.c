/* Programs that were built against an older header hand over smaller option structs, and those of a
 * newer one larger: what is there counts, what is not has its default, and a size that no struct
 * can have is refused. */
#include "api/small_model.h"

#include <stdint.h>

/* As the header had them before there was more than greedy decoding and sampling. */
typedef struct old_generate_options {
    size_t size;
    int32_t max_new_tokens;
    int32_t max_length;
    const int32_t *eos_token_id;
    size_t n_eos_token_id;
    const char *const *stop_strings;
    size_t n_stop_strings;
    int32_t choices;
    const nt_callbacks *callbacks;
    void *owned;
    int do_sample;
    double temperature;
    int32_t top_k;
    double top_p;
    int32_t num_return_sequences;
    bool seed_given;
    uint64_t seed;
} old_generate_options;

typedef struct old_next_options {
    size_t size;
    int32_t k;
    const nt_callbacks *callbacks;
} old_next_options;

static const int32_t no_eos[1], prompt[] = {3, 27, 26, 4};

/* Behind an old struct stands what an old program has there: anything. */
static union {
    old_generate_options old;
    old_next_options next;
    nt_generate_options whole;
    unsigned char bytes[8192];
} given;

static void rubbish_behind(size_t n) {
    memset(given.bytes + n, 0xA5, sizeof given.bytes - n);
}

static nt_result *generate(nt_session *session, const void *options) {
    nt_result *result = NULL;
    assert_ok(nt_generate(&result, session, nt_ids(prompt, 4), options));
    return result;
}

static void same_outputs(nt_result *a, nt_result *b) {
    assert_int_equal(nt_result_n_outputs(a), nt_result_n_outputs(b));
    for (size_t i = 0; i < nt_result_n_outputs(a); i++) {
        const nt_output *x = nt_result_output(a, i), *y = nt_result_output(b, i);
        assert_int_equal(x->n_ids, y->n_ids);
        assert_memory_equal(x->ids, y->ids, x->n_ids * sizeof *x->ids);
        assert_true(x->logprob == y->logprob);
    }
    nt_result_free(a);
    nt_result_free(b);
}

static void old_generate_options_go_on_working(void **state) {
    small_model m = small_open(*state);
    nt_generate_options now = NT_GENERATE_OPTIONS_INIT;
    now.max_new_tokens = 9;
    now.eos_token_id = no_eos;
    now.do_sample = now.seed_given = true;
    now.num_return_sequences = 3;
    now.seed = 5;
    now.top_k = 20;
    now.top_p = 0.9;
    given.old = (old_generate_options){.size = sizeof given.old,
                                       .max_new_tokens = 9,
                                       .eos_token_id = no_eos,
                                       .do_sample = 1,
                                       .top_k = 20,
                                       .top_p = 0.9,
                                       .num_return_sequences = 3,
                                       .seed_given = true,
                                       .seed = 5};
    rubbish_behind(sizeof given.old);
    same_outputs(generate(m.session, &given.old), generate(m.session, &now));
    nt_result *steps;
    assert_ok(nt_steps(&steps, m.session, nt_ids(prompt, 4), (void *)&given.old));
    assert_int_equal(nt_result_n_steps(steps), 3 * 9);
    nt_result_free(steps);
    small_close(&m);
}

/* What came later cannot be set in them, and what was there can. */
static void old_generate_options_are_set_and_cleared(void **state) {
    (void)state;
    given.old = (old_generate_options){.size = sizeof given.old, .top_k = -1, .top_p = -1};
    rubbish_behind(sizeof given.old);
    assert_ok(nt_generate_options_set(&given.whole, "top_p", "0.5"));
    assert_ok(nt_generate_options_set(&given.whole, "stop_strings", "x"));
    assert_true(given.old.top_p == 0.5 && given.old.n_stop_strings == 1);
    assert_fails(nt_generate_options_set(&given.whole, "num_beams", "4"), NT_E_ARGUMENT,
                 "num_beams");
    nt_generate_options_clear(&given.whole);
    assert_true(given.old.top_p == -1 && given.old.n_stop_strings == 0 && !given.old.owned);
    for (size_t i = sizeof given.old; i < sizeof given.bytes; i++)
        assert_int_equal(given.bytes[i], 0xA5);
}

static void old_next_options_go_on_working(void **state) {
    small_model m = small_open(*state);
    given.next = (old_next_options){.size = sizeof given.next, .k = 7};
    rubbish_behind(sizeof given.next);
    nt_result *result;
    assert_ok(nt_next(&result, m.session, nt_ids(prompt, 4), (void *)&given.next));
    assert_int_equal(nt_result_n_candidates(result, 0), 7);
    nt_result_free(result);
    small_close(&m);
}

/* Whatever the size says: taken, or refused in words. */
static void every_size(void **state) {
    static const int32_t ids[] = {5, 6};
    static const char *const strings[] = {"zz"};
    static const nt_word words[] = {{ids, 2}};
    static const nt_bias biases[] = {{ids, 1, 1.5}};
    small_model m = small_open(*state);
    size_t n_taken = 0;
    for (size_t size = 0; size < sizeof given.bytes; size += size < 1200 ? 1 : 997) {
        nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
        o.max_new_tokens = 2;
        o.eos_token_id = o.suppress_tokens = o.begin_suppress_tokens = ids;
        o.n_eos_token_id = o.n_suppress_tokens = o.n_begin_suppress_tokens = 2;
        o.stop_strings = strings;
        o.bad_words_ids = words;
        o.sequence_bias = o.logit_bias = biases;
        o.n_stop_strings = o.n_bad_words_ids = o.n_sequence_bias = o.n_logit_bias = 1;
        o.negative_prompt = "the";
        o.guidance_scale = 1.5;
        rubbish_behind(0);
        given.whole = o;
        given.whole.size = size;
        nt_result *result;
        int status = nt_generate(&result, m.session, nt_ids(prompt, 4), &given.whole);
        bool can_be = size >= sizeof size && size <= 4096 && size % sizeof size == 0;
        assert_int_equal(status, can_be ? NT_OK : NT_E_ARGUMENT);
        if (!can_be) assert_non_null(strstr(nt_error_message(), "size is"));
        n_taken += status == NT_OK;
        nt_result_free(result);
    }
    assert_true(n_taken > sizeof(nt_generate_options) / sizeof(size_t));
    small_close(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_generate_options_go_on_working),
        cmocka_unit_test(old_generate_options_are_set_and_cleared),
        cmocka_unit_test(old_next_options_go_on_working),
        cmocka_unit_test(every_size),
    };
    return cmocka_run_group_tests(tests, small_model_make, checkpoints_remove);
}
