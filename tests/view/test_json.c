/* The JSON view, read back by jansson. */
#include "view/read.h"

static void members(void **state) {
    (void)state;
    members_are(sample_tokens(), "ids tokens token_bytes offsets ");
    members_are(sample_text(), "ids tokens token_bytes offsets text ");
    members_are(sample_next(), "ids next kept entropy ");
    members_are(sample_steps(), "prompt_ids method seed steps ");
    members_are(sample_generate(), "prompt_ids method seed sequences effort ");
    members_are(sample_beams(), "prompt_ids method seed sequences effort ");
    members_are(sample_proved(), "prompt_ids method seed sequences effort proof ");
    members_are(sample_processed(), "ids next demoted kept entropy ");
    members_are(sample_processed_steps(), "prompt_ids method seed steps ");
    with_trace = true;
    members_are(sample_gap(), "prompt_ids method seed sequences effort proof trace ");
    members_are(sample_processed(), "ids next demoted kept entropy ");
    members_are(sample_steps(), "prompt_ids method seed steps ");
    with_trace = false;
    const char *sums = "prompt_len counted bytes logprob loss perplexity bits_per_byte "
                       "loss_stderr perplexity_stderr unit ";
    static const struct {
        unsigned by;
        const char *members;
    } cases[] = {{0, "ids tokens logprobs ranks entropies "},
                 {NT_BY_TEXT, ""},
                 {NT_BY_TEXT | NT_BY_TOKEN, "ids tokens logprobs ranks entropies "},
                 {NT_BY_WORD, "words correction "},
                 {NT_BY_CHAR | NT_BY_WORD, "words correction chars "},
                 {NT_BY_CHAR, "chars "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t windows = 0; windows < 2; windows++) {
            char all[512];
            nt_result *t = sample_units();
            t->by = cases[i].by;
            t->n_windows = windows;
            snprintf(all, sizeof all, "%s%s%s", cases[i].members,
                     windows ? "window stride windows " : "", sums);
            members_are(t, all);
        }
    }
    members_are(sample_continuations(), "prompt_ids continuations best unit ");
    members_are(sample_perplexity(),
                "tokens counted bytes window stride windows first_token unit loss loss_stderr "
                "perplexity stderr bits_per_byte bits_per_token loss_as_transformers "
                "perplexity_as_transformers ");
    members_are(sample_inspect(), "ids logits hidden_norms ");
    members_are(sample_info(), "architecture parameters weight_bytes vocab_size context layers "
                               "layer_norm_epsilon activation tied ");
}

static void index_comes_second(void **state) {
    (void)state;
    nt_result *t = sample_next();
    t->bos = true;
    size_t n;
    char *text = view(t, 0, &n);
    const char *head = "{\"schema\":\"nextoken/1\",\"index\":0,\"model\":\"build/demo/gpt2\","
                       "\"precision\":\"f32\",\"isa\":\"avx512\",\"bos\":true,";
    assert_int_equal(strncmp(text, head, strlen(head)), 0);
    nt_free(text);
    free_sample(t);
}

static void next_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_next());
    nt_result *t = sample_next();
    const json_t *next = json_object_get(object, "next");
    assert_int_equal(json_array_size(next), 10);
    for (size_t i = 0; i < 10; i++) {
        const nt_candidate *c = &t->steps[0].candidates[i];
        const json_t *entry = json_array_get(next, i);
        assert_int_equal(json_object_size(entry), 7);
        assert_int_equal(number_of(entry, "rank"), c->rank);
        assert_int_equal(number_of(entry, "id"), c->token.id);
        assert_string_equal(text_of(entry, "token"), c->token.bytes);
        float logit = (float)number_of(entry, "logit");
        assert_memory_equal(&logit, &c->logit, sizeof logit);
        assert_true(fabs(number_of(entry, "logprob") - c->logprob) < 5e-9);
        assert_true(number_of(entry, "prob") == c->prob);
        assert_true(number_of(entry, "processed_prob") == c->processed_prob);
    }
    assert_int_equal(number_of(object, "kept"), 50257);
    assert_true(number_of(object, "entropy") == 7.1234);
    free_sample(t);
    json_decref(object);
}

static void steps_values(void **state) {
    (void)state;
    nt_result *t = sample_steps();
    /* the third step took a token that is not among its five */
    t->steps[2].step.chosen = candidate(t, 77, 9999, " \xf0\x9f", 0.001);
    json_t *object = read_back(t);
    const json_t *steps = json_object_get(object, "steps"), *step = json_array_get(steps, 2);
    assert_int_equal(json_array_size(steps), 7);
    assert_int_equal(number_of(step, "step"), 2);
    assert_string_equal(text_of(step, "input"), "A long long time ago, \xc2\xa0I");
    assert_int_equal(number_of(step, "chosen"), 9999);
    const json_t *choices = json_object_get(step, "choices"), *extra = json_array_get(choices, 5);
    assert_int_equal(json_array_size(choices), 6);
    assert_int_equal(number_of(extra, "id"), 9999);
    assert_string_equal(text_of(extra, "token"), " \xef\xbf\xbd");
    assert_int_equal(json_array_size(json_object_get(extra, "bytes")), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(extra, "bytes"), 1)), 0xF0);
    step = json_array_get(steps, 3);
    assert_string_equal(text_of(step, "input"), "A long long time ago, \xc2\xa0I \xef\xbf\xbd");
    assert_int_equal(json_array_size(json_object_get(step, "choices")), 5);
    json_decref(object);
}

static void score_values(void **state) {
    (void)state;
    nt_result *t = sample_score();
    t->scored[3].logprob = -INFINITY;
    json_t *object = read_back(t);
    const json_t *logprobs = json_object_get(object, "logprobs");
    assert_int_equal(json_array_size(logprobs), 6);
    assert_true(json_is_null(json_array_get(logprobs, 0)));
    assert_true(json_is_null(json_array_get(logprobs, 3)));
    assert_true(json_real_value(json_array_get(logprobs, 1)) == -4.1477);
    assert_true(json_is_null(json_array_get(json_object_get(object, "ranks"), 0)));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(object, "ranks"), 3)), 1203);
    assert_true(json_is_null(json_array_get(json_object_get(object, "entropies"), 0)));
    assert_int_equal(number_of(object, "prompt_len"), 2);
    assert_int_equal(number_of(object, "counted"), 4);
    assert_true(fabs(number_of(object, "logprob") - -9.87430002) < 1e-12);
    json_decref(object);

    t = sample_score();
    t->totals = (nt_totals){0, NAN, NAN, 0, 0, NAN, NAN, NAN};
    object = read_back(t);
    assert_true(json_is_null(json_object_get(object, "loss")));
    assert_true(json_is_null(json_object_get(object, "perplexity")));
    json_decref(object);
}

/* "logits" is the last row, whether the tensor holds one row or all. */
static void inspect_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_inspect());
    nt_result *t = sample_inspect();
    const json_t *logits = json_object_get(object, "logits");
    assert_int_equal(json_array_size(logits), 11);
    for (size_t i = 0; i < 11; i++) {
        float x = (float)json_number_value(json_array_get(logits, i));
        assert_memory_equal(&x, &t->tensors[0].data[6 * 11 + i], sizeof x);
    }
    assert_int_equal(json_array_size(json_object_get(object, "hidden_norms")), 13);
    free_sample(t);
    json_decref(object);
}

static void info_values(void **state) {
    (void)state;
    nt_result *t = sample_info();
    t->facts[0].key = "model"; /* the heading has it already */
    t->facts[4].number = INFINITY;
    json_t *object = read_back(t);
    assert_string_equal(text_of(object, "model"), "build/demo/gpt2");
    assert_true(json_is_integer(json_object_get(object, "parameters")));
    assert_int_equal(number_of(object, "parameters"), 124439808);
    assert_true(json_is_null(json_object_get(object, "context")));
    assert_true(number_of(object, "layer_norm_epsilon") == 1e-5);
    assert_true(json_is_true(json_object_get(object, "tied")));
    json_decref(object);
}

static void generate_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_generate());
    const json_t *sequence = json_array_get(json_object_get(object, "sequences"), 0);
    assert_int_equal(json_object_size(sequence), 5);
    assert_true(json_is_null(json_object_get(sequence, "score")));
    assert_int_equal(json_array_size(json_object_get(sequence, "ids")), 7);
    assert_true(number_of(sequence, "logprob") == -51.020016);
    assert_string_equal(text_of(sequence, "finish_reason"), "length");
    assert_int_equal(json_array_size(json_object_get(object, "prompt_ids")), 7);
    json_decref(object);
}

/* Each hostile token comes back byte for byte: from its string, or from the bytes beside it. */
static void hostile_tokens(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    t->tokens = room(t, N_HOSTILE, sizeof *t->tokens);
    t->n_tokens = N_HOSTILE;
    for (size_t i = 0; i < N_HOSTILE; i++)
        t->tokens[i] = token_of(t, (int32_t)i, hostile[i].bytes, hostile[i].n);
    t->model = "a \"model\"\n\x1b \xff";
    json_t *object = read_back(t);
    assert_string_equal(text_of(object, "model"), "a \"model\"\n\x1b \xef\xbf\xbd");
    const json_t *tokens = json_object_get(object, "tokens");
    const json_t *bytes = json_object_get(object, "token_bytes");
    assert_int_equal(json_object_size(bytes), 3);
    for (size_t i = 0; i < N_HOSTILE; i++) {
        char index[16];
        snprintf(index, sizeof index, "%zu", i);
        const json_t *list = json_object_get(bytes, index), *token = json_array_get(tokens, i);
        if (hostile[i].n == 0) {
            assert_true(json_is_null(token));
        } else if (list) {
            assert_int_equal(json_array_size(list), hostile[i].n);
            for (size_t b = 0; b < hostile[i].n; b++)
                assert_int_equal(json_integer_value(json_array_get(list, b)),
                                 (unsigned char)hostile[i].bytes[b]);
        } else {
            assert_int_equal(json_string_length(token), hostile[i].n);
            assert_memory_equal(json_string_value(token), hostile[i].bytes, hostile[i].n);
        }
    }
    json_decref(object);
}

static void random_traces(void **state) {
    (void)state;
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++) {
        for (uint64_t seed = 100; seed < 300; seed++) {
            with_trace = seed % 2;
            json_decref(read_with(random_sample((nt_result_kind)kind, seed),
                                  JSON_DECODE_INT_AS_REAL)); /* counts above 2^63 */
        }
    }
    with_trace = false;
}

static void unknown_kind(void **state) {
    (void)state;
    nt_result *t = new_sample((nt_result_kind)99);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    assert_int_equal(nt_view_json(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(nt_view_csv(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(nt_view_table(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(out.n, 0);
    nt_buffer_free(&out);
    free_sample(t);
}

static void word_and_char_values(void **state) {
    (void)state;
    nt_result *t = sample_units();
    t->words[1].bytes = "i\xf0s";
    t->words[1].n_bytes = 3;
    t->words[3].n_tokens = SIZE_MAX / 2; /* the largest that jansson reads */
    t->chars[6].bytes = "\x80";
    json_t *object = read_back(t);
    const json_t *word = entry(object, "words", 4), *cut = entry(object, "words", 1);
    assert_int_equal(json_array_size(json_object_get(object, "words")), 5);
    assert_int_equal(json_object_size(word), 8);
    assert_string_equal(text_of(word, "word"), "woman.");
    assert_int_equal(number_of(word, "start"), 17);
    assert_int_equal(number_of(word, "end"), 23);
    assert_int_equal(number_of(word, "first"), 4);
    assert_int_equal(number_of(word, "n_tokens"), 2);
    assert_true(number_of(word, "surprisal") == 1.90810002);
    assert_true(number_of(word, "surprisal_corrected") == 2.40810002);
    assert_true(json_is_true(json_object_get(word, "counted")));
    assert_true(json_is_null(json_object_get(entry(object, "words", 0), "surprisal")));
    assert_true(json_is_null(json_object_get(entry(object, "words", 0), "surprisal_corrected")));
    assert_true(json_is_false(json_object_get(cut, "counted")));
    assert_string_equal(text_of(cut, "word"), "i\xef\xbf\xbds");
    assert_int_equal(json_array_size(json_object_get(cut, "bytes")), 3);
    assert_true(json_integer_value(json_object_get(entry(object, "words", 3), "n_tokens")) ==
                (json_int_t)(SIZE_MAX / 2));
    const json_t *c = entry(object, "chars", 22);
    assert_int_equal(json_object_size(c), 4);
    assert_string_equal(text_of(c, "char"), ".");
    assert_int_equal(number_of(c, "start"), 22);
    assert_int_equal(number_of(c, "end"), 23);
    assert_true(number_of(c, "surprisal") == 2e-8);
    c = entry(object, "chars", 6);
    assert_string_equal(text_of(c, "char"), "\xef\xbf\xbd");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(c, "bytes"), 0)), 0x80);
    json_decref(object);
}

static void corrections(void **state) {
    (void)state;
    static const char *const names[] = {"whitespace", "pimentel-meister", "oh-schuler"};
    for (int i = 0; i < 3; i++) {
        nt_result *t = sample_words();
        t->correction = (nt_correction)i;
        json_t *object = read_back(t);
        assert_string_equal(text_of(object, "correction"), names[i]);
        json_decref(object);
    }
}

/* What base 2 changes, and what it leaves alone. */
static void bits(void **state) {
    (void)state;
    static const char *const changed[] = {"logprob", "loss", "loss_stderr"};
    static const char *const kept[] = {"perplexity", "bits_per_byte", "perplexity_stderr"};
    json_t *nats = read_back(sample_units());
    in_bits = true;
    json_t *base2 = read_back(sample_units());
    json_t *compared = read_back(sample_continuations());
    json_t *summed = read_back(sample_perplexity());
    in_bits = false;
    assert_string_equal(text_of(nats, "unit"), "nats");
    assert_string_equal(text_of(base2, "unit"), "bits");
    for (size_t i = 0; i < 3; i++) {
        double x = number_of(nats, changed[i]) / log(2);
        assert_true(fabs(number_of(base2, changed[i]) - x) < 1e-8 * fabs(x));
        assert_true(number_of(base2, kept[i]) == number_of(nats, kept[i]));
    }
    assert_true(json_real_value(entry(base2, "logprobs", 1)) ==
                -5.98386622); /* log2 of e^-4.1477 */
    assert_true(json_real_value(entry(base2, "entropies", 1)) == 9.37751777);
    assert_true(number_of(entry(base2, "words", 1), "surprisal") == 5.98386622);
    assert_true(number_of(entry(base2, "words", 1), "surprisal_corrected") == 6.1642031);
    assert_true(number_of(entry(base2, "chars", 5), "surprisal") == 1.99462207);
    assert_true(json_is_null(entry(base2, "logprobs", 0)));
    const json_t *no = entry(compared, "continuations", 1);
    assert_true(number_of(no, "logprob") == -1.08202128);
    assert_true(number_of(no, "logprob_per_byte") == -0.36067376);
    assert_true(json_real_value(entry(no, "logprobs", 0)) == -1.08202128);
    assert_true(number_of(no, "share") == 0.9242);
    assert_string_equal(text_of(compared, "unit"), "bits");
    assert_true(number_of(summed, "loss") == number_of(summed, "bits_per_token"));
    assert_true(fabs(number_of(summed, "loss_as_transformers") - 3.2185 / log(2)) < 1e-8);
    assert_true(number_of(summed, "perplexity_as_transformers") == 24.9906);
    json_decref(nats);
    json_decref(base2);
    json_decref(compared);
    json_decref(summed);
}

static void continuation_values(void **state) {
    (void)state;
    nt_result *t = sample_continuations();
    t->continuations[0].text = " Y\xe9s";
    const nt_scored odd[6] = {{NAN, NAN, 0, true}};
    t->continuations[2].scored = odd;
    json_t *object = read_back(t);
    assert_int_equal(json_array_size(json_object_get(object, "prompt_ids")), 3);
    assert_int_equal(json_array_size(json_object_get(object, "continuations")), 3);
    assert_int_equal(number_of(object, "best"), 1);
    assert_string_equal(text_of(object, "unit"), "nats");
    const json_t *cut = entry(object, "continuations", 0), *no = entry(object, "continuations", 1);
    const json_t *last = entry(object, "continuations", 2);
    assert_string_equal(text_of(cut, "text"), " Y\xef\xbf\xbds");
    assert_int_equal(json_array_size(json_object_get(cut, "bytes")), 4);
    assert_int_equal(json_object_size(no), 10);
    assert_string_equal(text_of(no, "text"), " No");
    assert_int_equal(json_integer_value(entry(no, "ids", 0)), 100);
    assert_string_equal(json_string_value(entry(no, "tokens", 0)), " No");
    assert_true(json_real_value(entry(no, "logprobs", 0)) == -0.75);
    assert_int_equal(json_integer_value(entry(no, "ranks", 0)), 1);
    assert_true(number_of(no, "logprob") == -0.75);
    assert_true(number_of(no, "logprob_per_byte") == -0.25);
    assert_true(number_of(no, "share") == 0.9242);
    assert_int_equal(number_of(no, "place"), 1);
    assert_true(json_is_true(json_object_get(no, "greedy")));
    assert_true(json_is_false(json_object_get(cut, "greedy")));
    assert_int_equal(json_array_size(json_object_get(last, "ids")), 6);
    assert_true(json_is_null(entry(last, "ranks", 0)));
    assert_true(json_is_null(entry(last, "logprobs", 0)));
    json_decref(object);
    object = read_back(new_sample(NT_RESULT_CONTINUATIONS));
    assert_true(json_is_null(json_object_get(object, "best")));
    json_decref(object);
}

static void perplexity_values(void **state) {
    (void)state;
    static const char *const wholes[] = {"tokens", "counted", "bytes",
                                         "window", "stride",  "windows"};
    static const int expected[] = {287644, 287643, 1288556, 1024, 512, 561};
    json_t *object = read_back(sample_perplexity());
    for (size_t i = 0; i < 6; i++) {
        assert_true(json_is_integer(json_object_get(object, wholes[i])));
        assert_int_equal(number_of(object, wholes[i]), expected[i]);
    }
    assert_string_equal(text_of(object, "first_token"), "not counted");
    assert_true(fabs(number_of(object, "loss") - 925987.5 / 287643) < 1e-8);
    assert_true(fabs(number_of(object, "perplexity") - exp(925987.5 / 287643)) < 1e-6);
    assert_true(fabs(number_of(object, "bits_per_token") - 925987.5 / 287643 / log(2)) < 1e-8);
    assert_true(number_of(object, "loss_as_transformers") == 3.2185);
    json_decref(object);

    nt_result *t = new_sample(NT_RESULT_PERPLEXITY); /* tokens kept, no facts, nothing counted */
    add_token(t, 1, "a");
    t->totals = (nt_totals){0, NAN, NAN, 0, 7, NAN, NAN, NAN};
    nt_fact words = {.key = "bytes", .text = "many", .number = 5}; /* no number */
    t->facts = &words;
    t->n_facts = 1;
    object = read_back(t);
    assert_int_equal(number_of(object, "tokens"), 1);
    assert_int_equal(number_of(object, "bytes"), 7);
    static const char *const absent[] = {
        "first_token", "loss",          "loss_stderr",    "perplexity",
        "stderr",      "bits_per_byte", "bits_per_token", "perplexity_as_transformers"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_true(json_is_null(json_object_get(object, absent[i])));
    json_decref(object);
}

static void drawn_values(void **state) {
    (void)state;
    nt_result *t = sample_drawn_steps();
    t->seed = INT64_MAX; /* the largest that jansson reads; check.py reads larger ones */
    json_t *object = read_back(t);
    assert_string_equal(text_of(object, "method"), "sample");
    assert_true(json_integer_value(json_object_get(object, "seed")) == INT64_MAX);
    assert_int_equal(json_array_size(json_object_get(object, "steps")), 6);
    const json_t *step = entry(object, "steps", 4);
    assert_int_equal(number_of(step, "sequence"), 1);
    assert_int_equal(number_of(step, "step"), 1);
    assert_string_equal(text_of(step, "input"), "A long long time ago,  had");
    assert_int_equal(json_array_size(json_object_get(step, "choices")), 4);
    assert_true(number_of(entry(step, "choices", 3), "processed_prob") == 0.0123);
    assert_string_equal(text_of(entry(object, "steps", 3), "input"), "A long long time ago, ");
    json_decref(object);

    object = read_back(sample_steps());
    assert_string_equal(text_of(object, "method"), "greedy");
    assert_true(json_is_null(json_object_get(object, "seed")));
    step = entry(object, "steps", 0);
    assert_int_equal(number_of(step, "sequence"), 0);
    assert_null(json_object_get(entry(step, "choices", 0), "processed_prob"));
    json_decref(object);

    t = sample_drawn();
    t->seed = UINT64_MAX;
    size_t n;
    char *text = view(t, -1, &n);
    assert_non_null(strstr(text, "\"seed\":18446744073709551615,"));
    nt_free(text);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(index_comes_second),
        cmocka_unit_test(next_values),
        cmocka_unit_test(steps_values),
        cmocka_unit_test(score_values),
        cmocka_unit_test(inspect_values),
        cmocka_unit_test(info_values),
        cmocka_unit_test(generate_values),
        cmocka_unit_test(hostile_tokens),
        cmocka_unit_test(random_traces),
        cmocka_unit_test(unknown_kind),
        cmocka_unit_test(word_and_char_values),
        cmocka_unit_test(corrections),
        cmocka_unit_test(bits),
        cmocka_unit_test(continuation_values),
        cmocka_unit_test(perplexity_values),
        cmocka_unit_test(drawn_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
