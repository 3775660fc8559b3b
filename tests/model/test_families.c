/* Every family's checkpoints: the same bits whole, token by token, in company, alone, in forks,
 * with any number of threads and on any instruction set; every allocation failing in turn; the
 * sizes that a session is held to. */
#include "families.h"

#include "base/memory.h"
#include "runner.h"

typedef void check_fn(const json_t *one, const nt_network *network, const int32_t *ids, size_t n);

/* Makes each case's checkpoint and hands it, for one mode, to check with the case's prompt. */
static void with_every_case(check_fn *check, nt_precision precision) {
    for (size_t f = 0; f < N_FAMILIES; f++) {
        json_t *fixture = fixture_named(family_fixtures[f]), *one;
        size_t i, n;
        json_array_foreach(member(fixture, "cases"), i, one) {
            const char *args[CHECKPOINT_ARGS];
            char name[64];
            snprintf(name, sizeof name, "%s-%zu", family_fixtures[f], i);
            assert_int_equal(checkpoint_make(name, args, arguments_of(args, one)), 0);
            nt_network *network = network_in(name, precision);
            int32_t *ids = ids_of(&n, member(json_array_get(member(one, "prompts"), 0), "ids"));
            check(one, network, ids, n);
            free(ids);
            nt_network_free(network);
        }
        json_decref(fixture);
    }
}

typedef struct rows {
    float *logits; /* [inputs, n, V] */
    size_t n, V;
} rows;

static int keep(void *payload, const nt_logits_row *from, size_t n) {
    rows *r = payload;
    for (size_t i = 0; i < n; i++)
        memcpy(r->logits + (from[i].input * r->n + from[i].t) * r->V, from[i].logits,
               r->V * sizeof *r->logits);
    return NT_OK;
}

static float *room_for(const nt_network *network, size_t n) {
    float *logits = calloc(n * (size_t)network->config.V, sizeof *logits);
    assert_non_null(logits);
    return logits;
}

static void step(nt_runner *runner, const nt_input *inputs, size_t n_inputs, rows *to) {
    if (nt_runner_step(runner, inputs, n_inputs, keep, to, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
}

/* Logits [n, V] of a text in one call; free() them. */
static float *whole_text(const nt_network *network, const int32_t *ids, size_t n, int threads) {
    nt_runner *runner = runner_of(network, threads);
    rows r = {room_for(network, n), n, (size_t)network->config.V};
    nt_input input = input_of(sequence_of(runner), ids, n, NT_WANT_ALL);
    step(runner, &input, 1, &r);
    nt_runner_free(runner);
    return r.logits;
}

static void same_bits_however(const json_t *one, const nt_network *network, const int32_t *ids,
                              size_t n) {
    size_t V = (size_t)network->config.V, bytes = n * V * sizeof(float);
    const char *name = json_string_value(member(one, "name"));
    float *expected = whole_text(network, ids, n, 1), *other = whole_text(network, ids, n, 2);
    if (memcmp(expected, other, bytes) != 0) fail_msg("%s: two threads", name);
    free(other);
    if (!has_own_bits(nt_cpu_kernels()[0], network->precision)) {
        setenv("NEXTOKEN_ISA", "ref", 1);
        other = whole_text(network, ids, n, 1);
        unsetenv("NEXTOKEN_ISA");
        if (memcmp(expected, other, bytes) != 0) fail_msg("%s: the reference kernels", name);
        free(other);
    }
    /* Token by token; then its first half, a fork of it that goes on, and the whole text beside it
     * twice, once alone: all in one call. */
    nt_runner *runner = runner_of(network, 2);
    int32_t slow = sequence_of(runner), half = sequence_of(runner), fork;
    rows r = {room_for(network, 3 * n), n, V};
    for (size_t t = 0; t < n; t++) {
        nt_input input = input_of(slow, ids + t, 1, NT_WANT_ALL);
        step(runner, &input, 1, &r);
        if (memcmp(r.logits, expected + t * V, V * sizeof(float)) != 0)
            fail_msg("%s: position %zu by itself", name, t);
    }
    nt_input first = input_of(half, ids, n / 2, NT_WANT_NOTHING);
    assert_int_equal(nt_runner_step(runner, &first, 1, NULL, NULL, NULL), NT_OK);
    assert_int_equal(nt_kv_fork(&fork, nt_runner_kv(runner), half), NT_OK);
    nt_input inputs[] = {input_of(fork, ids + n / 2, n - n / 2, NT_WANT_ALL),
                         input_of(sequence_of(runner), ids, n, NT_WANT_ALL),
                         {NT_ALONE, ids, n, 0, false}};
    step(runner, inputs, 3, &r);
    if (memcmp(r.logits, expected + n / 2 * V, (n - n / 2) * V * sizeof(float)) != 0)
        fail_msg("%s: a fork", name);
    for (size_t i = 1; i < 3; i++)
        if (memcmp(r.logits + i * n * V, expected, bytes) != 0)
            fail_msg("%s: input %zu in company", name, i);
    nt_runner_free(runner);
    free(r.logits);
    free(expected);
}

static void same_bits_however_it_is_run(void **state) {
    (void)state;
    with_every_case(same_bits_however, NT_PRECISION_F32);
}

static void same_bits_in_bf16(void **state) {
    (void)state;
    with_every_case(same_bits_however, NT_PRECISION_BF16);
}

static void contexts(const json_t *one, const nt_network *network, const int32_t *ids, size_t n) {
    (void)n;
    size_t T = (size_t)network->config.T;
    const json_t *said = json_object_get(member(one, "config"), "max_position_embeddings");
    assert_int_equal(T, json_integer_value(said));
    int32_t *longest = calloc(T + 1, sizeof *longest);
    assert_non_null(longest);
    longest[0] = ids[0];
    nt_runner *runner = runner_of(network, 1);
    rows r = {room_for(network, 1), 1, (size_t)network->config.V};
    nt_input input = {NT_ALONE, longest, T + 1, T + 1, false};
    assert_int_equal(nt_runner_step(runner, &input, 1, NULL, NULL, NULL), NT_E_CONTEXT);
    input.n_ids = input.wanted = T;
    assert_int_equal(nt_runner_step(runner, &input, 1, NULL, NULL, NULL), NT_OK);
    nt_runner_free(runner);
    free(r.logits);
    free(longest);
}

static void a_text_as_long_as_the_context_fits(void **state) {
    (void)state;
    with_every_case(contexts, NT_PRECISION_F32);
}

/* Opens the checkpoint that was just made, and runs it, with the k-th allocation failing. */
static int open_and_run(const nt_network *like, const char *path, size_t k) {
    nt_network *network;
    nt_runner *runner = NULL;
    const int32_t ids[] = {1, 2, 3};
    nt_input input = {NT_ALONE, ids, 3, 3, false};
    nt_memory_fail_at(k);
    int status = nt_network_open(&network, path, NT_PRECISION_F32);
    if (status == NT_OK) status = nt_runner_new(&runner, network, 1);
    if (status == NT_OK) status = nt_runner_step(runner, &input, 1, NULL, NULL, NULL);
    nt_memory_fail_at(0);
    if (network) assert_string_equal(network->config.type, like->config.type);
    nt_runner_free(runner);
    nt_network_free(network);
    return status;
}

static void fragile(const json_t *one, const nt_network *network, const int32_t *ids, size_t n) {
    static const char *last_family;
    (void)one;
    (void)ids;
    (void)n;
    if (last_family == network->config.type) return; /* one case of each */
    last_family = network->config.type;
    char path[CHECKPOINT_PATH], name[64];
    snprintf(name, sizeof name, "%.32s-0", network->config.type);
    checkpoint_path(path, name);
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        status = open_and_run(network, path, k);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
    }
    assert_true(k > 20);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    with_every_case(fragile, NT_PRECISION_F32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_however_it_is_run),
        cmocka_unit_test(same_bits_in_bf16),
        cmocka_unit_test(a_text_as_long_as_the_context_fits),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
