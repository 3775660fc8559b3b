/* Mode bf16: which numbers weights become, what that takes, and the logits against
 * tools/oracle/mode_bf16.py, which is transformers in float64 rounded where the mode rounds. */
#include "families.h"

#include "base/memory.h"
#include "runner.h"

#define SMALL "--shape", "tiny", "--n-positions", "63", "--n-layer", "3"

static uint32_t bits_at(const nt_matrix *m, size_t i) {
    float x = nt_dtype_load(m->data, m->dtype, i);
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Every number of `narrow` is that of `whole`, rounded; on a cache line of its own. */
static void is_rounded(const nt_matrix *narrow, const nt_matrix *whole) {
    assert_int_equal(narrow->dtype, NT_BF16);
    assert_true(narrow->K == whole->K && narrow->N == whole->N && narrow->layout == whole->layout);
    for (size_t i = 0; i < whole->K * whole->N; i++) {
        uint16_t rounded;
        float x = nt_dtype_load(whole->data, whole->dtype, i);
        assert_true(nt_dtype_store(&rounded, NT_BF16, &x, 1));
        assert_int_equal(bits_at(narrow, i), (uint32_t)rounded << 16);
    }
}

static bool is_copy(const nt_network *n, const nt_matrix *m) {
    const uint16_t *at = m->data;
    return n->halves && at >= n->halves && at < n->halves + n->n_halves;
}

/* All matrices of two networks of one checkpoint, one in each mode. */
static void compare_weights(const nt_network *narrow, const nt_network *whole) {
    assert_int_equal(narrow->precision, NT_PRECISION_BF16);
    assert_int_equal(whole->precision, NT_PRECISION_F32);
    is_rounded(&narrow->wte, &whole->wte);
    is_rounded(&narrow->wpe, &whole->wpe);
    is_rounded(&narrow->head, &whole->head);
    for (size_t l = 0; l < (size_t)whole->config.L; l++) {
        const nt_block *x = &narrow->blocks[l], *y = &whole->blocks[l];
        is_rounded(&x->attn_qkv, &y->attn_qkv);
        is_rounded(&x->attn_out, &y->attn_out);
        is_rounded(&x->mlp_in, &y->mlp_in);
        is_rounded(&x->mlp_out, &y->mlp_out);
        assert_memory_equal(x->mlp_in_bias, y->mlp_in_bias, y->mlp_in.N * sizeof(float));
        assert_memory_equal(x->ln1_gain, y->ln1_gain, (size_t)whole->config.D * sizeof(float));
    }
    assert_int_equal(narrow->head.data == narrow->wte.data, whole->head.data == whole->wte.data);
    assert_int_equal(narrow->n_weight_bytes, whole->n_weight_bytes);
    assert_int_equal(narrow->stored, whole->stored == NT_F32 ? narrow->stored : whole->stored);
}

/* Layer 1's mask of odd size (--buffers) pushes what follows off its alignment. */
static void weights_are_rounded_once(void **state) {
    (void)state;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "F64"};
    static const char *const heads[] = {"--tied", "--untied", "--head-copy"};
    for (size_t i = 0; i < 4; i++) {
        for (size_t h = 0; h < 3; h++) {
            CHECKPOINT("any", SMALL, "--buffers", heads[h], "--dtype", dtypes[i]);
            nt_network *narrow = network_in("any", NT_PRECISION_BF16);
            nt_network *whole = network_in("any", NT_PRECISION_F32);
            compare_weights(narrow, whole);
            assert_string_equal(nt_dtype_name(narrow->stored), dtypes[i]);
            assert_true(narrow->n_halves > 0);
            nt_network_free(narrow);
            nt_network_free(whole);
        }
    }
}

/* What the file has in bfloat16 stays there. */
static void stored_halves_stay(void **state) {
    (void)state;
    CHECKPOINT("halves", SMALL, "--dtype", "BF16");
    nt_network *n = network_in("halves", NT_PRECISION_BF16);
    assert_int_equal(n->n_halves, 0);
    assert_null(n->halves);
    nt_network_free(n);
    CHECKPOINT("floats", SMALL);
    n = network_in("floats", NT_PRECISION_BF16);
    const nt_matrix *m = &n->blocks[2].mlp_out;
    assert_true(is_copy(n, m) && is_copy(n, &n->wte) && is_copy(n, &n->wpe));
    assert_int_equal((uintptr_t)m->data % 64, 0);
    nt_network_free(n);
}

/* So many numbers that several threads share them, in a file that ends within a page. */
static void many_weights(void **state) {
    (void)state;
    static const char *const dtypes[] = {"F32", "F16"};
    for (size_t i = 0; i < 2; i++) {
        CHECKPOINT("many", "--shape", "tiny", "--vocab-size", "50257", "--n-embd", "30", "--n-head",
                   "3", "--dtype", dtypes[i]);
        nt_network *narrow = network_in("many", NT_PRECISION_BF16);
        nt_network *whole = network_in("many", NT_PRECISION_F32);
        assert_true(narrow->n_halves > 1 << 20);
        compare_weights(narrow, whole);
        nt_network_free(narrow);
        nt_network_free(whole);
    }
}

/* ---- Against the oracle ---------------------------------------------------------------------- */

typedef struct rows {
    float *logits; /* [n, V] */
    size_t V;
} rows;

static int keep(void *payload, const nt_logits_row *from, size_t n) {
    rows *to = payload;
    for (size_t i = 0; i < n; i++)
        memcpy(to->logits + from[i].t * to->V, from[i].logits, to->V * sizeof(float));
    return NT_OK;
}

static size_t likeliest(const float *row, size_t V) {
    size_t best = 0;
    for (size_t i = 1; i < V; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

/* What both fixtures say of one text, and the logits that this program gives for it. */
typedef struct sample {
    const json_t *expected; /* of mode_bf16.json */
    const json_t *greedy;   /* of the float32 fixture: ids and margins */
    int32_t *ids;           /* [n]: the prompt, then these ids */
    size_t n, n_prompt;
    rows found;
} sample;

static void compare_logits(const sample *s, used *logits) {
    const json_t *positions = member(s->expected, "positions"), *ids = member(s->expected, "ids");
    const json_t *values = member(s->expected, "values");
    size_t each = json_array_size(ids) ? json_array_size(ids) : s->found.V;
    double range = json_number_value(member(s->expected, "range"));
    assert_int_equal(json_array_size(values), each * json_array_size(positions));
    for (size_t i = 0; i < json_array_size(values); i++) {
        size_t id = json_array_size(ids) ? whole(ids, i % each) : i % each;
        float found = s->found.logits[whole(positions, i / each) * s->found.V + id];
        compare(logits, number(values, i), (double)found, range);
    }
}

/* The id that float32 picks, wherever its margin is larger than what the mode costs. Returns how
 * often that was so. */
static size_t compare_greedy(const sample *s) {
    const json_t *ids = member(s->greedy, "ids"), *margins = member(s->greedy, "margins");
    double cost = json_number_value(member(s->expected, "cost"));
    double range = json_number_value(member(s->expected, "range"));
    size_t clear = 0;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (number(margins, i) <= 2.1 * cost * range) continue;
        const float *row = s->found.logits + (s->n_prompt - 1 + i) * s->found.V;
        assert_int_equal(likeliest(row, s->found.V), whole(ids, i));
        clear++;
    }
    return clear;
}

static size_t hold(const json_t *expected, const json_t *one, used *logits) {
    const char *args[CHECKPOINT_ARGS];
    assert_int_equal(checkpoint_make("one", args, arguments_of(args, one)), 0);
    nt_network *network = network_in("one", NT_PRECISION_BF16);
    nt_runner *runner = runner_of(network, 2);
    const json_t *prompt = json_array_get(member(one, "prompts"), 0);
    sample s = {.expected = expected, .greedy = member(prompt, "greedy")};
    size_t n_new, V = (size_t)network->config.V;
    int32_t *more = ids_of(&n_new, member(s.greedy, "ids"));
    s.ids = ids_of(&s.n_prompt, member(prompt, "ids"));
    s.n = s.n_prompt + n_new;
    s.ids = realloc(s.ids, (s.n + 1) * sizeof *s.ids);
    s.found = (rows){calloc(s.n * V, sizeof(float)), V};
    assert_true(s.ids && s.found.logits);
    memcpy(s.ids + s.n_prompt, more, n_new * sizeof *more);
    nt_input input = {NT_ALONE, s.ids, s.n, 0, false};
    if (nt_runner_step(runner, &input, 1, keep, &s.found, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    compare_logits(&s, logits);
    size_t clear = compare_greedy(&s);
    free(more);
    free(s.ids);
    free(s.found.logits);
    nt_runner_free(runner);
    nt_network_free(network);
    return clear;
}

static void logits_equal_the_oracle(void **state) {
    (void)state;
    json_t *all = fixture_named("mode_bf16"), *expected;
    size_t i, clear = 0, exact = 0;
    json_array_foreach(member(all, "cases"), i, expected) {
        const char *of = json_string_value(member(expected, "fixture"));
        json_t *fixture = fixture_named(of);
        size_t number_of = (size_t)json_integer_value(member(expected, "case"));
        used logits = {.path = "bf16", .type = "logits"};
        clear += hold(expected, json_array_get(member(fixture, "cases"), number_of), &logits);
        report(of, &logits);
        exact += logits.error <= 1e-7 * logits.range;
        printf("  %-18s the mode costs %.1e of the range\n", "",
               json_number_value(member(expected, "cost")));
        json_decref(fixture);
    }
    assert_true(i > 20);
    assert_true(exact >=
                8); /* cases where no number lies near a border: rounded alike everywhere */
    assert_true(clear > 100); /* ids that were to be float32's */
    json_decref(all);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static int32_t some_ids[] = {5, 3, 8, 1, 1, 2};

static int open_and_run(const char *path, size_t k) {
    nt_network *network;
    nt_runner *runner = NULL;
    nt_input input = {NT_ALONE, some_ids, 6, 6, false};
    nt_memory_fail_at(k);
    int status = nt_network_open(&network, path, NT_PRECISION_BF16);
    if (status == NT_OK) status = nt_runner_new(&runner, network, 2);
    if (status == NT_OK) status = nt_runner_step(runner, &input, 1, NULL, NULL, NULL);
    nt_memory_fail_at(0);
    nt_runner_free(runner);
    nt_network_free(network);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    CHECKPOINT("fragile", "--shape", "tiny", "--vocab-size", "50257", "--n-embd", "24", "--n-head",
               "2", "--n-layer", "1", "--dtype", "F16");
    checkpoint_path(path, "fragile");
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        status = open_and_run(path, k);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
    }
    assert_true(k > 20);
}

/* Pages of half the size, for the same positions. */
static void keys_and_values_take_half(void **state) {
    (void)state;
    CHECKPOINT("pages", SMALL);
    size_t bytes[2];
    for (int halves = 0; halves < 2; halves++) {
        nt_network *network = network_in("pages", halves ? NT_PRECISION_BF16 : NT_PRECISION_F32);
        nt_runner *runner = runner_of(network, 1);
        nt_input input = input_of(sequence_of(runner), some_ids, 6, NT_WANT_NOTHING);
        assert_int_equal(nt_runner_step(runner, &input, 1, NULL, NULL, NULL), NT_OK);
        bytes[halves] = nt_kv_bytes(nt_runner_kv(runner));
        nt_runner_free(runner);
        nt_network_free(network);
    }
    assert_int_equal(bytes[0], 2 * bytes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_rounded_once),
        cmocka_unit_test(stored_halves_stay),
        cmocka_unit_test(many_weights),
        cmocka_unit_test(logits_equal_the_oracle),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(keys_and_values_take_half),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
