/* Words and characters against their definitions in NumPy (units_oracle.json,
 * tools/oracle/score.py), and what must hold of them whatever the logits. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"
#include "folder.h"
#include "pieces.h"

enum { ALL = NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR, MAX_IDS = 32 };

typedef struct fixture {
    json_t *json;
    pieces vocab;
    nt_vocab reader;
    nt_lexis *lexis;
} fixture;

static int load(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->json = cases_load("score/units_oracle.json");
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(f->json, "vocab"), i, entry) {
        json_t *wrapped = json_pack("{sO}", "hex", entry);
        f->vocab.bytes[i] = (char *)bytes_of(&f->vocab.n[i], wrapped, "hex");
        json_decref(wrapped);
    }
    f->vocab.V = i;
    json_array_foreach(json_object_get(f->json, "special"), i, entry) {
        f->vocab.special[json_integer_value(entry)] = true;
    }
    int32_t eos = (int32_t)json_integer_value(json_array_get(json_object_get(f->json, "eos"), 0));
    f->reader = vocab_of(&f->vocab);
    *state = f;
    return nt_lexis_new(&f->lexis, &f->reader, f->vocab.V, &eos, 1);
}

static int unload(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < f->vocab.V; i++)
        free((char *)(uintptr_t)f->vocab.bytes[i]);
    nt_lexis_free(f->lexis);
    json_decref(f->json);
    free(f);
    return 0;
}

static double real(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_non_null(value);
    return json_is_null(value) ? NAN : json_number_value(value);
}

static size_t whole(const json_t *object, const char *key) {
    return (size_t)json_integer_value(json_object_get(object, key));
}

/* The request of a case; ids [MAX_IDS]; free its rows. */
static request request_of(const json_t *c, int32_t *ids, size_t V) {
    static const char *const names[] = {"whitespace", "pimentel-meister", "oh-schuler"};
    request r = {.ids = ids, .by = ALL, .prompt_len = whole(c, "prompt_len")};
    const json_t *given = json_object_get(c, "ids"), *logits = json_object_get(c, "logits");
    r.n = json_array_size(given);
    assert_true(r.n <= MAX_IDS && json_array_size(logits) == r.n * V);
    for (size_t i = 0; i < r.n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(given, i));
    float *rows = calloc(r.n * V, sizeof *rows);
    for (size_t i = 0; i < r.n * V; i++)
        rows[i] = (float)json_integer_value(json_array_get(logits, i)) / 16;
    while (strcmp(names[r.correction], text_of(c, "correction")) != 0)
        r.correction++;
    r.rows = rows;
    return r;
}

static void free_rows(const request *r) {
    free((float *)(uintptr_t)r->rows);
}

static void check_units(const json_t *wanted, const nt_unit *units, size_t n, bool words) {
    size_t i;
    json_t *w;
    assert_int_equal(json_array_size(wanted), n);
    json_array_foreach(wanted, i, w) {
        const nt_unit *unit = &units[i];
        size_t n_bytes;
        unsigned char *bytes = bytes_of(&n_bytes, w, "bytes");
        assert_int_equal(unit->n_bytes, n_bytes);
        assert_memory_equal(unit->bytes, bytes, n_bytes);
        assert_int_equal(unit->bytes[n_bytes], 0);
        free(bytes);
        assert_int_equal(unit->start, whole(w, "start"));
        assert_int_equal(unit->end, whole(w, "end"));
        assert_int_equal(unit->first, whole(w, "first"));
        assert_int_equal(unit->n_tokens, whole(w, "n_tokens"));
        assert_int_equal(unit->counted, json_is_true(json_object_get(w, "counted")));
        assert_true(near(unit->logprob, real(w, "logprob")));
        assert_true(near(unit->corrected, words ? real(w, "corrected") : NAN));
    }
}

static void check_case(const json_t *c, const nt_result *trace) {
    const json_t *tokens = json_object_get(c, "tokens"), *totals = json_object_get(c, "totals");
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const json_t *logprob = json_array_get(tokens, i);
        assert_true(near(trace->scored[i].logprob,
                         json_is_null(logprob) ? NAN : json_number_value(logprob)));
        assert_int_equal(trace->scored[i].counted, i >= whole(c, "counted_from"));
    }
    check_units(json_object_get(c, "words"), trace->words, trace->n_words, true);
    check_units(json_object_get(c, "chars"), trace->chars, trace->n_chars, false);
    assert_true(near(trace->totals.logprob, real(totals, "logprob")));
    assert_true(near(trace->totals.loss, real(totals, "loss")));
    assert_true(near(trace->totals.bits_per_byte, real(totals, "bits_per_byte")));
    assert_true(near(trace->totals.loss_stderr, real(totals, "loss_stderr")));
    assert_int_equal(trace->totals.n_bytes, whole(totals, "n_bytes"));
    assert_int_equal(trace->totals.n_counted, whole(totals, "n_counted"));
    if (trace->totals.n_counted > 1 && trace->totals.loss < 700)
        assert_true(near(trace->totals.perplexity_stderr,
                         exp(trace->totals.loss) * trace->totals.loss_stderr));
}

static void as_defined(void **state) {
    fixture *f = *state;
    size_t i, n_cases = 0;
    json_t *c;
    json_array_foreach(json_object_get(f->json, "cases"), i, c) {
        int32_t ids[MAX_IDS];
        request r = request_of(c, ids, f->vocab.V);
        nt_result *trace;
        assert_int_equal(score_request(&trace, &r, &f->reader, f->lexis, f->vocab.V), NT_OK);
        check_case(c, trace);
        nt_result_free(trace);
        free_rows(&r);
        n_cases++;
    }
    assert_int_equal(n_cases, 60);
}

/* The plain numbers of words, and those of characters, sum to the tokens'; corrected ones differ by
 * what stands at the two ends of the text alone. */
static void sums_agree(void **state) {
    fixture *f = *state;
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(f->json, "cases"), i, c) {
        int32_t ids[MAX_IDS];
        request r = request_of(c, ids, f->vocab.V);
        nt_scoring scoring;
        nt_result *trace;
        assert_int_equal(begin_request(&trace, &scoring, &r, &f->reader, f->lexis, f->vocab.V),
                         NT_OK);
        for (size_t t = 0; t < nt_scoring_n_rows(&scoring); t++)
            nt_scoring_row(&scoring, t, r.rows + t * f->vocab.V);
        assert_int_equal(nt_scoring_finish(&scoring), NT_OK);
        double words = 0, corrected = 0, chars = 0, tokens = 0, ends = 0;
        for (size_t t = 1; t < r.n; t++)
            tokens += trace->scored[t].logprob;
        for (size_t w = 0; w < trace->n_words; w++) {
            words += trace->words[w].logprob;
            corrected += trace->words[w].corrected;
        }
        for (size_t u = 0; u < trace->n_chars; u++)
            chars += trace->chars[u].logprob;
        if (f->vocab.special[ids[0]]) { /* else the first word and character have no number */
            if (scoring.asks[0]) ends -= scoring.borders[0];
            if (scoring.asks[r.n - 1]) ends += scoring.borders[r.n - 1];
            assert_true(near(words, tokens));
            assert_true(near(chars, tokens));
            assert_true(near(corrected, tokens + ends));
        } else {
            assert_true(isnan(words) && isnan(chars) && isnan(corrected));
        }
        nt_result_free(trace);
        free_rows(&r);
    }
}

typedef struct share {
    nt_scoring *scoring;
    const request *r;
    size_t V, first, step;
} share;

static void *give_rows(void *payload) {
    const share *s = payload;
    size_t n = nt_scoring_n_rows(s->scoring);
    for (size_t k = s->first; k < n; k += s->step)
        nt_scoring_row(s->scoring, n - 1 - k, s->r->rows + (n - 1 - k) * s->V);
    return NULL;
}

static void threads_and_order_change_nothing(void **state) {
    fixture *f = *state;
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(f->json, "cases"), i, c) {
        int32_t ids[MAX_IDS];
        request r = request_of(c, ids, f->vocab.V);
        nt_scoring scoring;
        nt_result *alone, *trace;
        assert_int_equal(score_request(&alone, &r, &f->reader, f->lexis, f->vocab.V), NT_OK);
        assert_int_equal(begin_request(&trace, &scoring, &r, &f->reader, f->lexis, f->vocab.V),
                         NT_OK);
        share shares[2] = {{&scoring, &r, f->vocab.V, 0, 2}, {&scoring, &r, f->vocab.V, 1, 2}};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, give_rows, &shares[1]), 0);
        give_rows(&shares[0]);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(nt_scoring_finish(&scoring), NT_OK);
        assert_memory_equal(trace->scored, alone->scored, r.n * sizeof *trace->scored);
        assert_memory_equal(&trace->totals, &alone->totals, sizeof trace->totals);
        for (size_t w = 0; w < trace->n_words; w++)
            assert_memory_equal(&trace->words[w].logprob, &alone->words[w].logprob,
                                2 * sizeof(double));
        for (size_t u = 0; u < trace->n_chars; u++)
            assert_memory_equal(&trace->chars[u].logprob, &alone->chars[u].logprob, sizeof(double));
        nt_result_free(alone);
        nt_result_free(trace);
        free_rows(&r);
    }
}

/* A token that cannot be, and one whose first byte is all that can be: byte by byte, what is
 * impossible is said once. */
static void impossible_characters(void **state) {
    (void)state;
    pieces p = {
        .bytes = {"<s>", "ab", "ac", "d", "abc"}, .n = {3, 2, 2, 1, 3}, .special = {true}, .V = 5};
    nt_vocab reader = vocab_of(&p);
    nt_lexis *lexis;
    assert_int_equal(nt_lexis_new(&lexis, &reader, 5, NULL, 0), NT_OK);
    float rows[] = {0,      -INFINITY, 1, 0, -INFINITY, /**/ 0, 1, -INFINITY, 0, -INFINITY,
                    /**/ 0, 0,         0, 0, 0};
    int32_t ids[] = {0, 1, 2};
    request r = {.ids = ids, .n = 3, .by = NT_BY_CHAR, .rows = rows};
    nt_result *trace;
    assert_int_equal(score_request(&trace, &r, &reader, lexis, 5), NT_OK);
    assert_int_equal(trace->n_chars, 4);
    double z = log(2 + exp(1));
    assert_true(near(trace->chars[0].logprob, 1 - z)); /* "a": "ac" has it */
    assert_true(trace->chars[1].logprob == -INFINITY); /* "b" */
    assert_true(near(trace->chars[2].logprob, 1 - z)); /* "a": "ab" has it */
    assert_true(trace->chars[3].logprob == -INFINITY); /* "c" */
    nt_result_free(trace);
    nt_lexis_free(lexis);
}

static void where_units_stand(void **state) {
    (void)state;
    pieces p = {.bytes = {"<s>", " Al", "ice", " x", NULL, "\xE3", "\x80\x80"},
                .n = {3, 3, 3, 2, 0, 1, 2},
                .special = {true},
                .V = 7};
    nt_vocab reader = vocab_of(&p);
    nt_lexis *lexis;
    assert_int_equal(nt_lexis_new(&lexis, &reader, 7, NULL, 0), NT_OK);
    /* " Alice x" of the text "Alice x": a space was put before it; BOS stands nowhere */
    size_t starts[] = {0, 0, 2, 5}, ends[] = {0, 2, 5, 7};
    int32_t ids[] = {0, 1, 2, 3}, bare[] = {0, 4}, cut[] = {0, 1, 5, 6};
    nt_result *trace;
    nt_scoring scoring;
    nt_trace_new(&trace, NT_RESULT_SCORE, &reader);
    nt_trace_set_tokens(trace, ids, starts, ends, 4);
    assert_int_equal(nt_scoring_begin(&scoring, trace, lexis, 7, NT_BY_WORD | NT_BY_CHAR, 0, 0),
                     NT_OK);
    assert_int_equal(trace->n_words, 2);
    assert_true(trace->words[0].start == 0 && trace->words[0].end == 5);
    assert_true(trace->words[1].start == 6 && trace->words[1].end == 7);
    assert_true(trace->chars[0].start == 0 && trace->chars[0].end == 0); /* the space */
    assert_true(trace->chars[1].start == 0 && trace->chars[1].end == 1);
    assert_int_equal(nt_scoring_finish(&scoring), NT_OK); /* no row came: no number */
    assert_true(isnan(trace->words[0].logprob) && !trace->words[0].counted);
    nt_result_free(trace);
    /* ids without offsets: nothing is known */
    nt_trace_new(&trace, NT_RESULT_SCORE, &reader);
    nt_trace_set_tokens(trace, cut, NULL, NULL, 4);
    assert_int_equal(nt_scoring_begin(&scoring, trace, lexis, 7, NT_BY_WORD, 0, 0), NT_OK);
    assert_int_equal(trace->n_words, 2); /* "Al", and U+3000 in two tokens */
    assert_string_equal(trace->words[1].bytes, "\xE3\x80\x80");
    assert_true(trace->words[1].first == 2 && trace->words[1].n_tokens == 2);
    assert_true(trace->words[1].start == 0 && trace->words[1].end == 0);
    nt_result_free(trace);
    for (unsigned by = NT_BY_WORD; by <= NT_BY_CHAR; by *= 2) {
        nt_trace_new(&trace, NT_RESULT_SCORE, &reader);
        nt_trace_set_tokens(trace, bare, NULL, NULL, 2);
        assert_int_equal(nt_scoring_begin(&scoring, trace, lexis, 7, by, 0, 0), NT_E_UNSUPPORTED);
        assert_non_null(strstr(nt_error_message(), "token 1: id 4"));
        nt_result_free(trace);
    }
    nt_lexis_free(lexis);
}

/* Broken logits in a row that only the correction looks at. */
static void a_broken_last_row(void **state) {
    fixture *f = *state;
    float rows[2 * MAX_PIECES] = {0};
    rows[f->vocab.V + 5] = NAN;
    int32_t ids[] = {0, 3};
    request r = {.ids = ids, .n = 2, .by = NT_BY_WORD, .rows = rows};
    nt_result *trace;
    assert_int_equal(score_request(&trace, &r, &f->reader, f->lexis, f->vocab.V), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "position 1"));
    nt_result_free(trace);
    r.by = NT_BY_CHAR;
    assert_int_equal(score_request(&trace, &r, &f->reader, f->lexis, f->vocab.V), NT_OK);
    nt_result_free(trace);
}

static void openings(void **state) {
    (void)state;
    pieces p = {.bytes = {"<e>", " ", " a", "\n", "\xC2\xA0x", "a ", NULL, "\xC2", "<p>", ""},
                .n = {3, 1, 2, 1, 3, 2, 0, 1, 3, 0},
                .special = {[0] = true, [8] = true},
                .V = 10};
    nt_vocab reader = vocab_of(&p);
    nt_lexis *lexis;
    int32_t eos[] = {0, 3, -1, 10, 2};
    assert_int_equal(nt_lexis_new(&lexis, &reader, 10, eos, 5), NT_OK);
    uint8_t opens[] = {NT_OPENS_EOS,     NT_OPENS_SPACE,  NT_OPENS_SPACE,   NT_OPENS_EOS,
                       NT_OPENS_WHITE,   NT_OPENS_REST,   NT_OPENS_NOTHING, NT_OPENS_REST,
                       NT_OPENS_NOTHING, NT_OPENS_NOTHING};
    int32_t classes[] = {1, 2, 0, 3, 4, 5, 7, 6, 8, 9}, sorted[] = {3, 1, 2, 5, 7, 4};
    assert_memory_equal(lexis->opens, opens, sizeof opens);
    assert_memory_equal(lexis->classes, classes, sizeof classes);
    assert_int_equal(lexis->n_sorted, 6);
    assert_memory_equal(lexis->sorted, sorted, sizeof sorted);
    nt_lexis_free(lexis);
    assert_int_equal(nt_lexis_new(&lexis, NULL, 3, eos, 1), NT_OK);
    assert_true(lexis->n_sorted == 0 && lexis->opens[0] == NT_OPENS_EOS);
    nt_lexis_free(lexis);
    nt_lexis_free(NULL);
}

static int lexis_and_score(const fixture *f, const request *r) {
    nt_lexis *lexis;
    int32_t eos = 1;
    NT_TRY(nt_lexis_new(&lexis, &f->reader, f->vocab.V, &eos, 1));
    nt_result *trace;
    int status = score_request(&trace, r, &f->reader, lexis, f->vocab.V);
    nt_result_free(trace);
    nt_lexis_free(lexis);
    return status;
}

static void every_allocation_may_fail(void **state) {
    fixture *f = *state;
    int32_t ids[MAX_IDS];
    request r = request_of(json_array_get(json_object_get(f->json, "cases"), 0), ids, f->vocab.V);
    size_t k = 1;
    for (int status = NT_E_MEMORY; status != NT_OK; k++) {
        nt_memory_fail_at(k);
        status = lexis_and_score(f, &r);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
    }
    assert_true(k > 9);
    free_rows(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_defined),
        cmocka_unit_test(sums_agree),
        cmocka_unit_test(threads_and_order_change_nothing),
        cmocka_unit_test(impossible_characters),
        cmocka_unit_test(where_units_stand),
        cmocka_unit_test(a_broken_last_row),
        cmocka_unit_test(openings),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
