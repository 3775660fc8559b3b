/* Scoring through the public interface: many texts give what each gives alone, continuations what
 * their joined texts give, windows what their parts give; and the figures are those of nt_forward's
 * logits. */
#include "api/small_model.h"

#include <math.h>

#include "base/memory.h"
#include "trace/trace.h"

enum { V = 96, N_TEXTS = 60, MOST_TEXT = 60 };

static uint64_t seed = 1;

static uint32_t next_random(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* Letters and spaces; some begin as an earlier text does, some are equal to one. */
static void make_texts(char texts[N_TEXTS][MOST_TEXT + 1]) {
    for (size_t i = 0; i < N_TEXTS; i++) {
        size_t n = 1 + next_random() % (MOST_TEXT - 1), from = 0;
        if (i % 3 && i > 0) {
            const char *earlier = texts[next_random() % i];
            from = i % 3 == 1 ? next_random() % (strlen(earlier) + 1) : strlen(earlier);
            memcpy(texts[i], earlier, from);
            if (i % 7 == 0) n = from; /* no more than it */
        }
        for (size_t k = from; k < n; k++)
            texts[i][k] = "the quick fox thethe "[next_random() % 21];
        texts[i][n > from ? n : from] = 0;
        if (!texts[i][0]) strcpy(texts[i], "a");
    }
}

static void same_number(double a, double b) {
    if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b))) fail_msg("%a is not %a", a, b);
}

static void same_score(const nt_result *a, const nt_result *b) {
    size_t n = nt_result_n_tokens(a);
    assert_int_equal(nt_result_n_tokens(b), n);
    for (size_t i = 0; i < n; i++) {
        const nt_scored *x = nt_result_scored(a, i), *y = nt_result_scored(b, i);
        assert_int_equal(nt_result_token(a, i)->id, nt_result_token(b, i)->id);
        same_number(x->logprob, y->logprob);
        same_number(x->entropy, y->entropy);
        assert_int_equal(x->rank, y->rank);
        assert_int_equal(x->counted, y->counted);
    }
    same_number(nt_result_totals(a)->logprob, nt_result_totals(b)->logprob);
    same_number(nt_result_totals(a)->perplexity_stderr, nt_result_totals(b)->perplexity_stderr);
    static const nt_by kinds[] = {NT_BY_WORD, NT_BY_CHAR};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(nt_result_n_units(a, kinds[k]), nt_result_n_units(b, kinds[k]));
        for (size_t i = 0; i < nt_result_n_units(a, kinds[k]); i++) {
            const nt_unit *x = nt_result_unit(a, kinds[k], i), *y = nt_result_unit(b, kinds[k], i);
            same_number(x->logprob, y->logprob);
            same_number(x->corrected, y->corrected);
            assert_string_equal(x->bytes, y->bytes);
        }
    }
}

static nt_score_options everything(void) {
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.by = NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR;
    return options;
}

static void many_texts_have_the_bits_of_each_alone(void **state) {
    static char texts[N_TEXTS][MOST_TEXT + 1];
    static nt_prompt prompts[N_TEXTS];
    static nt_score_item items[N_TEXTS];
    small_model m = small_open(*state);
    nt_score_options options = everything();
    make_texts(texts);
    for (size_t i = 0; i < N_TEXTS; i++) {
        prompts[i] = *nt_text(texts[i]);
        prompts[i].add_bos = i % 5 == 0;
        items[i] = (nt_score_item){.size = sizeof items[i], .prompt = &prompts[i]};
        items[i].options = &options;
    }
    /* 7 and 33 at a time, and all of them */
    static const size_t batches[] = {7, 33, N_TEXTS};
    for (size_t b = 0; b < 3; b++) {
        for (size_t from = 0; from < N_TEXTS; from += batches[b]) {
            size_t n = N_TEXTS - from < batches[b] ? N_TEXTS - from : batches[b];
            assert_ok(nt_score_many(m.session, items + from, n, NULL));
        }
        for (size_t i = 0; i < N_TEXTS; i++) {
            nt_result *alone;
            if (items[i].status != NT_OK) fail_msg("text %zu: %s", i, items[i].error);
            assert_ok(nt_score(&alone, m.session, &prompts[i], &options));
            same_score(items[i].result, alone);
            nt_result_free(alone);
            nt_result_free(items[i].result);
        }
    }
    small_close(&m);
}

static double logprob_by_definition(const float *row, int32_t id) {
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum += exp((double)row[i]);
    return (double)row[id] - log(sum);
}

static void scores_are_those_of_the_logits(void **state) {
    small_model m = small_open(*state);
    nt_result *result;
    static const char text[] = "the quick the fox thethe";
    assert_ok(nt_score(&result, m.session, nt_text(text), NULL));
    size_t n = nt_result_n_tokens(result);
    int32_t sequence, ids[64];
    float *logits = calloc(n * V, sizeof *logits);
    for (size_t i = 0; i < n; i++)
        ids[i] = nt_result_token(result, i)->id;
    assert_ok(nt_sequence_new(&sequence, m.session));
    assert_ok(nt_forward(m.session, sequence, ids, n, NT_WANT_ALL, logits, NULL));
    double sum = 0, bytes = 0;
    for (size_t i = 1; i < n; i++) {
        double expected = logprob_by_definition(logits + (i - 1) * V, ids[i]);
        assert_true(fabs(nt_result_scored(result, i)->logprob - expected) < 1e-12);
        sum += expected;
        bytes += nt_result_token(result, i)->n_bytes;
    }
    const nt_totals *totals = nt_result_totals(result);
    assert_true(fabs(totals->logprob - sum) < 1e-11);
    assert_true(fabs(totals->bits_per_byte + sum / log(2) / bytes) < 1e-12);
    free(logits);
    nt_result_free(result);
    small_close(&m);
}

static void one_text_or_none(void **state) {
    small_model m = small_open(*state);
    nt_prompt prompt = *nt_text("the fox");
    nt_score_item item = {.size = sizeof item, .prompt = &prompt};
    nt_result *alone;
    assert_ok(nt_score_many(m.session, NULL, 0, NULL));
    assert_ok(nt_score_many(m.session, &item, 1, NULL));
    assert_ok(nt_score(&alone, m.session, &prompt, NULL));
    same_score(item.result, alone);
    nt_result_free(alone);
    nt_result_free(item.result);
    assert_fails(nt_score_many(m.session, NULL, 1, NULL), NT_E_ARGUMENT, "size");
    small_close(&m);
}

/* Ids and their places move up by one; what follows the BOS is then scored. */
static void a_bos_stands_in_front(void **state) {
    small_model m = small_open(*state);
    nt_result *plain, *given;
    nt_prompt prompt = *nt_text("the fox");
    assert_ok(nt_score(&plain, m.session, &prompt, NULL));
    prompt.add_bos = true;
    assert_ok(nt_score(&given, m.session, &prompt, NULL));
    size_t n = nt_result_n_tokens(plain);
    assert_int_equal(nt_result_n_tokens(given), n + 1);
    assert_int_equal(nt_result_token(given, 0)->id, 95);
    assert_int_equal(nt_result_token(given, 0)->end, 0);
    for (size_t i = 0; i < n; i++) {
        const nt_token *a = nt_result_token(plain, i), *b = nt_result_token(given, i + 1);
        assert_int_equal(a->id, b->id);
        assert_int_equal(a->start, b->start);
        assert_int_equal(a->end, b->end);
        assert_false(isnan(nt_result_scored(given, i + 1)->logprob));
    }
    nt_result_free(given);
    nt_result_free(plain);
    small_close(&m);
}

static void a_failing_text_leaves_the_others(void **state) {
    static char too_long[9000];
    static const int32_t outside[] = {1, 96};
    small_model m = small_open(*state);
    memset(too_long, 'a', sizeof too_long - 1);
    nt_score_options far = NT_SCORE_OPTIONS_INIT, good = everything();
    far.prompt_len = 99;
    nt_prompt prompts[] = {*nt_text("the fox"), *nt_text("th\xff"),  *nt_text(too_long),
                           *nt_ids(outside, 2), *nt_text("the fox"), *nt_text("fox the")};
    nt_score_item items[6];
    for (size_t i = 0; i < 6; i++) {
        items[i] = (nt_score_item){.size = sizeof items[i], .prompt = &prompts[i]};
        items[i].options = i == 4 ? &far : &good;
    }
    assert_ok(nt_score_many(m.session, items, 6, NULL));
    static const int expected[] = {NT_OK,      NT_E_TEXT,     NT_E_CONTEXT,
                                   NT_E_RANGE, NT_E_ARGUMENT, NT_OK};
    static const char *const words[] = {"", "byte 2", "stride", "96", "prompt_len", ""};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(items[i].status, expected[i]);
        assert_int_equal(items[i].result == NULL, expected[i] != NT_OK);
        if (expected[i] == NT_OK) {
            nt_result *alone;
            assert_ok(nt_score(&alone, m.session, &prompts[i], &good));
            same_score(items[i].result, alone);
            nt_result_free(alone);
        } else if (!strstr(items[i].error, words[i])) {
            fail_msg("text %zu: no \"%s\" in \"%s\"", i, words[i], items[i].error);
        }
        nt_result_free(items[i].result);
        nt_free(items[i].error);
    }
    small_close(&m);
}

/* Where a batch overflows, each text that does so fails by itself, and the others have their bits,
 * whatever they have in common. */
static void broken_numbers_stay_with_their_text(void **state) {
    enum { N = 24, PLACE = 11 };
    small_model m = small_open(*state);
    nt_edit edit = {{NT_POINT_MLP_OUT, 1, 0, PLACE}, NT_SCALE, 3e38f, NULL, 0};
    int32_t ids[N][N];
    nt_prompt prompts[N];
    nt_score_item items[N];
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < N; k++)
            ids[i][k] = (int32_t)(k < 10 ? k : next_random() % V);
        prompts[i] = *nt_ids(ids[i], i + 1);
        items[i] = (nt_score_item){.size = sizeof *items, .prompt = &prompts[i]};
    }
    assert_ok(nt_session_set_edits(m.session, &edit, 1));
    assert_ok(nt_score_many(m.session, items, N, NULL));
    assert_ok(nt_session_set_edits(m.session, NULL, 0));
    for (size_t i = 0; i < N; i++) {
        bool broken = i > PLACE; /* row PLACE is there when a token follows it */
        assert_int_equal(items[i].status, broken ? NT_E_NUMERIC : NT_OK);
        assert_int_equal(items[i].error != NULL, broken);
        assert_int_equal(items[i].result == NULL, broken);
        if (broken) {
            assert_non_null(strstr(items[i].error, "position 11"));
            nt_free(items[i].error);
        } else {
            nt_result *alone;
            assert_ok(nt_score(&alone, m.session, &prompts[i], NULL));
            same_score(items[i].result, alone);
            nt_result_free(alone);
            nt_result_free(items[i].result);
        }
    }
    small_close(&m);
}

/* ---- Prompts and continuations -----------------------------------------------------------------
 */

static void count_note(void *payload, const char *line) {
    *(size_t *)payload += strstr(line, "joins") != NULL;
}

static void a_prompt_is_conditioned_on_and_left_out(void **state) {
    small_model m = small_open(*state);
    nt_result *joined, *prompted;
    size_t n_notes = 0;
    nt_callbacks callbacks = {.size = sizeof callbacks, .payload = &n_notes, .note = count_note};
    nt_score_options with_len = everything(), with_text = everything();
    with_text.callbacks = &callbacks;
    with_len.prompt_len = 4; /* "the" " " "f" "o" */
    with_text.prompt = "the fo";
    with_text.n_prompt = NT_ZERO_ENDED;
    assert_ok(nt_score(&joined, m.session, nt_text("the fox the"), &with_len));
    assert_ok(nt_score(&prompted, m.session, nt_text("x the"), &with_text));
    same_score(joined, prompted);
    assert_int_equal(nt_result_totals(prompted)->n_counted, 2);
    nt_result_free(prompted);
    /* ids behind a text are taken as they are */
    assert_int_equal(n_notes, 0);
    static const int32_t ids[] = {23, 29};
    assert_ok(nt_score(&prompted, m.session, nt_ids(ids, 2), &with_text));
    same_score(joined, prompted);
    nt_result_free(prompted);
    nt_result_free(joined);
    /* a token over the border counts to the text: "t" + "he" is one token */
    with_text.prompt = "fox t";
    assert_ok(nt_score(&prompted, m.session, nt_text("he"), &with_text));
    assert_int_equal(nt_result_totals(prompted)->n_counted, 1);
    assert_int_equal(n_notes, 1);
    nt_result_free(prompted);
    with_text.prompt = "the fo"; /* and nothing behind it */
    assert_ok(nt_score(&prompted, m.session, nt_text(""), &with_text));
    assert_int_equal(nt_result_totals(prompted)->n_counted, 0);
    assert_int_equal(nt_result_n_tokens(prompted), 4);
    nt_result_free(prompted);
    with_text.prompt_len = 1;
    nt_result *none;
    assert_fails(nt_score(&none, m.session, nt_text("x"), &with_text), NT_E_ARGUMENT, "exclude");
    assert_null(none);
    with_text.prompt_len = 0;
    assert_fails(nt_score(&none, m.session, NULL, &with_text), NT_E_ARGUMENT, "neither");
    small_close(&m);
}

static void continuations_are_compared(void **state) {
    static const char *const endings[] = {" the", " fox", " quick fox", " the"};
    small_model m = small_open(*state);
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.continuations = endings;
    options.n_continuations = 4;
    nt_result *result, *joined;
    assert_ok(nt_score(&result, m.session, nt_text("a quick fox"), &options));
    assert_int_equal(nt_result_get_kind(result), NT_RESULT_CONTINUATIONS);
    assert_int_equal(nt_result_n_continuations(result), 4);
    double share = 0;
    for (size_t i = 0; i < 4; i++) {
        char text[64];
        nt_score_options tail = NT_SCORE_OPTIONS_INIT;
        snprintf(text, sizeof text, "a quick fox%s", endings[i]);
        tail.prompt_len = 11; /* one letter a token, spaces too */
        assert_ok(nt_score(&joined, m.session, nt_text(text), &tail));
        const nt_continuation *c = nt_result_continuation(result, i);
        same_number(c->logprob, nt_result_totals(joined)->logprob);
        assert_int_equal(c->n_tokens, nt_result_totals(joined)->n_counted);
        share += c->share;
        for (size_t k = 0; k < 4; k++) {
            const nt_continuation *other = nt_result_continuation(result, k);
            if (other->logprob > c->logprob) assert_true(other->place < c->place);
        }
        nt_result_free(joined);
    }
    assert_true(fabs(share - 1) < 1e-12);
    nt_result_free(result);
    /* from nothing: the first token is given BOS */
    assert_ok(nt_score(&result, m.session, nt_text(""), &options));
    assert_false(isnan(nt_result_continuation(result, 0)->logprob));
    nt_result_free(result);
    options.stride = 8;
    assert_fails(nt_score(&result, m.session, nt_text("a"), &options), NT_E_ARGUMENT, "exclude");
    static const char *const empty[] = {" a", ""};
    options = (nt_score_options){.size = sizeof options, .continuations = empty};
    options.n_continuations = 2;
    assert_fails(nt_score(&result, m.session, nt_text("a"), &options), NT_E_ARGUMENT, "2 is empty");
    options.continuations = NULL;
    assert_fails(nt_score(&result, m.session, nt_text("a"), &options), NT_E_ARGUMENT, "1 is empty");
    options.continuations = (const char *const[]){NULL, "a"};
    assert_fails(nt_score(&result, m.session, nt_text("a"), &options), NT_E_ARGUMENT, "1 is empty");
    options.continuations = endings;
    assert_fails(nt_score(&result, m.session, NULL, &options), NT_E_ARGUMENT, "neither");
    options.prompt = "a";
    options.n_prompt = 1;
    assert_fails(nt_score(&result, m.session, nt_text("a"), &options), NT_E_ARGUMENT, "exclude");
    small_close(&m);
}

/* Behind ids, a continuation gets no BOS in the middle, though the tokenizer puts one before every
 * text. EOS is the tokenizer's, else the checkpoint's. */
static void a_tokenizer_with_a_bos_and_no_eos(void **state) {
    static const char none[] = "\"post_processor\":null", *const endings[] = {" the", "fox"};
    static const int32_t before[] = {2, 3}, joined[] = {2, 3, 29};
    char path[CHECKPOINT_PATH], json[sizeof small_tokenizer + 1000];
    (void)state;
    CHECKPOINT("bos", "--shape", "tiny", "--seed", "11");
    checkpoint_path(path, "bos");
    const char *at = strstr(small_tokenizer, none);
    snprintf(json, sizeof json,
             "%.*s\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
             "{\"SpecialToken\":{\"id\":\"<|end|>\",\"type_id\":0}},"
             "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":["
             "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
             "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{"
             "\"<|end|>\":{\"id\":\"<|end|>\",\"ids\":[95],\"tokens\":[\"<|end|>\"]}}}%s",
             (int)(at - small_tokenizer), small_tokenizer, at + strlen(none));
    write_file(path, "tokenizer.json", json);
    write_file(path, "tokenizer_config.json", "{\"bos_token\":\"<|end|>\"}");
    write_file(path, "generation_config.json", "{}");
    small_model m = small_open(path);
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.continuations = endings;
    options.n_continuations = 2;
    nt_result *result, *whole;
    assert_ok(nt_score(&result, m.session, nt_ids(before, 2), &options));
    assert_int_equal(nt_result_continuation(result, 0)->n_tokens, 1);
    assert_int_equal(nt_result_continuation(result, 1)->n_tokens, 3);
    assert_ok(nt_score(&whole, m.session, nt_ids(joined, 3), NULL));
    same_number(nt_result_continuation(result, 0)->logprob, nt_result_scored(whole, 2)->logprob);
    nt_result_free(whole);
    nt_result_free(result);
    assert_ok(nt_score(&result, m.session, nt_text("cd"), NULL)); /* there it is put */
    assert_int_equal(nt_result_n_tokens(result), 3);
    nt_result_free(result);
    options = (nt_score_options){.size = sizeof options, .add_eos = true};
    assert_fails(nt_score(&result, m.session, nt_text("cd"), &options), NT_E_ARGUMENT, "EOS");
    small_close(&m);
    write_file(path, "generation_config.json", "{\"eos_token_id\":27}");
    m = small_open(path);
    assert_ok(nt_score(&result, m.session, nt_text("cd"), &options));
    assert_int_equal(nt_result_n_tokens(result), 4);
    assert_int_equal(nt_result_token(result, 3)->id, 27);
    nt_result_free(result);
    small_close(&m);
}

/* ---- Windows -----------------------------------------------------------------------------------
 */

/* Every token's number is that of its window alone. */
static void windows_are_texts_of_their_own(void **state) {
    enum { WINDOW = 20, STRIDE = 7, N = 50 };
    small_model m = small_open(*state);
    int32_t ids[N];
    for (size_t i = 0; i < N; i++)
        ids[i] = (int32_t)(next_random() % 30);
    nt_score_options options = NT_SCORE_OPTIONS_INIT;
    options.window = WINDOW;
    nt_result *whole, *part;
    assert_fails(nt_score(&whole, m.session, nt_ids(ids, N), &options), NT_E_CONTEXT, "stride");
    options.stride = STRIDE;
    assert_ok(nt_score(&whole, m.session, nt_ids(ids, N), &options));
    nt_perplexity_options measure = {.size = sizeof measure, .window = WINDOW, .stride = STRIDE};
    nt_result *perplexity;
    assert_ok(nt_perplexity(&perplexity, m.session, nt_ids(ids, N), &measure));
    double sum = 0;
    for (size_t begin = 0, done = 1; done < N; begin += STRIDE) {
        size_t end = begin + WINDOW < N ? begin + WINDOW : N;
        assert_ok(nt_score(&part, m.session, nt_ids(ids + begin, end - begin), NULL));
        for (; done < end; done++) {
            double expected = nt_result_scored(part, done - begin)->logprob;
            same_number(nt_result_scored(whole, done)->logprob, expected);
            sum -= expected;
        }
        nt_result_free(part);
    }
    assert_int_equal(nt_result_totals(perplexity)->n_counted, N - 1);
    assert_true(fabs(nt_result_totals(perplexity)->loss - sum / (N - 1)) < 1e-12);
    assert_true(fabs(nt_result_totals(whole)->loss - sum / (N - 1)) < 1e-12);
    assert_true(fabs(nt_result_totals(perplexity)->loss_stderr -
                     nt_result_totals(whole)->loss_stderr) < 1e-12);
    nt_result_free(perplexity);
    nt_result_free(whole);
    options.stride = WINDOW + 1;
    assert_fails(nt_score(&whole, m.session, nt_ids(ids, N), &options), NT_E_ARGUMENT, "lost");
    measure.window = 1;
    assert_fails(nt_perplexity(&whole, m.session, nt_ids(ids, N), &measure), NT_E_ARGUMENT,
                 "window");
    small_close(&m);
}

typedef struct heard {
    uint64_t done, total;
} heard;

static void hear(void *payload, const char *what, uint64_t done, uint64_t total) {
    heard *h = payload;
    assert_string_equal(what, "tokens");
    assert_true(done >= h->done && done <= total && (h->total == 0 || h->total == total));
    *h = (heard){done, total};
}

/* Perplexity has the bytes of the score, one progress over all windows, and half of the window,
 * rounded up, for a stride; it refuses an id even where no row is run for it. */
static void perplexity_counts(void **state) {
    enum { N = 50, SPECIAL = 95 };
    small_model m = small_open(*state);
    int32_t ids[N];
    for (size_t i = 0; i < N; i++)
        ids[i] = i == 20 ? SPECIAL : (int32_t)(next_random() % 30);
    heard told = {0};
    nt_callbacks callbacks = {.size = sizeof callbacks, .payload = &told, .progress = hear};
    nt_perplexity_options measure = {.size = sizeof measure, .window = 7, .callbacks = &callbacks};
    nt_score_options options = {.size = sizeof options, .window = 7, .stride = 4};
    nt_result *perplexity, *score;
    assert_ok(nt_perplexity(&perplexity, m.session, nt_ids(ids, N), &measure));
    assert_ok(nt_score(&score, m.session, nt_ids(ids, N), &options));
    assert_int_equal(perplexity->stride, 4);
    assert_int_equal(perplexity->n_windows, score->n_windows);
    assert_int_equal(told.total, 11 * 6 + 5); /* rows of 11 windows, and of what is left */
    assert_int_equal(told.done, told.total);
    const nt_totals *a = nt_result_totals(perplexity), *b = nt_result_totals(score);
    assert_true(a->n_bytes == b->n_bytes && a->n_bytes > N / 2);
    assert_true(fabs(a->bits_per_byte - b->bits_per_byte) < 1e-12);
    nt_result_free(perplexity);
    nt_result_free(score);
    measure = (nt_perplexity_options){.size = sizeof measure, .window = 6};
    assert_ok(nt_perplexity(&perplexity, m.session, nt_ids(ids, 3), &measure));
    assert_int_equal(perplexity->stride, 3);
    assert_int_equal(perplexity->n_windows, 1);
    nt_result_free(perplexity);
    ids[N - 1] = V;
    assert_fails(nt_perplexity(&perplexity, m.session, nt_ids(ids, N), &measure), NT_E_RANGE,
                 "token 49");
    small_close(&m);
}

/* Where windows do not overlap, the first token of each has no number and is not counted. */
static void windows_side_by_side(void **state) {
    enum { N = 30, WINDOW = 10 };
    small_model m = small_open(*state);
    int32_t ids[N];
    for (size_t i = 0; i < N; i++)
        ids[i] = (int32_t)(next_random() % 30);
    nt_score_options options = {.size = sizeof options, .window = WINDOW, .stride = WINDOW};
    nt_result *result;
    assert_ok(nt_score(&result, m.session, nt_ids(ids, N), &options));
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(isnan(nt_result_scored(result, i)->logprob), i % WINDOW == 0);
        assert_int_equal(nt_result_scored(result, i)->counted, i % WINDOW != 0);
    }
    assert_int_equal(nt_result_totals(result)->n_counted, N - 3);
    assert_false(isnan(nt_result_totals(result)->loss));
    double loss = nt_result_totals(result)->loss;
    nt_result_free(result);
    nt_perplexity_options measure = {.size = sizeof measure, .window = WINDOW, .stride = WINDOW};
    assert_ok(nt_perplexity(&result, m.session, nt_ids(ids, N), &measure));
    assert_true(fabs(nt_result_totals(result)->loss - loss) < 1e-12);
    nt_result_free(result);
    small_close(&m);
}

/* ---- Stress ------------------------------------------------------------------------------------
 */

static int stop_at_once(void *payload) {
    (void)payload;
    return 1;
}

static void cancelled_calls_leave_nothing(void **state) {
    small_model m = small_open(*state);
    nt_callbacks callbacks = {.size = sizeof callbacks, .cancel = stop_at_once};
    nt_prompt prompt = *nt_text("the fox the fox");
    nt_score_item items[2] = {{.size = sizeof *items, .prompt = &prompt},
                              {.size = sizeof *items, .prompt = &prompt}};
    assert_int_equal(nt_score_many(m.session, items, 2, &callbacks), NT_E_CANCELLED);
    assert_true(!items[0].result && !items[1].result && !items[0].error);
    assert_int_equal(items[1].status, NT_E_CANCELLED);
    nt_result *result = (void *)1;
    nt_perplexity_options measure = {.size = sizeof measure, .callbacks = &callbacks};
    assert_int_equal(nt_perplexity(&result, m.session, &prompt, &measure), NT_E_CANCELLED);
    assert_null(result);
    small_close(&m);
}

/* One round under a failing allocation: whatever comes back is whole or nothing. */
static bool survives(const char *path) {
    static const char *const endings[] = {" the", " fox"};
    nt_model *model = NULL;
    nt_session *session = NULL;
    nt_prompt prompts[] = {*nt_text("the fox the fox a"), *nt_text("the fox the fox b c d"),
                           *nt_text("quick")};
    nt_score_options all = everything(), compare = {.size = sizeof compare};
    compare.continuations = endings;
    compare.n_continuations = 2;
    nt_score_item items[4] = {{.size = sizeof *items, .prompt = &prompts[0], .options = &all},
                              {.size = sizeof *items, .prompt = &prompts[1], .options = &all},
                              {.size = sizeof *items, .prompt = &prompts[2], .options = &compare},
                              {.size = sizeof *items, .prompt = &prompts[0]}};
    nt_perplexity_options measure = {.size = sizeof measure, .window = 4, .stride = 2};
    nt_result *result = NULL;
    int status = nt_model_open(&model, path, NULL);
    if (status == NT_OK) status = nt_session_new(&session, model, NULL);
    if (status == NT_OK) {
        status = nt_score_many(session, items, 4, NULL);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(items[i].status, status);
            assert_int_equal(items[i].result == NULL, status != NT_OK);
            nt_result_free(items[i].result);
        }
    }
    if (status == NT_OK) status = nt_perplexity(&result, session, &prompts[1], &measure);
    assert_int_equal(result == NULL, status != NT_OK);
    nt_result_free(result);
    nt_session_free(session);
    nt_model_free(model);
    if (status != NT_OK && status != NT_E_MEMORY) fail_msg("%s", nt_error_message());
    return status == NT_OK;
}

static void every_allocation_may_fail(void **state) {
    size_t k = 1;
    for (bool done = false; !done; k++) {
        nt_memory_fail_at(k);
        done = survives(*state);
        nt_memory_fail_at(0);
    }
    assert_true(k > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_texts_have_the_bits_of_each_alone),
        cmocka_unit_test(scores_are_those_of_the_logits),
        cmocka_unit_test(one_text_or_none),
        cmocka_unit_test(a_bos_stands_in_front),
        cmocka_unit_test(a_failing_text_leaves_the_others),
        cmocka_unit_test(broken_numbers_stay_with_their_text),
        cmocka_unit_test(a_prompt_is_conditioned_on_and_left_out),
        cmocka_unit_test(a_tokenizer_with_a_bos_and_no_eos),
        cmocka_unit_test(continuations_are_compared),
        cmocka_unit_test(windows_are_texts_of_their_own),
        cmocka_unit_test(windows_side_by_side),
        cmocka_unit_test(perplexity_counts),
        cmocka_unit_test(cancelled_calls_leave_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    int failed = cmocka_run_group_tests(tests, small_model_make, NULL);
    small_precision = NT_PRECISION_BF16;
    return failed +
           cmocka_run_group_tests_name("bf16", tests, small_model_make, checkpoints_remove);
}
