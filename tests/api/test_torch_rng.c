/* torch's CPU generator, handed over and taken back: states byte for byte as torch has them, where
 * a generation leaves them, and what a prompt of a batch draws (tools/oracle/torch_rng.py). */
#include <jansson.h>
#include <zlib.h>

#include "api/small_model.h"
#include "base/memory.h"

typedef struct fixture {
    json_t *root;
    small_model small, draft;
    uint8_t warm[NT_TORCH_STATE];
} fixture;

static uint32_t crc_of(const uint8_t *state) {
    return (uint32_t)crc32(0, state, NT_TORCH_STATE);
}

static uint32_t crc_at(const nt_torch_rng *rng) {
    uint8_t state[NT_TORCH_STATE];
    assert_ok(nt_torch_rng_get_state(state, sizeof state, rng));
    return crc_of(state);
}

/* ---- The fixture ---- */

static void put_hex(uint8_t *out, const char *hex) {
    for (; *hex; hex += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        *out++ = (uint8_t)byte;
    }
}

enum { WORDS_AT = 24, TAIL_AT = 5016 };

static void read_warm(uint8_t *state, const json_t *warm) {
    const char *words = json_string_value(json_object_get(warm, "words"));
    put_hex(state, json_string_value(json_object_get(warm, "head")));
    for (size_t i = 0; i < 624; i++) {
        char word[9] = "";
        memcpy(word, words + 8 * i, 8);
        uint64_t value = strtoul(word, NULL, 16);
        memcpy(state + WORDS_AT + 8 * i, &value, sizeof value);
    }
    put_hex(state + TAIL_AT, json_string_value(json_object_get(warm, "tail")));
}

static small_model open_model(const char *name, const json_t *recipe) {
    const char *args[CHECKPOINT_ARGS];
    char path[CHECKPOINT_PATH];
    size_t n = 0, i;
    const json_t *word;
    json_array_foreach(json_object_get(recipe, "args"), i, word) args[n++] =
        json_string_value(word);
    assert_int_equal(checkpoint_make(name, args, n), 0);
    checkpoint_path(path, name);
    return small_open(path);
}

static int setup(void **state) {
    static fixture f;
    json_error_t error;
    f.root = json_load_file(NT_SOURCE_DIR "/tests/api/data/torch_rng.json", 0, &error);
    if (!f.root) fail_msg("torch_rng.json: %s", error.text);
    const json_t *models = json_object_get(f.root, "models");
    f.small = open_model("small", json_object_get(models, "small"));
    f.draft = open_model("draft", json_object_get(models, "draft"));
    read_warm(f.warm, json_object_get(f.root, "warm"));
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    small_close(&f->small);
    small_close(&f->draft);
    json_decref(f->root);
    return checkpoints_remove(state);
}

/* ---- States ---- */

static void seeds_give_torchs_states(void **state) {
    const fixture *f = *state;
    size_t i;
    const json_t *expected;
    json_array_foreach(json_object_get(f->root, "states"), i, expected) {
        uint64_t seed = strtoull(json_string_value(json_object_get(expected, "seed")), NULL, 10);
        nt_torch_rng *rng;
        assert_ok(nt_torch_rng_new(&rng, seed));
        assert_int_equal(crc_at(rng), json_integer_value(json_object_get(expected, "crc")));
        nt_torch_rng_free(rng);
    }
    assert_int_equal(i, 4);
    nt_torch_rng_free(NULL);
}

static void states_come_back_as_they_went(void **state) {
    const fixture *f = *state;
    uint8_t back[NT_TORCH_STATE];
    nt_torch_rng *rng;
    assert_ok(nt_torch_rng_new(&rng, 0));
    assert_ok(nt_torch_rng_set_state(rng, f->warm, sizeof f->warm));
    assert_ok(nt_torch_rng_get_state(back, sizeof back, rng));
    assert_memory_equal(back, f->warm, sizeof back);
    nt_torch_rng_free(rng);
}

static void what_is_no_state_is_refused(void **state) {
    const fixture *f = *state;
    uint8_t bytes[NT_TORCH_STATE];
    nt_torch_rng *rng;
    assert_ok(nt_torch_rng_new(&rng, 3));
    uint32_t before = crc_at(rng);
    assert_fails(nt_torch_rng_set_state(rng, f->warm, sizeof f->warm - 1), NT_E_ARGUMENT, "5056");
    assert_fails(nt_torch_rng_get_state(bytes, 10, rng), NT_E_ARGUMENT, "5056");
    static const struct {
        size_t at;
        uint64_t value;
        size_t n;
    } bad[] = {{8, 0, 4},  {8, 625, 4},         {8, UINT32_MAX, 4},
               {12, 0, 4}, {16, 0, 8},          {16, 625, 8},
               {16, 9, 8}, {24, 1ull << 32, 8}, {24 + 8 * 623, UINT64_MAX, 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(bytes, f->warm, sizeof bytes);
        memcpy(bytes + bad[i].at, &bad[i].value, bad[i].n);
        assert_fails(nt_torch_rng_set_state(rng, bytes, sizeof bytes), NT_E_ARGUMENT,
                     "get_rng_state");
        assert_int_equal(crc_at(rng), before);
    }
    nt_torch_rng_free(rng);
}

/* ---- Generations ---- */

static nt_torch_rng *rng_of(const fixture *f, const json_t *c) {
    const char *seed = json_string_value(json_object_get(c, "seed"));
    nt_torch_rng *rng;
    assert_ok(nt_torch_rng_new(&rng, strtoull(seed, NULL, 10)));
    if (strcmp(seed, "warm") == 0) assert_ok(nt_torch_rng_set_state(rng, f->warm, sizeof f->warm));
    return rng;
}

static void take_options(nt_generate_options *options, const fixture *f, const json_t *c) {
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(c, "options"), name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        assert_ok(nt_generate_options_set(options, name, text));
        free(text);
    }
    if (!options->eos_token_id) options->eos_token_id = &(const int32_t){0}; /* none */
    if (!json_object_get(c, "assistant")) return;
    options->assistant = f->draft.session;
    options->num_assistant_tokens = 4;
    options->assistant_confidence_threshold = 0;
}

static void check_sequences(const nt_result *result, const json_t *expected) {
    assert_int_equal(nt_result_n_outputs(result), json_array_size(expected));
    for (size_t s = 0; s < json_array_size(expected); s++) {
        const json_t *ids = json_array_get(expected, s);
        const nt_output *output = nt_result_output(result, s);
        assert_int_equal(output->n_ids, json_array_size(ids));
        for (size_t i = 0; i < output->n_ids; i++)
            assert_int_equal(output->ids[i], json_integer_value(json_array_get(ids, i)));
    }
}

/* The steps that a result took: those of a batch are as many as its longest has. */
static size_t steps_of(const nt_result *result, const nt_generate_options *options) {
    size_t n = 0;
    if (options->num_beams > 1) return (size_t)nt_result_effort(result)->n_passes;
    for (size_t s = 0; s < nt_result_n_outputs(result); s++)
        if (nt_result_output(result, s)->n_ids > n) n = nt_result_output(result, s)->n_ids;
    return n;
}

/* Every prompt alone, each from where the batch began; the one that runs longest leaves the stream
 * where torch does. */
static void check_case(const fixture *f, const json_t *c, size_t *n_batches) {
    const json_t *prompts = json_object_get(c, "prompts");
    size_t B = json_array_size(prompts), most = 0;
    uint32_t after = 0;
    for (size_t b = 0; b < B; b++) {
        nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
        nt_torch_rng *rng = rng_of(f, c);
        const json_t *prompt = json_array_get(prompts, b);
        int32_t ids[8];
        size_t n = json_array_size(prompt), at;
        const json_t *id;
        json_array_foreach(prompt, at, id) ids[at] = (int32_t)json_integer_value(id);
        take_options(&options, f, c);
        options.torch_rng = rng;
        if (B > 1) {
            options.batch_size = (int32_t)B;
            options.batch_index = (int32_t)b;
        }
        nt_result *result;
        assert_ok(nt_generate(&result, f->small.session, nt_ids(ids, n), &options));
        check_sequences(result, json_array_get(json_object_get(c, "sequences"), b));
        if (steps_of(result, &options) > most) {
            most = steps_of(result, &options);
            after = crc_at(rng);
        }
        nt_result_free(result);
        nt_torch_rng_free(rng);
        nt_generate_options_clear(&options);
    }
    *n_batches += B > 1;
    if (after != json_integer_value(json_object_get(c, "after"))) {
        char *shown = json_dumps(c, JSON_COMPACT);
        fail_msg("the stream stands elsewhere: %s", shown);
    }
}

static void generations_leave_it_where_torchs_stands(void **state) {
    const fixture *f = *state;
    size_t i, n_batches = 0, n_moved = 0;
    const json_t *c;
    json_array_foreach(json_object_get(f->root, "cases"), i, c) {
        check_case(f, c, &n_batches);
        n_moved += json_is_true(json_object_get(c, "moved"));
    }
    print_message("%zu generations, %zu of which draw, %zu of batches\n", i, n_moved, n_batches);
    assert_true(i > 60 && n_moved > 60 && n_moved < i && n_batches > 20);
}

static const int32_t no_eos[1];

static nt_generate_options drawing(nt_torch_rng *rng) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.eos_token_id = no_eos;
    options.max_new_tokens = 4;
    options.do_sample = 1;
    options.torch_rng = rng;
    return options;
}

static void generate(const fixture *f, const nt_generate_options *options, int32_t ids[4]) {
    const int32_t prompt[] = {1, 2, 3};
    nt_result *result;
    uint64_t seed = 77;
    assert_ok(nt_generate(&result, f->small.session, nt_ids(prompt, 3), options));
    assert_int_equal(nt_result_output(result, 0)->n_ids, 4);
    memcpy(ids, nt_result_output(result, 0)->ids, 4 * sizeof *ids);
    nt_result_method(result, &seed);
    if (options->torch_rng) assert_int_equal(seed, 0); /* none that would bring it back */
    nt_result_free(result);
}

/* A stream that has just been seeded gives what the seed gives; a second call goes on. */
static void it_goes_on_from_call_to_call(void **state) {
    const fixture *f = *state;
    nt_torch_rng *rng;
    int32_t by_seed[4], first[4], second[4], greedy[4];
    assert_ok(nt_torch_rng_new(&rng, 5));
    nt_generate_options options = drawing(NULL);
    options.rng = NT_RNG_TORCH;
    options.seed_given = true;
    options.seed = 5;
    generate(f, &options, by_seed);
    options = drawing(rng);
    generate(f, &options, first);
    uint32_t between = crc_at(rng);
    options.do_sample = -1;
    generate(f, &options, greedy);
    assert_int_equal(crc_at(rng), between); /* greedy takes nothing */
    options.do_sample = 1;
    generate(f, &options, second);
    assert_true(crc_at(rng) != between);
    assert_memory_equal(by_seed, first, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    nt_torch_rng_free(rng);
}

/* What the next token would be is told without taking anything. */
static void a_look_ahead_takes_nothing(void **state) {
    const fixture *f = *state;
    const int32_t prompt[] = {1, 2, 3};
    float row[96];
    int32_t sequence, ids[4];
    nt_torch_rng *rng;
    nt_result *next;
    assert_ok(nt_torch_rng_new(&rng, 11));
    assert_ok(nt_sequence_new(&sequence, f->small.session));
    assert_ok(nt_forward(f->small.session, sequence, prompt, 3, NT_WANT_LAST, row, NULL));
    nt_sequence_drop(f->small.session, sequence);
    nt_generate_options options = drawing(rng);
    nt_next_options look = NT_NEXT_OPTIONS_INIT;
    look.generate = &options;
    look.row = row;
    look.drawn = true;
    uint32_t before = crc_at(rng);
    assert_ok(nt_next(&next, f->small.session, nt_ids(prompt, 3), &look));
    assert_int_equal(crc_at(rng), before);
    generate(f, &options, ids);
    assert_int_equal(nt_result_step(next, 0)->chosen.token.id, ids[0]);
    nt_result_free(next);
    nt_torch_rng_free(rng);
}

static void contradictions_are_refused(void **state) {
    const fixture *f = *state;
    const int32_t prompt[] = {1, 2, 3};
    nt_torch_rng *rng;
    nt_result *result;
    assert_ok(nt_torch_rng_new(&rng, 5));
    nt_generate_options good = drawing(rng), o = good;
    nt_session *session = f->small.session;
    o.seed_given = true;
    assert_fails(nt_generate(&result, session, nt_ids(prompt, 3), &o), NT_E_ARGUMENT, "seed");
    o = good;
    o.rng = NT_RNG_PHILOX;
    assert_fails(nt_generate(&result, session, nt_ids(prompt, 3), &o), NT_E_ARGUMENT, "philox");
    static const int32_t bad[][2] = {{1, 1}, {2, 2}, {3, -1}, {0, 1}, {-1, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = good;
        o.batch_size = bad[i][0];
        o.batch_index = bad[i][1];
        assert_fails(nt_generate(&result, session, nt_ids(prompt, 3), &o), NT_E_ARGUMENT,
                     "batch_index");
    }
    o = good;
    o.batch_size = 2;
    o.prompt_lookup_num_tokens = 3;
    assert_fails(nt_generate(&result, session, nt_ids(prompt, 3), &o), NT_E_ARGUMENT, "assisted");
    nt_torch_rng_free(rng);
}

/* A call that fails leaves the stream at what it has drawn, and memory that ends leaks nothing. */
static void memory_that_ends(void **state) {
    const fixture *f = *state;
    const int32_t prompt[] = {1, 2, 3};
    nt_torch_rng *rng;
    nt_result *result;
    nt_memory_fail_at(1);
    assert_int_equal(nt_torch_rng_new(&rng, 5), NT_E_MEMORY);
    nt_memory_fail_at(0);
    assert_null(rng);
    assert_ok(nt_torch_rng_new(&rng, 5));
    nt_generate_options options = drawing(rng);
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status == NT_E_MEMORY && ++k < 4000) {
        nt_memory_fail_at(k);
        status = nt_generate(&result, f->small.session, nt_ids(prompt, 3), &options);
        nt_memory_fail_at(0);
    }
    assert_ok(status);
    assert_true(k > 10);
    nt_result_free(result);
    nt_torch_rng_free(rng);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_give_torchs_states),
        cmocka_unit_test(states_come_back_as_they_went),
        cmocka_unit_test(what_is_no_state_is_refused),
        cmocka_unit_test(generations_leave_it_where_torchs_stands),
        cmocka_unit_test(it_goes_on_from_call_to_call),
        cmocka_unit_test(a_look_ahead_takes_nothing),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(memory_that_ends),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
